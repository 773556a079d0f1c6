//! The posts in the outbox, which go to channels.
use flawless_base::backoff::LONGEST_RETRY_MS;
use sqlx::FromRow;

use super::recipient::Recipient;
use crate::{ProjectId, Store, StoreError, db};

/// A post that is due.
#[derive(Debug, Clone, FromRow)]
pub struct DuePost {
    /// Its number.
    pub id: i64,
    /// The project whose channel it goes to.
    pub project_id: ProjectId,
    /// The channel.
    #[sqlx(try_from = "String")]
    pub recipient: Recipient,
    /// The same at each attempt, so that a receiver can recognise a repetition.
    pub message_id: String,
    /// The body.
    pub message: Vec<u8>,
    /// When it was written.
    pub created_at: i64,
    /// Number of failed attempts.
    pub attempts: i64,
    /// Why the message is empty, when it cannot be decrypted.
    #[sqlx(default)]
    pub unreadable: Option<String>,
}

/// Posts that wait for a channel, and posts that did not reach it.
#[derive(Debug, Clone, FromRow)]
pub struct PostState {
    /// The channel.
    #[sqlx(try_from = "String")]
    pub recipient: Recipient,
    /// Posts that wait.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest_at: Option<i64>,
    /// Posts that were given up.
    pub given_up: i64,
    /// When the last of them was given up.
    pub gave_up_at: Option<i64>,
    /// Why one of them failed.
    pub last_error: Option<String>,
}

impl Store {
    /// The oldest due post of each channel of all projects; those that wait longest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn due_posts(&self, now: i64) -> Result<Vec<DuePost>, StoreError> {
        let query = db::query(
            "SELECT id, project_id, recipient, message_id, message, created_at, attempts FROM outbox \
             WHERE id IN (SELECT MIN(id) FROM outbox WHERE sent_at IS NULL \
             AND gave_up_at IS NULL AND (next_attempt_at <= $1 OR next_attempt_at > $2) \
             AND kind = 'post' \
             GROUP BY recipient) ORDER BY next_attempt_at, id",
        );
        let query = query.bind(now).bind(now.saturating_add(LONGEST_RETRY_MS));
        let mut posts: Vec<DuePost> = query.fetch_all(&self.readers).await?;
        for post in &mut posts {
            post.unreadable = self.open_message(&mut post.message);
        }
        Ok(posts)
    }

    /// The channels for which posts wait, or to which posts were given up since then.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn post_states(&self, since: i64) -> Result<Vec<PostState>, StoreError> {
        let query = db::query(
            "SELECT recipient, COUNT(CASE WHEN gave_up_at IS NULL THEN 1 END) AS waiting, \
             MIN(CASE WHEN gave_up_at IS NULL THEN created_at END) AS oldest_at, \
             COUNT(gave_up_at) AS given_up, MAX(gave_up_at) AS gave_up_at, \
             MAX(last_error) AS last_error FROM outbox \
             WHERE sent_at IS NULL AND (gave_up_at IS NULL OR gave_up_at > $1) AND kind = 'post' \
             AND project_id = $2 \
             GROUP BY recipient ORDER BY recipient",
        );
        Ok(query.bind(since).bind(self.project).fetch_all(&self.readers).await?)
    }
}
