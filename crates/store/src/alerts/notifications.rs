//! Notifications: who receives which alert, and in which mail.
use sqlx::FromRow;

use super::alert::AlertRow;
use super::recipient::Recipient;
use crate::{OutboxMessage, Store, StoreError, WriteTx, db};

/// A person or channel to be notified of an alert.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// Who is notified.
    pub recipient: Recipient,
    /// Why it is notified, in words.
    pub why: String,
    /// Whether it is the owner of the issue.
    pub is_owner: bool,
}

/// The notifications that wait for a recipient.
#[derive(Debug, Clone, FromRow)]
pub struct PendingDigestRow {
    /// Whom they wait for.
    #[sqlx(try_from = "String")]
    pub recipient: Recipient,
    /// Number of notifications.
    pub alerts: i64,
    /// When the oldest of them was created.
    pub oldest_at: i64,
    /// When the newest of them was created.
    pub newest_at: i64,
}

/// A notification that waits for the digest.
#[derive(Debug, Clone, FromRow)]
pub struct NotificationRow {
    /// Its number.
    pub notification_id: i64,
    /// Why it is sent to this recipient, in words.
    pub why: String,
    /// When it was created.
    pub since: i64,
    /// The alert.
    #[sqlx(flatten)]
    pub alert: AlertRow,
}

/// A mail that a recipient got recently.
#[derive(Debug, Clone, FromRow)]
pub struct RecentMail {
    /// Who got it.
    #[sqlx(try_from = "String")]
    pub recipient: Recipient,
    /// When it was written.
    pub created_at: i64,
}

impl WriteTx {
    /// Creates the notifications of an alert. A recipient with a notification gets no second one,
    /// however the address is spelled, unless the mail was given up. Returns how many wait to be
    /// sent.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_notifications(
        &mut self,
        alert_id: i64,
        notifications: &[NewNotification],
        at: i64,
    ) -> Result<u64, StoreError> {
        let composed = db::query("UPDATE alert SET composed_at = $2, note = NULL WHERE id = $1");
        composed.bind(alert_id).bind(at).execute(&mut self.tx).await?;
        let mut added = 0;
        for notification in notifications {
            let query = db::query(
                "INSERT INTO notification \
                 (alert_id, recipient, why, is_owner, created_at, project_id) VALUES ($1, COALESCE((SELECT MAX(known.recipient) FROM notification AS known \
                 WHERE known.alert_id = $1 AND LOWER(known.recipient) = $7), $2), \
                 $3, $4, $5, $6) ON CONFLICT (alert_id, recipient) DO UPDATE SET \
                 outbox_id = NULL, why = excluded.why, is_owner = excluded.is_owner, \
                 created_at = excluded.created_at WHERE EXISTS (SELECT 1 FROM outbox \
                 WHERE outbox.id = notification.outbox_id AND outbox.gave_up_at IS NOT NULL)",
            );
            let query = query
                .bind(alert_id)
                .bind(notification.recipient.to_string())
                .bind(&notification.why);
            let query = query.bind(notification.is_owner).bind(at).bind(self.project);
            let folded = notification.recipient.to_string().to_ascii_lowercase();
            let query = query.bind(folded);
            let done = query.execute(&mut self.tx).await?;
            added += done.rows_affected();
        }
        Ok(added)
    }

    /// Puts the mail with these notifications into the outbox, each in one mail, and with each the
    /// older ones of the same issue; returns the mail's number. `None` when one of them was deleted
    /// or sent in the meantime: then the transaction must be rolled back.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn write_notifications(
        &mut self,
        notifications: &[i64],
        mail: &OutboxMessage,
        at: i64,
    ) -> Result<Option<i64>, StoreError> {
        let outbox_id = self.add_mail(mail, at).await?;
        for notification in notifications {
            let query = db::query(
                "UPDATE notification SET outbox_id = $2 WHERE id = $1 AND outbox_id IS NULL",
            );
            let done = query.bind(notification).bind(outbox_id).execute(&mut self.tx).await?;
            if done.rows_affected() != 1 {
                return Ok(None);
            }
            let folded = db::query(
                "UPDATE notification SET outbox_id = $2 WHERE outbox_id IS NULL AND id < $1 \
                 AND project_id = $3 AND LOWER(recipient) = (SELECT LOWER(recipient) FROM notification WHERE id = $1) \
                 AND alert_id IN \
                 (SELECT id FROM alert WHERE issue_id = (SELECT alert.issue_id FROM alert \
                  JOIN notification ON notification.alert_id = alert.id WHERE notification.id = $1))",
            );
            folded
                .bind(notification)
                .bind(outbox_id)
                .bind(self.project)
                .execute(&mut self.tx)
                .await?;
        }
        Ok(Some(outbox_id))
    }

    /// Reopens the alerts of a mail that reached nobody, to notify somebody else. Returns whether
    /// any of them was for the owner.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn reopen_alerts(&mut self, outbox_id: i64) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE alert SET composed_at = NULL, note = NULL WHERE id IN \
             (SELECT alert_id FROM notification WHERE outbox_id = $1 AND is_owner = 1)",
        );
        Ok(query.bind(outbox_id).execute(&mut self.tx).await?.rows_affected() > 0)
    }
}

