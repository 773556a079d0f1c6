//! Health of the parts that alerts do not depend on.
use flawless_base::dates::ago;
use flawless_base::plural::counted;
use flawless_base::text::plain;
use flawless_store::sealing::KEY_VARIABLE;
use flawless_store::{
    ChannelRow, PostState, Recipient, StoreError, Used, UsedUp, recreated_in_words,
};

use super::{DAY_MS, HealthPart, OUTBOX_STUCK_MS, part};
use crate::app::App;
use crate::project::redaction::slow_in_words;

/// How long a new database is reported after the old one was lost.
const BEGUN_ANEW_MS: i64 = 7 * DAY_MS;
/// At most this many senders are named when a quota is used up.
const MOST_SENDERS: usize = 5;

/// Channels. Only a failing channel of the project needs attention: a personal one is up to its
/// owner, and all alerts are also mailed.
pub(super) async fn channels(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "channels";
    let (channels, states) =
        match tokio::try_join!(app.store.channels(), app.store.post_states(now - DAY_MS)) {
            Ok(found) => found,
            Err(error) => return part(NAME, false, error.to_string()),
        };
    let mut ok = true;
    let mut texts = Vec::new();
    for channel in &channels {
        let ChannelRow { id, kind, owner, .. } = channel;
        let state = states.iter().find(|state| state.recipient == Recipient::Channel(*id));
        let error = state.and_then(|state| state.last_error.as_deref()).unwrap_or_default();
        let mut wrong = Vec::new();
        if let Some(why) = &channel.broken_why {
            wrong.push(format!(
                "is broken, the service says {why}: remove it with flawless channels remove {id}, \
                 or test it with flawless channels test {id}"
            ));
        }
        let age = state.and_then(|state| state.oldest_at).map_or(0, |oldest| now - oldest);
        if let Some(PostState { waiting: waiting @ 1.., .. }) = state {
            let posts = counted(*waiting, "post waits", "posts wait");
            wrong.push(format!("{posts}, the oldest for {}", ago(age)));
        }
        if let Some(PostState { given_up: given_up @ 1.., .. }) = state {
            let posts = counted(*given_up, "post was", "posts were");
            wrong.push(format!("{posts} given up since yesterday"));
        }
        if wrong.is_empty() {
            continue;
        }
        // A channel that has accepted a post since then works again.
        let gave_up = state.and_then(|state| state.gave_up_at) > channel.accepted_at;
        ok &=
            owner.is_some() || (channel.broken_why.is_none() && !gave_up && age < OUTBOX_STUCK_MS);
        let error = if error.is_empty() { String::new() } else { format!("; last error: {error}") };
        texts.push(format!("{kind} channel {id}: {}{error}", wrong.join("; ")));
    }
    if texts.is_empty() {
        let text = match channels.len() {
            0 => "none configured".to_owned(),
            number => format!("{number}, all accept posts"),
        };
        return part(NAME, ok, text);
    }
    part(NAME, ok, plain(&texts.join(". ")))
}

/// Losses: what programs dropped is gone, but somebody should look into the reason.
pub(super) async fn losses(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "clients";
    let since = now - DAY_MS;
    let lost = match app.store.losses_since(since).await {
        Ok(rows) => rows.into_iter().filter(|row| row.last_at > since).collect::<Vec<_>>(),
        Err(error) => return part(NAME, false, error.to_string()),
    };
    let all = lost.iter().fold(0_i64, |sum, row| sum.saturating_add(row.occurrences));
    match lost.iter().max_by_key(|row| row.last_at) {
        None => part(NAME, true, "no reports were lost since yesterday".to_owned()),
        Some(last) => {
            let what = counted(all, "occurrence was", "occurrences were");
            let text = format!(
                "{what} dropped by programs before they could report, the last {} ago on {}: is \
                 the server reachable and fast enough from there?",
                ago(now - last.last_at),
                last.example
            );
            part(NAME, false, plain(&text))
        }
    }
}

