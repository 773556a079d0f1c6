//! `/view_traceback`: the latest traceback of a line, who is blamed and why, who was told.
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::issue_mend::mended_in_words;
use super::issue_mute::muted_in_words;
use super::layout::{PageError, message, page};
use super::visitor::Frame;
use crate::dates::date_time;
use crate::held_back::held_back;
use crate::links;
use crate::present::{author_of, one_line, plain};
use crate::shown_report::{Room, ShownReport};
use crate::state::Shared;
use crate::store::{IssueRow, StoreError};

/// The parameters of 0.4.5, and `issue` since. `timestamp` chose the week's file; issues live for ever now.
#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Parameters {
    filename: String,
    function_name: String,
    line_number: String,
    text: String,
    issue: String,
}

#[derive(Template)]
#[template(path = "traceback_view.html")]
struct Page {
    frame: Frame,
    place: String,
    function: String,
    text: String,
    occurrences: i64,
    first_seen: String,
    last_seen: String,
    sampled: String,
    reason: String,
    commit: Option<CommitPart>,
    later: Vec<String>,
    owner: String,
    steps: Vec<String>,
    issue: i64,
    muted: Option<String>,
    mended: Option<String>,
    suspects: Vec<String>,
    known_error: bool,
    told: Vec<String>,
    mails: Vec<MailPart>,
    known_error_url: String,
    report: Option<ShownReport>,
    /// Why there is no report, when it cannot be read.
    unreadable: Option<String>,
}

struct CommitPart {
    id: String,
    summary: String,
    author: String,
    date: String,
    origin: String,
}

struct MailPart {
    recipient: String,
    state: String,
    bad: bool,
}

/// The issue that the link names, else the one that agrees best with an older link.
async fn find(shared: &Shared, link: &Parameters) -> Result<Option<IssueRow>, StoreError> {
    let Parameters { filename, function_name, line_number, text, issue } = link;
    if let Ok(id) = issue.parse()
        && let Some(issue) = shared.store.issue(id).await?
    {
        return Ok(Some(issue));
    }
    let line = line_number.trim().parse().unwrap_or(0);
    shared.store.issue_of_line(filename, function_name, line, text).await
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&shared, &parameters).await? else {
        let (file, number) = (one_line(&parameters.filename, 300), one_line(&parameters.issue, 40));
        let text = match (number.is_empty(), file.is_empty()) {
            (false, true) => {
                format!("There is no issue {number}. Look for it in the week's report.")
            }
            _ => format!(
                "No issue of {file} with this function and text is known. Look for the file in the \
                 week's report."
            ),
        };
        return Ok(message(frame, StatusCode::NOT_FOUND, "Not found", &text));
    };
    let timezone = &shared.config.timezone;
    let date = |at: i64| date_time(at, timezone);
    let (sample, unreadable) = match shared.store.newest_sample(issue.id).await {
        Ok(sample) => (sample, None),
        Err(error @ (StoreError::Sealed { .. } | StoreError::Corrupt(_))) => {
            (None, Some(error.to_string()))
        }
        Err(error) => return Err(error.into()),
    };
    let rules = shared.rules.get();
    let details = issue.details();
    let refused = shared.store.refused_addresses(shared.clock.now()).await?;
    let owner = issue.owner(&details, &rules.rules, &shared.config.addresses, &refused);
    let told = shared.store.alerts_of(issue.id).await?.into_iter().map(|alert| {
        let note = alert.note.map(|note| format!(" — not sent: {note}")).unwrap_or_default();
        format!("{}: {}{note}", date(alert.decided_at), alert.reason)
    });
    let mails = shared.store.mails_of(issue.id).await?.into_iter().map(|mail| {
        let words = mail.last_error.unwrap_or_default();
        let (state, bad) = match (mail.sent_at, mail.gave_up_at) {
            (Some(at), None) => (format!("sent {}", date(at)), false),
            (Some(_), Some(at)) => (format!("came back {}: {words}", date(at)), true),
            (None, Some(at)) => (format!("given up {}: {words}", date(at)), true),
            (None, None) if words.is_empty() => ("waits to be sent".to_owned(), false),
            (None, None) => (format!("will be tried again: {words}"), true),
        };
        MailPart { recipient: mail.recipient, state: plain(&state), bad }
    });
    let mut mails: Vec<MailPart> = mails.collect();
    let waits_for = shared.store.held_of(issue.id).await?;
    if !waits_for.is_empty() {
        let held = held_back(&shared).await?;
        mails.extend(waits_for.into_iter().map(|recipient| {
            let until = held.iter().find(|held| held.recipient == recipient);
            let until = until.map(|held| format!(", until {}", date(held.until)));
            let state =
                format!("waits to be told with what else comes{}", until.unwrap_or_default());
            MailPart { recipient, state, bad: false }
        }));
    }
    let commit = issue.facts.origin_commit.as_ref().map(|id| CommitPart {
        id: id.chars().take(12).collect(),
        summary: one_line(issue.facts.commit_summary.as_deref().unwrap_or_default(), 200),
        author: author_of(&issue, &details),
        date: issue.facts.authored_at.map(date).unwrap_or_default(),
        origin: format!(
            "{}:{}",
            plain(issue.facts.origin_path.as_deref().unwrap_or_default()),
            issue.facts.origin_line.unwrap_or_default()
        ),
    });
    Ok(page(&Page {
        frame,
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        function: one_line(&issue.facts.function_name, 100),
        text: one_line(&issue.facts.text, 500),
        occurrences: issue.occurrences,
        first_seen: date(issue.first_seen_at),
        last_seen: date(issue.last_seen_at),
        sampled: sample.as_ref().map(|(at, _)| date(*at)).unwrap_or_default(),
        reason: plain(&issue.facts.reason),
        commit,
        later: details.later.iter().map(|later| one_line(&later.to_string(), 300)).collect(),
        issue: issue.id,
        muted: muted_in_words(&shared, &issue),
        mended: mended_in_words(&shared, &issue),
        suspects: details.suspects.iter().map(|s| one_line(&s.in_words(), 400)).collect(),
        owner: owner.address.unwrap_or_else(|| "nobody".to_owned()),
        steps: owner.steps.iter().map(|step| plain(step)).collect(),
        known_error: issue.facts.known_error_id.is_some(),
        told: told.collect(),
        mails,
        known_error_url: links::add_known_error("", &issue),
        report: sample.map(|(_, sample)| ShownReport::of(&sample, Room::PAGE)),
        unreadable,
    }))
}
