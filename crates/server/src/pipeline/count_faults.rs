//! Counts the faults of a report that waited, each under its issue, and decides about alerts, in
//! one transaction. The verdict is cached for later reports.
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use flawless_core::{
    CommitId, ExceptionAt, Fingerprint, OutcomeKind, Report, ResolvedFrame, RuleId,
};
use flawless_store::{
    Counted, CountedBefore, DayUse, NewSample, Sample, Seen, StoreError, TakenPending, UsedUp,
    WaitsFor, WriteTx, encode_sample,
};

use super::batch_plan::{example, read_of};
use super::capacity::over;
use super::decide::{Occurred, decide_alert};
use super::find_issue::{Attributed, FoundIssue};
use super::groups::facet_of;
use super::issue_facts::NewFacts;
use super::regression::{RegressedIssue, RegressionCheck};
use super::rule_use::{count_rules, rules_used};
use super::verdicts::{CachedFault, CachedVerdict, FaultVerdict, Verdicts};
use crate::app::{App, RulesAt};
use flawless_store::Regression;

/// How long a provisional verdict holds before the report is attributed again, unless a fetch
/// succeeds earlier.
const LOOK_AGAIN_MS: i64 = 3_600_000;

/// What a verdict was derived from.
pub(super) struct Basis {
    pub(super) rules: Arc<RulesAt>,
    pub(super) tip: Option<String>,
    /// The revision that the report names, when it is the one that was searched.
    pub(super) running: Option<CommitId>,
    /// Number of erasures at the time the report was read.
    pub(super) erasures: i64,
}

/// The row of the report that is counted.
pub(super) struct Waited<'a> {
    pub(super) fingerprint: &'a str,
    /// What may let somebody else be blamed: the report is then attributed again.
    pub(super) waits_for: WaitsFor,
}

/// A fault that is ready to be written: slow work was done before the transaction.
struct Prepared {
    exception: ExceptionAt,
    report: Report,
    frames: Arc<[ResolvedFrame]>,
    blamed_frame: Option<usize>,
    sample: Vec<u8>,
    found: FoundIssue,
}

impl Prepared {
    /// Whether its attribution is final.
    fn is_blamed(&self) -> bool {
        match &self.found {
            FoundIssue::Issue(new) => new.facts.origin_commit.is_some(),
            FoundIssue::AtPlace { .. } | FoundIssue::Dropped(..) => true,
        }
    }
}

/// How a fault was counted while nobody was blamed for it.
#[derive(Debug, Clone, Copy)]
struct Owed {
    occurrences: i64,
    only_listed: i64,
    reports: i64,
    /// The issue that counts it.
    unblamed: Option<i64>,
}

impl Owed {
    fn of(before: &CountedBefore, exception: ExceptionAt, is_first: bool) -> Option<Self> {
        if before.settled.contains(&exception) {
            return None;
        }
        // Without the repository the report counted as one fault; it may have several now.
        let same = before.unblamed.iter().find(|(at, _)| *at == exception);
        let unblamed = same.or_else(|| before.unblamed.first().filter(|_| is_first));
        Some(Self {
            occurrences: before.occurrences,
            only_listed: before.only_listed,
            reports: before.reports,
            unblamed: unblamed.map(|(_, issue)| *issue),
        })
    }
}

/// How a new fault was recorded.
enum New {
    Counted(Box<CountedFault>),
    /// Not at all: its sender has opened as many issues as it may today.
    OverQuota(UsedUp),
}

/// The issue that a fault was counted under, and what this means for later reports.
struct CountedFault {
    counted: Counted,
    /// The issue was created for it.
    is_new: bool,
    known_error: Option<RuleId>,
    regression_check: RegressionCheck,
    regression: Option<Regression>,
}

