//! Sorts a list, chooses the issues to show, and sums them up by developer.
use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxHashMap;

use super::filter::{IssueFilter, IssueSort};
use super::index::Facts;
use super::matching::Match;
use super::{DeveloperSum, ListedOwner, Wanted};

/// What each developer answers for.
pub(crate) struct Sums {
    pub(crate) developers: Vec<DeveloperSum>,
    /// Index into `developers`, by issue.
    pub(crate) of: FxHashMap<i64, usize>,
}

impl Sums {
    pub(crate) fn new(matches: &[Match<'_>], days: usize) -> Self {
        let mut places: BTreeMap<&ListedOwner, usize> = BTreeMap::new();
        let mut sums = Self { developers: Vec::new(), of: FxHashMap::default() };
        for found in matches {
            let owner = &found.facts.owner;
            let place = *places.entry(owner).or_insert_with(|| {
                let by_day = vec![0; days];
                let owner = owner.clone();
                sums.developers.push(DeveloperSum { owner, issues: 0, occurrences: 0, by_day });
                sums.developers.len() - 1
            });
            let sum = &mut sums.developers[place];
            sum.issues += 1;
            sum.occurrences = sum.occurrences.saturating_add(found.occurrences);
            sums.of.insert(found.id, place);
        }
        sums
    }
}

pub(crate) fn sort(matches: &mut [Match<'_>], filter: &IssueFilter) {
    let by = |a: &Match<'_>, b: &Match<'_>| match filter.sort {
        IssueSort::Occurrences => b.occurrences.cmp(&a.occurrences),
        IssueSort::LastSeen => b.last_at.cmp(&a.last_at),
        IssueSort::FirstSeen => b.facts.first_seen_at.cmp(&a.facts.first_seen_at),
        IssueSort::Developer => a.facts.owner.cmp(&b.facts.owner),
        IssueSort::Path => a.facts.path.cmp(&b.facts.path),
        IssueSort::Age => b.facts.authored_at.cmp(&a.facts.authored_at),
    };
    matches.sort_unstable_by(|a, b| {
        let order = if filter.reversed { by(b, a) } else { by(a, b) };
        // A total order, so that pages do not overlap.
        order.then_with(|| b.occurrences.cmp(&a.occurrences)).then_with(|| a.id.cmp(&b.id))
    });
}

pub(crate) fn choose<'a>(
    matches: Vec<Match<'a>>,
    filter: &IssueFilter,
    wanted: Wanted,
    developers: usize,
) -> Vec<Match<'a>> {
    match wanted {
        Wanted::All => matches,
        Wanted::Page => {
            let skipped = (filter.page - 1).saturating_mul(filter.page_size);
            matches.into_iter().skip(skipped).take(filter.page_size).collect()
        }
        Wanted::OfEach { each, all } => {
            let each = (all / developers.max(1)).clamp(1, each);
            let mut shown: HashMap<&'a str, usize> = HashMap::new();
            let mut chosen: Vec<Match<'a>> = Vec::new();
            for found in matches {
                let facts: &'a Facts = found.facts;
                let count = shown.entry(facts.owner.as_str()).or_default();
                if *count < each && chosen.len() < all {
                    *count += 1;
                    chosen.push(found);
                }
            }
            chosen
        }
    }
}
