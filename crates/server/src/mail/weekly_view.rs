//! The content of the weekly mail; of other people it shows only what `leaderboard` allows.
use flawless_base::dates::{date_time, in_words};
use flawless_base::plural::times;
use flawless_base::text::one_line;
use flawless_store::{DEFAULT_PROJECT, FixingChange, IssueRow, Resolution, TwoWeeksIssue};

use super::weekly_mail::WeekPart;
use super::weekly_report::{PersonWeek, WeekTotals, WeeklyReport};
use crate::app::App;
use crate::config::Leaderboard;
use crate::show::alert::title_of;
use crate::show::links;

/// All texts are safe to show: bounded, without control characters or marks of writing direction.
pub(super) struct WeeklyView {
    pub heading: String,
    pub days: String,
    pub parts: Vec<PartView>,
    pub stop_url: String,
}

/// The part about one project.
pub(super) struct PartView {
    /// The name of the project, where there are several.
    pub project: Option<String>,
    /// A sentence for a week in which nothing, or nothing new, failed.
    pub quiet: Option<&'static str>,
    pub lists: Vec<List>,
    /// Name, this week, the week before; empty when `leaderboard` is off.
    pub team: Vec<(&'static str, String, String)>,
    /// Authors of fix commits, with how many issues they fixed.
    pub fixers: Vec<(String, usize)>,
    pub fixers_more: usize,
    pub week_url: String,
}

/// A list of issues under a heading.
pub(super) struct List {
    pub heading: &'static str,
    pub lines: Vec<Line>,
    /// How many issues are not named.
    pub more: usize,
}

/// One issue of a list.
pub(super) struct Line {
    pub title: String,
    pub place: String,
    pub text: String,
    pub facts: String,
    pub url: String,
}

/// At least this many authors of fix commits are named.
const MIN_FIXERS: usize = 3;

impl WeeklyView {
    /// Names at most `room` issues of each list of a project. With one of each the mail always
    /// fits, because all texts are bounded.
    pub(super) fn of(parts: &[WeekPart<'_>], room: usize) -> Self {
        let WeekPart { app, report, person } = parts[0];
        let week = &report.week;
        let place = match (parts, app.project_id()) {
            ([_], DEFAULT_PROJECT) => String::new(),
            ([_], _) => format!(" in {}", one_line(app.project.name(), 60)),
            (several, _) => format!(" in {} projects", several.len()),
        };
        let so_far = if week.to > app.clock.now() { " so far" } else { "" };
        let in_words = PersonWeek::in_words(parts.iter().map(|part| part.person));
        Self {
            heading: format!("Your week{place}{so_far}: {in_words}"),
            days: format!("{} to {}", day(app, week.from), day(app, week.to - 1)),
            parts: parts.iter().map(|part| PartView::of(*part, room, parts.len() > 1)).collect(),
            stop_url: links::unsubscribe(app, &person.address, "weekly"),
        }
    }
}

impl PartView {
    fn of(WeekPart { app, report, person }: WeekPart<'_>, room: usize, is_named: bool) -> Self {
        let WeeklyReport { week, this_week, week_before, fixers, .. } = report;
        let said = Said { app, report, room };
        let PersonWeek { regressed, new, failing, resolved, older, .. } = person;
        let mut lists = vec![
            said.list("Regressed", regressed, Said::regressed),
            said.list("New this week", new, Said::seen_first),
            said.list("Still failing", failing, Said::failing),
            said.list("Resolved", resolved, Said::resolved),
            said.list("Resolved before, but older revisions still run", older, Said::older),
        ];
        lists.retain(|list| !list.lines.is_empty());
        let leaderboard = app.config.mails.leaderboard;
        let fixers = match leaderboard {
            Leaderboard::Names => fixers.as_slice(),
            Leaderboard::Totals | Leaderboard::Off => &[],
        };
        Self {
            project: is_named.then(|| one_line(app.project.name(), 60)),
            quiet: match (regressed.len() + new.len(), failing.len()) {
                (0, 0) => Some("A quiet week: none of your issues is failing."),
                (0, _) => Some("Nothing new failed this week."),
                _ => None,
            },
            lists,
            team: match leaderboard {
                Leaderboard::Off => Vec::new(),
                _ => team(this_week, week_before),
            },
            fixers: fixers.iter().take(room.max(MIN_FIXERS)).cloned().collect(),
            fixers_more: fixers.len().saturating_sub(room.max(MIN_FIXERS)),
            week_url: links::week_of(&app.base_url, week.from, week.day.weekday(), &person.address),
        }
    }
}

fn line(app: &App, found: &TwoWeeksIssue, facts: String) -> Line {
    let issue = &found.issue;
    Line {
        title: title_of(issue),
        place: format!("{}:{}", one_line(&issue.facts.path, 150), issue.facts.line),
        text: one_line(&issue.facts.text, 120),
        facts: capitalized(&facts),
        url: links::issue(&app.base_url, issue.id),
    }
}

fn team(this: &WeekTotals, before: &WeekTotals) -> Vec<(&'static str, String, String)> {
    let count =
        |name, of: fn(&WeekTotals) -> usize| (name, of(this).to_string(), of(before).to_string());
    let median =
        |totals: &WeekTotals| totals.median_to_resolve.map_or_else(|| "–".to_owned(), in_words);
    vec![
        count("New", |totals| totals.new),
        count("Resolved", |totals| totals.resolved),
        count("Still open", |totals| totals.failing),
        ("Median time to fix", median(this), median(before)),
    ]
}

/// Describes issues in words.
struct Said<'a> {
    app: &'a App,
    report: &'a WeeklyReport,
    room: usize,
}

impl Said<'_> {
    fn list(
        &self,
        heading: &'static str,
        issues: &[TwoWeeksIssue],
        facts: fn(&Self, &TwoWeeksIssue) -> String,
    ) -> List {
        let named = issues.iter().take(self.room);
        List {
            heading,
            lines: named.map(|found| line(self.app, found, facts(self, found))).collect(),
            more: issues.len().saturating_sub(self.room),
        }
    }

