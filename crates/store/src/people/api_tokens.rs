//! What programs call the API with: stored as hashes only.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx};

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// SHA-256 of it.
    pub hash: &'a str,
    /// Its first letters.
    pub prefix: &'a str,
    /// What its owner calls it.
    pub name: &'a str,
    /// The most it may do, as [`flawless_core::Role::as_str`].
    pub role: &'a str,
    /// Its owner, in lower case.
    pub owner: &'a str,
    /// When it ends.
    pub expires_at: i64,
}

/// A token.
#[derive(Debug, Clone, FromRow)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// Its first letters.
    pub prefix: String,
    /// What its owner calls it.
    pub name: String,
    /// The most it may do.
    pub role: String,
    /// Its owner, in lower case.
    pub created_by: String,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// When it was last used, to some minutes.
    pub last_used_at: Option<i64>,
}

/// So many tokens of one owner.
pub const MAX_TOKENS: i64 = 50;

impl WriteTx {
    /// Makes a token; `false` when its owner has too many.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_token(&mut self, new: &NewToken<'_>, at: i64) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM api_token \
             WHERE created_by = $1 AND revoked_at IS NULL AND expires_at > $2",
        );
        if query.bind(new.owner).bind(at).fetch_one(&mut *self.0).await? >= MAX_TOKENS {
            return Ok(false);
        }
        sqlx::query(
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
        .execute(&mut *self.0)
        .await?;
        Ok(true)
    }

    /// It was used.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn token_used(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE api_token SET last_used_at = $2 WHERE id = $1");
        query.bind(id).bind(at).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Ends a token of an owner; says whether there was one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn revoke_token(
        &mut self,
        id: i64,
        owner: &str,
        at: i64,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE api_token SET revoked_at = $3 \
             WHERE id = $1 AND created_by = $2 AND revoked_at IS NULL",
        );
        let ended = query.bind(id).bind(owner).bind(at).execute(&mut *self.0).await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Ends all tokens of an owner; says how many.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn revoke_tokens(&mut self, owner: &str, at: i64) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "UPDATE api_token SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL",
        );
        Ok(query.bind(owner).bind(at).execute(&mut *self.0).await?.rows_affected())
    }
}

impl Store {
    /// The token with this hash, when it works.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn token(&self, hash: &str, now: i64) -> Result<Option<TokenRow>, StoreError> {
        let query = sqlx::query_as(
            "SELECT id, prefix, name, role, created_by, created_at, expires_at, last_used_at \
             FROM api_token WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2",
        );
        Ok(query.bind(hash).bind(now).fetch_optional(&self.readers).await?)
    }

    /// How many tokens that work each owner has.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn token_owners(&self, now: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let query = sqlx::query_as(
            "SELECT created_by, COUNT(*) FROM api_token \
             WHERE revoked_at IS NULL AND expires_at > $1 \
             GROUP BY created_by ORDER BY created_by LIMIT 5000",
        );
        Ok(query.bind(now).fetch_all(&self.readers).await?)
    }

    /// The tokens of an owner that work, the newest first.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn tokens_of(&self, owner: &str, now: i64) -> Result<Vec<TokenRow>, StoreError> {
        let query = sqlx::query_as(
            "SELECT id, prefix, name, role, created_by, created_at, expires_at, last_used_at \
             FROM api_token WHERE created_by = $1 AND revoked_at IS NULL AND expires_at > $2 \
             ORDER BY id DESC",
        );
        Ok(query.bind(owner).bind(now).fetch_all(&self.readers).await?)
    }
}
