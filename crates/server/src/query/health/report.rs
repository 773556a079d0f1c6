//! All that is known of the server's health, for the page and for programs alike.
use flawless_base::dates::rfc3339;
use flawless_base::plural::counted;
use flawless_base::text::{one_line, plain};
use flawless_core::OutcomeKind;
use flawless_git::process::GitProgram;
use flawless_store::{OutcomeRow, schema_version};
use serde::Serialize;
use utoipa::ToSchema;

use super::{HealthMemory, HealthPart, check, is_healthy};
use crate::app::App;
use crate::intake::clients::SeenClient;
use crate::intake::refusals::{ByReason, Refused};

/// The server's health. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthReport {
    /// All vital parts work.
    pub ok: bool,
    /// How many parts do not, in a sentence.
    pub headline: String,
    /// The same as a number.
    #[serde(skip)]
    pub broken: usize,
    /// When it was looked at.
    pub checked_at: String,
    /// Since when the server runs.
    pub started_at: Option<String>,
    /// For how long, in seconds.
    pub uptime_seconds: Option<i64>,
    /// Memory that it uses, in bytes; `None` where the system does not say.
    pub memory_bytes: Option<u64>,
    /// Its parts, each with what to do when it does not work.
    pub parts: Vec<PartReport>,
    /// What it is made of.
    pub versions: Versions,
    /// Clients that reported since the start.
    pub clients: Vec<ClientReport>,
    /// Since when outcomes are counted here.
    pub outcomes_since: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub since: i64,
    /// What became of reports, each kind, also those that did not come up.
    pub outcomes: Vec<KindReport>,
    /// What clients had to drop in the last seven days, the newest day first.
    pub losses: Vec<LossReport>,
    /// Each option with its effective value, secrets hidden.
    pub configuration: Vec<OptionReport>,
}

/// A part of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartReport {
    /// Its state.
    #[serde(flatten)]
    pub part: HealthPart,
    /// What to do; `None` when it works.
    pub hint: Option<&'static str>,
}

/// What the server is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// The program.
    pub flawless: &'static str,
    /// The schema of the store.
    pub schema: i64,
    /// The database program.
    pub database: String,
    /// The git program; or why it does not answer.
    pub git: String,
}

/// A client that reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientReport {
    /// As it calls itself.
    pub name: String,
    /// How many reports.
    pub reports: u64,
    /// The last one.
    pub last_at: String,
}

/// One kind of outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct KindReport {
    /// A word of [`OutcomeKind`].
    pub kind: &'static str,
    /// The same for people.
    pub what: String,
    /// How many reports.
    pub reports: i64,
    /// By reason, most first; empty when there was none.
    pub reasons: Vec<ReasonReport>,
}

/// Reports that ended in the same way for the same reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonReport {
    /// Why; empty where the kind says all.
    pub reason: String,
    /// How many.
    pub reports: i64,
    /// The last one.
    pub last_at: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub last: i64,
    /// What the last one was.
    pub example: String,
    /// The issue that counts it.
    pub issue: Option<i64>,
}

/// What clients dropped on one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct LossReport {
    /// The day, UTC.
    pub day: String,
    /// How many occurrences.
    pub occurrences: i64,
    /// When the last ones were notified of.
    pub last_at: String,
    /// The same in milliseconds since 1970 UTC.
    #[serde(skip)]
    pub last: i64,
    /// The host that notified of them.
    pub host: String,
}

/// An option of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct OptionReport {
    /// Its name.
    pub name: &'static str,
    /// Its effective value; a secret is `***`.
    pub value: String,
    /// Where it is set; `None` when it is the default.
    pub set_at: Option<String>,
}

const DAY_MS: i64 = 86_400_000;

