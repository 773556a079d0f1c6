//! Sends the posts in the outbox, with retries over days: to several channels simultaneously, one
//! post at a time to each. Mails do not wait for posts.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use flawless_base::backoff::{FIRST_RETRY_MS, GIVE_UP_AFTER_MS, retry_after};
use flawless_store::{ChannelRow, DuePost, Recipient, StoreError, WriteTx};
use tokio::task::JoinSet;

use super::client::{Answer, PostClient};
use crate::app::App;
use crate::app::projects::Projects;
use crate::mail::is_ours;

const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many channels are posted to simultaneously.
const AT_ONCE: usize = 8;
/// A post that failed this often, and for long enough, is given up.
const GIVE_UP_AFTER_ATTEMPTS: i64 = 3;
/// A webhook counts as gone when the service has said so for this long: it may say so for minutes
/// while the service itself is being updated.
const GONE_AFTER_MS: i64 = 3_600_000;

/// The state of a channel after an attempt, which the next attempt starts from.
#[derive(Debug, Clone, Copy, Default)]
struct ChannelState {
    /// Nothing is posted before this time.
    rests_until: Option<i64>,
    /// Since when each attempt found that there is no such webhook.
    gone_since: Option<i64>,
    /// The post that the service accepted and the store does not know about yet.
    taken: Option<i64>,
}

