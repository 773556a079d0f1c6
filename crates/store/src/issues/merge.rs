//! Merges issues that turn out to be one line of code, and stores the other names of a line.
use std::collections::BTreeSet;

use super::facets;
use super::issue::exception_types;
use crate::db::key_text::key_text;
use crate::{Store, StoreError, WriteTx, db};

impl WriteTx {
    /// Merges all issues that have or had one of these `identities` into `into`: counts are added,
    /// it counts as notified if one of them was, and links to the older ones lead to it. The
    /// identities are names of `into` from then on. Returns how many were merged.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn merge_issues(
        &mut self,
        identities: &[String],
        into: i64,
    ) -> Result<usize, StoreError> {
        let mut merged = 0;
        for identity in identities {
            let known = self.issue_of_identity(identity).await?;
            if let Some((older, _)) = known.filter(|(older, _)| *older != into) {
                self.merge_issue(older, into).await?;
                self.keep_notified(older, into).await?;
                merged += 1;
            }
        }
        self.add_names(identities, into).await?;
        Ok(merged)
    }

    /// Lets these identities be further names of an issue. None of them is an issue of its own: see
    /// [`Self::merge_issues`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_names(&mut self, identities: &[String], issue: i64) -> Result<(), StoreError> {
        let names: BTreeSet<_> = identities.iter().map(|identity| key_text(identity)).collect();
        let names: Vec<_> = names.into_iter().collect();
        for part in db::parts(&names) {
            let sql = format!(
                "INSERT INTO issue_alias (project_id, identity, issue_id) VALUES {} \
                 ON CONFLICT (project_id, identity) DO UPDATE SET issue_id = excluded.issue_id",
                db::rows(1, part.len(), 3)
            );
            let mut query = db::query(db::assembled(sql));
            for name in part {
                query = query.bind(self.project).bind(&**name).bind(issue);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Merges issues that nobody was blamed for into the one that they turn out to be. Their
    /// identities, which are texts, do not become names of it: another line may have the same text
    /// one day. Notifications of them do not count: the author did not get them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn merge_unblamed(
        &mut self,
        identities: &[String],
        into: i64,
    ) -> Result<usize, StoreError> {
        let mut merged = 0;
        for identity in identities {
            let unblamed: Option<i64> = db::query_scalar(
                "SELECT id FROM issue WHERE project_id = $1 AND identity = $2 \
                 AND origin_commit IS NULL AND merged_into IS NULL AND id <> $3",
            )
            .bind(self.project)
            .bind(key_text(identity))
            .bind(into)
            .fetch_optional(&mut self.tx)
            .await?;
            if let Some(unblamed) = unblamed {
                self.merge_issue(unblamed, into).await?;
                merged += 1;
            }
        }
        Ok(merged)
    }

    /// Merges an issue that nobody was blamed for into the one that it turns out to be, if it
    /// counts exactly these `occurrences`. Returns whether it is merged into it, now or before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn merge_counted(
        &mut self,
        unblamed: i64,
        occurrences: i64,
        into: i64,
    ) -> Result<bool, StoreError> {
        let older: Option<(Option<i64>, bool)> = db::query(
            "SELECT merged_into, occurrences = $2 AND origin_commit IS NULL AND id <> $3 \
             FROM issue WHERE id = $1",
        )
        .bind(unblamed)
        .bind(occurrences)
        .bind(into)
        .fetch_optional(&mut self.tx)
        .await?;
        match older {
            Some((Some(merged_into), _)) => Ok(merged_into == into),
            Some((None, true)) => {
                self.merge_issue(unblamed, into).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Transfers the notification of an issue to the one that it was merged into.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn keep_notified(&mut self, older: i64, into: i64) -> Result<(), StoreError> {
        let revision = self.next_revision_of(into).await?;
        let query = db::query(
            "UPDATE issue SET notified_at = COALESCE(notified_at, \
             (SELECT older.notified_at FROM issue AS older WHERE older.id = $1)), revision = $3 \
             WHERE id = $2",
        );
        query.bind(older).bind(into).bind(revision).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Merges `older` into `into`, which keeps its own line and the time of its notification.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn merge_issue(&mut self, older: i64, into: i64) -> Result<(), StoreError> {
        // The older issue has the first report of the line: its samples take the slots. The last
        // statement below writes the revision.
        self.hours_of_issues_change("$1", &[older]).await?;
        let query = db::query(
            "INSERT INTO issue_hour \
             (issue_id, project_id, hour, occurrences, reports, last_at) \
             SELECT $2, project_id, hour, occurrences, reports, last_at FROM issue_hour \
             WHERE issue_id = $1 \
             ON CONFLICT (issue_id, hour) DO UPDATE SET \
             occurrences = issue_hour.occurrences + excluded.occurrences, \
             reports = issue_hour.reports + excluded.reports, \
             last_at = CASE WHEN issue_hour.last_at > excluded.last_at \
             THEN issue_hour.last_at ELSE excluded.last_at END",
        );
        query.bind(older).bind(into).execute(&mut self.tx).await?;
        let statements = [
            "DELETE FROM issue_hour WHERE issue_id = $1 AND issue_id <> $2",
            "DELETE FROM sample WHERE issue_id = $1 \
             AND EXISTS (SELECT 1 FROM sample AS kept WHERE kept.issue_id = $2)",
            // Its current owner may be somebody who can be notified.
            "UPDATE alert SET note = NULL WHERE issue_id = $1 AND composed_at IS NULL",
            "UPDATE issue SET muted_until = COALESCE(muted_until, \
             (SELECT older.muted_until FROM issue AS older WHERE older.id = $1)) WHERE id = $2",
            // If it was notified itself, its own state is more reliable.
            "UPDATE issue SET (resolved_at, resolved_by, resolution) = (SELECT \
             older.resolved_at, older.resolved_by, older.resolution FROM issue AS older \
              WHERE older.id = $1) WHERE id = $2 AND resolved_at IS NULL AND notified_at IS NULL",
        ];
        for statement in facets::MERGE.into_iter().chain(statements) {
            db::query(statement).bind(older).bind(into).execute(&mut self.tx).await?;
        }
        self.move_dependents(older, into).await?;
        let revision = self.next_revision_of(into).await?;
        let query = db::query(
            "UPDATE issue SET merged_into = $2, revision = $3 WHERE id = $1 OR merged_into = $1",
        );
        query.bind(older).bind(into).bind(revision).execute(&mut self.tx).await?;
        let (occurrences, only_listed, samples, first, last, types): (
            i64,
            i64,
            i64,
            i64,
            i64,
            String,
        ) = db::query(
            "SELECT occurrences, only_listed, samples, first_seen_at, last_seen_at, \
             exception_types FROM issue WHERE id = $1",
        )
        .bind(older)
        .fetch_one(&mut self.tx)
        .await?;
        for name in exception_types(&types) {
            self.add_exception_type(into, name).await?;
        }
        db::query(
            "UPDATE issue SET occurrences = occurrences + $2, samples = samples + $5, \
             only_listed = only_listed + $7, \
             first_seen_at = CASE WHEN first_seen_at < $3 THEN first_seen_at ELSE $3 END, \
             last_seen_at = CASE WHEN last_seen_at > $4 THEN last_seen_at ELSE $4 END, \
             revision = $6 WHERE id = $1",
        )
        .bind(into)
        .bind(occurrences)
        .bind(first)
        .bind(last)
        .bind(samples)
        .bind(revision)
        .bind(only_listed)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Whether an issue with one of these identities exists or existed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_issue(
        &mut self,
        identities: impl Iterator<Item = &String>,
    ) -> Result<bool, StoreError> {
        let identities: Vec<_> = identities.map(|identity| key_text(identity)).collect();
        let identities = db::padded(&identities);
        if identities.is_empty() {
            return Ok(false);
        }
        let places = db::places(2, identities.len());
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM issue WHERE project_id = $1 AND identity IN ({places})) \
             OR EXISTS (SELECT 1 FROM issue_alias WHERE project_id = $1 AND identity IN ({places}))"
        );
        let mut query = db::query_scalar(db::assembled(sql)).bind(self.project);
        for identity in identities {
            query = query.bind(identity);
        }
        Ok(query.fetch_one(&mut self.tx).await?)
    }

    /// The issue that has or had this identity, or the one that it was merged into; and whether the
    /// identity is that issue's own one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn issue_of_identity(
        &mut self,
        identity: &str,
    ) -> Result<Option<(i64, bool)>, StoreError> {
        let query = db::query(OF_IDENTITY);
        Ok(query.bind(self.project).bind(key_text(identity)).fetch_optional(&mut self.tx).await?)
    }
}

const OF_IDENTITY: &str = "SELECT COALESCE(merged_into, id), merged_into IS NULL, 1 FROM issue \
     WHERE project_id = $1 AND identity = $2 \
     UNION ALL SELECT issue_id, FALSE, 2 FROM issue_alias \
     WHERE project_id = $1 AND identity = $2 ORDER BY 3 LIMIT 1";

impl Store {
    /// The issue that has or had one of these identities.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issue_named(&self, identities: &[&str]) -> Result<Option<i64>, StoreError> {
        for identity in identities {
            let query = db::query(OF_IDENTITY);
            let query = query.bind(self.project).bind(key_text(identity));
            let found: Option<(i64, bool)> = query.fetch_optional(&self.readers).await?;
            if let Some((issue, _)) = found {
                return Ok(Some(issue));
            }
        }
        Ok(None)
    }
}
