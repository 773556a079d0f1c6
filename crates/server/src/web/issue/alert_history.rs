//! Who was notified of an issue, when and why, and whether the mail arrived.
use flawless_base::dates::date_time;
use flawless_base::text::{one_line, plain};
use flawless_store::{MailState, StoreError};

use crate::app::App;
use crate::notify::digest::scheduled_digests;
use crate::show::regression::regression_in_words;
use crate::web::layout::moment::Moment;

pub(crate) struct AlertHistory {
    pub(crate) alerts: Vec<AlertPart>,
    pub(crate) mails: Vec<MailPart>,
}

/// A decision to notify someone.
pub(crate) struct AlertPart {
    pub(crate) at: Moment,
    pub(crate) reason: String,
    /// Why nobody could be notified.
    pub(crate) note: Option<String>,
    /// What regressed, in a few sentences; `None` for a first alert.
    pub(crate) regression: Option<String>,
}

/// A mail or a post, or one that waits for a digest.
pub(crate) struct MailPart {
    pub(crate) recipient: String,
    pub(crate) why: String,
    pub(crate) state: String,
    pub(crate) is_bad: bool,
}

impl AlertHistory {
    pub(crate) async fn of(app: &App, issue: i64) -> Result<Self, StoreError> {
        let date = |at: i64| date_time(at, &app.config.timezone);
        let alerts = app.store.alerts_of(issue).await?.into_iter().map(|alert| AlertPart {
            at: Moment::new(alert.decided_at, app),
            reason: plain(&alert.reason),
            note: alert.note.as_deref().map(plain),
            regression: alert.regression.as_ref().map(|found| regression_in_words(found, date)),
        });
        let alerts = alerts.collect();
        let mails = app.store.mails_of(issue).await?.into_iter();
        let mut mails: Vec<MailPart> = mails.map(|mail| mail_part(mail, date)).collect();
        let waits_for = app.store.digest_recipients_of(issue).await?;
        if !waits_for.is_empty() {
            let digests = scheduled_digests(app).await?;
            mails.extend(waits_for.into_iter().map(|recipient| {
                let until = digests.iter().find(|digest| digest.recipient == recipient);
                let until = until.map(|digest| format!(", until {}", date(digest.due_at)));
                let until = until.unwrap_or_default();
                let state = format!("waits for the digest{until}");
                MailPart {
                    recipient: recipient.to_string(),
                    why: String::new(),
                    state,
                    is_bad: false,
                }
            }));
        }
        Ok(Self { alerts, mails })
    }
}

fn mail_part(mail: MailState, date: impl Fn(i64) -> String) -> MailPart {
    let words = mail.last_error.unwrap_or_default();
    let (state, is_bad) = match (mail.sent_at, mail.gave_up_at) {
        (Some(at), None) => (format!("sent {}", date(at)), false),
        (Some(_), Some(at)) => (format!("bounced {}: {words}", date(at)), true),
        (None, Some(at)) => (format!("given up {}: {words}", date(at)), true),
        (None, None) if words.is_empty() => ("waits to be sent".to_owned(), false),
        (None, None) => (format!("will be retried: {words}"), true),
    };
    MailPart {
        recipient: one_line(&mail.recipient, 300),
        why: one_line(&mail.why, 300),
        state: plain(&state),
        is_bad,
    }
}
