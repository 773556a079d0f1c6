//! Erases one issue with all that belongs to it.
use super::{Store, StoreError, WriteTx};
use crate::person::ERASED;

/// What belongs to an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasedIssue {
    /// Its number; that of the one it was merged into.
    pub id: i64,
    /// Its place, for people.
    pub place: String,
    /// Samples.
    pub samples: i64,
    /// Alerts.
    pub alerts: i64,
    /// Mails and posts that tell of it alone.
    pub mails: Vec<i64>,
    /// Those that tell of others too: they lose their content.
    pub summaries: Vec<i64>,
}

const ISSUE_TABLES: &[&str] = &[
    "DELETE FROM notice WHERE alert_id IN (SELECT id FROM alert WHERE issue_id = $1)",
    "DELETE FROM alert WHERE issue_id = $1",
    "DELETE FROM sample WHERE issue_id = $1",
    "DELETE FROM issue_hour WHERE issue_id = $1",
    "DELETE FROM place WHERE issue_id = $1",
    "DELETE FROM issue_alias WHERE issue_id = $1",
    "DELETE FROM issue WHERE merged_into = $1",
    "DELETE FROM issue WHERE id = $1",
];

impl Store {
    /// What belongs to an issue; `None` when there is no such issue.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn look_at_issue(&self, issue: i64) -> Result<Option<ErasedIssue>, StoreError> {
        let found: Option<(i64, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT id, path, line, (SELECT COUNT(*) FROM sample WHERE issue_id = issue.id), \
             (SELECT COUNT(*) FROM alert WHERE issue_id = issue.id) FROM issue \
             WHERE id = (SELECT COALESCE(merged_into, id) FROM issue WHERE id = $1)",
        )
        .bind(issue)
        .fetch_optional(&self.readers)
        .await?;
        let Some((id, path, line, samples, alerts)) = found else { return Ok(None) };
        let told: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT notice.outbox_id, COUNT(*) = SUM(CASE WHEN alert.issue_id = $1 \
             THEN 1 ELSE 0 END) FROM notice JOIN alert ON alert.id = notice.alert_id \
             WHERE notice.outbox_id IN (SELECT own.outbox_id FROM notice AS own \
             JOIN alert AS theirs ON theirs.id = own.alert_id WHERE theirs.issue_id = $1) \
             GROUP BY notice.outbox_id",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let with = |alone| {
            let mails = told.iter().filter(move |(_, is_alone)| *is_alone == alone);
            mails.map(|(mail, _)| *mail).collect()
        };
        let (mails, summaries) = (with(true), with(false));
        let place = format!("{path}:{line}");
        Ok(Some(ErasedIssue { id, place, samples, alerts, mails, summaries }))
    }
}

impl WriteTx {
    /// Erases an issue. A summary that was not sent yet is written again without it.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erase_issue(&mut self, issue: &ErasedIssue, now: i64) -> Result<(), StoreError> {
        self.keep_last_issue().await?;
        for mail in issue.mails.iter().chain(&issue.summaries) {
            self.erase_mail(*mail, now).await?;
        }
        for statement in ISSUE_TABLES {
            sqlx::query(*statement).bind(issue.id).execute(&mut *self.0).await?;
        }
        Ok(())
    }

    /// Takes the content of a mail away. The row stays, so that its number stays taken; what a
    /// mail that was not sent yet told of is told in another one.
    pub(super) async fn erase_mail(&mut self, mail: i64, now: i64) -> Result<(), StoreError> {
        let again = sqlx::query(
            "UPDATE notice SET outbox_id = NULL WHERE outbox_id = \
             (SELECT id FROM outbox WHERE id = $1 AND sent_at IS NULL AND gave_up_at IS NULL)",
        );
        again.bind(mail).execute(&mut *self.0).await?;
        // Its name may be made again: alerts count from the highest that is left.
        let empty = sqlx::query(
            "UPDATE outbox SET subject = '', message = '', last_error = NULL, \
             message_id = $3 || '.' || id, sent_at = COALESCE(sent_at, $2), gave_up_at = NULL \
             WHERE id = $1",
        );
        empty.bind(mail).bind(now).bind(ERASED).execute(&mut *self.0).await?;
        Ok(())
    }
}
