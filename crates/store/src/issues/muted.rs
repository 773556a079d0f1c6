//! Issues that nobody wants to hear of for a time.
use crate::{StoreError, WriteTx};

/// Muted until then is muted for ever: 1 January 9000.
pub const MUTED_FOR_EVER: i64 = 221_845_392_000_000;

impl WriteTx {
    /// Nobody is notified of the issue before `until`; `None` ends that.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn mute(&mut self, issue: i64, until: Option<i64>) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE issue SET muted_until = $2 WHERE id = $1");
        query.bind(issue).bind(until).execute(&mut *self.0).await?;
        Ok(())
    }
}
