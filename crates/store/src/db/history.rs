//! Whether the database was begun anew in a folder where an earlier one had been: what a server
//! writes beside it tells.
use std::path::Path;

use crate::{Store, StoreError, WriteTx};

/// The name, in the data folder, of the journal of mails that were sent.
pub const SENT_JOURNAL: &str = "sent.journal";
/// What only a server that had a database leaves in the data folder.
const REMAINS: &[&str] = &[SENT_JOURNAL, "flawless.db-wal", "mirror.git"];

/// The files in a data folder that say that it had a database.
pub(crate) fn remains(data_dir: &Path) -> Vec<&'static str> {
    let is_there = |name: &&&str| data_dir.join(name).exists();
    REMAINS.iter().filter(is_there).copied().collect()
}

/// That a database is gone, and what follows, in words.
pub fn recreated_in_words(data_dir: &Path) -> String {
    format!(
        "the database was gone from {}, where a server had run before, and was begun anew: issues, \
         rules, roles and keys are gone, known lines are notified again, and clients with an older \
         project key are refused. If that was not meant, stop the server, put a backup of \
         flawless.db there, and start it again",
        data_dir.display()
    )
}

impl Store {
    /// When the database was begun anew although the folder had one before; `None` when it never
    /// was.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn recreated_at(&self) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar("SELECT value FROM setting WHERE name = 'recreated_at'");
        Ok(query.fetch_optional(&self.readers).await?)
    }
}

impl WriteTx {
    /// Remembers that the database was begun anew.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) async fn recreated(&mut self, at: i64) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('recreated_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(at).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Whether the database was begun anew and nobody was notified of it yet; from now on somebody was.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn take_recreated_news(&mut self, now: i64) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) SELECT 'begun_anew_told_at', $1 FROM setting \
             WHERE name = 'recreated_at' ON CONFLICT (name) DO NOTHING",
        );
        Ok(query.bind(now).execute(&mut *self.0).await?.rows_affected() > 0)
    }
}
