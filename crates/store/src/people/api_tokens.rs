//! Tokens that programs call the API with: stored as hashes only.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// A token to create.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// SHA-256 of the token.
    pub hash: &'a str,
    /// Its first characters.
    pub prefix: &'a str,
    /// The name that its owner gave it.
    pub name: &'a str,
    /// Its highest role, as [`flawless_core::Role::as_str`].
    pub role: &'a str,
    /// Its owner, in lower case.
    pub owner: &'a str,
    /// When it expires.
    pub expires_at: i64,
}

/// A token.
#[derive(Debug, Clone, FromRow)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// Its first characters.
    pub prefix: String,
    /// The name that its owner gave it.
    pub name: String,
    /// Its highest role.
    pub role: String,
    /// Its owner, in lower case.
    pub created_by: String,
    /// When it was created.
    pub created_at: i64,
    /// When it expires.
    pub expires_at: i64,
    /// When it was last used, accurate to a few minutes.
    pub last_used_at: Option<i64>,
}

/// Valid tokens that one owner may have.
pub const MAX_TOKENS: i64 = 50;

impl WriteTx {
    /// Creates a token; `false` when its owner has too many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_token(&mut self, new: &NewToken<'_>, at: i64) -> Result<bool, StoreError> {
        self.tx.lock_shared().await?;
        let query = db::query_scalar(
            "SELECT COUNT(*) FROM api_token \
             WHERE created_by = $1 AND revoked_at IS NULL AND expires_at > $2",
        );
        if query.bind(new.owner).bind(at).fetch_one::<i64>(&mut self.tx).await? >= MAX_TOKENS {
            return Ok(false);
        }
        db::query(
            "INSERT INTO api_token (hash, prefix, name, role, created_by, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.hash)
        .bind(new.prefix)
        .bind(new.name)
        .bind(new.role)
        .bind(new.owner)
        .bind(at)
        .bind(new.expires_at)
        .execute(&mut self.tx)
        .await?;
        Ok(true)
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn token_used(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        let query = db::query("UPDATE api_token SET last_used_at = $2 WHERE id = $1");
        query.bind(id).bind(at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Revokes a token of an owner; returns whether it existed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn revoke_token(
        &mut self,
        id: i64,
        owner: &str,
        at: i64,
    ) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE api_token SET revoked_at = $3 \
             WHERE id = $1 AND created_by = $2 AND revoked_at IS NULL",
        );
        let ended = query.bind(id).bind(owner).bind(at).execute(&mut self.tx).await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Revokes all tokens of an owner; returns how many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn revoke_tokens(&mut self, owner: &str, at: i64) -> Result<u64, StoreError> {
        let query = db::query(
            "UPDATE api_token SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL",
        );
        Ok(query.bind(owner).bind(at).execute(&mut self.tx).await?.rows_affected())
    }
}

impl Store {
    /// The token with this hash, if it is valid.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn token(&self, hash: &str, now: i64) -> Result<Option<TokenRow>, StoreError> {
        let query = db::query(
            "SELECT id, prefix, name, role, created_by, created_at, expires_at, last_used_at \
             FROM api_token WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2",
        );
        Ok(query.bind(hash).bind(now).fetch_optional(&self.readers).await?)
    }

    /// The number of valid tokens of each owner.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn token_owners(&self, now: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let query = db::query(
            "SELECT created_by, COUNT(*) FROM api_token \
             WHERE revoked_at IS NULL AND expires_at > $1 \
             GROUP BY created_by ORDER BY created_by LIMIT 5000",
        );
        Ok(query.bind(now).fetch_all(&self.readers).await?)
    }

    /// The valid tokens of an owner, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tokens_of(&self, owner: &str, now: i64) -> Result<Vec<TokenRow>, StoreError> {
        let query = db::query(
            "SELECT id, prefix, name, role, created_by, created_at, expires_at, last_used_at \
             FROM api_token WHERE created_by = $1 AND revoked_at IS NULL AND expires_at > $2 \
             ORDER BY id DESC",
        );
        Ok(query.bind(owner).bind(now).fetch_all(&self.readers).await?)
    }
}
