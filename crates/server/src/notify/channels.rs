//! Notifications of channels: which channels are notified of an alert, and their posts.
use flawless_core::Owner;
use flawless_store::{NewNotification, Recipient, StoreError};

use super::short_alerts;
use crate::app::App;
use crate::channel::{ChannelKind, posts};

/// The channels to notify of an alert that `owner` answers for: the project's and the owner's.
pub(super) async fn channel_notifications(
    app: &App,
    owner: &Owner,
) -> Result<Vec<NewNotification>, StoreError> {
    let channels = app.store.channels().await?.into_iter();
    let working = channels.filter(|channel| channel.broken_at.is_none());
    let address = owner.address.as_deref().unwrap_or_default();
    let notifications = working.filter_map(|channel| {
        let why = match &channel.owner {
            None => "the project's channel",
            Some(owner) if owner.eq_ignore_ascii_case(address) => "the owner's channel",
            Some(_) => return None,
        };
        let recipient = Recipient::Channel(channel.id);
        Some(NewNotification { recipient, why: why.to_owned(), is_owner: false })
    });
    Ok(notifications.collect())
}

/// Writes the pending notifications of a channel, in as few posts as the service allows. Returns
/// whether posts were written.
pub(super) async fn write_posts(app: &App, id: i64, now: i64) -> Result<bool, StoreError> {
    let recipient = Recipient::Channel(id);
    let channel = app.store.channel(id).await?;
    let channel = channel.filter(|channel| channel.broken_at.is_none());
    let kind = channel.as_ref().and_then(|channel| ChannelKind::of(&channel.kind));
    let (Some(channel), Some(kind)) = (channel, kind) else {
        // The channel was removed or broke in the meantime. These alerts are mailed as well.
        let mut tx = app.store.write().await?;
        tx.drop_pending_notifications_to(&recipient).await?;
        tx.commit().await?;
        return Ok(false);
    };
    let rules = app.rules.get();
    let erasures = app.store.erasures().await?;
    let refused = app.store.refused_addresses(now).await?;
    let notifications = app.store.digest_notifications(&recipient).await?;
    let alerts = short_alerts(app, &notifications, &rules.rules, &refused).await?;
    let mut tx = app.store.write().await?;
    if tx.erased_since(erasures).await? {
        return Ok(false);
    }
    for (notifications, post) in posts(app, &channel, kind, &alerts, now) {
        if tx.write_notifications(&notifications, &post, now).await?.is_none() {
            // Erased or written in the meantime: nothing is written, and the next round retries.
            return Ok(false);
        }
    }
    tx.commit().await?;
    Ok(true)
}
