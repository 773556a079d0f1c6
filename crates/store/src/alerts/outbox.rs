//! Complete mails and posts to be sent, so that a second attempt sends the same one.
use flawless_base::backoff::LONGEST_RETRY_MS;
use sqlx::FromRow;

use super::recipient::Recipient;
use crate::sealing::SealError;
use crate::{ProjectId, Store, StoreError, WriteTx, db};

pub(crate) const TABLE: &str = "outbox";

fn sealed(source: SealError) -> StoreError {
    StoreError::Sealed { what: "the mail".into(), source }
}

/// The kind of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// An alert about one issue.
    Alert,
    /// Alerts about several issues.
    Digest,
    /// The weekly report.
    Weekly,
    /// Reports something that the server could not do.
    Note,
    /// Contains a sign-in link.
    SignIn,
    /// A post to a channel: about one issue or several.
    Post,
}

impl MailKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Digest => "digest",
            Self::Weekly => "weekly",
            Self::Note => "note",
            Self::SignIn => "sign_in",
            Self::Post => "post",
        }
    }
}

/// A mail that is ready.
#[derive(Debug, Clone)]
pub struct OutboxMessage {
    /// The kind of mail.
    pub kind: MailKind,
    /// Whom it goes to.
    pub recipient: Recipient,
    /// The subject, for pages.
    pub subject: String,
    /// The Message-ID, created once.
    pub message_id: String,
    /// Headers and body as sent; only the body of a post.
    pub message: Vec<u8>,
}

impl OutboxMessage {
    /// A placeholder for an alert whose mail could not be written, so that the failure is visible.
    pub fn unwritten(recipient: Recipient, name: &str) -> Self {
        Self {
            kind: MailKind::Alert,
            recipient,
            subject: String::new(),
            message_id: format!("unwritten.{name}"),
            message: Vec::new(),
        }
    }
}

/// A mail that is due.
#[derive(Debug, Clone, FromRow)]
pub struct DueMessage {
    /// Its number.
    pub id: i64,
    /// The project that it is about.
    pub project_id: ProjectId,
    /// The one address it goes to.
    pub recipient: String,
    /// What it is about.
    pub subject: String,
    /// Headers and body.
    pub message: Vec<u8>,
    /// When it was written.
    pub created_at: i64,
    /// Number of failed attempts.
    pub attempts: i64,
    /// It contains a sign-in link.
    #[sqlx(default)]
    pub signs_in: bool,
    /// Why the message is empty, when it cannot be decrypted.
    #[sqlx(default)]
    pub unreadable: Option<String>,
}

/// A mail that reached nobody.
#[derive(Debug, Clone, FromRow)]
pub struct Undelivered {
    /// Its number.
    pub id: i64,
    /// The project that it is about.
    pub project_id: ProjectId,
    /// The one address it went to.
    pub recipient: String,
    /// What it is about.
    pub subject: String,
}

/// A mail as pages show it.
#[derive(Debug, Clone, FromRow)]
pub struct MailState {
    /// The one address it goes to, or the channel in words, e.g. `slack channel 3`.
    pub recipient: String,
    /// Why it goes there, in words.
    pub why: String,
    /// When it was written.
    pub created_at: i64,
    /// When the mail server or the channel's service accepted it.
    pub sent_at: Option<i64>,
    /// When it was given up.
    pub gave_up_at: Option<i64>,
    /// The mail server's answer to the last attempt.
    pub last_error: Option<String>,
}

