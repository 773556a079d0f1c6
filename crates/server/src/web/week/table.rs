//! The tables of the week: one for each developer, or a single list.
use std::collections::HashMap;

use flawless_base::dates::date_time;
use flawless_base::text::one_line;

use super::filters::{SortLinks, link};
use crate::app::App;
use crate::query::issues::{IssueFilter, IssueList, IssueSort, ListedIssue, ListedOwner};
use crate::show::alert::types_in_words;
use crate::show::links;
use crate::web::layout::chart::Spark;
use crate::web::layout::moment::Moment;

/// Developers on the page, at most; the list view has the issues of the others.
const SECTIONS: usize = 100;

pub(super) struct Section {
    pub(super) address: String,
    pub(super) url: String,
    pub(super) score: String,
    pub(super) issues: usize,
    pub(super) spark: Spark,
    pub(super) table: Table,
    pub(super) is_cut: bool,
}

pub(super) struct Table {
    pub(super) caption: String,
    pub(super) sorts: SortLinks,
    pub(super) with_developer: bool,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) url: String,
    pub(super) place: String,
    pub(super) function: String,
    pub(super) text: String,
    pub(super) exception: String,
    pub(super) occurrences: String,
    pub(super) spark: Spark,
    pub(super) first_seen: Moment,
    pub(super) last_seen: Moment,
    pub(super) committed: Option<Moment>,
    pub(super) is_notified: bool,
    pub(super) notified: String,
    /// CSS class and text.
    pub(super) badges: Vec<(&'static str, &'static str)>,
    pub(super) owner: String,
    pub(super) owner_url: String,
}

/// Makes the tables.
pub(super) struct Tables<'a> {
    pub(super) app: &'a App,
    pub(super) filter: &'a IssueFilter,
    pub(super) found: &'a IssueList,
}

impl Tables<'_> {
    pub(super) fn sections(&self, issues: Vec<ListedIssue>) -> Vec<Section> {
        let mut lines: HashMap<&ListedOwner, Vec<Line>> = HashMap::new();
        let mut order: Vec<usize> = (0..self.found.developers.len()).collect();
        if self.filter.sort == IssueSort::Developer {
            order.sort_by_key(|at| &self.found.developers[*at].owner);
            if self.filter.reversed {
                order.reverse();
            }
        }
        for issue in issues {
            let sum = self.found.developers.iter().find(|sum| sum.owner == issue.owner);
            if let Some(sum) = sum {
                lines.entry(&sum.owner).or_default().push(self.line(issue));
            }
        }
        let sections = order.into_iter().filter_map(|at| {
            let sum = &self.found.developers[at];
            let lines = lines.remove(&sum.owner)?;
            Some(Section {
                url: self.issues_of(&sum.owner),
                score: grouped(sum.occurrences.unsigned_abs()),
                issues: sum.issues,
                spark: self.spark(&sum.by_day),
                is_cut: lines.len() < sum.issues,
                table: self.table_of(format!("Issues of {}", sum.owner), lines, false),
                address: one_line(sum.owner.as_str(), 254),
            })
        });
        sections.take(SECTIONS).collect()
    }

    pub(super) fn table(&self, issues: Vec<ListedIssue>, with_developer: bool) -> Table {
        let lines = issues.into_iter().map(|issue| self.line(issue)).collect();
        self.table_of("Issues".to_owned(), lines, with_developer)
    }

    fn table_of(&self, caption: String, lines: Vec<Line>, with_developer: bool) -> Table {
        let sorts = SortLinks::new(self.filter);
        Table { caption: one_line(&caption, 300), sorts, with_developer, lines }
    }

    fn issues_of(&self, owner: &ListedOwner) -> String {
        let developer = Some(owner.to_string());
        link(&IssueFilter { developer, page: 1, flat: false, ..self.filter.clone() })
    }

    fn spark(&self, counts: &[i64]) -> Spark {
        let first = date_time(self.found.span.0, &self.app.config.timezone);
        Spark::new(&format!("by day from {}", &first[..10]), counts)
    }

    fn line(&self, found: ListedIssue) -> Line {
        let moment = |at| Moment::new(at, self.app);
        let issue = &found.issue;
        let is_muted = issue.muted_at(self.app.clock.now()).is_some();
        let badges = [
            (found.is_new, "warn", "new"),
            (found.is_regressed && issue.resolved_at.is_none(), "bad", "regressed"),
            (issue.resolved_at.is_some(), "good", "resolved"),
            (issue.facts.known_error_id.is_some(), "muted", "known error"),
            (is_muted, "muted", "muted"),
            (found.is_old, "muted", "old code"),
            (found.is_library, "muted", "library code"),
        ];
        let badges = badges.into_iter().filter(|(is, ..)| *is);
        Line {
            url: links::issue("", issue.id),
            place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
            function: one_line(&issue.facts.function_name, 100),
            text: one_line(&issue.facts.text, 200),
            exception: types_in_words(issue),
            occurrences: grouped(found.occurrences.unsigned_abs()),
            spark: self.spark(&found.by_day),
            first_seen: moment(issue.first_seen_at),
            last_seen: moment(found.last_at),
            committed: issue.facts.authored_at.map(moment),
            is_notified: found.notified.is_notified,
            notified: found.notified.why,
            badges: badges.map(|(_, class, words)| (class, words)).collect(),
            owner_url: self.issues_of(&found.owner),
            owner: one_line(found.owner.as_str(), 254),
        }
    }
}

/// Digits in groups of three, separated by narrow no-break spaces.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn large_numbers_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }
}
