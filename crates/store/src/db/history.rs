//! Detects that the database was created again in a folder that had one before, by other files that
//! a server writes there.
use std::path::Path;

use crate::{Store, StoreError, WriteTx, db};

/// The name, in the data folder, of the journal of sent mails.
pub const SENT_JOURNAL: &str = "sent.journal";
/// Files and folders that only a server with a database leaves in the data folder.
const REMAINS: &[&str] = &[SENT_JOURNAL, "flawless.db-wal", "mirror.git"];

/// The files in a data folder that prove that it had a database.
pub(crate) fn remains(data_dir: &Path) -> Vec<&'static str> {
    let is_there = |name: &&&str| data_dir.join(name).exists();
    REMAINS.iter().filter(is_there).copied().collect()
}

/// Explains that a database is missing, and the consequences.
pub fn recreated_in_words(data_dir: &Path) -> String {
    format!(
        "the database was missing from {}, where a server had run before, and was recreated: \
         issues, rules, roles and keys are lost, people are notified of known lines again, and \
         clients with an older project key are refused. If that was not intended, stop the server, \
         put a backup of flawless.db there, and start it again",
        data_dir.display()
    )
}

impl Store {
    /// When the database was recreated although the folder had one before; `None` when it never
    /// was.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recreated_at(&self) -> Result<Option<i64>, StoreError> {
        let query = db::query_scalar("SELECT value FROM setting WHERE name = 'recreated_at'");
        Ok(query.fetch_optional(&self.readers).await?)
    }
}

impl WriteTx {
    /// Notes that the database was recreated.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn recreated(&mut self, at: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('recreated_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Whether the database was recreated and nobody was notified of it; marks it as notified.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn take_recreated_news(&mut self, now: i64) -> Result<bool, StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) SELECT 'recreated_notified_at', $1 FROM setting \
             WHERE name = 'recreated_at' ON CONFLICT (name) DO NOTHING",
        );
        Ok(query.bind(now).execute(&mut self.tx).await?.rows_affected() > 0)
    }
}