    fn seen_first(&self, found: &TwoWeeksIssue) -> String {
        let day = day(self.app, found.issue.first_seen_at);
        let how_often = match found.week_occurrences {
            1 => format!("once, on {day}"),
            count => format!("{} since {day}", times(count)),
        };
        format!("{how_often}{}", self.since_then(found))
    }

    fn failing(&self, found: &TwoWeeksIssue) -> String {
        let span = in_words(self.report.week.to - found.issue.first_seen_at);
        format!("{}; first seen {span} ago{}", compared(found), self.since_then(found))
    }

    fn resolved(&self, found: &TwoWeeksIssue) -> String {
        let IssueRow { resolved_at, first_seen_at, .. } = found.issue;
        let took = in_words(resolved_at.unwrap_or(first_seen_at) - first_seen_at);
        let new = if first_seen_at >= self.report.week.from { ", new this week" } else { "" };
        format!("{}, {took} after it was first seen{new}", self.resolution(&found.issue))
    }

    fn older(&self, found: &TwoWeeksIssue) -> String {
        let times = times(found.week_occurrences);
        format!("{times} this week in revisions without the fix; {}", self.resolution(&found.issue))
    }

    fn regressed(&self, found: &TwoWeeksIssue) -> String {
        let what = found.regression.as_ref().map(|regressed| {
            let by = regressed.resolved_by.as_deref();
            let resolved = self.resolved_words(by, Some(&regressed.resolution));
            format!(
                "{resolved} (found on {}), then regressed",
                day(self.app, regressed.resolved_at)
            )
        });
        let what = what.unwrap_or_else(|| "resolved, then regressed".to_owned());
        format!("{what}: {} this week{}", times(found.week_occurrences), self.since_then(found))
    }

    fn since_then(&self, found: &TwoWeeksIssue) -> &'static str {
        // An issue may have been resolved after the week ended and before this mail is written.
        match found.issue.resolved_at {
            Some(at) if at >= self.report.week.to => "; resolved since",
            _ => "",
        }
    }

    fn resolution(&self, issue: &IssueRow) -> String {
        self.resolved_words(issue.resolved_by.as_deref(), issue.resolution.as_ref())
    }

    /// The commit that fixed the issue; the author only where `leaderboard` allows names.
    fn resolved_words(&self, by: Option<&str>, resolution: Option<&Resolution>) -> String {
        let with_names = self.app.config.mails.leaderboard == Leaderboard::Names;
        match (by, resolution) {
            (Some(by), Some(Resolution::Fixed(Some(FixingChange { summary, author })))) => {
                let author = if with_names { format!(" by {author}") } else { String::new() };
                one_line(&format!("fixed by {} “{summary}”{author}", short(by)), 200)
            }
            (Some(by), _) => one_line(&format!("fixed in {}", short(by)), 200),
            (None, _) => "marked as resolved by hand".to_owned(),
        }
    }
}

fn compared(found: &TwoWeeksIssue) -> String {
    let (now, before) = (found.week_occurrences, found.before_occurrences);
    let times = times(now);
    match now.cmp(&before) {
        _ if before == 0 => format!("{times}, ↑ from none the week before"),
        std::cmp::Ordering::Greater => format!("{times}, ↑ from {before} the week before"),
        std::cmp::Ordering::Less => format!("{times}, ↓ from {before} the week before"),
        std::cmp::Ordering::Equal => format!("{times}, the same as the week before"),
    }
}

fn capitalized(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

fn day(app: &App, at: i64) -> String {
    let mut day = date_time(at, &app.config.timezone);
    day.truncate(10);
    day
}
