//! The digest schedule: how many alerts wait for whom, and when they are sent.
use std::collections::HashMap;

use flawless_core::{Budget, HOUR_MS, PendingDigest, digest_due_at};
use flawless_store::{PendingDigestRow, Recipient, StoreError};

use crate::app::App;

/// The alerts that wait for a person or a channel.
#[derive(Debug, Clone)]
pub struct ScheduledDigest {
    /// The person or channel.
    pub recipient: Recipient,
    /// How many alerts wait.
    pub alerts: i64,
    /// When the digest is due if no other alert comes, milliseconds since 1970 UTC.
    pub due_at: i64,
}

/// All pending digests, the one that has waited longest first.
pub async fn scheduled_digests(app: &App) -> Result<Vec<ScheduledDigest>, StoreError> {
    let pending = app.store.pending_digests().await?;
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let settings = &app.config.mails;
    let gather = i64::try_from(settings.digest.as_millis()).unwrap_or(i64::MAX);
    let budget = Budget { per_recipient: settings.per_person, in_all: settings.per_hour };
    // Posts have a budget of their own, so that they cannot delay a mail.
    let is_post = |recipient: &Recipient| matches!(recipient, Recipient::Channel(_));
    let (mut mails, mut posts) = (Vec::new(), Vec::new());
    let mut to_each: HashMap<Recipient, Vec<i64>> = HashMap::new();
    // Times in the future, written while the clock was ahead, count as now: nothing waits for them.
    let now = app.clock.now();
    for mail in app.store.mails_written_since(now - HOUR_MS).await? {
        let to_all = if is_post(&mail.recipient) { &mut posts } else { &mut mails };
        let at = mail.created_at.min(now);
        to_all.push(at);
        to_each.entry(mail.recipient.folded()).or_default().push(at);
    }
    let scheduled = |PendingDigestRow { recipient, alerts, oldest_at, newest_at }| {
        let to_recipient = to_each.get(&recipient.folded()).map_or(&[][..], Vec::as_slice);
        let to_all = if is_post(&recipient) { &posts } else { &mails };
        let pending =
            PendingDigest { oldest_at: oldest_at.min(now), newest_at: newest_at.min(now) };
        let due_at = digest_due_at(pending, to_recipient, to_all, gather, budget);
        ScheduledDigest { recipient, alerts, due_at }
    };
    Ok(pending.into_iter().map(scheduled).collect())
}
