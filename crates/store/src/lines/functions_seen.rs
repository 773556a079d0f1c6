//! Counts the issues that went through each function of the project.
use std::collections::HashSet;

use flawless_core::hot_function_threshold;

use crate::db::key_text::LONGEST_KEY;
use crate::{Store, StoreError, WriteTx, db};

/// Key of the row that counts all issues: no file of a repository has an empty path.
const ALL: (&str, &str) = ("", "");

impl WriteTx {
    /// Counts a new issue and the functions it went through: path in the repository, and name.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_functions(
        &mut self,
        functions: &HashSet<(&str, &str)>,
        at: i64,
    ) -> Result<(), StoreError> {
        // Longer names fit in no index, and no two issues go through the same one of them.
        let is_short = |(path, name): &&(&str, &str)| path.len() + name.len() <= LONGEST_KEY;
        let functions: Vec<_> = functions.iter().chain([&ALL]).filter(is_short).collect();
        for part in db::parts(&functions) {
            let rows = db::rows(3, part.len(), 2);
            let sql = format!(
                "INSERT INTO function_seen (project_id, path, function_name, issues, last_at) \
                 SELECT $1, column1, column2, 1, $2 \
                 FROM (VALUES {rows}) AS new WHERE TRUE \
                 ON CONFLICT (project_id, path, function_name) DO UPDATE SET \
                 issues = function_seen.issues + 1, last_at = excluded.last_at"
            );
            let mut query = db::query(db::assembled(sql)).bind(self.project).bind(at);
            for (path, function) in part {
                query = query.bind(*path).bind(*function);
            }
            query.execute(&mut self.tx).await?;
        }
        let query = db::query_scalar(ISSUES).bind(self.project).bind(ALL.0).bind(ALL.1);
        let all: i64 = query.fetch_one(&mut self.tx).await?;
        let from = hot_function_threshold(u64::try_from(all).unwrap_or_default());
        // A hot function stays hot: otherwise the same error would be blamed on another line one
        // day.
        db::query(
            "UPDATE function_seen SET hot_since = $4 \
             WHERE project_id = $1 AND issues >= $2 AND path <> $3 AND hot_since IS NULL",
        )
        .bind(self.project)
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(ALL.0)
        .bind(at)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}

const ISSUES: &str = "SELECT issues FROM function_seen \
     WHERE project_id = $1 AND path = $2 AND function_name = $3";

impl Store {
    /// The functions that many of the project's issues went through: path and name. They are few:
    /// an issue counts for a handful of functions, and each of these needs a share of all issues.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn hot_functions(&self) -> Result<HashSet<(String, String)>, StoreError> {
        let functions: Vec<(String, String)> = db::query(
            "SELECT path, function_name FROM function_seen \
             WHERE project_id = $1 AND hot_since IS NOT NULL",
        )
        .bind(self.project)
        .fetch_all(&self.readers)
        .await?;
        Ok(functions.into_iter().collect())
    }
}
