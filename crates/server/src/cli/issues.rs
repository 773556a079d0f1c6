//! `flawless issues`: the issues of a week, read from the store.
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::anyhow;
use flawless_base::dates::{date_time, parse_date};
use serde_json::json;

use super::open::ProjectArgument;
use super::print;
use crate::query::issues::{IssueFilter, ListMemory, ListedIssue, Span, Wanted, list};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    of: ProjectArgument,
    /// Any day of the week, as YYYY-MM-DD; this week by default. Weeks start on Sunday.
    #[arg(long, value_name = "DATE")]
    week: Option<String>,
    /// Include known errors.
    #[arg(long)]
    include_known_errors: bool,
    /// Include lines older than report_only_after_minimum_date.
    #[arg(long)]
    include_modified_before_min_date: bool,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let app = arguments.of.open_known().await?;
    let at = match &arguments.week {
        None => None,
        Some(day) => Some(
            parse_date(day, &app.config.timezone)
                .ok_or_else(|| anyhow!("--week: {day:?} is not a date: write YYYY-MM-DD"))?,
        ),
    };
    let mut filter = IssueFilter {
        known_errors: arguments.include_known_errors,
        old_code: arguments.include_modified_before_min_date,
        ..IssueFilter::default()
    };
    if let Span::Week { at: week, .. } = &mut filter.span {
        *week = at;
    }
    let found = list(&app, &ListMemory::default(), &filter, Wanted::All).await?;
    app.store.close().await;
    let date = |at: i64| date_time(at, &app.config.timezone);
    if arguments.json {
        let lines = found.issues.iter().map(|line| as_json(line, date).to_string() + "\n");
        return print(lines.collect::<String>());
    }
    let (from, to) = found.span;
    let mut text = format!("{} to {}\n", &date(from)[..10], &date(to - 1)[..10]);
    if found.issues.is_empty() {
        text.push_str("Wow, no errors. Great job!\n");
    }
    for line in &found.issues {
        let issue = &line.issue;
        let notified = match line.notified.is_notified {
            true => "notified".to_owned(),
            false => format!("not notified ({})", line.notified.why),
        };
        let (count, last) = (line.occurrences, date(line.last_at));
        let place = format!("{}:{}", issue.facts.path, issue.facts.line);
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "{count:>7} × {place} in {}  {}", issue.facts.function_name, line.owner);
        let _ = writeln!(text, "          {}", issue.facts.text);
        let muted = if issue.muted_at(app.clock.now()).is_some() { ", muted" } else { "" };
        let number = issue.id;
        let resolved = if issue.resolved_at.is_some() { ", resolved" } else { "" };
        let _ =
            writeln!(text, "          issue {number}, last {last}, {notified}{muted}{resolved}");
    }
    print(text)
}

fn as_json(line: &ListedIssue, date: impl Fn(i64) -> String) -> serde_json::Value {
    let issue = &line.issue;
    let details = &issue.facts.details;
    json!({
        "issue": issue.id,
        "exception_type": issue.facts.exception_type,
        "exception_types": issue.types().collect::<Vec<_>>(),
        "filename": issue.facts.path,
        "line_number": issue.facts.line,
        "function_name": issue.facts.function_name,
        "text": issue.facts.text,
        "error_count": line.occurrences,
        "developer_email": line.owner.as_str(),
        "date": issue.facts.authored_at.map(&date),
        "email_sent": issue.mailed,
        "notified": line.notified.why,
        "last_occurrence": date(line.last_at),
        "is_known_error": issue.facts.known_error_id.is_some(),
        "muted_until": issue.muted_until.map(&date),
        "resolved_at": issue.resolved_at.map(&date),
        "resolved_by": issue.resolved_by,
        "reason": issue.facts.reason,
        "confidence": details.confidence,
        "path_rule": details.path_rule,
        "revision": details.revision,
    })
}
