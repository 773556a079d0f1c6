//! Attributes tracebacks that were never seen before: one job per report finds its line and the
//! line's author, and counts it.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{OutcomeKind, Report};
use flawless_store::{PendingRow, ProjectId, StoreError, WaitsFor};
use tokio::task::{self, JoinSet};

use super::count_faults::{Basis, Waited, count_faults};
use super::find_issue::{Attributed, Deferred, Findings, Reported, find, not_blamed};
use super::freshness::Tickets;
use super::verdicts::Verdicts;
use crate::app::App;
use crate::app::projects::Projects;
use crate::attribution::source_maps::{Mapped, SourceMaps};
use crate::attribution::{HotFunctions, Repo, choose_line, find_faults};

/// How long a report waits for a repository that cannot be read before it is counted without
/// blaming anybody.
const GIVE_UP_AFTER_MS: u64 = 10 * 60_000;
/// How long a report waits after its job panicked.
const PANIC_DELAY_MS: i64 = 600_000;
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Work on a report larger than this takes much memory for a moment.
const LARGE_BODY: usize = 32 * 1024;
const MANY_FRAMES: usize = 500;

/// Attributes waiting reports of all projects until the process ends, at most `max_blames` at once.
pub async fn run_attribution(projects: Arc<Projects>, max_blames: usize, verdicts: Arc<Verdicts>) {
    let memory = Memory { verdicts, source_maps: SourceMaps::default() };
    let mut jobs = Jobs { memory: Arc::new(memory), ..Jobs::default() };
    loop {
        if let Err(error) = jobs.start(&projects, max_blames).await {
            tracing::error!(%error, "waiting reports could not be read");
        }
        let wakeups = projects.first().wakeups;
        tokio::select! {
            Some(finished) = jobs.tasks.join_next_with_id() => match finished {
                Ok((id, ())) => { jobs.running.remove(&id); }
                Err(error) => {
                    // One job panicked: the others go on, and its report waits longer after each
                    // attempt.
                    if let Some((project, name)) = jobs.running.remove(&error.id())
                        && let Some(app) = projects.get(project)
                    {
                        postpone(&app, &name, PANIC_DELAY_MS, "the attribution job panicked").await;
                    }
                }
            },
            () = wakeups.pending.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// What jobs remember for each other.
#[derive(Default)]
struct Memory {
    verdicts: Arc<Verdicts>,
    source_maps: SourceMaps,
}

/// The jobs that run.
#[derive(Default)]
struct Jobs {
    memory: Arc<Memory>,
    tasks: JoinSet<()>,
    /// The project and the fingerprint of the report of each.
    running: HashMap<task::Id, (ProjectId, String)>,
    tickets: HashMap<ProjectId, Arc<Tickets>>,
    /// The project whose turn was last.
    last: ProjectId,
}

impl Jobs {
    /// Starts jobs for due reports. Projects take turns, so that a flood of reports to one does not
    /// delay those of another.
    async fn start(&mut self, projects: &Projects, max_blames: usize) -> Result<(), StoreError> {
        let mut free = max_blames.saturating_sub(self.tasks.len());
        if free == 0 {
            return Ok(());
        }
        let now = projects.first().clock.now();
        let mut due = projects.store().projects_with_due_reports(now).await?;
        let behind = due.iter().filter(|project| **project <= self.last).count();
        due.rotate_left(behind);
        let mut left = due.len();
        for project in due {
            let share = free.div_ceil(left.max(1));
            left -= 1;
            let Some(app) = projects.get(project) else { continue };
            if share == 0 || matches!(app.repo.get().repo, Repo::Opening) {
                continue;
            }
            let started = self.start_some(&app, share).await?;
            if started > 0 {
                (free, self.last) = (free - started, project);
            }
        }
        Ok(())
    }

    /// Starts at most this many jobs of a project; returns how many.
    async fn start_some(&mut self, app: &App, most: usize) -> Result<usize, StoreError> {
        let project = app.project_id();
        let limit = i64::try_from(most + self.running.len()).unwrap_or(i64::MAX);
        let erasures = app.store.erasures().await?;
        let rows = app.store.due_pending(app.clock.now(), limit).await?;
        let is_new = |row: &PendingRow| {
            !self.running.values().any(|(of, name)| *of == project && *name == row.fingerprint)
        };
        let fresh: Vec<_> = rows.into_iter().filter(is_new).take(most).collect();
        let started = fresh.len();
        let tickets = self.tickets.entry(project).or_default().clone();
        for row in fresh {
            let (app, memory, tickets) = (app.clone(), self.memory.clone(), tickets.clone());
            let name = row.fingerprint.clone();
            let job = self.tasks.spawn(async move {
                attribute(&app, &memory, &tickets, row, erasures).await;
            });
            self.running.insert(job.id(), (project, name));
        }
        Ok(started)
    }
}

async fn attribute(app: &App, memory: &Memory, tickets: &Tickets, row: PendingRow, erasures: i64) {
    let (fingerprint, attempts) = (row.fingerprint.clone(), row.attempts);
    let Err(error) = try_attribute(app, memory, tickets, row, erasures).await else { return };
    tracing::warn!(%error, attempts, "a report is not attributed yet");
    let delay = 1_000 << attempts.clamp(0, 6);
    let next = app.clock.now() + delay;
    let waits_for = match error {
        Deferred::Fetch => WaitsFor::Fetch,
        _ => WaitsFor::Nothing,
    };
    put_off(app, &fingerprint, next, waits_for, &error.to_string()).await;
}

/// Marks work on a large report as under way until it is dropped.
struct LargeWork<'a>(&'a App);

impl Drop for LargeWork<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.0.running.get() {
            running.intake.memory().large_work_is_done();
        }
    }
}

