//! Who is notified instead, when no person wrote the line or its author is gone.
use std::collections::HashMap;

use crate::address::is_mailable;
use crate::automation::AutomationPatterns;
use crate::blame::Developer;
use crate::code_owners::Owners;
use crate::owner::{Trail, alias};
use crate::rules::{RuleId, Rules};

/// The address that CODEOWNERS leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeOwner {
    /// `None` when no owner has an address. It must still be passed to `owner_of`: an email alias
    /// or a reassignment may apply to it.
    pub address: Option<String>,
    /// A sentence for each owner that was skipped, and for the one that was taken.
    pub steps: Vec<String>,
    /// The email aliases that led there.
    pub rules: Vec<RuleId>,
}

/// Characters of a pattern that are shown.
const MAX_PATTERN: usize = 100;

/// The first of `owners` that can be mailed: an address can; a `@user` or `@org/team` needs an
/// email alias from that handle, with or without its `@`, to an address.
pub fn owner_by_code_owners(owners: &Owners, rules: &Rules) -> CodeOwner {
    let pattern: String = owners.pattern.chars().take(MAX_PATTERN).collect();
    let place = format!("CODEOWNERS line {} ({pattern})", owners.line);
    let (mut steps, mut used) = (Vec::new(), Vec::new());
    if owners.owners.is_empty() {
        return CodeOwner { steps: vec![format!("{place} names nobody")], ..CodeOwner::default() };
    }
    for owner in &owners.owners {
        let address = match owner.strip_prefix('@') {
            None => Some(owner.clone()),
            Some(handle) => {
                let mut found = Trail::default();
                let address =
                    alias(owner, rules, &mut found).or_else(|| alias(handle, rules, &mut found));
                match address {
                    Some(_) => {
                        steps.append(&mut found.steps);
                        used.append(&mut found.rules);
                    }
                    None => steps.push(format!("{place}: {owner} has no email alias")),
                }
                address
            }
        };
        let Some(address) = address else { continue };
        if is_mailable(&address) {
            steps.push(format!("{place}: {owner} is the owner"));
            return CodeOwner { address: Some(address), steps, rules: used };
        }
        steps.push(format!("{place}: {address:?} is not a mail address"));
    }
    CodeOwner { address: None, steps, rules: used }
}

/// Whether a developer is gone: without a commit for `author_gone_days`. 0 days turn it off, and
/// nobody is gone whose last commit is unknown. Times in milliseconds UTC.
pub fn author_gone(last_commit_at: Option<i64>, now_ms: i64, author_gone_days: u32) -> bool {
    let limit = i64::from(author_gone_days) * 24 * 60 * 60 * 1000;
    limit > 0 && last_commit_at.is_some_and(|at| now_ms.saturating_sub(at) > limit)
}

/// The most active person among the authors of a file's recent commits, newest first, with their
/// number of commits; among equals the most recent one. They are proposed, not blamed: `gone` is
/// the address that nobody reads any longer.
pub fn busiest_committer<'a>(
    recent: &'a [Developer],
    gone: &str,
    patterns: &AutomationPatterns,
) -> Option<(&'a Developer, usize)> {
    let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
    for (place, developer) in recent.iter().enumerate() {
        let email = developer.email.trim().to_lowercase();
        if !email.is_empty() && email != gone.trim().to_lowercase() {
            counts.entry(email).or_insert((0, place)).0 += 1;
        }
    }
    let mut people: Vec<(usize, usize)> = counts.into_values().collect();
    people.sort_by_key(|(count, newest)| (std::cmp::Reverse(*count), *newest));
    let people = people.into_iter().map(|(count, newest)| (&recent[newest], count));
    people.into_iter().find(|(developer, _)| !patterns.is_automation(developer))
}
