//! Whether each part of the server does its work: for the page and for `flawless check`.
use flawless_base::dates::ago;
use flawless_base::plural::{counted, word};
use flawless_base::remembered::Remembered;
use flawless_base::text::plain;
use flawless_git::Judgement;
use flawless_store::sealing::KEY_VARIABLE;
use flawless_store::{
    ChannelRow, PostState, QueueAge, StoreError, Used, UsedUp, begun_anew_in_words,
    channel_recipient,
};
use serde::Serialize;
use tokio::sync::OnceCell;
use utoipa::ToSchema;

use crate::app::App;
use crate::attribution::Repo;
use crate::notify::digest::held_back;
use crate::project::redaction::slow_in_words;

/// One part of the server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthPart {
    /// Its name.
    pub name: &'static str,
    /// It does its work.
    pub ok: bool,
    /// How it stands, in a sentence.
    pub text: String,
    /// Without it reports are not taken in, or alerts reach nobody.
    pub is_vital: bool,
}

/// Whether the server as a whole does its work.
pub fn is_healthy(parts: &[HealthPart]) -> bool {
    parts.iter().all(|part| part.ok || !part.is_vital)
}

/// A report that waits longer than this for attribution is stuck.
const PENDING_STUCK_MS: i64 = 15 * 60_000;
/// An alert that nobody could be told of for longer than this is stuck.
const ALERT_STUCK_MS: i64 = 60 * 60_000;
/// A mail that waits longer than this is stuck.
const OUTBOX_STUCK_MS: i64 = 60 * 60_000;
/// A remote that could not be reached for longer than this is a matter for somebody.
const FETCH_STUCK_MS: i64 = 60 * 60_000;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// For so long it is said that the database was begun anew.
const BEGUN_ANEW_MS: i64 = 7 * DAY_MS;
/// Senders that are named when a quota is used up.
const MOST_SENDERS: usize = 5;

/// How the server stood when somebody looked last, so that looking often costs little.
#[derive(Debug, Default)]
pub struct HealthMemory {
    /// How it went when the store was written to for this.
    written: Remembered<HealthPart>,
    /// What a stranger was answered.
    told: Remembered<bool>,
    /// The version of the git program.
    pub(crate) git_version: OnceCell<String>,
}

/// The store is not written to more often than this because somebody looks.
const WRITTEN_MS: i64 = 10_000;
/// The same while it fails: whoever makes room wants to see that it helped.
const NOT_WRITTEN_MS: i64 = 1_000;
/// For strangers parts are not looked at more often than this.
const TOLD_MS: i64 = 5_000;

/// Whether the server does its work, as strangers are told: what a look of the last seconds found.
pub async fn is_healthy_lately(app: &App, memory: &HealthMemory) -> bool {
    let look = async { is_healthy(&check(app, memory).await) };
    memory.told.get_or(app.clock.now(), |_| TOLD_MS, look).await
}

/// Whether the store can be written to.
async fn store(app: &App, memory: &HealthMemory, now: i64) -> HealthPart {
    let touch = async {
        let mut tx = app.store.write().await?;
        tx.touch(now).await?;
        tx.commit().await
    };
    let look = async {
        match touch.await {
            Ok(()) => part("store", true, "can be read and written".into()),
            Err(error) => part("store", false, error.to_string()),
        }
    };
    let lasts = |part: &HealthPart| if part.ok { WRITTEN_MS } else { NOT_WRITTEN_MS };
    memory.written.get_or(now, lasts, look).await
}

/// Looks at each part.
pub async fn check(app: &App, memory: &HealthMemory) -> Vec<HealthPart> {
    let now = app.clock.now();
    let store = store(app, memory, now).await;
    let pending = app.store.pending_queue().await;
    let alerts = app.store.alert_queue().await;
    let outbox = app.store.outbox_queue().await;
    let mut parts = vec![
        store,
        mirror(app, now),
        queue(
            "blame queue",
            ["report waits for attribution", "reports wait for attribution"],
            pending,
            now,
            PENDING_STUCK_MS,
        ),
        queue(
            "alerts",
            ["alert waits for somebody to tell", "alerts wait for somebody to tell"],
            alerts,
            now,
            ALERT_STUCK_MS,
        ),
        held(app, now).await,
        queue(
            "outbox",
            ["mail waits to be sent", "mails wait to be sent"],
            outbox,
            now,
            OUTBOX_STUCK_MS,
        ),
        beside(channels(app, now).await),
        addresses(app, now).await,
        beside(values(app).await),
        beside(losses(app, now).await),
        beside(redaction(app, now)),
        beside(quotas(app, now).await),
    ];
    parts.extend(history(app).await.map(beside));
    parts
}

