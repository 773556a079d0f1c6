//! Sessions of browsers: their secrets are stored as hashes only.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// SHA-256 of the secret that the browser gets.
    pub hash: &'a str,
    /// Address of the person, in lower case.
    pub address: &'a str,
    /// The method of the sign-in, in words.
    pub how: &'a str,
    /// The browser's own name for itself.
    pub user_agent: &'a str,
    /// When it ends unless it is used.
    pub expires_at: i64,
}

/// A session.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// Its number.
    pub id: i64,
    /// Address of the person, in lower case.
    pub address: String,
    /// When it began.
    pub created_at: i64,
    /// When it was last used, accurate to an hour.
    pub last_seen_at: i64,
    /// When it ends unless it is used.
    pub expires_at: i64,
    /// The method of the sign-in, in words.
    pub how: String,
    /// The browser's own name for itself.
    pub user_agent: String,
}

/// Sessions that one address may have; the oldest are ended.
const MAX_PER_ADDRESS: i64 = 50;

impl WriteTx {
    /// Begins a session.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_session(&mut self, new: &NewSession<'_>, at: i64) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO session (hash, address, created_at, last_seen_at, expires_at, how, \
             user_agent) VALUES ($1, $2, $3, $3, $4, $5, $6)",
        )
        .bind(new.hash)
        .bind(new.address)
        .bind(at)
        .bind(new.expires_at)
        .bind(new.how)
        .bind(new.user_agent)
        .execute(&mut self.tx)
        .await?;
        let query = db::query(
            "DELETE FROM session WHERE address = $1 AND id NOT IN \
             (SELECT id FROM session WHERE address = $1 ORDER BY id DESC LIMIT $2)",
        );
        query.bind(new.address).bind(MAX_PER_ADDRESS).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Notes that a session was used, and extends it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn renew_session(
        &mut self,
        id: i64,
        at: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let query =
            db::query("UPDATE session SET last_seen_at = $2, expires_at = $3 WHERE id = $1");
        query.bind(id).bind(at).bind(expires_at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Ends one session of an address; returns whether it existed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn end_session(&mut self, id: i64, address: &str) -> Result<bool, StoreError> {
        let query = db::query("DELETE FROM session WHERE id = $1 AND address = $2");
        let ended = query.bind(id).bind(address).execute(&mut self.tx).await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Ends all sessions, sign-in links and tokens of an address; returns the number of sessions
    /// and tokens.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn sign_out_everywhere(&mut self, address: &str, at: i64) -> Result<u64, StoreError> {
        let query = db::query("DELETE FROM sign_in_link WHERE address = $1");
        query.bind(address).execute(&mut self.tx).await?;
        let query = db::query("DELETE FROM session WHERE address = $1");
        let sessions = query.bind(address).execute(&mut self.tx).await?.rows_affected();
        Ok(sessions + self.revoke_tokens(address, at).await?)
    }
}

impl Store {
    /// The session of a browser, by the hash of its secret.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<SessionRow>, StoreError> {
        let query = db::query(
            "SELECT id, address, created_at, last_seen_at, expires_at, how, user_agent \
             FROM session WHERE hash = $1 AND expires_at > $2",
        );
        Ok(query.bind(hash).bind(now).fetch_optional(&self.readers).await?)
    }

    /// The sessions of an address, the last used first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn sessions_of(
        &self,
        address: &str,
        now: i64,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let query = db::query(
            "SELECT id, address, created_at, last_seen_at, expires_at, how, user_agent \
             FROM session WHERE address = $1 AND expires_at > $2 \
             ORDER BY last_seen_at DESC, id DESC",
        );
        Ok(query.bind(address).bind(now).fetch_all(&self.readers).await?)
    }

    /// The number of sessions of each address, and when one was last used.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn signed_in(&self, now: i64) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let query = db::query(
            "SELECT address, COUNT(*), MAX(last_seen_at) FROM session WHERE expires_at > $1 \
             GROUP BY address ORDER BY address LIMIT 5000",
        );
        Ok(query.bind(now).fetch_all(&self.readers).await?)
    }
}