/// Sends the posts of all projects forever.
pub async fn run_posts(projects: Arc<Projects>, client: PostClient) {
    let mut work = JoinSet::new();
    let mut busy: HashSet<Recipient> = HashSet::new();
    // Channels that accept nothing at the moment, and until when. A restart loses this, which only
    // costs one more attempt.
    let mut resting: HashMap<Recipient, i64> = HashMap::new();
    let mut before: HashMap<Recipient, ChannelState> = HashMap::new();
    loop {
        let first = projects.first();
        let now = first.clock.now();
        resting.retain(|_, until| *until > now);
        match projects.store().due_posts(now).await {
            Ok(due) => {
                for post in due {
                    let waits = busy.contains(&post.recipient)
                        || resting.contains_key(&post.recipient)
                        || work.len() >= AT_ONCE;
                    // The posts of a removed project go with it.
                    if let Some(app) = projects.get(post.project_id).filter(|_| !waits) {
                        busy.insert(post.recipient.clone());
                        let before = before.get(&post.recipient).copied().unwrap_or_default();
                        work.spawn(attempt(app, client.clone(), post, before));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the outbox could not be read"),
        }
        tokio::select! {
            Some(done) = work.join_next() => match done {
                Ok((recipient, channel_state)) => {
                    busy.remove(&recipient);
                    if let Some(until) = channel_state.rests_until {
                        resting.insert(recipient.clone(), until);
                    }
                    match channel_state {
                        ChannelState { gone_since: None, taken: None, .. } => before.remove(&recipient),
                        _ => before.insert(recipient, channel_state),
                    };
                }
                // Which task failed is not known, so all are stopped, and their posts tried again.
                Err(error) => {
                    tracing::error!(%error, "posting has failed");
                    work.shutdown().await;
                    busy.clear();
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            },
            () = first.wakeups.posts.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Posts once and records the result, after the one that an earlier attempt could not record.
/// Returns the channel and its state.
async fn attempt(
    app: App,
    client: PostClient,
    post: DuePost,
    before: ChannelState,
) -> (Recipient, ChannelState) {
    // A server that is told to stop waits for this.
    let _sending = app.posting.read().await;
    let mut taken = before.taken;
    match is_ours(&app, post.id).await {
        Ok(true) => {}
        // Another server sends it.
        Ok(false) => return (post.recipient.clone(), rests(&app, before)),
        Err(error) => {
            tracing::error!(%error, "a post could not be claimed");
            return (post.recipient.clone(), rests(&app, before));
        }
    }
    let channel_state = match send(&app, &client, &post, before.gone_since, &mut taken).await {
        Ok(channel_state) => channel_state,
        Err(error) => {
            tracing::error!(%error, "the result of a post could not be recorded");
            let rests_until = Some(app.clock.now() + FIRST_RETRY_MS);
            ChannelState { rests_until, taken, ..before }
        }
    };
    (post.recipient.clone(), channel_state)
}

fn rests(app: &App, before: ChannelState) -> ChannelState {
    ChannelState { rests_until: Some(app.clock.now() + FIRST_RETRY_MS), ..before }
}

async fn send(
    app: &App,
    client: &PostClient,
    post: &DuePost,
    gone_since: Option<i64>,
    taken: &mut Option<i64>,
) -> Result<ChannelState, StoreError> {
    let channel = match post.recipient {
        Recipient::Channel(number) => app.store.channel(number).await?,
        Recipient::Address(_) => None,
    };
    if let Some(earlier) = *taken {
        let now = app.clock.now();
        let mut tx = app.store.write().await?;
        note_taken(&mut tx, earlier, channel.as_ref(), now).await?;
        tx.commit().await?;
        *taken = None;
        if earlier == post.id {
            return Ok(ChannelState::default());
        }
    }
    let answer = match (&channel, &post.unreadable) {
        (None, _) => Answer::Refused("the channel was removed".to_owned()),
        (Some(_), Some(why)) => Answer::Later(why.clone()),
        (Some(channel), None) => {
            client.post(channel, &post.message_id, &post.message, app.clock.now()).await
        }
    };
    let now = app.clock.now();
    let mut channel_state = ChannelState::default();
    if matches!(answer, Answer::Taken(_)) {
        *taken = Some(post.id);
    }
    let mut tx = app.store.write().await?;
    match answer {
        Answer::Taken(_) => note_taken(&mut tx, post.id, channel.as_ref(), now).await?,
        Answer::Later(words) => {
            postpone(&mut tx, post, now, retry_after(post.attempts), &words).await?;
        }
        Answer::Closed(words, asked) => {
            let asked = asked.map_or(0, |asked| i64::try_from(asked.as_millis()).unwrap_or(0));
            let wait = retry_after(post.attempts).max(asked);
            channel_state.rests_until = Some(now + wait);
            postpone(&mut tx, post, now, wait, &words).await?;
        }
        Answer::Refused(words) => give_up(&mut tx, post, now, &words).await?,
        Answer::Gone(words) => {
            let since = gone_since.unwrap_or(now);
            channel_state.gone_since = Some(since);
            match &channel {
                Some(channel) if channel.broken_at.is_some() || now - since >= GONE_AFTER_MS => {
                    give_up(&mut tx, post, now, &words).await?;
                    tx.channel_broken(channel.id, now, &words).await?;
                }
                _ => {
                    let wait = retry_after(post.attempts);
                    channel_state.rests_until = Some(now + wait);
                    postpone(&mut tx, post, now, wait, &words).await?;
                }
            }
        }
    }
    tx.commit().await?;
    *taken = None;
    Ok(channel_state)
}

async fn note_taken(
    tx: &mut WriteTx,
    post: i64,
    channel: Option<&ChannelRow>,
    now: i64,
) -> Result<(), StoreError> {
    tx.mail_sent(post, now).await?;
    match channel {
        Some(channel) => tx.channel_works(channel.id, now).await,
        None => Ok(()),
    }
}

async fn postpone(
    tx: &mut WriteTx,
    post: &DuePost,
    now: i64,
    wait: i64,
    words: &str,
) -> Result<(), StoreError> {
    let is_old = now - post.created_at >= GIVE_UP_AFTER_MS;
    if is_old && post.attempts >= GIVE_UP_AFTER_ATTEMPTS {
        return give_up(tx, post, now, words).await;
    }
    tracing::warn!(to = %post.recipient, words, "a post was not taken yet");
    tx.mail_postponed(post.id, now + wait, words).await
}

/// Gives up a post. Its alerts were mailed as well.
async fn give_up(
    tx: &mut WriteTx,
    post: &DuePost,
    now: i64,
    words: &str,
) -> Result<(), StoreError> {
    tracing::error!(to = %post.recipient, words, "a post is given up");
    tx.mail_given_up(post.id, now, words, false).await
}