/// Counts the faults of a waiting report that has been attributed.
pub(super) async fn count_faults(
    app: &App,
    verdicts: &Verdicts,
    waited: Waited<'_>,
    report: &Report,
    faults: Vec<Attributed>,
    basis: Basis,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    let Basis { rules, tip, running, erasures } = basis;
    let prepared: Vec<Prepared> = faults.into_iter().map(prepare).collect::<Result<_, _>>()?;
    let is_blamed = prepared.iter().all(Prepared::is_blamed);
    let mut tx = app.store.write().await?;
    if tx.erased_since(erasures).await? {
        // If it still waits, it is read again.
        return Ok(());
    }
    let Some(taken) = tx.take_pending(waited.fingerprint).await? else {
        return Ok(());
    };
    let runs_now = match &running {
        Some(running) => tx.seen_running(running.as_str(), true, now).await?,
        None => false,
    };
    let mut day_use = tx.day_use(app.config.quotas, now).await?;
    day_use.add(&taken.source, 0, -taken.bytes());
    let mut known = Vec::with_capacity(prepared.len());
    let mut is_all_known = true;
    let before = taken.counted();
    let mut kept = CountedBefore { unblamed: Vec::new(), ..before.clone().unwrap_or_default() };
    kept.occurrences += taken.occurrences;
    kept.only_listed += taken.only_listed;
    kept.reports += taken.reports;
    for (index, fault) in prepared.into_iter().enumerate() {
        let (exception, is_blamed) = (fault.exception, fault.is_blamed());
        let owed = before.as_ref().and_then(|before| Owed::of(before, exception, index == 0));
        if taken.occurrences == 0 && (owed.is_none() || !is_blamed) {
            // It is counted, and its cause stays unknown.
            is_all_known = false;
            let unblamed = owed.filter(|_| !is_blamed).and_then(|owed| owed.unblamed);
            kept.unblamed.extend(unblamed.map(|issue| (exception, issue)));
            continue;
        }
        let basis = (&*rules, &running);
        let fault = count_fault(&mut tx, app, fault, &taken, owed, basis, &mut day_use).await?;
        match fault.as_ref().map(|fault| &fault.verdict) {
            Some(FaultVerdict::Counted { issue_id, .. }) if !is_blamed => {
                kept.unblamed.push((exception, *issue_id));
            }
            _ if kept.settled.contains(&exception) => {}
            _ => kept.settled.push(exception),
        }
        is_all_known &= fault.is_some();
        known.extend(fault);
    }
    if waited.waits_for != WaitsFor::Nothing && !kept.unblamed.is_empty() {
        let again = (now + LOOK_AGAIN_MS, waited.waits_for);
        tx.keep_counted(waited.fingerprint, &taken, &kept, again).await?;
        day_use.add(&taken.source, 0, taken.bytes());
    }
    tx.save_day_use(day_use).await?;
    tx.commit().await?;
    if runs_now {
        app.wakeups.revisions.notify_one();
    }
    app.wakeups.alerts.notify_one();
    // The fingerprint is that of the report as it arrived: what is stored of it was redacted.
    if let Ok(trace) = waited.fingerprint.parse::<Fingerprint>()
        && is_all_known
    {
        // Only a revision that was named in full, and was found, never changes its meaning.
        let named = report.revision.as_deref().is_some_and(|name| CommitId::parse(name).is_some());
        let only_at_tip = (!is_blamed || !named || running.is_none()).then_some(tip);
        let rules_revision = rules.revision;
        let known = CachedVerdict { rules_revision, only_at_tip, faults: known.into() };
        verdicts.insert(app.project_id(), trace, known);
    }
    Ok(())
}

fn prepare(fault: Attributed) -> Result<Prepared, StoreError> {
    let Attributed { exception, report, frames, found } = fault;
    let blamed_frame = match &found {
        FoundIssue::AtPlace { line, .. } => Some(line.frame),
        FoundIssue::Issue(new) => {
            let is_blamed = new.facts.origin_commit.is_some();
            new.line.as_ref().filter(|_| is_blamed).map(|line| line.frame)
        }
        FoundIssue::Dropped(..) => None,
    };
    let frames: Arc<[ResolvedFrame]> = frames.into();
    let sample = encode_sample(&Sample { report: &report, frames: frames.clone(), blamed_frame })?;
    Ok(Prepared { exception, report, frames, blamed_frame, sample, found })
}

