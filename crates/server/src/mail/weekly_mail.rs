//! The weekly report as a mail.
use askama::Template;
use flawless_store::{MailKind, OutboxMessage};

use super::MailError;
use super::alert_mail::MAX_MAIL;
use super::envelope::{Body, Envelope};
use super::weekly_report::{PersonWeek, WeeklyReport};
use super::weekly_view::WeeklyView;
use crate::app::App;

#[derive(Template)]
#[template(path = "weekly_mail.html")]
struct Html<'a> {
    mail: &'a WeeklyView,
}

#[derive(Template)]
#[template(path = "weekly_mail.txt")]
struct Text<'a> {
    mail: &'a WeeklyView,
}

/// How many issues of each list are named; the largest number that fits is used.
const ROOMS: [usize; 4] = [12, 6, 3, 1];

/// The week of one person in one project.
#[derive(Debug, Clone, Copy)]
pub struct WeekPart<'a> {
    /// The project.
    pub app: &'a App,
    /// The week of all people in it.
    pub report: &'a WeeklyReport,
    /// That of this person.
    pub person: &'a PersonWeek,
}

/// The mail to one person about their projects, of which there is at least one, with as much of the
/// week as fits.
///
/// # Errors
/// The address of the person or of the sender is invalid.
pub fn weekly_mail(parts: &[WeekPart<'_>], at: i64) -> Result<OutboxMessage, MailError> {
    let [rooms @ .., last] = ROOMS;
    for room in rooms {
        let mail = weekly_mail_within(parts, at, room)?;
        if mail.message.len() <= MAX_MAIL {
            return Ok(mail);
        }
    }
    weekly_mail_within(parts, at, last)
}

/// Only the text of that mail, for `flawless report`.
pub fn weekly_text(parts: &[WeekPart<'_>]) -> Result<String, MailError> {
    let view = WeeklyView::of(parts, ROOMS[0]);
    // Askama drops the line break at the end of a template.
    Ok(Text { mail: &view }.render()? + "\n")
}

fn weekly_mail_within(
    parts: &[WeekPart<'_>],
    at: i64,
    room: usize,
) -> Result<OutboxMessage, MailError> {
    let view = WeeklyView::of(parts, room);
    let body = Body::TextAndHtml(Text { mail: &view }.render()?, Html { mail: &view }.render()?);
    let WeekPart { app, report, person } = parts[0];
    let envelope = Envelope {
        app,
        kind: MailKind::Weekly,
        recipient: &person.address,
        subject: view.heading,
        name: format!("weekly-{}", report.week.day),
        at,
        issue: None,
        list: Some("weekly"),
    };
    envelope.seal(body)
}