impl WriteTx {
    /// Puts a mail into the outbox; returns its number there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_mail(&mut self, mail: &OutboxMessage, at: i64) -> Result<i64, StoreError> {
        // A mail that could not be written is stored without a message.
        let message = match mail.message.is_empty() {
            true => Vec::new(),
            false => self.sealing.seal(TABLE, mail.message.clone()).map_err(sealed)?,
        };
        let id = db::query_scalar(
            "INSERT INTO outbox (kind, recipient, subject, message_id, message, created_at, \
             attempts, next_attempt_at, project_id) VALUES ($1, $2, $3, $4, $5, $6, 0, $6, $7) \
             RETURNING id",
        )
        .bind(mail.kind.as_str())
        .bind(mail.recipient.to_string())
        .bind(&mail.subject)
        .bind(&mail.message_id)
        .bind(message)
        .bind(at)
        .bind(self.project)
        .fetch_one(&mut self.tx)
        .await?;
        Ok(id)
    }

    /// Marks a mail as accepted by the mail server.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mail_sent(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        // Sign-in links are deleted once sent.
        let query = db::query(
            "UPDATE outbox SET sent_at = $2, last_error = NULL, \
             message = CASE kind WHEN 'sign_in' THEN '' ELSE message END WHERE id = $1",
        );
        query.bind(id).bind(at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Notes a failed attempt; the next is at `next_attempt_at`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mail_postponed(
        &mut self,
        id: i64,
        next_attempt_at: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2, last_error = $3 \
             WHERE id = $1",
        );
        query.bind(id).bind(next_attempt_at).bind(error).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Notes that a mail can never be delivered; `address_refused`: nor any other mail to that
    /// address.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mail_given_up(
        &mut self,
        id: i64,
        at: i64,
        error: &str,
        address_refused: bool,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "UPDATE outbox SET attempts = attempts + 1, gave_up_at = $2, last_error = $3, \
             address_refused = $4, \
             message = CASE kind WHEN 'sign_in' THEN '' ELSE message END WHERE id = $1",
        );
        let query = query.bind(id).bind(at).bind(error).bind(i64::from(address_refused));
        query.execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Mails of all projects that are due, oldest first; no posts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn due_mails(&self, now: i64, limit: i64) -> Result<Vec<DueMessage>, StoreError> {
        let query = db::query(
            "SELECT id, project_id, recipient, subject, message, created_at, attempts, \
             kind = 'sign_in' AS signs_in FROM outbox \
             WHERE sent_at IS NULL AND gave_up_at IS NULL \
             AND (next_attempt_at <= $1 OR next_attempt_at > $3) \
             AND kind <> 'post' ORDER BY next_attempt_at, id LIMIT $2",
        );
        let query = query.bind(now).bind(limit).bind(now.saturating_add(LONGEST_RETRY_MS));
        let mut mails: Vec<DueMessage> = query.fetch_all(&self.readers).await?;
        for mail in &mut mails {
            mail.unreadable = self.open_message(&mut mail.message);
        }
        Ok(mails)
    }

    /// Decrypts the message of a mail or post. On failure it returns the reason and empties the
    /// message: those that follow must not wait.
    pub(crate) fn open_message(&self, message: &mut Vec<u8>) -> Option<String> {
        match self.sealing.open(TABLE, std::mem::take(message)) {
            Ok(opened) => {
                *message = opened;
                None
            }
            Err(error) => Some(sealed(error).to_string()),
        }
    }

    /// The mail of any project with this Message-ID, unless it was given up already.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn mail_named(&self, message_id: &str) -> Result<Option<Undelivered>, StoreError> {
        let query = db::query(
            "SELECT id, project_id, recipient, subject FROM outbox \
             WHERE message_id = $1 AND gave_up_at IS NULL AND kind NOT IN ('post', 'sign_in')",
        );
        Ok(query.bind(message_id).fetch_optional(&self.readers).await?)
    }

    /// The mails and posts about an issue, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn mails_of(&self, issue_id: i64) -> Result<Vec<MailState>, StoreError> {
        let query = db::query(
            "SELECT COALESCE(channel.kind || ' channel ' || channel.id, outbox.recipient) \
             AS recipient, notification.why, outbox.created_at, outbox.sent_at, outbox.gave_up_at, \
             outbox.last_error FROM alert JOIN notification ON notification.alert_id = alert.id \
             JOIN outbox ON outbox.id = notification.outbox_id \
             LEFT JOIN channel ON channel.project_id = outbox.project_id \
             AND outbox.recipient = 'channel:' || channel.id \
             WHERE alert.issue_id = $1 ORDER BY outbox.id DESC LIMIT 50",
        );
        Ok(query.bind(issue_id).fetch_all(&self.readers).await?)
    }
}
