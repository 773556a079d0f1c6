//! The server's own secrets.
use flawless_base::secret::Secret;

use crate::{Store, StoreError, WriteTx, db};

impl WriteTx {
    /// Stores a secret under a name, unless the name is taken.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_secret(&mut self, name: &str, secret: &Secret) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO server_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        );
        query.bind(name).bind(secret.reveal()).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// The secret with this name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let query = db::query_scalar("SELECT value FROM server_secret WHERE name = $1");
        let value: Option<String> = query.bind(name).fetch_optional(&self.readers).await?;
        Ok(value.map(Secret::new))
    }
}
