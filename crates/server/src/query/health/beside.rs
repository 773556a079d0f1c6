//! Parts beside the way of the alerts, which go on without them.
use flawless_base::dates::ago;
use flawless_base::plural::counted;
use flawless_base::text::plain;
use flawless_store::sealing::KEY_VARIABLE;
use flawless_store::{
    ChannelRow, PostState, StoreError, Used, UsedUp, channel_recipient, recreated_in_words,
};

use super::{DAY_MS, HealthPart, OUTBOX_STUCK_MS, part};
use crate::app::App;
use crate::project::redaction::slow_in_words;

/// For so long it is said that the database was begun anew.
const BEGUN_ANEW_MS: i64 = 7 * DAY_MS;
/// Senders that are named when a quota is used up.
const MOST_SENDERS: usize = 5;

/// What did not reach a channel is said, but only what the whole project misses is a matter for
/// somebody: the alerts are in the mail.
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
        let state = states.iter().find(|state| state.recipient == channel_recipient(*id));
        let error = state.and_then(|state| state.last_error.as_deref()).unwrap_or_default();
        let mut wrong = Vec::new();
        if let Some(why) = &channel.broken_why {
            wrong.push(format!(
                "is broken, the service says {why}: remove it with flawless channels remove {id}, \
                 or try it with flawless channels test {id}"
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
        // One that has taken a post since works again.
        let gave_up = state.and_then(|state| state.gave_up_at) > channel.accepted_at;
        ok &=
            owner.is_some() || (channel.broken_why.is_none() && !gave_up && age < OUTBOX_STUCK_MS);
        let error = if error.is_empty() { String::new() } else { format!("; last error: {error}") };
        texts.push(format!("{kind} channel {id}: {}{error}", wrong.join("; ")));
    }
    if texts.is_empty() {
        let text = match channels.len() {
            0 => "there are none".to_owned(),
            number => format!("{number}, all take what is posted"),
        };
        return part(NAME, ok, text);
    }
    part(NAME, ok, plain(&texts.join(". ")))
}

/// What programs had to drop is gone; why they did is a matter for somebody.
pub(super) async fn losses(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "clients";
    let since = now - DAY_MS;
    let lost = match app.store.losses_since(since).await {
        Ok(rows) => rows.into_iter().filter(|row| row.last_at > since).collect::<Vec<_>>(),
        Err(error) => return part(NAME, false, error.to_string()),
    };
    let all = lost.iter().fold(0_i64, |sum, row| sum.saturating_add(row.occurrences));
    match lost.iter().max_by_key(|row| row.last_at) {
        None => part(NAME, true, "all that they reported came in since yesterday".to_owned()),
        Some(last) => {
            let what = counted(all, "occurrence was", "occurrences were");
            let text = format!(
                "{what} dropped by programs before they could report, the last {} ago on {}: is \
                 the server reachable and quick enough from there?",
                ago(now - last.last_at),
                last.example
            );
            part(NAME, false, plain(&text))
        }
    }
}

/// Samples whose key is gone: alerts go out, but without values.
pub(super) async fn values(app: &App) -> HealthPart {
    const NAME: &str = "values";
    match app.store.unreadable_values().await {
        Err(error) => part(NAME, false, error.to_string()),
        Ok(0) => part(NAME, true, "all that is stored can be read".to_owned()),
        Ok(number) => part(NAME, false, unreadable_in_words(number)),
    }
}

/// Patterns that take too long: texts are replaced whole, and alerts go out without them.
pub(super) fn redaction(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "redaction";
    let slow = app.redaction.slow_patterns();
    match slow.is_empty() {
        true => part(NAME, true, "no pattern takes too long".to_owned()),
        false => part(NAME, false, plain(&slow_in_words(&slow, now))),
    }
}

/// That so many of the newest stored values cannot be read, and how to fix it.
pub fn unreadable_in_words(number: i64) -> String {
    let what = match number {
        1 => "1 of the newest samples, waiting reports and mails was".to_owned(),
        number => format!("{number} of the newest samples, waiting reports and mails were"),
    };
    format!(
        "{what} encrypted with a key that is not in {KEY_VARIABLE}: alerts go out short, without \
         values. Put the older key behind the new one, with a comma between them"
    )
}

/// Quotas that are used up today: what is refused for it may be somebody's error.
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
            texts.push(format!("all {limit} new {what} of today are used up ({option})"));
        }
    }
    for sender in used.iter().filter(|used| !used.source.is_empty()) {
        let Used { source, issues, bytes } = sender;
        for (what, used_up) in [
            ("issues", quotas.issues_used_up(*issues, 0)),
            ("bytes", quotas.bytes_used_up(*bytes, 0)),
        ] {
            if let Some(UsedUp(option)) = used_up {
                texts.push(format!("{source} has used up its new {what} of today ({option})"));
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

/// That the database was gone, for as long as somebody may still have a backup at hand.
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

/// Addresses that mails do not go to are nobody's fault and no part's: they are only said.
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
                "{refused} cannot be reached, {}: /people names them",
                counted(unwanted, "does not want some mails", "do not want some mails")
            );
            part("addresses", true, text)
        }
    }
}
