//! The full health report, for the page and the JSON API.
use flawless_base::dates::rfc3339;
use flawless_base::plural::counted;
use flawless_base::text::{one_line, plain};
use flawless_core::OutcomeKind;
use flawless_git::process::GitProgram;
use flawless_store::{OutcomeRow, schema_version};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::{HealthMemory, HealthPart, check, is_healthy};
use crate::app::App;
use crate::config::check_project_option;
use crate::intake::clients::SeenClient;
use crate::intake::refusals::Refused;

/// The server's health. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthReport {
    /// All vital components work.
    pub ok: bool,
    /// How many components do not work, in a sentence.
    pub headline: String,
    /// How many components do not work.
    #[serde(skip)]
    pub broken: usize,
    /// When the report was made.
    pub checked_at: String,
    /// When the server started.
    pub started_at: Option<String>,
    /// How long the server has been running, in seconds.
    pub uptime_seconds: Option<i64>,
    /// Memory in use, in bytes; `None` where the system does not tell.
    pub memory_bytes: Option<u64>,
    /// The components, each with a hint when it does not work.
    pub parts: Vec<PartReport>,
    /// Versions of the software.
    pub versions: Versions,
    /// Clients that have reported since the start.
    pub clients: Vec<ClientReport>,
    /// Start of the period of `outcomes`.
    pub outcomes_since: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub since: i64,
    /// The outcomes of reports; every kind is listed, even without reports.
    pub outcomes: Vec<KindReport>,
    /// What clients had to drop in the last seven days, newest day first.
    pub losses: Vec<LossReport>,
    /// Each option with its effective value; secrets are hidden.
    pub configuration: Vec<OptionReport>,
}

/// A component of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartReport {
    /// State of the component.
    #[serde(flatten)]
    pub part: HealthPart,
    /// What to do; `None` when the component works.
    pub hint: Option<&'static str>,
}

/// Versions of the software.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// Flawless itself.
    pub flawless: &'static str,
    /// Schema of the store.
    pub schema: i64,
    /// The database.
    pub database: String,
    /// The git program, or why it does not answer.
    pub git: String,
}

/// A client that has reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientReport {
    /// The name that it gives itself.
    pub name: String,
    /// Number of reports.
    pub reports: u64,
    /// When the last one arrived.
    pub last_at: String,
}

/// One kind of outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindReport {
    /// A word of [`OutcomeKind`].
    pub kind: &'static str,
    /// The kind in words.
    pub what: String,
    /// Number of reports.
    pub reports: i64,
    /// By reason, most frequent first; empty without reports.
    pub reasons: Vec<ReasonReport>,
}

/// Reports with the same outcome for the same reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonReport {
    /// The reason; empty where the kind says it all.
    pub reason: String,
    /// Number of reports.
    pub reports: i64,
    /// When the last one arrived.
    pub last_at: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub last: i64,
    /// The last one, in words.
    pub example: String,
    /// The issue that the last one was counted for.
    pub issue: Option<i64>,
}

/// What clients dropped on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct LossReport {
    /// The day, UTC.
    pub day: String,
    /// Number of lost occurrences.
    pub occurrences: i64,
    /// When the last loss was reported.
    pub last_at: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub last: i64,
    /// The host that reported it.
    pub host: String,
}

/// An option of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionReport {
    /// Its name.
    pub name: &'static str,
    /// Its effective value; a secret is `***`.
    pub value: String,
    /// Where it is set; `None` for a default.
    pub set_at: Option<String>,
}

const DAY_MS: i64 = 86_400_000;

/// Collects the report. Who may see only this project learns nothing of the server's other
/// projects from it.
pub async fn health_report(app: &App, memory: &HealthMemory, sees_all: bool) -> HealthReport {
    let now = app.clock.now();
    let parts: Vec<HealthPart> = check(app, memory).await;
    let broken = parts.iter().filter(|part| !part.ok).count();
    let running = app.running.get();
    let since = (now - DAY_MS).div_euclid(DAY_MS) * DAY_MS;
    let mut outcomes = app.store.outcomes_since(since).await.unwrap_or_default();
    if let Some(running) = running {
        add_uncounted(&mut outcomes, running.intake.refusals().of(app.project_id()));
    }
    let losses = app.store.losses_since(now - 7 * DAY_MS).await.unwrap_or_default();
    let loss = |row: flawless_store::LossRow| LossReport {
        day: rfc3339(row.day_start())[..10].to_owned(),
        occurrences: row.occurrences,
        last_at: rfc3339(row.last_at),
        last: row.last_at,
        host: plain(&row.example),
    };
    let client = |client: SeenClient| ClientReport {
        name: client.name,
        reports: client.reports,
        last_at: rfc3339(client.last_at),
    };
    HealthReport {
        ok: is_healthy(&parts),
        broken,
        headline: match broken {
            0 => "All components work".to_owned(),
            broken => counted(broken, "component needs attention", "components need attention"),
        },
        checked_at: rfc3339(now),
        started_at: running.map(|running| rfc3339(running.started_at)),
        uptime_seconds: running.map(|running| (now - running.started_at) / 1000),
        memory_bytes: memory_used(),
        parts: parts.into_iter().map(with_hint).collect(),
        versions: versions(app, memory).await,
        clients: running
            .filter(|_| sees_all)
            .map(|running| running.clients.all())
            .unwrap_or_default()
            .into_iter()
            .map(client)
            .collect(),
        outcomes_since: rfc3339(since),
        since,
        outcomes: by_kind(outcomes),
        losses: losses.into_iter().map(loss).collect(),
        configuration: options(app, sees_all),
    }
}