/// Counts one fault and decides about its issue. The counts in `owed` were recorded while nobody
/// was blamed for it. `None` when it is new and over the quota of its sender: then only the number
/// of reports is kept, and later reports are attributed again.
async fn count_fault(
    tx: &mut WriteTx,
    app: &App,
    fault: Prepared,
    taken: &TakenPending,
    owed: Option<Owed>,
    (rules, running): (&RulesAt, &Option<CommitId>),
    day_use: &mut DayUse,
) -> Result<Option<CachedFault>, StoreError> {
    let now = app.clock.now();
    let owed = owed.filter(|_| fault.is_blamed());
    let Prepared { exception, report, frames, blamed_frame, sample, found } = fault;
    let brings_news = taken.occurrences > 0 || owed.is_some();
    let seen = seen(taken, brings_news);
    let counted_fault = match found {
        FoundIssue::Dropped(outcome, reason, rule) => {
            let example = example(&report, &app.redaction);
            tx.add_outcome(outcome, &reason, taken.reports, now, &example).await?;
            let rules: Box<[RuleId]> = [rule].into();
            count_rules(tx, &rules, taken, now).await?;
            let verdict = FaultVerdict::Dropped { outcome, reason };
            return Ok(Some(CachedFault { exception, rules, verdict }));
        }
        FoundIssue::Issue(new) => {
            let functions = own_functions(&report, &frames);
            match count_new(tx, *new, seen, now, &functions, (day_use, &taken.source)).await? {
                New::Counted(counted) => *counted,
                New::OverQuota(used_up) => {
                    let (reason, example) = (over(used_up), example(&report, &app.redaction));
                    tx.add_outcome(OutcomeKind::Refused, &reason, taken.reports, now, &example)
                        .await?;
                    return Ok(None);
                }
            }
        }
        FoundIssue::AtPlace { issue_id, line, unblamed, regression_check } => {
            let known_error = line.known_error;
            let counted = count_at_place(tx, issue_id, known_error, &unblamed, seen).await?;
            let (is_new, regression) = (false, None);
            CountedFault { counted, is_new, known_error, regression_check, regression }
        }
    };
    let CountedFault { mut counted, is_new, known_error, regression_check, regression } =
        counted_fault;
    let (mut added, mut only_listed) = (taken.occurrences, taken.only_listed);
    if let Some(owed) = owed {
        counted = count_owed(tx, counted.id, owed, seen).await?;
        added += owed.occurrences;
        only_listed += owed.only_listed;
    }
    if brings_news {
        let more = keep_report(tx, &counted, taken, &report, &sample).await?;
        if !is_new {
            tx.add_exception_type(counted.id, &report.exception_type).await?;
        }
        day_use.add(&taken.source, 0, more);
    }
    if regression_check.was_never && counted.resolved_at.take().is_some() {
        tx.clear_resolved(counted.id).await?;
    }
    let used = rules_used(&frames, blamed_frame, known_error);
    count_rules(tx, &used, taken, now).await?;
    let occurred = Occurred {
        added,
        only_listed,
        at: taken.last_at,
        threshold: taken.error_threshold,
        known: known_error.and_then(|id| rules.rules.known_error(id)),
        regression_check: &regression_check,
        regressed: regression,
    };
    decide_alert(tx, app, &counted, occurred).await?;
    let verdict = FaultVerdict::Counted {
        issue_id: counted.id,
        known_error,
        frames,
        read: read_of(&report, blamed_frame),
        blamed_frame,
        regression_check,
        running: running.clone().map(|running| (running, AtomicI64::new(now))),
        sampled_at: AtomicI64::new(taken.last_at),
    };
    Ok(Some(CachedFault { exception, rules: used, verdict }))
}

fn seen(taken: &TakenPending, is_sampled: bool) -> Seen {
    Seen {
        occurrences: taken.occurrences,
        only_listed: taken.only_listed,
        reports: taken.reports,
        first_at: taken.first_at,
        last_at: taken.last_at,
        samples: i64::from(is_sampled),
    }
}

async fn count_at_place(
    tx: &mut WriteTx,
    issue: i64,
    known_error: Option<RuleId>,
    unblamed: &[String],
    seen: Seen,
) -> Result<Counted, StoreError> {
    let Some(mut counted) = tx.count(issue, seen).await? else {
        return Err(StoreError::Corrupt("a place of a missing issue".into()));
    };
    if tx.merge_unblamed(unblamed, counted.id).await? > 0 {
        counted = tx.counted(counted.id).await?;
    }
    tx.set_known_error(counted.id, known_error).await?;
    Ok(counted)
}