/// Samples whose key is missing: alerts are sent, but without values.
pub(super) async fn values(app: &App) -> HealthPart {
    const NAME: &str = "values";
    match app.store.unreadable_values().await {
        Err(error) => part(NAME, false, error.to_string()),
        Ok(0) => part(NAME, true, "all stored values can be read".to_owned()),
        Ok(number) => part(NAME, false, unreadable_in_words(number)),
    }
}

/// Redaction patterns that take too long: whole texts are replaced, and missing in alerts.
pub(super) fn redaction(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "redaction";
    let slow = app.redaction.slow_patterns();
    match slow.is_empty() {
        true => part(NAME, true, "no pattern takes too long".to_owned()),
        false => part(NAME, false, plain(&slow_in_words(&slow, now))),
    }
}

/// Says that `number` of the newest stored values cannot be read, and how to fix that.
pub fn unreadable_in_words(number: i64) -> String {
    let what = match number {
        1 => "1 of the newest samples, waiting reports and mails was".to_owned(),
        number => format!("{number} of the newest samples, waiting reports and mails were"),
    };
    format!(
        "{what} encrypted with a key that is not in {KEY_VARIABLE}: alerts are sent without \
         values. Add the older key after the new one, separated by a comma"
    )
}

/// Quotas that are used up today: the refused reports may include real errors.
pub(super) async fn quotas(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "quotas";
    let quotas = app.config.quotas;
    let used = match app.store.used_on_day(now).await {
        Ok(used) => used,
        Err(error) => return part(NAME, false, error.to_string()),
    };
    let all = used.iter().find(|used| used.source.is_empty()).cloned().unwrap_or_default();
    let mut texts = Vec::new();
    for (what, limit, used_up) in [
        ("issues", quotas.all.issues, quotas.issues_used_up(0, all.issues)),
        ("bytes", quotas.all.bytes, quotas.bytes_used_up(0, all.bytes)),
    ] {
        if let Some(UsedUp(option)) = used_up {
            texts.push(format!("today's quota of {limit} new {what} is used up ({option})"));
        }
    }
    for sender in used.iter().filter(|used| !used.source.is_empty()) {
        let Used { source, issues, bytes } = sender;
        for (what, used_up) in [
            ("issues", quotas.issues_used_up(*issues, 0)),
            ("bytes", quotas.bytes_used_up(*bytes, 0)),
        ] {
            if let Some(UsedUp(option)) = used_up {
                texts.push(format!("{source} has used up today's quota of new {what} ({option})"));
            }
        }
    }
    if texts.is_empty() {
        let text = format!(
            "{} and {} MB are new today",
            counted(all.issues, "issue", "issues"),
            all.bytes / 1_000_000
        );
        return part(NAME, true, text);
    }
    let more = texts.len().saturating_sub(MOST_SENDERS);
    texts.truncate(MOST_SENDERS);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    part(NAME, false, plain(&format!("{}{more}", texts.join("; "))))
}

/// Reports for a week that the database was lost, because a backup may still be at hand.
pub async fn history(app: &App) -> Option<HealthPart> {
    const NAME: &str = "history";
    let now = app.clock.now();
    match app.store.recreated_at().await {
        Err(error) => Some(part(NAME, false, error.to_string())),
        Ok(Some(at)) if now - at < BEGUN_ANEW_MS => {
            let text = recreated_in_words(&app.config.data_dir);
            Some(part(NAME, false, plain(&format!("{} ago {text}", ago(now - at)))))
        }
        Ok(_) => None,
    }
}

/// Addresses that get no mails. They are only listed: the server is not at fault.
pub(super) async fn addresses(app: &App, now: i64) -> HealthPart {
    let both = async {
        let refused = app.store.refused_addresses(now).await?;
        let refused = refused.iter().filter(|known| known.words.is_some()).count();
        Ok::<_, StoreError>((refused, app.store.unwanted_mails().await?.len()))
    };
    match both.await {
        Err(error) => part("addresses", false, error.to_string()),
        Ok((0, 0)) => part("addresses", true, "all can be reached".to_owned()),
        Ok((refused, unwanted)) => {
            let text = format!(
                "{refused} cannot be reached, {}: see /people",
                counted(unwanted, "unsubscribed from mails", "unsubscribed from mails")
            );
            part("addresses", true, text)
        }
    }
}
