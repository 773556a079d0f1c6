//! Issues that are muted for a time.
use crate::{StoreError, WriteTx, db};

/// A mute until then never ends: 1 January 9000.
pub const MUTED_FOR_EVER: i64 = 221_845_392_000_000;

impl WriteTx {
    /// Mutes the issue until `until`; `None` ends the mute.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mute(&mut self, issue: i64, until: Option<i64>) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        let query = db::query("UPDATE issue SET muted_until = $2, revision = $3 WHERE id = $1");
        query.bind(issue).bind(until).bind(revision).execute(&mut self.tx).await?;
        Ok(())
    }
}
