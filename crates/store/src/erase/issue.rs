//! Erases one issue with all that belongs to it.
use flawless_core::{OutcomeKind, Report, fold_white_space};
use sqlx::{FromRow, SqliteConnection};

use super::mention::ERASED;
use crate::issues::samples::decode_sample;
use crate::reports::pending;
use crate::{Store, StoreError, WriteTx};

/// What belongs to an issue.
#[derive(Debug, Clone, Default)]
pub struct ErasedIssue {
    /// Its number; that of the one it was merged into.
    pub id: i64,
    line: Line,
    /// Samples.
    pub samples: i64,
    /// Alerts.
    pub alerts: i64,
    /// Mails and posts that tell of it alone.
    pub mails: Vec<i64>,
    /// Those that tell of others too: they lose their content.
    pub digests: Vec<i64>,
    /// Waiting reports that went through the line, by their fingerprints.
    pub waiting: Vec<String>,
    /// Waiting reports that cannot be read: their key is gone.
    pub unreadable: usize,
}

/// The line of an issue, as reports name it.
#[derive(Debug, Clone, Default, FromRow)]
struct Line {
    path: String,
    line: i64,
    function_name: String,
    text: String,
}

impl Line {
    /// Whether a report went through the line. Which line is to blame is not known before it is
    /// attributed; its values stand in the report whichever it is.
    fn is_in(&self, report: &Report) -> bool {
        let text = fold_white_space(&self.text);
        report.tracebacks().flatten().any(|frame| {
            let is_file = frame
                .path
                .strip_suffix(&self.path)
                .is_some_and(|folder| folder.is_empty() || folder.ends_with(['/', '\\']));
            let is_text = match text.is_empty() {
                true => i64::from(frame.line) == self.line,
                false => fold_white_space(&frame.text) == text,
            };
            is_file && is_text && frame.function == self.function_name
        })
    }
}

impl ErasedIssue {
    /// Its place, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", self.line.path, self.line.line)
    }
}

const ISSUE_TABLES: &[&str] = &[
    "DELETE FROM notification WHERE alert_id IN (SELECT id FROM alert WHERE issue_id = $1)",
    "DELETE FROM alert WHERE issue_id = $1",
    "DELETE FROM action WHERE issue_id = $1",
    "DELETE FROM sample WHERE issue_id = $1",
    "DELETE FROM issue_hour WHERE issue_id = $1",
    "DELETE FROM issue_facet WHERE issue_id = $1",
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
        let found: Option<(i64, i64, i64)> = sqlx::query_as(
            "SELECT id, (SELECT COUNT(*) FROM sample WHERE issue_id = issue.id), \
             (SELECT COUNT(*) FROM alert WHERE issue_id = issue.id) FROM issue \
             WHERE id = (SELECT COALESCE(merged_into, id) FROM issue WHERE id = $1)",
        )
        .bind(issue)
        .fetch_optional(&self.readers)
        .await?;
        let Some((id, samples, alerts)) = found else { return Ok(None) };
        let line =
            sqlx::query_as("SELECT path, line, function_name, text FROM issue WHERE id = $1");
        let line: Line = line.bind(id).fetch_one(&self.readers).await?;
        let (mails, digests) = mails_of(&mut *self.readers.acquire().await?, id).await?;
        let found = ErasedIssue { id, line, samples, alerts, mails, digests, ..Default::default() };
        self.look_for_waiting(found).await.map(Some)
    }

    /// The same with the waiting reports that there are now, also after the issue is erased.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn look_for_waiting(&self, issue: ErasedIssue) -> Result<ErasedIssue, StoreError> {
        let mut issue = ErasedIssue { waiting: Vec::new(), unreadable: 0, ..issue };
        let keys: Vec<String> = sqlx::query_scalar("SELECT fingerprint FROM pending_report")
            .fetch_all(&self.readers)
            .await?;
        // One after the other: together they may be large.
        for key in keys {
            let query =
                sqlx::query_scalar("SELECT body FROM pending_report WHERE fingerprint = $1");
            let body: Option<Vec<u8>> = query.bind(&key).fetch_optional(&self.readers).await?;
            let Some(body) = body else { continue };
            match self.sealing.open(pending::TABLE, body) {
                Err(_) => issue.unreadable += 1,
                Ok(body) if decode_sample(&body).is_ok_and(|report| issue.line.is_in(&report)) => {
                    issue.waiting.push(key);
                }
                Ok(_) => {}
            }
        }
        Ok(issue)
    }

    /// Grows with each time that something is erased: what was read before must not be written
    /// afterwards.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erasures(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(ERASURES).fetch_one(&self.readers).await?)
    }
}

