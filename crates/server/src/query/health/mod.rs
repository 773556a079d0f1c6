//! The health of each component of the server, for the page and for `flawless check`.

mod beside;
pub mod report;

use flawless_base::dates::ago;
use flawless_base::plural::{counted, word};
use flawless_base::remembered::Remembered;
use flawless_base::text::plain;
use flawless_git::Judgement;
use flawless_store::{QueueAge, StoreError};
use serde::Serialize;
use tokio::sync::OnceCell;
use utoipa::ToSchema;

pub use beside::{history, unreadable_in_words};

use beside::{addresses, channels, losses, quotas, redaction, values};

use crate::app::App;
use crate::attribution::Repo;
use crate::notify::digest::scheduled_digests;

/// One component of the server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthPart {
    /// Name of the component.
    pub name: &'static str,
    /// The component works.
    pub ok: bool,
    /// Its state in a sentence.
    pub text: String,
    /// Without this component, reports are not accepted or alerts reach nobody.
    pub is_vital: bool,
}

/// Whether all vital components work.
pub fn is_healthy(parts: &[HealthPart]) -> bool {
    parts.iter().all(|part| part.ok || !part.is_vital)
}

/// A report that has waited longer than this for attribution is stuck.
const PENDING_STUCK_MS: i64 = 15 * 60_000;
/// An alert that has had no recipient for longer than this is stuck.
const ALERT_STUCK_MS: i64 = 60 * 60_000;
/// A mail that has waited longer than this is stuck.
const OUTBOX_STUCK_MS: i64 = 60 * 60_000;
/// A remote that has been unreachable for longer than this needs attention.
const FETCH_STUCK_MS: i64 = 60 * 60_000;
const DAY_MS: i64 = 24 * 60 * 60_000;

/// Cached results, so that frequent checks cost little.
#[derive(Debug, Default)]
pub struct HealthMemory {
    /// The result of the last test write to the store.
    written: Remembered<HealthPart>,
    /// The last answer to a request without sign-in.
    is_well: Remembered<bool>,
    /// The version of the git program.
    pub(crate) git_version: OnceCell<String>,
}

/// How long a successful test write is cached.
const WRITTEN_MS: i64 = 10_000;
/// How long a failed one is cached: shorter, so that somebody who frees disk space sees the effect.
const NOT_WRITTEN_MS: i64 = 1_000;
/// How long the answer to requests without sign-in is cached.
const IS_WELL_MS: i64 = 5_000;

/// Whether the server is healthy, as of the last few seconds, for requests without sign-in.
pub async fn is_healthy_lately(app: &App, memory: &HealthMemory) -> bool {
    let look = async { is_healthy(&check(app, memory).await) };
    memory.is_well.get_or(app.clock.now(), |_| IS_WELL_MS, look).await
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

/// Checks each component.
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
            ["alert waits for a recipient", "alerts wait for a recipient"],
            alerts,
            now,
            ALERT_STUCK_MS,
        ),
        digests(app, now).await,
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

/// Alerts that wait for a digest: not a failure, but shown so that nobody has to look for them.
async fn digests(app: &App, now: i64) -> HealthPart {
    let digests = match scheduled_digests(app).await {
        Ok(digests) => digests,
        Err(error) => return part("digest", false, error.to_string()),
    };
    let alerts: i64 = digests.iter().map(|digest| digest.alerts).sum();
    let next = digests.iter().map(|digest| digest.due_at).min();
    let text = match next {
        None => "0 alerts wait for a digest".to_owned(),
        Some(next) => format!(
            "{} for {} {} for a digest, the first is due in {}",
            counted(alerts, "alert", "alerts"),
            counted(digests.len(), "recipient", "recipients"),
            word(alerts, "waits", "wait"),
            ago(next - now)
        ),
    };
    part("digest", true, text)
}

fn part(name: &'static str, ok: bool, text: String) -> HealthPart {
    HealthPart { name, ok, text, is_vital: true }
}

/// Marks a component as not vital: alerts are sent without it.
fn beside(part: HealthPart) -> HealthPart {
    HealthPart { is_vital: false, ..part }
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
    let looked = state.fetched_at.map(|at| format!(", checked {} ago", ago(now - at)));
    let text = text + &looked.unwrap_or_default();
    match &state.failing {
        Some((since, why)) if matches!(state.repo, Repo::Ready(_)) => {
            let stuck = now - since >= FETCH_STUCK_MS;
            let since = ago(now - since);
            let text = format!("{text}; fetching has been failing for {since}: {why}");
            part("mirror", !stuck, plain(&text))
        }
        _ => part("mirror", ok, plain(&text)),
    }
}

/// How many answers were checked with git, and how many differed.
fn judged(judgement: &Judgement) -> String {
    match (judgement.judged(), judgement.differences()) {
        (0, _) => String::new(),
        (judged, 0) => {
            format!("; git confirmed {} that it checked", counted(judged, "answer", "answers"))
        }
        (judged, differences) => format!(
            "; git disagreed on {differences} of {}, so only git blames now: please report this \
             with the log",
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