/// Moves what was counted while nobody was blamed to the issue that counts it now.
async fn count_owed(
    tx: &mut WriteTx,
    issue: i64,
    Owed { occurrences, only_listed, reports, unblamed }: Owed,
    seen: Seen,
) -> Result<Counted, StoreError> {
    let is_merged = match unblamed {
        Some(unblamed) => tx.merge_counted(unblamed, occurrences, issue).await?,
        None => false,
    };
    if !is_merged {
        let seen = Seen { occurrences, only_listed, reports, samples: 0, ..seen };
        tx.count(issue, seen).await?;
    }
    tx.counted(issue).await
}

/// Keeps the facets and a sample of a report. Returns the bytes that were added.
async fn keep_report(
    tx: &mut WriteTx,
    counted: &Counted,
    taken: &TakenPending,
    report: &Report,
    sample: &[u8],
) -> Result<i64, StoreError> {
    let mut facets = taken.facets();
    facets.iter_mut().for_each(|facet| facet.set_exception(&report.exception_type));
    if facets.is_empty() && taken.occurrences > 0 {
        facets.push(facet_of(report, taken.occurrences, taken.last_at));
    }
    let of_issue: Vec<_> = facets.iter().map(|facet| (counted.id, facet)).collect();
    tx.count_facets(&of_issue).await?;
    let sample = NewSample {
        issue: counted.id,
        number: counted.samples,
        received_at: taken.last_at,
        body: sample,
    };
    Ok(tx.add_samples(&[sample]).await?.into_iter().sum())
}

async fn count_new(
    tx: &mut WriteTx,
    new: NewFacts,
    seen: Seen,
    now: i64,
    functions: &HashSet<(&str, &str)>,
    (day_use, source): (&mut DayUse, &str),
) -> Result<New, StoreError> {
    let NewFacts { facts, also_known, unblamed, line, place, regression_check, regressed, .. } =
        new;
    let mut regression = None;
    // Otherwise another job was faster, and has notified of it.
    if let Some(RegressedIssue { older, regression: why }) = regressed
        && tx.take_over(older.id, &older, &facts).await?
    {
        // This is about the line before it: whether that one is still there no longer matters.
        let by = why.resolved_by.as_deref();
        tx.set_resolved(older.id, why.resolved_at, by, &why.resolution).await?;
        regression = Some(why);
    }
    let known_as = std::iter::once(&facts.identity).chain(&also_known).chain(&unblamed);
    let is_new = !tx.is_issue(known_as).await?;
    let counted = if is_new {
        if let Some(used_up) = day_use.no_issue(source) {
            return Ok(New::OverQuota(used_up));
        }
        day_use.add(source, 1, 0);
        tx.count_functions(functions, now).await?;
        let counted = tx.add_issue(&facts, seen).await?;
        tx.add_names(&also_known, counted.id).await?;
        counted
    } else {
        let counted = tx.count_attributed(&facts, seen).await?;
        let merged = tx.merge_issues(&also_known, counted.id).await?
            + tx.merge_unblamed(&unblamed, counted.id).await?;
        if merged > 0 { tx.counted(counted.id).await? } else { counted }
    };
    if let Some(place) = place {
        tx.add_place(&place, counted.id, now).await?;
    }
    let known_error = line.and_then(|line| line.known_error);
    let fault = CountedFault { counted, is_new, known_error, regression_check, regression };
    Ok(New::Counted(Box::new(fault)))
}

/// The functions of the project that a report went through, each once.
fn own_functions<'a>(
    report: &'a Report,
    frames: &'a [ResolvedFrame],
) -> HashSet<(&'a str, &'a str)> {
    let frames = report.traceback.iter().zip(frames).filter(|(_, resolved)| resolved.kind.is_own());
    frames
        .filter_map(|(frame, resolved)| Some((resolved.path()?, frame.function.as_str())))
        .collect()
}