/// What is told later, together, is no fault: but nobody should have to look for it.
async fn held(app: &App, now: i64) -> HealthPart {
    let held = match held_back(app).await {
        Ok(held) => held,
        Err(error) => return part("held back", false, error.to_string()),
    };
    let alerts: i64 = held.iter().map(|held| held.alerts).sum();
    let next = held.iter().map(|held| held.until).min();
    let text = match next {
        None => "0 alerts wait to be told together".to_owned(),
        Some(next) => format!(
            "{} for {} {} to be told together, the first in {}",
            counted(alerts, "alert", "alerts"),
            counted(held.len(), "recipient", "recipients"),
            word(alerts, "waits", "wait"),
            ago(next - now)
        ),
    };
    part("held back", true, text)
}

fn part(name: &'static str, ok: bool, text: String) -> HealthPart {
    HealthPart { name, ok, text, is_vital: true }
}

/// One beside the way of the alerts, which go on without it.
fn beside(part: HealthPart) -> HealthPart {
    HealthPart { is_vital: false, ..part }
}

/// What did not reach a channel is said, but only what the whole project misses is a matter for
/// somebody: the alerts are in the mail.
async fn channels(app: &App, now: i64) -> HealthPart {
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
        let gave_up = state.and_then(|state| state.gave_up_at) > channel.took_at;
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
async fn losses(app: &App, now: i64) -> HealthPart {
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
async fn values(app: &App) -> HealthPart {
    const NAME: &str = "values";
    match app.store.unreadable_values().await {
        Err(error) => part(NAME, false, error.to_string()),
        Ok(0) => part(NAME, true, "all that is stored can be read".to_owned()),
        Ok(number) => part(NAME, false, unreadable_in_words(number)),
    }
}

/// Patterns that take too long: texts are replaced whole, and alerts go out without them.
fn redaction(app: &App, now: i64) -> HealthPart {
    const NAME: &str = "redaction";
    let slow = app.redaction.slow_patterns();
    match slow.is_empty() {
        true => part(NAME, true, "no pattern takes too long".to_owned()),
        false => part(NAME, false, plain(&slow_in_words(&slow, now))),
    }
}

/// That so many of the newest stored values cannot be read, and how to mend it.
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
async fn quotas(app: &App, now: i64) -> HealthPart {
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
    match app.store.begun_anew_at().await {
        Err(error) => Some(part(NAME, false, error.to_string())),
        Ok(Some(at)) if now - at < BEGUN_ANEW_MS => {
            let text = begun_anew_in_words(&app.config.data_dir);
            Some(part(NAME, false, plain(&format!("{} ago {text}", ago(now - at)))))
        }
        Ok(_) => None,
    }
}

/// Addresses that mails do not go to are nobody's fault and no part's: they are only said.
async fn addresses(app: &App, now: i64) -> HealthPart {
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

fn mirror(app: &App, now: i64) -> HealthPart {
    let state = app.repo.get();
    let (ok, text) = match &state.repo {
        Repo::None => (true, "no repository is configured: nobody can be blamed".to_owned()),
        Repo::Opening => (true, "is being cloned or opened".to_owned()),
        Repo::Failed(why) => (false, why.clone()),
        Repo::Ready(mirror) => match mirror.tip() {
            Some(tip) => {
                let judge = judged(mirror.judgement());
                let warnings = mirror.warnings().join(". ");
                let warnings = if warnings.is_empty() { warnings } else { format!("; {warnings}") };
                (true, format!("at {} of {}{judge}{warnings}", tip.commit.short(), tip.reference))
            }
            None => (true, "is open".to_owned()),
        },
    };
    let looked = state.fetched_at.map(|at| format!(", looked at {} ago", ago(now - at)));
    let text = text + &looked.unwrap_or_default();
    match &state.failing {
        Some((since, why)) if matches!(state.repo, Repo::Ready(_)) => {
            let stuck = now - since >= FETCH_STUCK_MS;
            let since = ago(now - since);
            part("mirror", !stuck, plain(&format!("{text}; fetching fails for {since}: {why}")))
        }
        _ => part("mirror", ok, plain(&text)),
    }
}

/// How often git was asked whether an answer is right, and what came of it.
fn judged(judgement: &Judgement) -> String {
    match (judgement.judged(), judgement.differences()) {
        (0, _) => String::new(),
        (judged, 0) => {
            format!("; git agreed with {} it was asked about", counted(judged, "answer", "answers"))
        }
        (judged, differences) => format!(
            "; git gave another answer to {differences} of {} and blames alone since: please \
             report it with the log",
            counted(judged, "line", "lines")
        ),
    }
}

fn queue(
    name: &'static str,
    [one, many]: [&str; 2],
    queue: Result<QueueAge, StoreError>,
    now: i64,
    stuck_after: i64,
) -> HealthPart {
    match queue {
        Err(error) => part(name, false, error.to_string()),
        Ok(QueueAge { waiting: 0, .. }) => part(name, true, format!("0 {many}")),
        Ok(QueueAge { waiting, oldest_at, last_error }) => {
            let age = now - oldest_at.unwrap_or(now);
            let error =
                last_error.map(|error| format!("; last error: {error}")).unwrap_or_default();
            let what = counted(waiting, one, many);
            let text = format!("{what}, the oldest for {}{error}", ago(age));
            part(name, age < stuck_after, plain(&text))
        }
    }
}