async fn postpone(app: &App, fingerprint: &str, delay: i64, why: &str) {
    put_off(app, fingerprint, app.clock.now() + delay, WaitsFor::Nothing, why).await;
}

async fn put_off(app: &App, fingerprint: &str, next: i64, waits_for: WaitsFor, why: &str) {
    let postpone = async {
        let mut tx = app.store.write().await?;
        tx.postpone_pending(fingerprint, next, waits_for, why).await?;
        tx.commit().await
    };
    if let Err(error) = postpone.await {
        tracing::error!(%error, "a report could not be postponed");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn try_attribute(
    app: &App,
    memory: &Memory,
    tickets: &Tickets,
    row: PendingRow,
    erasures: i64,
) -> Result<(), Deferred> {
    // Both are read before the repository: a change in the meantime then invalidates the verdict.
    let (rules, tip) = (app.rules.get(), app.repo.get().tip_commit());
    let Mapped { report, unmapped, used } = match app.store.pending_report(&row) {
        Ok(report) => {
            let mut mapped = memory.source_maps.map(&app.store, report, app.clock.now()).await?;
            clean_mapped(app, &mut mapped.report).await;
            let report = with_commit(app, mapped.report).await?;
            Mapped { report, ..mapped }
        }
        // The key may be restored.
        Err(error @ StoreError::Sealed { .. }) => return Err(error.into()),
        Err(error) => return Ok(give_up_unreadable(app, &row, &error).await?),
    };
    // The difference is absolute, so that a report from a clock that was ahead is old as well. A
    // report that was counted already is not counted as nobody's because the repository cannot be
    // read again.
    let age = app.clock.now().abs_diff(row.first_at);
    let gives_up = age >= GIVE_UP_AFTER_MS && row.occurrences > 0;
    let is_large = row.body.len() >= LARGE_BODY
        || report.tracebacks().map(<[_]>::len).sum::<usize>() >= MANY_FRAMES;
    let _done = is_large.then(|| LargeWork(app));
    let mut freshness = tickets.of(&row.fingerprint);
    let reported = Reported { report: &report, unmapped: &unmapped, first_at: row.first_at };
    let found = match find(app, reported, &rules, &mut freshness).await {
        Ok(found) => found,
        Err(error @ (Deferred::Store(_) | Deferred::Fetch)) => return Err(error),
        Err(error) if gives_up => {
            let settings = &app.config.choice;
            let mut faults = Vec::new();
            for fault in find_faults(&report, None, settings, &rules.rules).await? {
                let (report, files) = (fault.report, fault.files);
                let choice = choose_line(
                    &report,
                    &files.frames,
                    settings,
                    &HotFunctions::new(),
                    &rules.rules,
                );
                let found = not_blamed(&report, &[], None, error.to_string());
                let exception = fault.exception;
                faults.push(Attributed { exception, report, frames: choice.frames, found });
            }
            Findings { faults, running: None, waits_for: WaitsFor::Fetch }
        }
        Err(error) => return Err(error),
    };
    let basis = Basis { rules, tip, running: found.running, erasures };
    let waits_for = found.waits_for;
    let waited = Waited { fingerprint: &row.fingerprint, waits_for };
    count_faults(app, &memory.verdicts, waited, &report, found.faults, basis).await?;
    note_used(app, &used).await;
    match waits_for {
        WaitsFor::Fetch => freshness.end_for_now(report.revision.as_deref()),
        WaitsFor::Nothing | WaitsFor::SourceMap => freshness.end(),
    }
    Ok(())
}

/// Removes the secrets from the lines that source maps quote.
async fn clean_mapped(app: &App, report: &mut Report) {
    let chain = report.chain.iter_mut().flat_map(|exception| &mut exception.traceback);
    let frames = report.traceback.iter_mut().chain(chain);
    for frame in frames.filter(|frame| !frame.generated_at.is_empty()) {
        app.redaction.source(frame).await;
    }
}

/// Notes that artifacts were used: those that are not used for long are removed.
async fn note_used(app: &App, hashes: &[String]) {
    if hashes.is_empty() {
        return;
    }
    let hashes: Vec<&str> = hashes.iter().map(String::as_str).collect();
    let note = async {
        let mut tx = app.store.write().await?;
        tx.artifacts_used(&hashes, app.clock.now()).await?;
        tx.commit().await
    };
    if let Err(error) = note.await {
        tracing::debug!(%error, "the use of source maps could not be noted");
    }
}

/// The report with the commit of its release, when somebody has said which it is.
async fn with_commit(app: &App, mut report: Report) -> Result<Report, StoreError> {
    let Some(name) = report.revision.clone() else { return Ok(report) };
    if let Some(commit) = app.store.release(&name).await?.and_then(|release| release.commit_id) {
        report.revision = Some(commit);
        report.tags.entry("release".to_owned()).or_insert(name);
    }
    Ok(report)
}

/// A row that this program did not write cannot be attributed, and must not be retried forever.
async fn give_up_unreadable(
    app: &App,
    row: &PendingRow,
    error: &StoreError,
) -> Result<(), StoreError> {
    tracing::error!(%error, "a stored report cannot be read and is counted as refused");
    let mut tx = app.store.write().await?;
    if let Some(taken) = tx.take_pending(&row.fingerprint).await? {
        let (reason, now) = ("unreadable in the store", app.clock.now());
        let mut day_use = tx.day_use(app.config.quotas, now).await?;
        day_use.add(&taken.source, 0, -taken.bytes());
        tx.save_day_use(day_use).await?;
        tx.add_outcome(OutcomeKind::Refused, reason, taken.reports, now, &row.fingerprint).await?;
    }
    tx.commit().await
}