impl Store {
    /// Recipients with pending notifications, those who wait longest first. Addresses that differ
    /// only in case are one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn pending_digests(&self) -> Result<Vec<PendingDigestRow>, StoreError> {
        let query = db::query(
            "SELECT MAX(recipient) AS recipient, COUNT(*) AS alerts, \
             MIN(created_at) AS oldest_at, MAX(created_at) AS newest_at FROM notification \
             WHERE project_id = $1 AND outbox_id IS NULL \
             GROUP BY LOWER(recipient) ORDER BY 3, 1",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// The pending notifications of a recipient, oldest first; only the newest one of each issue.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn digest_notifications(
        &self,
        recipient: &Recipient,
    ) -> Result<Vec<NotificationRow>, StoreError> {
        let query = db::query(
            "SELECT notification.id AS notification_id, notification.why, notification.created_at AS since, alert.id, alert.issue_id, \
             alert.decided_at, alert.occurrences, alert.reason, alert.regression FROM notification \
             JOIN alert ON alert.id = notification.alert_id \
             WHERE notification.id IN (SELECT MAX(held.id) FROM notification AS held \
             JOIN alert AS notified ON notified.id = held.alert_id \
             WHERE held.project_id = $2 AND held.outbox_id IS NULL \
             AND LOWER(held.recipient) = $1 \
             GROUP BY notified.issue_id) \
             ORDER BY notification.id",
        );
        let folded = recipient.to_string().to_ascii_lowercase();
        Ok(query.bind(folded).bind(self.project).fetch_all(&self.readers).await?)
    }

    /// Recipients with pending notifications of an issue.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn digest_recipients_of(&self, issue_id: i64) -> Result<Vec<Recipient>, StoreError> {
        let query = db::query_scalar(
            "SELECT MAX(notification.recipient) FROM notification JOIN alert ON alert.id = notification.alert_id \
             WHERE notification.outbox_id IS NULL AND alert.issue_id = $1 \
             GROUP BY LOWER(notification.recipient) ORDER BY 1",
        );
        let recipients: Vec<String> = query.bind(issue_id).fetch_all(&self.readers).await?;
        Ok(recipients.into_iter().map(Recipient::from).collect())
    }

    /// Mails and posts about alerts since then, oldest first, except those that were given up.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn mails_written_since(&self, since: i64) -> Result<Vec<RecentMail>, StoreError> {
        let query = db::query(
            "SELECT recipient, created_at FROM outbox WHERE project_id = $2 AND created_at > $1 \
             AND kind IN ('alert', 'digest', 'post') AND gave_up_at IS NULL \
             ORDER BY created_at, id",
        );
        Ok(query.bind(since).bind(self.project).fetch_all(&self.readers).await?)
    }
}
