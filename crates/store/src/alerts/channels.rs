//! Channels: webhooks that alerts go to, beside the mails.
use flawless_base::secret::Secret;
use sqlx::FromRow;
use url::Url;

use crate::{PROJECT, Store, StoreError, WriteTx};

/// A channel.
#[derive(Debug, Clone, FromRow)]
pub struct ChannelRow {
    /// Its number; never given to another one.
    pub id: i64,
    /// `slack`, `discord`, `teams`, `mattermost` or `json`.
    pub kind: String,
    /// Where posts go. Who knows it can post, too.
    #[sqlx(try_from = "String")]
    pub url: Secret,
    /// What posts of the kind `json` are signed with; empty for the others.
    #[sqlx(try_from = "String")]
    pub secret: Secret,
    /// Gets only the alerts that this address answers for; `None` for all.
    pub owner: Option<String>,
    /// When the service said that there is no such webhook any more.
    pub broken_at: Option<i64>,
    /// Its words.
    pub broken_why: Option<String>,
    /// When the service took a post last.
    pub accepted_at: Option<i64>,
}

impl ChannelRow {
    /// What nobody may learn of it.
    pub fn secrets(&self) -> Vec<Secret> {
        let parts = Url::parse(self.url.reveal()).map(|url| secret_parts(&url));
        let parts = parts.unwrap_or_default().into_iter().map(Secret::new);
        parts.chain([self.secret.clone()]).collect()
    }
}

/// The parts of a webhook's address that nobody guesses: long segments of its path, and long
/// values of its query.
pub fn secret_parts(url: &Url) -> Vec<String> {
    const LONG: usize = 16;
    let segments = url.path_segments().into_iter().flatten();
    let query = url.query().into_iter().flat_map(|query| query.split('&'));
    let values = query.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let long = segments.chain(values).filter(|part| part.len() >= LONG);
    long.map(str::to_owned).collect()
}

/// A channel that is to be.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// `slack`, `discord`, `teams`, `mattermost` or `json`.
    pub kind: &'static str,
    /// Where posts go.
    pub url: Secret,
    /// What posts of the kind `json` are signed with.
    pub secret: Option<Secret>,
    /// Gets only the alerts that this address answers for; `None` for all.
    pub owner: Option<String>,
}

/// A channel as notices and the outbox name it.
pub fn channel_recipient(id: i64) -> String {
    format!("channel:{id}")
}

/// The number of a channel that notices and the outbox name so; `None` for mail addresses.
pub fn channel_number(recipient: &str) -> Option<i64> {
    recipient.strip_prefix("channel:")?.parse().ok()
}

impl WriteTx {
    /// Adds a channel; returns its number.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_channel(&mut self, channel: &NewChannel, at: i64) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(
            "INSERT INTO channel (project_id, kind, url, secret, owner, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        );
        let query = query.bind(PROJECT).bind(channel.kind).bind(channel.url.reveal());
        let query = query.bind(channel.secret.as_ref().map(Secret::reveal));
        Ok(query.bind(&channel.owner).bind(at).fetch_one(&mut *self.0).await?)
    }

    /// Forgets a channel's address and key, and all that waits for it. Says whether there was one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn remove_channel(&mut self, id: i64, at: i64) -> Result<bool, StoreError> {
        let removed = sqlx::query(
            "UPDATE channel SET removed_at = $2, url = '', secret = NULL \
             WHERE id = $1 AND removed_at IS NULL",
        );
        let removed = removed.bind(id).bind(at).execute(&mut *self.0).await?.rows_affected() > 0;
        let recipient = channel_recipient(id);
        self.drop_pending_notifications_to(&recipient).await?;
        let posts = sqlx::query(
            "UPDATE outbox SET gave_up_at = $2, last_error = 'the channel was removed' \
             WHERE recipient = $1 AND sent_at IS NULL AND gave_up_at IS NULL",
        );
        posts.bind(recipient).bind(at).execute(&mut *self.0).await?;
        Ok(removed)
    }

    /// Notes that the service knows no such webhook any more: nothing more is posted to it.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn channel_broken(&mut self, id: i64, at: i64, why: &str) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE channel SET broken_at = $2, broken_why = $3 WHERE id = $1");
        query.bind(id).bind(at).bind(why).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Notes that the service has taken a post.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn channel_works(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE channel SET broken_at = NULL, broken_why = NULL, accepted_at = $2 WHERE id = $1",
        );
        query.bind(id).bind(at).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Forgets what is held back for a recipient that is no more.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn drop_pending_notifications_to(
        &mut self,
        recipient: &str,
    ) -> Result<(), StoreError> {
        let query =
            sqlx::query("DELETE FROM notification WHERE recipient = $1 AND outbox_id IS NULL");
        query.bind(recipient).execute(&mut *self.0).await?;
        Ok(())
    }
}

impl Store {
    /// All channels, by number.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let query = sqlx::query_as(
            "SELECT id, kind, url, COALESCE(secret, '') AS secret, owner, broken_at, broken_why, \
             accepted_at FROM channel WHERE removed_at IS NULL AND project_id = $1 ORDER BY id",
        );
        Ok(query.bind(PROJECT).fetch_all(&self.readers).await?)
    }

    /// The channel with this number.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn channel(&self, id: i64) -> Result<Option<ChannelRow>, StoreError> {
        Ok(self.channels().await?.into_iter().find(|channel| channel.id == id))
    }
}