const ERASURES: &str = "SELECT COALESCE(MAX(value), 0) FROM setting WHERE name = 'erasures'";

/// The mails and posts that tell of an issue alone, and those that tell of others too.
async fn mails_of(
    connection: &mut SqliteConnection,
    issue: i64,
) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    let notified: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT notification.outbox_id, COUNT(*) = SUM(CASE WHEN alert.issue_id = $1 \
         THEN 1 ELSE 0 END) FROM notification JOIN alert ON alert.id = notification.alert_id \
         WHERE notification.outbox_id IN (SELECT own.outbox_id FROM notification AS own \
         JOIN alert AS theirs ON theirs.id = own.alert_id WHERE theirs.issue_id = $1) \
         GROUP BY notification.outbox_id",
    )
    .bind(issue)
    .fetch_all(connection)
    .await?;
    let (alone, others): (Vec<_>, Vec<_>) =
        notified.into_iter().partition(|(_, is_alone)| *is_alone);
    let numbers = |mails: Vec<(i64, bool)>| mails.into_iter().map(|(mail, _)| mail).collect();
    Ok((numbers(alone), numbers(others)))
}

impl WriteTx {
    /// Erases an issue. A summary that was not sent yet is written again without it.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erase_issue(&mut self, issue: &ErasedIssue, now: i64) -> Result<(), StoreError> {
        self.keep_last_issue().await?;
        self.note_erasure().await?;
        // Of now: one may have been written since somebody looked.
        let (mails, digests) = mails_of(&mut self.0, issue.id).await?;
        for mail in mails.into_iter().chain(digests) {
            self.erase_mail(mail, now).await?;
        }
        for statement in ISSUE_TABLES {
            sqlx::query(*statement).bind(issue.id).execute(&mut *self.0).await?;
        }
        self.erase_waiting(&issue.waiting, now).await
    }

    /// Erases reports that wait for attribution.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erase_waiting(
        &mut self,
        fingerprints: &[String],
        now: i64,
    ) -> Result<(), StoreError> {
        for fingerprint in fingerprints {
            if let Some(taken) = self.take_pending(fingerprint).await? {
                let reports = taken.reports;
                self.add_outcome(OutcomeKind::Refused, ERASED, reports, now, "").await?;
            }
        }
        Ok(())
    }

    /// See [`Store::erasures`].
    pub(crate) async fn note_erasure(&mut self) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('erasures', 1) \
             ON CONFLICT (name) DO UPDATE SET value = setting.value + 1",
        );
        query.execute(&mut *self.0).await?;
        Ok(())
    }

    /// Whether something was erased since [`Store::erasures`] said `before`: then what was read
    /// since must not be written.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erased_since(&mut self, before: i64) -> Result<bool, StoreError> {
        let now: i64 = sqlx::query_scalar(ERASURES).fetch_one(&mut *self.0).await?;
        Ok(now != before)
    }

    /// Takes the content of a mail away. The row stays, so that its number stays taken; what a
    /// mail that was not sent yet notified of is told in another one.
    pub(crate) async fn erase_mail(&mut self, mail: i64, now: i64) -> Result<(), StoreError> {
        let again = sqlx::query(
            "UPDATE notification SET outbox_id = NULL WHERE outbox_id = \
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
