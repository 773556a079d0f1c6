//! An alert in short, for subjects, digests and posts.
use flawless_base::dates::{date_time, date_time_zone, rfc3339};
use flawless_base::text::{cut, one_line};
use flawless_core::Owner;
use flawless_store::{AlertRow, IssueRow, Sample};
use serde::Serialize;

use super::links;
use super::regression::regression_in_words;
use super::why::author_of;
use crate::app::App;

/// All texts are safe to show: bounded, without control characters or marks of writing direction.
/// Webhooks of the kind `json` receive it as it is.
#[derive(Debug, Clone, Serialize)]
pub struct ShortAlert {
    /// The issue's number.
    pub issue: i64,
    /// `new` or `regression`.
    pub kind: &'static str,
    /// Exception and function, e.g. `ZeroDivisionError in total`.
    pub title: String,
    /// Full type path of the exception, e.g. `builtins.KeyError`.
    pub exception_type: String,
    /// The exception as the client printed it; empty without a sample.
    pub message: String,
    /// Path in the repository; the deployed path when the file is not in the repository.
    pub path: String,
    /// Line number in the running code.
    pub line: i64,
    /// Name of the function.
    pub function: String,
    /// The source line.
    pub text: String,
    /// Address of the owner; `None` when there is none.
    pub owner: Option<String>,
    /// Each step from the line's author to the owner.
    pub owner_steps: Vec<String>,
    /// The commit that last changed the line; `None` when nobody is blamed.
    pub commit: Option<ShortCommit>,
    /// How the line was found, or why nobody is blamed.
    pub reason: String,
    /// Occurrences so far.
    pub occurrences: i64,
    /// When the issue was first seen, RFC 3339 in UTC.
    pub first_seen: String,
    /// When the alert was decided, RFC 3339 in UTC.
    pub decided_at: String,
    /// The host that the program ran on; empty without a sample.
    pub hostname: String,
    /// The environment, e.g. `production`; may be empty.
    pub environment: String,
    /// The revision as the client named it.
    pub revision: Option<String>,
    /// How the issue was resolved and failed again, in a sentence.
    pub regression: Option<String>,
    /// The known error's `email_header`, for mails.
    #[serde(skip)]
    pub header: String,
    /// The issue's page.
    pub url: String,
    /// The page on which the issue is reassigned.
    pub not_mine_url: String,
    /// The page on which the issue is muted.
    pub mute_url: String,
}

/// A commit in short.
#[derive(Debug, Clone, Serialize)]
pub struct ShortCommit {
    /// Full id.
    pub id: String,
    /// First line of its message.
    pub summary: String,
    /// Name and address.
    pub author: String,
    /// Author date, in the server's time zone.
    pub date: String,
}

impl ShortCommit {
    /// The first twelve digits of the id.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

impl ShortAlert {
    /// Summarizes an alert about `issue`, which `owner` answers for.
    pub fn of(
        app: &App,
        alert: &AlertRow,
        issue: &IssueRow,
        sample: Option<&Sample>,
        owner: &Owner,
    ) -> Self {
        let facts = &issue.facts;
        let timezone = &app.config.timezone;
        let date = |at: i64| date_time(at, timezone);
        let rules = app.rules.get();
        let known = facts.known_error_id.and_then(|id| rules.rules.known_error(id));
        let header = |text: &str| cut(text, 2_000);
        let regression = alert.regression.as_ref();
        let report = sample.map(|sample| &sample.report);
        // An issue may have several exception types; the one of the sample is shown.
        let exception_type = report.map_or(&facts.exception_type, |report| &report.exception_type);
        let commit = facts.origin_commit.as_ref().map(|id| ShortCommit {
            id: one_line(id, 64),
            summary: one_line(facts.commit_summary.as_deref().unwrap_or_default(), 200),
            author: author_of(issue),
            date: facts.authored_at.map(date).unwrap_or_default(),
        });
        Self {
            issue: issue.id,
            kind: if regression.is_some() { "regression" } else { "new" },
            title: title(exception_type, &facts.function_name, &facts.path),
            exception_type: one_line(exception_type, 200),
            message: report.map(|report| cut(&report.exception_message, 500)).unwrap_or_default(),
            path: one_line(&facts.path, 300),
            line: facts.line,
            function: one_line(&facts.function_name, 100),
            text: one_line(&facts.text, 300),
            owner: owner.address.clone(),
            owner_steps: owner.steps.iter().map(|step| one_line(step, 400)).collect(),
            commit,
            reason: one_line(&facts.reason, 500),
            occurrences: issue.occurrences.max(alert.occurrences),
            first_seen: rfc3339(issue.first_seen_at),
            decided_at: rfc3339(alert.decided_at),
            hostname: report.map(|report| one_line(&report.hostname, 100)).unwrap_or_default(),
            environment: report.map(|r| one_line(&r.environment, 100)).unwrap_or_default(),
            revision: report.and_then(|r| r.revision.as_deref()).map(|name| one_line(name, 100)),
            regression: regression
                .map(|found| regression_in_words(found, |at| date_time_zone(at, timezone))),
            header: known
                .and_then(|known| known.email_header.as_deref())
                .map(header)
                .unwrap_or_default(),
            url: links::issue(&app.base_url, issue.id),
            not_mine_url: links::not_mine(&app.base_url, issue.id),
            mute_url: links::mute(&app.base_url, issue.id),
        }
    }

    /// `PATH:LINE`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

/// Exception and function: `ZeroDivisionError in total`. A line outside of functions is named by
/// its file; unknown parts are left out.
pub fn title(exception_type: &str, function: &str, path: &str) -> String {
    let exception = exception_type.rsplit('.').next().filter(|name| !name.is_empty());
    let file = path.rsplit('/').next().unwrap_or(path);
    let within = if function.is_empty() || function == "<module>" { file } else { function };
    one_line(&format!("{} in {within}", exception.unwrap_or("Error")), 120)
}

/// The exception types that an issue was seen with, in one line.
pub fn types_in_words(issue: &IssueRow) -> String {
    const SHOWN: usize = 3;
    let types: Vec<&str> = issue.types().collect();
    let shown = types.iter().take(SHOWN).map(|name| one_line(name, 100)).collect::<Vec<_>>();
    match types.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The title of an issue without regard to a particular occurrence.
pub fn title_of(issue: &IssueRow) -> String {
    let short: Vec<&str> =
        issue.types().map(|name| name.rsplit('.').next().unwrap_or(name)).take(3).collect();
    let facts = &issue.facts;
    title(&short.join(" / "), &facts.function_name, &facts.path)
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn title_names_the_exception_and_where_it_arose() {
        for (exception, function, path, expected) in [
            ("builtins.ZeroDivisionError", "total", "shop/cart.py", "ZeroDivisionError in total"),
            ("ValueError", "<module>", "shop/cart.py", "ValueError in cart.py"),
            ("", "", "cart.py", "Error in cart.py"),
            ("a.B\r\nBcc: x", "f\u{202e}", "", "B Bcc: x in f\u{fffd}"),
        ] {
            assert_eq!(title(exception, function, path), expected);
        }
    }
}
