//! Erases what the store holds about one person.
use sqlx::FromRow;

use super::mention::ERASED;
use crate::{ProjectId, StoreError, WriteTx, db};

/// What the store holds about a person.
#[derive(Debug, Clone, Default)]
pub struct PersonsData {
    /// Issues that name them, with the texts that remain.
    pub(super) issues: Vec<IssueTexts>,
    /// Alerts, mails, notifications and actions that name them in a further text, with the texts
    /// that remain.
    pub(super) beside: Vec<(Beside, i64, String)>,
    /// Samples that name them, by issue and slot.
    pub(super) samples: Vec<(i64, i64)>,
    /// Waiting reports that name them, by project and fingerprint.
    pub(super) pending: Vec<(ProjectId, String)>,
    /// Sets of modules that name them, such as in a URL that one was installed from.
    pub(super) module_sets: Vec<String>,
    /// Mails to them.
    pub(super) mails_to: Vec<i64>,
    /// Mails to others that name them.
    pub(super) mails_naming: Vec<i64>,
    /// Notifications to them.
    pub(super) notifications: Vec<i64>,
    /// A pattern that finds the address in short texts.
    pub(super) like: String,
    /// Number of host names and similar values that name them.
    pub(super) facets: i64,
    /// Their channels, by project and number.
    pub(super) channels: Vec<(ProjectId, i64)>,
    /// What is stored about their address: the mails they do not want, that mails to it are tried
    /// again, their role, their sessions and tokens.
    pub(super) wishes: Vec<String>,
    /// Number of rows that cannot be read: their key is gone.
    pub unreadable: usize,
}

/// How much the store holds about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonsCounts {
    /// Issues that name them.
    pub issues: usize,
    /// Samples that name them.
    pub samples: usize,
    /// Waiting reports that name them.
    pub waiting: usize,
    /// Mails to them.
    pub mails: usize,
    /// Mails to others that name them.
    pub mails_naming: usize,
    /// Notifications to them, and texts of alerts, mails and actions that name them.
    pub notes: usize,
    /// Their channels, mail preferences and sign-ins.
    pub settings: usize,
}

#[derive(Debug, Clone, FromRow)]
pub(super) struct IssueTexts {
    pub(super) id: i64,
    pub(super) developer_name: Option<String>,
    pub(super) developer_email: Option<String>,
    pub(super) commit_summary: Option<String>,
    pub(super) reason: String,
    pub(super) details: String,
    pub(super) resolution: Option<String>,
    /// The source line.
    pub(super) text: String,
}

/// A column of texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beside {
    AlertReason,
    AlertNote,
    AlertRegression,
    NotificationWhy,
    MailError,
    ActionWho,
    ActionWhat,
    ActionUndo,
    ActionUndoneBy,
}

impl Beside {
    pub(super) const ALL: [Self; 9] = [
        Self::AlertReason,
        Self::AlertNote,
        Self::AlertRegression,
        Self::NotificationWhy,
        Self::MailError,
        Self::ActionWho,
        Self::ActionWhat,
        Self::ActionUndo,
        Self::ActionUndoneBy,
    ];

    pub(super) fn read(self) -> &'static str {
        match self {
            Self::AlertReason => "SELECT id, reason FROM alert",
            Self::AlertNote => "SELECT id, note FROM alert WHERE note IS NOT NULL",
            Self::AlertRegression => {
                "SELECT id, regression FROM alert WHERE regression IS NOT NULL"
            }
            Self::NotificationWhy => "SELECT id, why FROM notification WHERE why <> ''",
            Self::MailError => "SELECT id, last_error FROM outbox WHERE last_error IS NOT NULL",
            Self::ActionWho => "SELECT id, who FROM action",
            Self::ActionWhat => "SELECT id, what FROM action",
            Self::ActionUndo => "SELECT id, undo FROM action WHERE undo IS NOT NULL",
            Self::ActionUndoneBy => "SELECT id, undone_by FROM action WHERE undone_by IS NOT NULL",
        }
    }

    fn write(self) -> &'static str {
        match self {
            Self::AlertReason => "UPDATE alert SET reason = $2 WHERE id = $1",
            Self::AlertNote => "UPDATE alert SET note = $2 WHERE id = $1",
            Self::AlertRegression => "UPDATE alert SET regression = $2 WHERE id = $1",
            Self::NotificationWhy => "UPDATE notification SET why = $2 WHERE id = $1",
            Self::MailError => "UPDATE outbox SET last_error = $2 WHERE id = $1",
            Self::ActionWho => "UPDATE action SET who = $2 WHERE id = $1",
            Self::ActionWhat => "UPDATE action SET what = $2 WHERE id = $1",
            // An undo would restore data that names them, so it is no longer possible.
            Self::ActionUndo => "UPDATE action SET undo = NULLIF($2, $2) WHERE id = $1",
            Self::ActionUndoneBy => "UPDATE action SET undone_by = $2 WHERE id = $1",
        }
    }
}

