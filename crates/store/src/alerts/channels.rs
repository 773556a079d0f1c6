//! Channels: webhooks that receive alerts besides the mails.
use flawless_base::secret::Secret;
use sqlx::FromRow;
use url::Url;

use super::recipient::Recipient;
use crate::{Store, StoreError, WriteTx, db};

/// A channel.
#[derive(Debug, Clone, FromRow)]
pub struct ChannelRow {
    /// Its number, which is never reused.
    pub id: i64,
    /// `slack`, `discord`, `teams`, `mattermost` or `json`.
    pub kind: String,
    /// The webhook. Everybody who knows it can post, too.
    #[sqlx(try_from = "String")]
    pub url: Secret,
    /// The key that posts of the kind `json` are signed with; empty for other kinds.
    #[sqlx(try_from = "String")]
    pub secret: Secret,
    /// Receives only the alerts of this owner; `None` for all.
    pub owner: Option<String>,
    /// When the service answered that the webhook no longer exists.
    pub broken_at: Option<i64>,
    /// The service's answer.
    pub broken_why: Option<String>,
    /// When the service last accepted a post.
    pub accepted_at: Option<i64>,
}

impl ChannelRow {
    /// The secrets of the channel.
    pub fn secrets(&self) -> Vec<Secret> {
        let parts = Url::parse(self.url.reveal()).map(|url| secret_parts(&url));
        let parts = parts.unwrap_or_default().into_iter().map(Secret::new);
        parts.chain([self.secret.clone()]).collect()
    }
}

/// The parts of a webhook's URL that cannot be guessed: long segments of its path, and long values
/// of its query.
pub fn secret_parts(url: &Url) -> Vec<String> {
    const LONG: usize = 16;
    let segments = url.path_segments().into_iter().flatten();
    let query = url.query().into_iter().flat_map(|query| query.split('&'));
    let values = query.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let long = segments.chain(values).filter(|part| part.len() >= LONG);
    long.map(str::to_owned).collect()
}

/// A channel to be added.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// `slack`, `discord`, `teams`, `mattermost` or `json`.
    pub kind: &'static str,
    /// The webhook.
    pub url: Secret,
    /// The key that posts of the kind `json` are signed with.
    pub secret: Option<Secret>,
    /// Receives only the alerts of this owner; `None` for all.
    pub owner: Option<String>,
}

impl WriteTx {
    /// Adds a channel; returns its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_channel(&mut self, channel: &NewChannel, at: i64) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "INSERT INTO channel (project_id, kind, url, secret, owner, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        );
        let query = query.bind(self.project).bind(channel.kind).bind(channel.url.reveal());
        let query = query.bind(channel.secret.as_ref().map(Secret::reveal));
        let id = query.bind(&channel.owner).bind(at).fetch_one(&mut self.tx).await?;
        // Its URL is a secret that reports must not show.
        self.projects_changed().await?;
        Ok(id)
    }

    /// Deletes a channel's URL and key, and everything that waits for it. Returns whether it
    /// existed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_channel(&mut self, id: i64, at: i64) -> Result<bool, StoreError> {
        let removed = db::query(
            "UPDATE channel SET removed_at = $2, url = '', secret = NULL \
             WHERE id = $1 AND project_id = $3 AND removed_at IS NULL",
        );
        let removed = removed
            .bind(id)
            .bind(at)
            .bind(self.project)
            .execute(&mut self.tx)
            .await?
            .rows_affected()
            > 0;
        if !removed {
            return Ok(false);
        }
        let recipient = Recipient::Channel(id);
        self.drop_pending_notifications_to(&recipient).await?;
        let posts = db::query(
            "UPDATE outbox SET gave_up_at = $2, last_error = 'the channel was removed' \
             WHERE recipient = $1 AND sent_at IS NULL AND gave_up_at IS NULL",
        );
        posts.bind(recipient.to_string()).bind(at).execute(&mut self.tx).await?;
        Ok(true)
    }

    /// Notes that the service no longer knows the webhook: nothing more is posted to it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn channel_broken(&mut self, id: i64, at: i64, why: &str) -> Result<(), StoreError> {
        let query = db::query("UPDATE channel SET broken_at = $2, broken_why = $3 WHERE id = $1");
        query.bind(id).bind(at).bind(why).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Notes that the service has accepted a post.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn channel_works(&mut self, id: i64, at: i64) -> Result<(), StoreError> {
        let query = db::query(
            "UPDATE channel SET broken_at = NULL, broken_why = NULL, accepted_at = $2 WHERE id = $1",
        );
        query.bind(id).bind(at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Deletes pending notifications to a recipient that no longer exists.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn drop_pending_notifications_to(
        &mut self,
        recipient: &Recipient,
    ) -> Result<(), StoreError> {
        let query =
            db::query("DELETE FROM notification WHERE recipient = $1 AND outbox_id IS NULL");
        query.bind(recipient.to_string()).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// All channels, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let query = db::query(
            "SELECT id, kind, url, COALESCE(secret, '') AS secret, owner, broken_at, broken_why, \
             accepted_at FROM channel WHERE removed_at IS NULL AND project_id = $1 ORDER BY id",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// The channels of all projects.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn channels_of_all(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let query = db::query(
            "SELECT id, kind, url, COALESCE(secret, '') AS secret, owner, broken_at, broken_why, \
             accepted_at FROM channel WHERE removed_at IS NULL ORDER BY id",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The channel with this number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn channel(&self, id: i64) -> Result<Option<ChannelRow>, StoreError> {
        Ok(self.channels().await?.into_iter().find(|channel| channel.id == id))
    }
}
