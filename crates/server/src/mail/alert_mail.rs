//! The mail that tells of an issue.
use askama::Template;
use flawless_core::{KnownError, Owner};
use lettre::message::MultiPart;

use super::{MailError, builder, finish};
use crate::dates::date_time;
use crate::issue_details::IssueDetails;
use crate::links;
use crate::present::{author_of, one_line, plain};
use crate::shown_report::{Room, ShownReport};
use crate::state::Shared;
use crate::store::{AlertRow, IssueRow, NewMail, Sample};

/// Everything that the mails of one alert are made of.
pub struct AlertMail<'a> {
    /// The server.
    pub shared: &'a Shared,
    /// The decision to tell.
    pub alert: &'a AlertRow,
    /// What is told of.
    pub issue: &'a IssueRow,
    /// How its line was found, and the other suspects.
    pub details: &'a IssueDetails,
    /// Its newest sample.
    pub sample: &'a Sample,
    /// Who answers for it, and why.
    pub owner: &'a Owner,
    /// The known error it is.
    pub known: Option<&'a KnownError>,
}

/// What both templates show.
struct View {
    header: String,
    report: ShownReport,
    place: String,
    text: String,
    reason: String,
    commit: Option<CommitView>,
    later: Vec<String>,
    steps: Vec<String>,
    suspects: Vec<String>,
    why_told: String,
    why_recipient: String,
    first_seen: String,
    view_url: String,
    issues_url: String,
    known_error_url: String,
}

struct CommitView {
    id: String,
    summary: String,
    author: String,
    date: String,
    origin: String,
}

#[derive(Template)]
#[template(path = "alert_mail.html")]
struct Html<'a> {
    mail: &'a View,
}

#[derive(Template)]
#[template(path = "alert_mail.txt")]
struct Text<'a> {
    mail: &'a View,
}

impl AlertMail<'_> {
    /// The mail to one recipient, with the reason why it goes there.
    ///
    /// # Errors
    /// The recipient or the sender is no address.
    pub fn write(&self, recipient: &str, why_recipient: &str) -> Result<NewMail, MailError> {
        let view = self.view(recipient, why_recipient);
        let host = one_line(&self.sample.report.hostname, 100);
        let subject = format!("Error on {host} in {}", one_line(&self.issue.facts.path, 200));
        let domain = &self.shared.config.addresses.domain;
        // Made of what the store holds, so that writing it again makes the same name.
        let to = recipient.replace('@', ".at.");
        let AlertRow { id, decided_at, .. } = self.alert;
        let message_id = format!("alert-{id}.{decided_at}.{to}@{domain}");
        let from = &self.shared.config.smtp.from;
        let parts = MultiPart::alternative_plain_html(
            Text { mail: &view }.render()?,
            Html { mail: &view }.render()?,
        );
        let message = builder(from, recipient, &subject, &message_id, *decided_at)?;
        let message = finish(message.multipart(parts)?);
        Ok(NewMail { recipient: recipient.to_owned(), subject, message_id, message })
    }

    fn view(&self, recipient: &str, why_recipient: &str) -> View {
        let issue = self.issue;
        let timezone = &self.shared.config.timezone;
        let date = |at: i64| date_time(at, timezone);
        let base = &self.shared.base_url;
        let commit = issue.facts.origin_commit.as_ref().map(|id| CommitView {
            id: id.chars().take(12).collect(),
            summary: one_line(issue.facts.commit_summary.as_deref().unwrap_or_default(), 200),
            author: author_of(issue, self.details),
            origin: one_line(
                &format!(
                    "{}:{}",
                    issue.facts.origin_path.as_deref().unwrap_or_default(),
                    issue.facts.origin_line.unwrap_or_default()
                ),
                300,
            ),
            date: issue.facts.authored_at.map(date).unwrap_or_default(),
        });
        let function = &issue.facts.function_name;
        let in_function =
            if function.is_empty() { String::new() } else { format!(" in {function}") };
        View {
            header: plain(self.known.and_then(|k| k.email_header.as_deref()).unwrap_or_default()),
            report: ShownReport::of(self.sample, Room::MAIL),
            place: one_line(
                &format!("{}:{}{in_function}", issue.facts.path, issue.facts.line),
                500,
            ),
            text: one_line(&issue.facts.text, 500),
            reason: plain(&issue.facts.reason),
            commit,
            later: self
                .details
                .later
                .iter()
                .map(|later| one_line(&later.to_string(), 300))
                .collect(),
            suspects: self
                .details
                .suspects
                .iter()
                .map(|suspect| one_line(&suspect.in_words(), 400))
                .collect(),
            steps: self.owner.steps.iter().map(|step| plain(step)).collect(),
            why_told: self.alert.reason.clone(),
            why_recipient: why_recipient.to_owned(),
            first_seen: date(issue.first_seen_at),
            view_url: links::view_traceback(base, issue, self.alert.decided_at),
            issues_url: links::issues_of(base, self.owner.address.as_deref().unwrap_or(recipient)),
            known_error_url: links::add_known_error(base, issue),
        }
    }
}
