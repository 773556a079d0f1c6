//! Links that sign in once: what they hold is stored as its hash only.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx};

/// A link by mail works so long.
pub const LINK_LIFE_MS: i64 = 15 * 60_000;

/// For whom a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Who asked for it, by mail.
    Mail,
    /// Whom somebody at the server's machine chose.
    Command,
    /// The first administrator.
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

/// A link to make.
#[derive(Debug, Clone)]
pub struct NewLink<'a> {
    /// SHA-256 of what it holds.
    pub hash: &'a str,
    /// For whom it is.
    pub kind: LinkKind,
    /// Whom it signs in, in lower case; `None`: who opens it, and becomes administrator.
    pub address: Option<&'a str>,
    /// Where it leads.
    pub next: &'a str,
    /// When it ends.
    pub expires_at: i64,
}

/// A link that works.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// Whom it signs in, in lower case; `None`: who opens it, and becomes administrator.
    pub address: Option<String>,
    /// As `mail`, `command` or `administrator`.
    pub kind: String,
    /// Where it leads.
    pub next: String,
}

impl WriteTx {
    /// Makes a link. There is one for the first administrator at a time.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_sign_in_link(&mut self, new: &NewLink<'_>, at: i64) -> Result<(), StoreError> {
        if new.kind == LinkKind::Administrator {
            self.remove_administrator_links().await?;
        }
        sqlx::query(
            "INSERT INTO sign_in_link (hash, kind, address, next, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.hash)
        .bind(new.kind.as_str())
        .bind(new.address)
        .bind(new.next)
        .bind(at)
        .bind(new.expires_at)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Takes away the link for the first administrator.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn remove_administrator_links(&mut self) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM sign_in_link WHERE kind = 'administrator'");
        query.execute(&mut *self.0).await?;
        Ok(())
    }

    /// Uses a link: it works no more. `false` when it did not.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn use_sign_in_link(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM sign_in_link WHERE hash = $1 AND expires_at > $2");
        let used = query.bind(hash).bind(now).execute(&mut *self.0).await?;
        Ok(used.rows_affected() > 0)
    }
}

impl Store {
    /// A link that works.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn sign_in_link(&self, hash: &str, now: i64) -> Result<Option<LinkRow>, StoreError> {
        let query = sqlx::query_as(
            "SELECT address, kind, next FROM sign_in_link WHERE hash = $1 AND expires_at > $2",
        );
        Ok(query.bind(hash).bind(now).fetch_optional(&self.readers).await?)
    }
}