fn with_hint(part: HealthPart) -> PartReport {
    let hint = (!part.ok).then_some(match part.name {
        "store" => {
            "Reports are refused and counted until this is fixed, and mails wait. Check the disk \
             (full or read-only?) and the folder data_dir_path; the log has more. The server \
             recovers by itself."
        }
        "mirror" => {
            "Check repo_url or repo_dir, the credentials and the network: flawless check tells \
             which. Meanwhile reports wait, or are attributed by the last fetch."
        }
        "blame queue" => {
            "Reports are kept and wait. See the last error; usually the mirror is not available. \
             With many new errors, a larger max_concurrent_git_blames helps."
        }
        "alerts" => {
            "Nobody can be notified. Set default_contact, or add an email alias for the address in \
             the error."
        }
        "outbox" => {
            "Mails are kept and wait. Check smtp_host, smtp_security and the login: flawless \
             check tests them."
        }
        "quotas" => {
            "Refused reports are counted below. Look for a program that reports one error from \
             ever new lines, or for a sender that should not report. The options are in \
             docs/configuration.md."
        }
        "channels" => "Remove or test the channel named in the text; its alerts are also mailed.",
        "redaction" => {
            "Rewrite the pattern so that it does not backtrack: no look-ahead with .* in it, no \
             repetition within a repetition. flawless check tests it."
        }
        _ => "See the text for the problem; the log has more.",
    });
    PartReport { part, hint }
}

async fn versions(app: &App, memory: &HealthMemory) -> Versions {
    let git = GitProgram::new(&app.config.git);
    let git = memory.git_version.get_or_try_init(|| git.version()).await.cloned();
    let database = app.store.database_version().await;
    let kind = if app.config.database.is_some() { "PostgreSQL" } else { "SQLite" };
    Versions {
        flawless: env!("CARGO_PKG_VERSION"),
        schema: schema_version(),
        database: database
            .map_or_else(|error| one_line(&error.to_string(), 200), |it| format!("{kind} {it}")),
        git: one_line(&git.unwrap_or_else(|error| error.to_string()), 200),
    }
}

/// Adds the refused reports that the store does not know about yet.
fn add_uncounted(
    outcomes: &mut Vec<OutcomeRow>,
    refused: BTreeMap<(OutcomeKind, &'static str), Refused>,
) {
    for ((kind, reason), Refused { reports, last_at, example }) in refused {
        let kind = kind.as_str();
        match outcomes.iter_mut().find(|row| row.kind == kind && row.reason == reason) {
            Some(row) => {
                row.reports += reports;
                (row.last_at, row.example) = (last_at, example);
            }
            None => outcomes.push(OutcomeRow {
                kind: kind.to_owned(),
                reason: reason.to_owned(),
                reports,
                last_at,
                example,
                issue_id: None,
            }),
        }
    }
}

/// Every kind with its reasons, in the order of [`OutcomeKind::ALL`].
fn by_kind(rows: Vec<OutcomeRow>) -> Vec<KindReport> {
    let kind = |kind: OutcomeKind| {
        let rows = rows.iter().filter(|row| row.kind == kind.as_str());
        let reasons: Vec<ReasonReport> = rows.map(reason).collect();
        KindReport {
            kind: kind.as_str(),
            what: kind.to_string(),
            reports: reasons.iter().map(|reason| reason.reports).sum(),
            reasons,
        }
    };
    OutcomeKind::ALL.into_iter().map(kind).collect()
}

fn reason(row: &OutcomeRow) -> ReasonReport {
    ReasonReport {
        reason: plain(&row.reason),
        reports: row.reports,
        last_at: rfc3339(row.last_at),
        last: row.last_at,
        example: plain(&row.example),
        issue: row.issue_id,
    }
}

fn options(app: &App, sees_all: bool) -> Vec<OptionReport> {
    let config = &app.config;
    let option = |(name, value): (&&'static str, &String)| OptionReport {
        name,
        value: plain(value),
        // An option that is not set has its own name as its place.
        set_at: config.set_at.get(name).filter(|place| place != name).map(|place| plain(place)),
    };
    let is_shown = |name: &str| sees_all || check_project_option(name).is_ok();
    config.shown.iter().filter(|(name, _)| is_shown(name)).map(option).collect()
}

/// Memory in use, from Linux's `/proc`.
fn memory_used() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
