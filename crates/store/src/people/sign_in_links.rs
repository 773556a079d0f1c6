//! Links that sign in once: their secrets are stored as hashes only.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// How long a link in a mail is valid.
pub const LINK_LIFE_MS: i64 = 15 * 60_000;

/// Who a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// For a person who requested it, by mail.
    Mail,
    /// For a person chosen by somebody on the server's machine.
    Command,
    /// For the first administrator.
    Administrator,
}

impl LinkKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Command => "command",
            Self::Administrator => "administrator",
        }
    }
}

/// A link to create.
#[derive(Debug, Clone)]
pub struct NewLink<'a> {
    /// SHA-256 of its secret.
    pub hash: &'a str,
    /// Who it is for.
    pub kind: LinkKind,
    /// The person it signs in, in lower case; `None`: whoever opens it becomes administrator.
    pub address: Option<&'a str>,
    /// The page it leads to.
    pub next: &'a str,
    /// When it expires.
    pub expires_at: i64,
}

/// A valid link.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// The person it signs in, in lower case; `None`: whoever opens it becomes administrator.
    pub address: Option<String>,
    /// The kind: `mail`, `command` or `administrator`.
    pub kind: String,
    /// The page it leads to.
    pub next: String,
}

impl WriteTx {
    /// Creates a link. A new one for the first administrator replaces the previous one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_sign_in_link(&mut self, new: &NewLink<'_>, at: i64) -> Result<(), StoreError> {
        if new.kind == LinkKind::Administrator {
            self.tx.lock_shared().await?;
            self.remove_administrator_links().await?;
        }
        db::query(
            "INSERT INTO sign_in_link (hash, kind, address, next, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.hash)
        .bind(new.kind.as_str())
        .bind(new.address)
        .bind(new.next)
        .bind(at)
        .bind(new.expires_at)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Deletes the link for the first administrator.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_administrator_links(&mut self) -> Result<(), StoreError> {
        let query = db::query("DELETE FROM sign_in_link WHERE kind = 'administrator'");
        query.execute(&mut self.tx).await?;
        Ok(())
    }

    /// Uses up a link. `false` when it was not valid.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn use_sign_in_link(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        let query = db::query("DELETE FROM sign_in_link WHERE hash = $1 AND expires_at > $2");
        let used = query.bind(hash).bind(now).execute(&mut self.tx).await?;
        Ok(used.rows_affected() > 0)
    }
}

impl Store {
    /// A valid link.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn sign_in_link(&self, hash: &str, now: i64) -> Result<Option<LinkRow>, StoreError> {
        let query = db::query(
            "SELECT address, kind, next FROM sign_in_link WHERE hash = $1 AND expires_at > $2",
        );
        Ok(query.bind(hash).bind(now).fetch_optional(&self.readers).await?)
    }
}
