//! Erases one issue with everything that belongs to it.
use flawless_core::{OutcomeKind, Report, fold_white_space};
use sqlx::FromRow;

use super::mention::ERASED;
use crate::db::pool::Target;
use crate::issues::samples::decode_sample;
use crate::reports::pending;
use crate::{Store, StoreError, WriteTx, db};

/// The data of an issue.
#[derive(Debug, Clone, Default)]
pub struct ErasedIssue {
    /// Its number, or that of the issue it was merged into.
    pub id: i64,
    line: Line,
    /// Number of samples.
    pub samples: i64,
    /// Number of alerts.
    pub alerts: i64,
    /// Mails and posts about this issue alone.
    pub mails: Vec<i64>,
    /// Mails and posts about other issues too: they lose their content.
    pub digests: Vec<i64>,
    /// Waiting reports that went through the line, by their fingerprints.
    pub waiting: Vec<String>,
    /// Number of waiting reports that cannot be read: their key is gone.
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
    /// Whether a report went through the line. The blamed line is unknown until the report is
    /// attributed, and the values are in the report in any case.
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

impl Store {
    /// The data of an issue; `None` when it does not exist.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn look_at_issue(&self, issue: i64) -> Result<Option<ErasedIssue>, StoreError> {
        let found: Option<(i64, i64, i64)> = db::query(
            "SELECT id, (SELECT COUNT(*) FROM sample WHERE issue_id = issue.id), \
             (SELECT COUNT(*) FROM alert WHERE issue_id = issue.id) FROM issue \
             WHERE id = (SELECT COALESCE(merged_into, id) FROM issue \
             WHERE id = $1 AND project_id = $2)",
        )
        .bind(issue)
        .bind(self.project)
        .fetch_optional(&self.readers)
        .await?;
        let Some((id, samples, alerts)) = found else { return Ok(None) };
        let line = db::query("SELECT path, line, function_name, text FROM issue WHERE id = $1");
        let line: Line = line.bind(id).fetch_one(&self.readers).await?;
        let (mails, digests) = mails_of(&self.readers, id).await?;
        let found = ErasedIssue { id, line, samples, alerts, mails, digests, ..Default::default() };
        self.look_for_waiting(found).await.map(Some)
    }

    /// Adds the reports that wait now, also after the issue is erased.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn look_for_waiting(&self, issue: ErasedIssue) -> Result<ErasedIssue, StoreError> {
        let mut issue = ErasedIssue { waiting: Vec::new(), unreadable: 0, ..issue };
        let keys = db::query_scalar("SELECT fingerprint FROM pending_report WHERE project_id = $1");
        let keys: Vec<String> = keys.bind(self.project).fetch_all(&self.readers).await?;
        // One at a time: together they may be large.
        for key in keys {
            let query = db::query_scalar(
                "SELECT body FROM pending_report WHERE project_id = $1 AND fingerprint = $2",
            );
            let query = query.bind(self.project).bind(&key);
            let body: Option<Vec<u8>> = query.fetch_optional(&self.readers).await?;
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

    /// Grows with each erasure: data that was read before must not be written afterwards.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn erasures(&self) -> Result<i64, StoreError> {
        Ok(db::query_scalar(ERASURES).fetch_one(&self.readers).await?)
    }
}

const ERASURES: &str = "SELECT COALESCE(MAX(value), 0) FROM setting WHERE name = 'erasures'";

/// The mails and posts about an issue alone, and those about other issues too.
async fn mails_of(
    target: impl Into<Target<'_>>,
    issue: i64,
) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    let notified: Vec<(i64, bool)> = db::query(
        "SELECT notification.outbox_id, COUNT(*) = SUM(CASE WHEN alert.issue_id = $1 \
         THEN 1 ELSE 0 END) FROM notification JOIN alert ON alert.id = notification.alert_id \
         WHERE notification.outbox_id IN (SELECT own.outbox_id FROM notification AS own \
         JOIN alert AS theirs ON theirs.id = own.alert_id WHERE theirs.issue_id = $1) \
         GROUP BY notification.outbox_id",
    )
    .bind(issue)
    .fetch_all(target)
    .await?;
    let (alone, others): (Vec<_>, Vec<_>) =
        notified.into_iter().partition(|(_, is_alone)| *is_alone);
    let numbers = |mails: Vec<(i64, bool)>| mails.into_iter().map(|(mail, _)| mail).collect();
    Ok((numbers(alone), numbers(others)))
}

impl WriteTx {
    /// Erases an issue. A digest that was not sent yet is composed again without it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn erase_issue(&mut self, issue: &ErasedIssue, now: i64) -> Result<(), StoreError> {
        self.keep_last_issue().await?;
        self.note_erasure().await?;
        // Read now: a mail may have been written since the caller looked.
        let (mails, digests) = mails_of(&mut self.tx, issue.id).await?;
        for mail in mails.into_iter().chain(digests) {
            self.erase_mail(mail, now).await?;
        }
        self.delete_issues("SELECT CAST($1 AS BIGINT)", &[issue.id], true).await?;
        self.erase_waiting(&issue.waiting, now).await
    }

    /// Erases reports that wait for attribution.
    ///
    /// # Errors
    /// The database cannot be written.
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

    /// Counts an erasure: see [`Store::erasures`].
    pub(crate) async fn note_erasure(&mut self) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('erasures', 1) \
             ON CONFLICT (name) DO UPDATE SET value = setting.value + 1",
        );
        query.execute(&mut self.tx).await?;
        Ok(())
    }

    /// Whether something was erased since [`Store::erasures`] returned `before`: then data that was
    /// read since must not be written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn erased_since(&mut self, before: i64) -> Result<bool, StoreError> {
        let now: i64 = db::query_scalar(ERASURES).fetch_one(&mut self.tx).await?;
        Ok(now != before)
    }

    /// Deletes the content of a mail. The row is kept, so that its number is not reused; the
    /// notifications of an unsent mail go into another one.
    pub(crate) async fn erase_mail(&mut self, mail: i64, now: i64) -> Result<(), StoreError> {
        let again = db::query(
            "UPDATE notification SET outbox_id = NULL WHERE outbox_id = \
             (SELECT id FROM outbox WHERE id = $1 AND sent_at IS NULL AND gave_up_at IS NULL)",
        );
        again.bind(mail).execute(&mut self.tx).await?;
        // Its Message-ID may be used again: alerts are numbered from the highest one left.
        let empty = db::query(
            "UPDATE outbox SET subject = '', message = '', last_error = NULL, \
             message_id = $3 || '.' || id, sent_at = COALESCE(sent_at, $2), gave_up_at = NULL \
             WHERE id = $1",
        );
        empty.bind(mail).bind(now).bind(ERASED).execute(&mut self.tx).await?;
        Ok(())
    }
}
