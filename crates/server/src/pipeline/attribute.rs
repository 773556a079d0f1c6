//! A job for each traceback never seen: finds its line and the line's author, and counts it.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use flawless_core::{ClassifiedFrame, CommitId, Fingerprint, OutcomeKind, Report, RuleId};
use tokio::task::{self, JoinSet};

use super::again::Back;
use super::find_issue::{Attributed, Found, NotYet, find, not_blamed};
use super::issue_facts::NewFacts;
use super::record::{example, facet_of};
use super::rule_use::{count_rules, rules_used};
use super::tell::{Occurred, tell};
use super::verdicts::{Fate, KnownTrace, Verdicts};
use crate::attribution::{MuchSeen, Repo, choose_line, find_files};
use crate::state::{RulesAt, Shared};
use crate::store::{PendingRow, Sample, Seen, StoreError, encode_sample};

/// How long a report waits for a repository that cannot be asked before it is counted with
/// nobody blamed.
const GIVE_UP_AFTER_MS: i64 = 10 * 60_000;
/// Before a report whose job broke off is tried again.
const PANIC_DELAY_MS: i64 = 600_000;
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Attributes reports for ever.
pub async fn run_attribution(shared: Shared, verdicts: Arc<Verdicts>) {
    let mut jobs: JoinSet<()> = JoinSet::new();
    let mut running: HashMap<task::Id, String> = HashMap::new();
    loop {
        let free = shared.config.max_blames.saturating_sub(jobs.len());
        if free > 0 && !matches!(shared.repo.get().repo, Repo::Opening) {
            let limit = i64::try_from(free + running.len()).unwrap_or(i64::MAX);
            let due = async {
                let erasures = shared.store.erasures().await?;
                Ok((erasures, shared.store.due_pending(shared.clock.now(), limit).await?))
            };
            match due.await {
                Ok((erasures, rows)) => {
                    let is_new =
                        |row: &PendingRow| !running.values().any(|r| *r == row.fingerprint);
                    let fresh: Vec<_> = rows.into_iter().filter(is_new).take(free).collect();
                    for row in fresh {
                        let (shared, verdicts) = (shared.clone(), verdicts.clone());
                        let name = row.fingerprint.clone();
                        let job = jobs.spawn(async move {
                            attribute(&shared, &verdicts, row, erasures).await;
                        });
                        running.insert(job.id(), name);
                    }
                }
                Err::<_, StoreError>(error) => {
                    tracing::error!(%error, "waiting reports could not be read");
                }
            }
        }
        tokio::select! {
            Some(finished) = jobs.join_next_with_id() => match finished {
                Ok((id, ())) => { running.remove(&id); }
                Err(error) => {
                    // A panic in one job: the others go on, and its report waits longer each time.
                    if let Some(name) = running.remove(&error.id()) {
                        postpone(&shared, &name, PANIC_DELAY_MS, "the job broke off").await;
                    }
                }
            },
            () = shared.bells.pending.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn attribute(shared: &Shared, verdicts: &Verdicts, row: PendingRow, erasures: i64) {
    let (fingerprint, attempts) = (row.fingerprint.clone(), row.attempts);
    let Err(error) = try_attribute(shared, verdicts, row, erasures).await else { return };
    tracing::warn!(%error, attempts, "a report is not attributed yet");
    postpone(shared, &fingerprint, 1_000 << attempts.clamp(0, 6), &error.to_string()).await;
}

async fn postpone(shared: &Shared, fingerprint: &str, delay: i64, why: &str) {
    let next = shared.clock.now() + delay;
    let postpone = async {
        let mut tx = shared.store.write().await?;
        tx.postpone_pending(fingerprint, next, why).await?;
        tx.commit().await
    };
    if let Err(error) = postpone.await {
        tracing::error!(%error, "a report could not be put off");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What a verdict rests on.
struct Basis {
    rules: Arc<RulesAt>,
    tip: Option<String>,
    /// The revision that the report names, when it is the one that was looked at.
    running: Option<CommitId>,
    /// How often something had been erased when the report was read.
    erasures: i64,
}

async fn try_attribute(
    shared: &Shared,
    verdicts: &Verdicts,
    row: PendingRow,
    erasures: i64,
) -> Result<(), NotYet> {
    // Both before the look at the repository: what changes meanwhile makes the verdict invalid.
    let (rules, tip) = (shared.rules.get(), shared.repo.get().tip_commit());
    let report = match shared.store.pending_report(&row) {
        Ok(report) => report,
        // The key may come back.
        Err(error @ StoreError::Sealed { .. }) => return Err(error.into()),
        Err(error) => return Ok(give_up_unreadable(shared, &row, &error).await?),
    };
    let overdue = shared.clock.now() - row.first_at >= GIVE_UP_AFTER_MS;
    let Attributed { frames, found, running } = match find(shared, &report, &rules).await {
        Ok(found) => found,
        Err(NotYet::Store(error)) => return Err(error.into()),
        Err(error) if overdue => {
            let settings = &shared.config.choice;
            let files = find_files(&report, None, settings).await?;
            let choice = choose_line(&report, &files, settings, &MuchSeen::new(), &rules.rules);
            let found = not_blamed(&report, &[], None, error.to_string());
            Attributed { frames: choice.frames, found, running: None }
        }
        Err(error) => return Err(error),
    };
    let basis = Basis { rules, tip, running, erasures };
    Ok(finish(shared, verdicts, &row.fingerprint, report, frames.into(), found, basis).await?)
}

async fn finish(
    shared: &Shared,
    verdicts: &Verdicts,
    fingerprint: &str,
    report: Report,
    frames: Arc<[ClassifiedFrame]>,
    found: Found,
    basis: Basis,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let Basis { rules, tip, running, erasures } = basis;
    // Of the report as it came: what is stored of it was redacted.
    let trace: Option<Fingerprint> = fingerprint.parse().ok();
    let remember = |known| {
        if let Some(trace) = trace {
            verdicts.insert(trace, known);
        }
    };
    let blamed_frame = match &found {
        Found::AtPlace { line, .. } => Some(line.frame),
        Found::Issue(new) => {
            let is_blamed = new.facts.origin_commit.is_some();
            new.line.as_ref().filter(|_| is_blamed).map(|line| line.frame)
        }
        Found::Dropped(..) => None,
    };
    let sample = encode_sample(&Sample { report: &report, frames: frames.clone(), blamed_frame })?;
    let mut tx = shared.store.write().await?;
    if tx.erased_since(erasures).await? {
        // If it still waits, it is read anew.
        return Ok(());
    }
    let Some(taken) = tx.take_pending(fingerprint).await? else {
        return Ok(());
    };
    let seen = Seen {
        occurrences: taken.occurrences,
        reports: taken.reports,
        first_at: taken.first_at,
        last_at: taken.last_at,
        sampled: true,
    };
    let mut again = None;
    let (counted, known_error, blamed, mending) = match found {
        Found::Dropped(outcome, reason, rule) => {
            tx.add_outcome(
                outcome,
                &reason,
                taken.reports,
                now,
                &example(&report, &shared.redaction),
            )
            .await?;
            let used: Box<[RuleId]> = [rule].into();
            count_rules(&mut tx, &used, &taken, now).await?;
            tx.commit().await?;
            let (rules_revision, fate) = (rules.revision, Fate::Dropped { outcome, reason });
            remember(KnownTrace { rules_revision, only_at_tip: None, rules: used, fate });
            return Ok(());
        }
        Found::Issue(new) => {
            let NewFacts { facts, also_known, unblamed, line, place, mending, back, .. } = *new;
            // Otherwise another job was faster, and has told it.
            if let Some(Back { older, again: why }) = back
                && tx.take_over(older.id, &older, &facts).await?
            {
                let by = why.mended_by.as_deref();
                tx.set_mended(older.id, why.mended_at, by, &why.mended_how).await?;
                again = Some(why);
            }
            let mut counted = tx.count_attributed(&facts, seen).await?;
            let is_new = counted.samples == 1;
            let merged = tx.merge_issues(&also_known, counted.id).await?
                + tx.merge_unblamed(&unblamed, counted.id).await?;
            if merged > 0 {
                counted = tx.counted(counted.id).await?;
            }
            if is_new && merged == 0 {
                tx.count_functions(&own_functions(&report, &frames), now).await?;
            }
            if let Some(place) = place {
                tx.add_place(&place, counted.id, now).await?;
            }
            let known_error = line.and_then(|line| line.known_error);
            (counted, known_error, facts.origin_commit.is_some(), mending)
        }
        Found::AtPlace { issue_id, line, mending } => {
            let Some(counted) = tx.count(issue_id, seen).await? else {
                return Err(StoreError::Corrupt("a place of an issue that is not there".into()));
            };
            tx.set_known_error(counted.id, line.known_error).await?;
            (counted, line.known_error, true, mending)
        }
    };
    let mut facets = taken.facets();
    if facets.is_empty() {
        facets.push(facet_of(&report, taken.occurrences, taken.last_at));
    }
    tx.count_facets(counted.id, &facets).await?;
    tx.add_sample(counted.id, counted.samples, taken.last_at, &sample).await?;
    let used = rules_used(&frames, blamed_frame, known_error);
    count_rules(&mut tx, &used, &taken, now).await?;
    let known = known_error.and_then(|id| rules.rules.known_error(id));
    let (added, threshold) = (taken.occurrences, taken.error_threshold);
    let at = taken.last_at;
    let occurred = Occurred { added, at, threshold, known, mending: &mending, back: again };
    tell(&mut tx, shared, &counted, occurred).await?;
    // Only a revision that was named in full, and was there, stays what it is.
    let named = report.revision.as_deref().is_some_and(|name| CommitId::parse(name).is_some());
    let named = named && running.is_some();
    let only_at_tip = (!blamed || !named).then_some(tip);
    let issue_id = counted.id;
    let sampled_at = AtomicI64::new(taken.last_at);
    let runs_now = match &running {
        Some(running) => tx.seen_running(running.as_str(), true, now).await?,
        None => false,
    };
    let running = running.map(|running| (running, AtomicI64::new(now)));
    let fate =
        Fate::Counted { issue_id, known_error, frames, blamed_frame, mending, running, sampled_at };
    tx.commit().await?;
    if runs_now {
        shared.bells.revisions.notify_one();
    }
    remember(KnownTrace { rules_revision: rules.revision, only_at_tip, rules: used, fate });
    shared.bells.alerts.notify_one();
    Ok(())
}

/// The functions of the project that a report went through, each once.
fn own_functions<'a>(
    report: &'a Report,
    frames: &'a [ClassifiedFrame],
) -> HashSet<(&'a str, &'a str)> {
    let frames = report.traceback.iter().zip(frames).filter(|(_, class)| class.kind.is_own());
    frames
        .filter_map(|(frame, class)| Some((class.repo_path.as_deref()?, frame.function.as_str())))
        .collect()
}

/// A row that this program did not write cannot be attributed, and must not be tried for ever.
async fn give_up_unreadable(
    shared: &Shared,
    row: &PendingRow,
    error: &StoreError,
) -> Result<(), StoreError> {
    tracing::error!(%error, "a stored report cannot be read and is counted as refused");
    let mut tx = shared.store.write().await?;
    if let Some(taken) = tx.take_pending(&row.fingerprint).await? {
        let (reason, now) = ("unreadable in the store", shared.clock.now());
        tx.add_outcome(OutcomeKind::Refused, reason, taken.reports, now, &row.fingerprint).await?;
    }
    tx.commit().await
}
