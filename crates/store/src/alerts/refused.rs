//! Addresses that get no alerts: because the mail server refuses them, or their readers do.
use flawless_base::text::one_line;
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// An address that gets no alerts.
#[derive(Debug, Clone, FromRow)]
pub struct RefusedAddress {
    /// The address.
    pub address: String,
    /// When a mail to it was last given up, or since when its reader wants none.
    pub since: i64,
    /// The mail server's answer; `None` when the reader does not want alerts.
    pub words: Option<String>,
}

impl RefusedAddress {
    /// The reason in one line.
    pub fn why(&self) -> String {
        let address = &self.address;
        match &self.words {
            Some(words) => {
                format!("mails to {address} cannot be delivered: {}", one_line(words, 200))
            }
            None => format!("{address} does not want alerts of this project"),
        }
    }
}

pub(crate) const REFUSED_FOR_MS: i64 = 14 * 24 * 3_600_000;

impl WriteTx {
    /// Lets mails to an address be tried again: mails given up until now no longer count.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn clear_refusal(&mut self, address: &str, at: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO retried_address (project_id, address, retried_at) VALUES ($1, $2, $3) \
             ON CONFLICT (project_id, address) DO UPDATE SET retried_at = excluded.retried_at",
        );
        let query = query.bind(self.project).bind(address.to_ascii_lowercase()).bind(at);
        query.execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Addresses to which a mail of the project was given up within the two weeks before `now`, because a full
    /// mailbox or a mistake must not exclude somebody forever, and those that want no alerts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn refused_addresses(&self, now: i64) -> Result<Vec<RefusedAddress>, StoreError> {
        let query = db::query(
            "SELECT outbox.recipient AS address, MAX(outbox.gave_up_at) AS since, \
             MAX(COALESCE(outbox.last_error, '')) AS words FROM outbox \
             LEFT JOIN retried_address ON retried_address.project_id = $2 \
             AND retried_address.address = LOWER(outbox.recipient) \
             WHERE outbox.project_id = $2 AND outbox.gave_up_at > $1 AND outbox.address_refused = 1 \
             AND outbox.gave_up_at > COALESCE(retried_address.retried_at, 0) \
             GROUP BY outbox.recipient \
             UNION ALL SELECT address, since, NULL FROM unwanted_mail \
             WHERE project_id = $2 AND kind = 'alerts' ORDER BY 1",
        );
        let query = query.bind(now - REFUSED_FOR_MS).bind(self.project);
        Ok(query.fetch_all(&self.readers).await?)
    }
}