impl PersonsData {
    /// Counts the data.
    pub fn counts(&self) -> PersonsCounts {
        PersonsCounts {
            issues: self.issues.len(),
            samples: self.samples.len(),
            waiting: self.pending.len(),
            mails: self.mails_to.len(),
            mails_naming: self.mails_naming.len(),
            notes: self.notifications.len()
                + self.beside.len()
                + self.module_sets.len()
                + usize::try_from(self.facets).unwrap_or_default(),
            settings: self.channels.len() + self.wishes.len(),
        }
    }

    /// Whether there is nothing to erase.
    pub fn is_empty(&self) -> bool {
        self.counts()
            == PersonsCounts {
                issues: 0,
                samples: 0,
                waiting: 0,
                mails: 0,
                mails_naming: 0,
                notes: 0,
                settings: 0,
            }
    }
}

impl WriteTx {
    /// Erases what was found about a person.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn erase_person(&mut self, found: &PersonsData, now: i64) -> Result<(), StoreError> {
        self.tx.lock_all_projects().await?;
        self.note_erasure().await?;
        for issue in &found.issues {
            let revision = self.next_revision_of(issue.id).await?;
            db::query(
                "UPDATE issue SET developer_name = $2, developer_email = $3, \
                 commit_summary = $4, reason = $5, details = $6, resolution = $7, text = $8, revision = $9 \
                 WHERE id = $1",
            )
            .bind(issue.id)
            .bind(&issue.developer_name)
            .bind(&issue.developer_email)
            .bind(&issue.commit_summary)
            .bind(&issue.reason)
            .bind(&issue.details)
            .bind(&issue.resolution)
            .bind(&issue.text)
            .bind(revision)
            .execute(&mut self.tx)
            .await?;
        }
        for (column, id, text) in &found.beside {
            db::query(column.write()).bind(id).bind(text).execute(&mut self.tx).await?;
        }
        for notification in &found.notifications {
            // Notifications that the owner did not receive yet go to the one who answers next.
            let reopen = db::query(
                "UPDATE alert SET composed_at = NULL, note = NULL WHERE id IN \
                 (SELECT notification.alert_id FROM notification LEFT JOIN outbox \
                  ON outbox.id = notification.outbox_id WHERE notification.id = $1 AND notification.is_owner = 1 \
                  AND outbox.sent_at IS NULL AND outbox.gave_up_at IS NULL)",
            );
            reopen.bind(notification).execute(&mut self.tx).await?;
            let query = db::query("DELETE FROM notification WHERE id = $1");
            query.bind(notification).execute(&mut self.tx).await?;
        }
        for mail in found.mails_to.iter().chain(&found.mails_naming) {
            self.erase_mail(*mail, now).await?;
        }
        for mail in &found.mails_to {
            let query = db::query("UPDATE outbox SET recipient = $2 WHERE id = $1");
            query.bind(mail).bind(ERASED).execute(&mut self.tx).await?;
        }
        // Examples of dropped reports and names of hosts: both only help people.
        for table in [
            "UPDATE outcome SET example = '' WHERE LOWER(example) LIKE $1 ESCAPE '\\'",
            "UPDATE client_loss SET example = '' WHERE LOWER(example) LIKE $1 ESCAPE '\\'",
            "DELETE FROM issue_facet WHERE LOWER(value) LIKE $1 ESCAPE '\\'",
            "UPDATE pending_report SET facets = '[]' WHERE LOWER(facets) LIKE $1 ESCAPE '\\'",
        ] {
            db::query(table).bind(&found.like).execute(&mut self.tx).await?;
        }
        for (project, channel) in &found.channels {
            self.enter(*project);
            self.remove_channel(*channel, now).await?;
            let query = db::query("UPDATE channel SET owner = $2 WHERE id = $1");
            query.bind(channel).bind(ERASED).execute(&mut self.tx).await?;
        }
        for address in &found.wishes {
            for table in [
                "DELETE FROM unwanted_mail WHERE address = $1",
                "DELETE FROM retried_address WHERE address = $1",
                "DELETE FROM person_role WHERE address = $1",
                "DELETE FROM session WHERE address = $1",
                "DELETE FROM sign_in_link WHERE address = $1",
                "DELETE FROM api_token WHERE created_by = $1",
                "UPDATE person_role SET set_by = '' WHERE set_by = $1",
            ] {
                db::query(table).bind(address).execute(&mut self.tx).await?;
            }
        }
        for (issue, slot) in &found.samples {
            let query = db::query("DELETE FROM sample WHERE issue_id = $1 AND slot = $2");
            query.bind(issue).bind(slot).execute(&mut self.tx).await?;
        }
        for set in &found.module_sets {
            let query = db::query("DELETE FROM module_set WHERE modules_id = $1");
            query.bind(set).execute(&mut self.tx).await?;
        }
        for (project, fingerprint) in &found.pending {
            self.enter(*project);
            self.erase_waiting(std::slice::from_ref(fingerprint), now).await?;
        }
        Ok(())
    }
}
