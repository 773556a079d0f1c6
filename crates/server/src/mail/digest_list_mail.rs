//! The digest mail that lists several issues.
use askama::Template;
use flawless_base::plural::counted;
use flawless_store::{MailKind, OutboxMessage};

use super::MailError;
use super::alert_mail::{MAX_MAIL, alerts_list};
use super::envelope::{Body, Envelope};
use crate::app::App;
use crate::show::alert::ShortAlert;
use crate::show::links;

/// Up to this many issues are shown with a summary each; of more, each gets one line.
const MAX_DETAILED: usize = 25;

struct View<'a> {
    heading: String,
    alerts: Vec<&'a ShortAlert>,
    is_detailed: bool,
    issues_url: String,
    stop_url: Option<String>,
}

#[derive(Template)]
#[template(path = "digest_list_mail.html")]
struct Html<'a> {
    mail: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "digest_list_mail.txt")]
struct Text<'a> {
    mail: &'a View<'a>,
}

/// The digest mails to `recipient` that list all `alerts`: one, or several where one would be too
/// long. Alerts come with the number of their notification, mails with those that they cover.
///
/// # Errors
/// The address of the recipient or of the sender is invalid.
pub fn digest_list_mails(
    app: &App,
    recipient: &str,
    alerts: &[(i64, ShortAlert)],
    at: i64,
) -> Result<Vec<(Vec<i64>, OutboxMessage)>, MailError> {
    let notifications = alerts.iter().map(|(notification, _)| *notification).collect();
    let mail = digest_list_mail(app, recipient, alerts, at)?;
    if mail.message.len() <= MAX_MAIL || alerts.len() < 2 {
        return Ok(vec![(notifications, mail)]);
    }
    let (first, second) = alerts.split_at(alerts.len() / 2);
    let mut mails = digest_list_mails(app, recipient, first, at)?;
    mails.extend(digest_list_mails(app, recipient, second, at)?);
    Ok(mails)
}

fn digest_list_mail(
    app: &App,
    recipient: &str,
    alerts: &[(i64, ShortAlert)],
    at: i64,
) -> Result<OutboxMessage, MailError> {
    let count = alerts.len();
    let regressed = alerts.iter().filter(|(_, alert)| alert.regression.is_some()).count();
    let subject = subject(alerts.iter().map(|(_, alert)| alert));
    let mut shown: Vec<&ShortAlert> = alerts.iter().map(|(_, alert)| alert).collect();
    // Regressions come first, then the issues that occurred most.
    shown.sort_by_key(|alert| (alert.regression.is_none(), std::cmp::Reverse(alert.occurrences)));
    let view = View {
        heading: heading(count, regressed),
        is_detailed: count <= MAX_DETAILED,
        alerts: shown,
        issues_url: links::issues_of(&app.base_url, recipient),
        stop_url: alerts_list(app, recipient).map(|list| links::unsubscribe(app, recipient, list)),
    };
    let body = Body::TextAndHtml(Text { mail: &view }.render()?, Html { mail: &view }.render()?);
    let number =
        |notification: Option<&(i64, ShortAlert)>| notification.map_or(0, |(number, _)| *number);
    let envelope = Envelope {
        app,
        kind: MailKind::Digest,
        recipient,
        subject,
        name: format!("summary-{}-{}.{at}", number(alerts.first()), number(alerts.last())),
        at,
        issue: None,
        list: alerts_list(app, recipient),
    };
    envelope.seal(body)
}

/// The subject of a mail about these issues.
pub(super) fn subject<'a>(mut alerts: impl Iterator<Item = &'a ShortAlert>) -> String {
    let first = alerts.next().map(|alert| format!("{} ({})", alert.title, alert.path));
    let first = first.unwrap_or_default();
    match alerts.count() {
        0 => first,
        more => format!("{}: {first} and {more} more", counted(more + 1, "issue", "issues")),
    }
}

/// The heading of a digest of `issues` issues, `regressed` of which are regressions.
pub(super) fn heading(issues: usize, regressed: usize) -> String {
    let regressed = match regressed {
        0 => String::new(),
        regressed => format!(", {regressed} regressed"),
    };
    format!("{} since your last mail{regressed}", counted(issues, "issue", "issues"))
}
