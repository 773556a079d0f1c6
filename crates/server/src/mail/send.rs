//! Sends what is in the outbox, with retries over days.
use std::time::Duration;

use flawless_base::backoff::{GIVE_UP_AFTER_MS, retry_after};
use flawless_store::{DueMessage, LINK_LIFE_MS, StoreError, Undelivered};

use super::give_up::give_up;
use super::sent_journal::SentJournal;
use super::smtp::{SendError, Smtp};
use crate::app::App;

const LOOK_AGAIN: Duration = Duration::from_secs(1);
const BATCH: i64 = 50;
/// A mail that the mail server puts off for long, and so often, is given up.
const GIVE_UP_AFTER_ATTEMPTS: i64 = 10;

/// Sends mails for ever.
pub async fn run_sender(app: App, smtp: Smtp, mut journal: SentJournal) {
    loop {
        let round = send_due(&app, &smtp, &mut journal).await;
        // Every round ends with the store knowing what was sent, or with an error.
        if round.is_ok()
            && let Err(error) = journal.clear()
        {
            tracing::warn!(%error, "the journal of sent mails could not be cleared");
        }
        match round {
            Ok(Round::Busy) => {}
            Ok(Round::Idle) => tokio::select! {
                () = app.wakeups.outbox.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            },
            Ok(Round::Unreachable) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(error) => {
                tracing::error!(%error, "the outbox could not be read");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

enum Round {
    Busy,
    Idle,
    /// The mail server cannot be talked to; the other mails stay where they are.
    Unreachable,
}

async fn send_due(app: &App, smtp: &Smtp, journal: &mut SentJournal) -> Result<Round, StoreError> {
    let due = app.store.due_mails(app.clock.now(), BATCH).await?;
    if due.is_empty() {
        return Ok(Round::Idle);
    }
    for mail in &due {
        if mail.signs_in && app.clock.now() - mail.created_at >= LINK_LIFE_MS {
            let mut tx = app.store.write().await?;
            tx.mail_given_up(mail.id, app.clock.now(), "its link is too old", false).await?;
            tx.commit().await?;
            continue;
        }
        let sent = send(app, smtp, journal, mail).await;
        let undelivered = || Undelivered {
            id: mail.id,
            recipient: mail.recipient.clone(),
            subject: mail.subject.clone(),
        };
        let now = app.clock.now();
        let mut tx = app.store.write().await?;
        let unreachable = matches!(sent, Err(SendError::Unreachable(_)));
        match sent {
            Ok(()) => tx.mail_sent(mail.id, now).await?,
            // Anybody may type any address: that changes nothing for other mails, and is no news.
            Err(SendError::AddressRefused(words) | SendError::Refused(words)) if mail.signs_in => {
                tracing::warn!(to = mail.recipient, words, "a link to sign in cannot be delivered");
                tx.mail_given_up(mail.id, now, &words, false).await?;
            }
            Err(SendError::AddressRefused(words)) => {
                give_up(app, &mut tx, &undelivered(), &words, true).await?;
            }
            Err(SendError::Refused(words)) => {
                give_up(app, &mut tx, &undelivered(), &words, false).await?;
            }
            Err(SendError::Later(words) | SendError::Unreachable(words)) => {
                // While the mail server cannot be talked to, a mail waits however long it takes.
                let is_old = now - mail.created_at >= GIVE_UP_AFTER_MS;
                if is_old && mail.attempts >= GIVE_UP_AFTER_ATTEMPTS && !unreachable {
                    give_up(app, &mut tx, &undelivered(), &words, false).await?;
                } else {
                    tracing::warn!(to = mail.recipient, words, "a mail was not sent yet");
                    let next = now + retry_after(mail.attempts);
                    tx.mail_postponed(mail.id, next, &words).await?;
                }
            }
        }
        tx.commit().await?;
        if unreachable {
            return Ok(Round::Unreachable);
        }
    }
    Ok(Round::Busy)
}

/// Sends a mail, unless only the store does not know yet that it was sent.
async fn send(
    app: &App,
    smtp: &Smtp,
    journal: &mut SentJournal,
    mail: &DueMessage,
) -> Result<(), SendError> {
    if journal.has(mail.id) {
        return Ok(());
    }
    if let Some(why) = &mail.unreadable {
        return Err(SendError::Later(why.clone()));
    }
    // What could not be noted would be sent again after a restart.
    if let Err(error) = journal.make_room() {
        return Err(SendError::Unreachable(format!("a sent mail could not be noted: {error}")));
    }
    // A server that is notifiedto stop waits for this.
    let _sending = app.sending.lock().await;
    let taken = || {
        if let Err(error) = journal.note(mail.id) {
            tracing::warn!(%error, "a sent mail could not be noted");
        }
    };
    smtp.send(&mail.recipient, &mail.message, taken).await
}
