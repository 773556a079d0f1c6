//! The digest mail that shows a few issues in full.
use askama::Template;
use flawless_store::{MailKind, OutboxMessage};

use super::MailError;
use super::alert_mail::{AlertMail, MAX_MAIL, alerts_list};
use super::alert_view::AlertView;
use super::digest_list_mail::{heading, subject};
use super::envelope::{Body, Envelope};
use crate::app::App;
use crate::show::{RenderLimits, links};

/// A digest of more issues than this is a list.
pub const MAX_WHOLE: usize = 12;

/// One issue of a digest.
#[derive(Clone, Copy)]
pub struct DigestPart<'a> {
    /// The number of the notification that the mail covers.
    pub notification: i64,
    /// The alert that is shown.
    pub mail: AlertMail<'a>,
    /// Why the recipient is notified.
    pub why: &'a str,
}

struct View {
    heading: String,
    alerts: Vec<AlertView>,
    stop_url: Option<String>,
}

#[derive(Template)]
#[template(path = "digest_mail.html")]
struct Html<'a> {
    digest: &'a View,
}

#[derive(Template)]
#[template(path = "digest_mail.txt")]
struct Text<'a> {
    digest: &'a View,
}

/// The mail to `recipient` about all `parts`, with as much of each as fits; `None` when even the
/// tightest limits make it too long.
///
/// # Errors
/// The address of the recipient or of the sender is invalid.
pub fn digest_mail(
    app: &App,
    recipient: &str,
    parts: &[DigestPart<'_>],
    at: i64,
) -> Result<Option<OutboxMessage>, MailError> {
    for limits in RenderLimits::MAIL {
        let mail = within(app, recipient, parts, limits, at)?;
        if mail.message.len() <= MAX_MAIL {
            return Ok(Some(mail));
        }
    }
    Ok(None)
}

fn within(
    app: &App,
    recipient: &str,
    parts: &[DigestPart<'_>],
    limits: RenderLimits,
    at: i64,
) -> Result<OutboxMessage, MailError> {
    let view = |part: &DigestPart<'_>| AlertView::of(&part.mail, recipient, part.why, limits);
    let mut alerts: Vec<AlertView> = parts.iter().map(view).collect();
    let regressed = alerts.iter().filter(|alert| alert.short.regression.is_some()).count();
    let subject = subject(alerts.iter().map(|alert| &alert.short));
    // Regressions come first, then the issues that occurred most.
    alerts.sort_by_key(|alert| {
        (alert.short.regression.is_none(), std::cmp::Reverse(alert.short.occurrences))
    });
    let list = alerts_list(app, recipient);
    let view = View {
        heading: heading(alerts.len(), regressed),
        alerts,
        stop_url: list.map(|list| links::unsubscribe(app, recipient, list)),
    };
    let body =
        Body::TextAndHtml(Text { digest: &view }.render()?, Html { digest: &view }.render()?);
    let number = |part: Option<&DigestPart<'_>>| part.map_or(0, |part| part.notification);
    let envelope = Envelope {
        app,
        kind: MailKind::Digest,
        recipient,
        subject,
        name: format!("summary-{}-{}.{at}", number(parts.first()), number(parts.last())),
        at,
        issue: None,
        list,
    };
    envelope.seal(body)
}