/// Looks at everything.
pub async fn health_report(app: &App, memory: &HealthMemory) -> HealthReport {
    let now = app.clock.now();
    let parts: Vec<HealthPart> = check(app, memory).await;
    let broken = parts.iter().filter(|part| !part.ok).count();
    let running = app.running.get();
    let since = (now - DAY_MS).div_euclid(DAY_MS) * DAY_MS;
    let mut outcomes = app.store.outcomes_since(since).await.unwrap_or_default();
    if let Some(running) = running {
        add_uncounted(&mut outcomes, running.intake.refusals().all());
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
            0 => "All parts work".to_owned(),
            broken => counted(broken, "part needs somebody", "parts need somebody"),
        },
        checked_at: rfc3339(now),
        started_at: running.map(|running| rfc3339(running.started_at)),
        uptime_seconds: running.map(|running| (now - running.started_at) / 1000),
        memory_bytes: memory_used(),
        parts: parts.into_iter().map(with_hint).collect(),
        versions: versions(app, memory).await,
        clients: running
            .map(|running| running.clients.all())
            .unwrap_or_default()
            .into_iter()
            .map(client)
            .collect(),
        outcomes_since: rfc3339(since),
        since,
        outcomes: by_kind(outcomes),
        losses: losses.into_iter().map(loss).collect(),
        configuration: options(app),
    }
}

fn with_hint(part: HealthPart) -> PartReport {
    let hint = (!part.ok).then_some(match part.name {
        "store" => {
            "Reports are refused and counted while this lasts, and mails wait. Look at the disk \
             (full? read-only?) and at the folder data_dir_path; the log has more. It goes on by \
             itself."
        }
        "mirror" => {
            "Check repo_url or repo_dir, the credentials and the network: flawless check says \
             which. Reports wait, or are counted by what was fetched last."
        }
        "blame queue" => {
            "Reports are kept and wait. The last error says why; usually the mirror cannot be \
             asked. With many new errors, a larger max_concurrent_git_blames helps."
        }
        "alerts" => {
            "Nobody can be notified. Set default_contact, or an email alias for the address that the \
             error names."
        }
        "outbox" => {
            "Mails are kept and wait. Check smtp_host, smtp_security and the login: flawless \
             check tries them."
        }
        "quotas" => {
            "What is refused is counted below. Look for a program that reports the same under ever \
             new lines, or for somebody who should not report; the options are in \
             docs/configuration.md."
        }
        "channels" => "Remove or test the channel that the text names; the alerts are in the mail.",
        "redaction" => {
            "Write the pattern so that it does not go back over its text: no look-ahead with .* in \
             it, no repetition within a repetition. flawless check tries it."
        }
        _ => "The text says what is wrong; the log has more.",
    });
    PartReport { part, hint }
}

async fn versions(app: &App, memory: &HealthMemory) -> Versions {
    let git = GitProgram::new(&app.config.git);
    let git = memory.git_version.get_or_try_init(|| git.version()).await.cloned();
    let database = app.store.database_version().await;
    Versions {
        flawless: env!("CARGO_PKG_VERSION"),
        schema: schema_version(),
        database: database
            .map_or_else(|error| one_line(&error.to_string(), 200), |it| format!("SQLite {it}")),
        git: one_line(&git.unwrap_or_else(|error| error.to_string()), 200),
    }
}

/// Adds what was refused and the store does not know yet.
fn add_uncounted(outcomes: &mut Vec<OutcomeRow>, refused: ByReason) {
    let kind = OutcomeKind::Refused.as_str();
    for (reason, Refused { reports, last_at, example }) in refused {
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

/// Each kind, in the order of their list, with its reasons.
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

fn options(app: &App) -> Vec<OptionReport> {
    let config = &app.config;
    let option = |(name, value): (&&'static str, &String)| OptionReport {
        name,
        value: plain(value),
        // What is not set has no place but its name.
        set_at: config.set_at.get(name).filter(|place| place != name).map(|place| plain(place)),
    };
    config.shown.iter().map(option).collect()
}

/// Memory that is in use, as Linux says it.
fn memory_used() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
