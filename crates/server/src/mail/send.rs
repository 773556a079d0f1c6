//! Sends the mails in the outbox, with retries over days.
use std::sync::Arc;
use std::time::Duration;

use flawless_base::backoff::{GIVE_UP_AFTER_MS, retry_after};
use flawless_store::{DueMessage, LINK_LIFE_MS, StoreError, Undelivered};

use super::give_up::give_up;
use super::sent_journal::SentJournal;
use super::smtp::{SendError, Smtp};
use crate::app::App;
use crate::app::projects::Projects;

const LOOK_AGAIN: Duration = Duration::from_secs(1);
const BATCH: i64 = 50;
/// A mail that was postponed this often, and for long enough, is given up.
const GIVE_UP_AFTER_ATTEMPTS: i64 = 10;

/// Sends the mails of all projects forever.
pub async fn run_sender(projects: Arc<Projects>, smtp: Smtp, mut journal: SentJournal) {
    loop {
        let app = projects.first();
        let round = send_due(&projects, &smtp, &mut journal).await;
        // After a round without an error, the store knows all mails that were sent.
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
    /// The mail server cannot be reached; the remaining mails wait in the outbox.
    Unreachable,
}

async fn send_due(
    projects: &Projects,
    smtp: &Smtp,
    journal: &mut SentJournal,
) -> Result<Round, StoreError> {
    let now = projects.first().clock.now();
    let due = projects.store().due_mails(now, BATCH).await?;
    if due.is_empty() {
        return Ok(Round::Idle);
    }
    let mut round = Round::Idle;
    for mail in &due {
        // The mails of a removed project go with it.
        let Some(app) = &projects.get(mail.project_id) else { continue };
        if !is_ours(app, mail.id).await? {
            continue;
        }
        round = Round::Busy;
        if mail.signs_in && app.clock.now() - mail.created_at >= LINK_LIFE_MS {
            let mut tx = app.store.write().await?;
            tx.mail_given_up(mail.id, app.clock.now(), "its sign-in link expired", false).await?;
            tx.commit().await?;
            continue;
        }
        let sent = send(app, smtp, journal, mail).await;
        let undelivered = || Undelivered {
            id: mail.id,
            project_id: mail.project_id,
            recipient: mail.recipient.clone(),
            subject: mail.subject.clone(),
        };
        let now = app.clock.now();
        let mut tx = app.store.write().await?;
        let unreachable = matches!(sent, Err(SendError::Unreachable(_)));
        match sent {
            Ok(()) => tx.mail_sent(mail.id, now).await?,
            // Anybody can enter any address to sign in, so this has no effect on other mails, and
            // the default contact gets no note.
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
                // While the mail server cannot be reached, no mail is given up.
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
    Ok(round)
}

/// Whether this server sends a mail or post: of several that share a database, one does.
pub(crate) async fn is_ours(app: &App, message: i64) -> Result<bool, StoreError> {
    match app.running.get() {
        Some(running) if app.store.is_shared() => {
            app.store.claim_message(message, &running.node, app.clock.now()).await
        }
        _ => Ok(true),
    }
}

/// Sends a mail, unless the journal says that it was sent and only the store does not know yet.
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
    // A mail that is missing from the journal would be sent again after a restart.
    if let Err(error) = journal.make_room() {
        return Err(SendError::Unreachable(format!("cannot write the sent-mail journal: {error}")));
    }
    // A server that is told to stop waits for this.
    let _sending = app.sending.lock().await;
    let taken = || {
        if let Err(error) = journal.note(mail.id) {
            tracing::warn!(%error, "the sent-mail journal could not be written");
        }
    };
    smtp.send(&mail.recipient, &mail.message, taken).await
}
