//! Two issues that turn out to be one line of code.
use super::{PROJECT, StoreError, WriteTx};

impl WriteTx {
    /// Merges the issues with one of these `identities` into the issue `into`: counts are added,
    /// told stays told, and links to the older ones lead to it. Says how many were merged.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn merge_issues(
        &mut self,
        identities: &[String],
        into: i64,
    ) -> Result<usize, StoreError> {
        let mut merged = 0;
        for identity in identities {
            let older: Option<i64> = sqlx::query_scalar(
                "SELECT id FROM issue WHERE project_id = $1 AND identity = $2 \
                 AND merged_into IS NULL AND id <> $3",
            )
            .bind(PROJECT)
            .bind(identity)
            .bind(into)
            .fetch_optional(&mut *self.0)
            .await?;
            if let Some(older) = older {
                self.merge_issue(older, into).await?;
                merged += 1;
            }
        }
        Ok(merged)
    }

    async fn merge_issue(&mut self, older: i64, into: i64) -> Result<(), StoreError> {
        // One statement a table; none of them leaves anything that names the older issue.
        let statements = [
            "INSERT INTO issue_hour (issue_id, hour, occurrences, reports, last_at) \
             SELECT $2, hour, occurrences, reports, last_at FROM issue_hour WHERE issue_id = $1 \
             ON CONFLICT (issue_id, hour) DO UPDATE SET \
             occurrences = issue_hour.occurrences + excluded.occurrences, \
             reports = issue_hour.reports + excluded.reports, \
             last_at = CASE WHEN issue_hour.last_at > excluded.last_at \
             THEN issue_hour.last_at ELSE excluded.last_at END",
            "DELETE FROM issue_hour WHERE issue_id = $1 AND issue_id <> $2",
            "DELETE FROM sample WHERE issue_id = $1 \
             AND EXISTS (SELECT 1 FROM sample AS kept WHERE kept.issue_id = $2)",
            "UPDATE sample SET issue_id = $2 WHERE issue_id = $1",
            "UPDATE place SET issue_id = $2 WHERE issue_id = $1",
            "UPDATE alert SET issue_id = $2 WHERE issue_id = $1",
            "UPDATE issue SET merged_into = $2 WHERE merged_into = $1",
            "UPDATE issue SET merged_into = $2 WHERE id = $1",
        ];
        for statement in statements {
            sqlx::query(statement).bind(older).bind(into).execute(&mut *self.0).await?;
        }
        let (occurrences, first, last, told): (i64, i64, i64, Option<i64>) = sqlx::query_as(
            "SELECT occurrences, first_seen_at, last_seen_at, told_at FROM issue WHERE id = $1",
        )
        .bind(older)
        .fetch_one(&mut *self.0)
        .await?;
        sqlx::query(
            "UPDATE issue SET occurrences = occurrences + $2, \
             first_seen_at = CASE WHEN first_seen_at < $3 THEN first_seen_at ELSE $3 END, \
             last_seen_at = CASE WHEN last_seen_at > $4 THEN last_seen_at ELSE $4 END, \
             told_at = COALESCE(told_at, $5) WHERE id = $1",
        )
        .bind(into)
        .bind(occurrences)
        .bind(first)
        .bind(last)
        .bind(told)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// The issue with this identity, or the one that it was merged into.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) async fn issue_of_identity(
        &mut self,
        identity: &str,
    ) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT COALESCE(merged_into, id) FROM issue WHERE project_id = $1 AND identity = $2",
        );
        Ok(query.bind(PROJECT).bind(identity).fetch_optional(&mut *self.0).await?)
    }
}
