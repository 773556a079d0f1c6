//! When an issue occurred, hour by hour, and which issue numbers were used.
use super::issue::HOUR_MS;
use crate::{Store, StoreError, db};

impl Store {
    /// The start of each hour since then in which the issue occurred, with its occurrences.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn hours_of(&self, issue: i64, since: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let query = db::query(
            "SELECT hour * $3, occurrences FROM issue_hour WHERE issue_id = $1 AND hour >= $2 \
             ORDER BY hour",
        );
        let query = query.bind(issue).bind(since.div_euclid(HOUR_MS)).bind(HOUR_MS);
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Whether an issue has or had this number, and it is not one of another project.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn was_issue(&self, number: i64) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT $1 > 0 AND $1 <= (SELECT COALESCE(MAX(number), 0) FROM \
             (SELECT MAX(id) AS number FROM issue \
              UNION ALL SELECT value FROM setting WHERE name = 'last_issue') AS numbers) \
             AND NOT EXISTS (SELECT 1 FROM issue WHERE id = $1 AND project_id <> $2)",
        );
        Ok(query.bind(number).bind(self.project).fetch_one(&self.readers).await?)
    }
}
