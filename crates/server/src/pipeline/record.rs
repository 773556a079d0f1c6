//! Makes reports durable, many in one transaction, and only then lets their senders go.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flawless_core::{ExceptionAt, Fingerprint, OutcomeKind, Report, trace_fingerprint};
use tokio::sync::oneshot;

use super::tell::{Occurred, tell};
use super::verdicts::{Fate, KnownFault, KnownTrace, Verdicts};
use crate::config::Config;
use crate::intake::{Incoming, IntakeReceiver, NotKept};
use crate::redaction::Redaction;
use crate::state::Shared;
use crate::store::{Facet, NewPending, RuleHits, Sample, Seen, StoreError, encode_sample};

/// Of a flood, one report in this time is kept whole: the samples then show seconds and not
/// milliseconds of it, and writing them costs nothing.
const SAMPLE_EVERY_MS: i64 = 1_000;
/// That a revision still runs is noted once in this time.
const RUNNING_EVERY_MS: i64 = 3_600_000;
/// Reports in one transaction: enough that the commit is a small part of the work.
const MAX_BATCH: usize = 512;

/// Records reports until the last sender is gone.
pub async fn run_recorder(shared: Shared, verdicts: Arc<Verdicts>, mut incoming: IntakeReceiver) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while incoming.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let mut waiting = Vec::with_capacity(batch.len());
        let groups = group(batch.drain(..), &mut waiting);
        let answer = match record(&shared, &verdicts, groups).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::error!(%error, reports = waiting.len(), "reports could not be stored");
                Err(NotKept)
            }
        };
        for done in waiting {
            // A sender that went away does not wait for its answer.
            let _ = done.send(answer);
        }
    }
}

/// Reports of a batch that are certain to share their fate.
#[derive(Debug)]
struct Group {
    trace: Fingerprint,
    newest: Box<Report>,
    /// The secrets of `newest` are out already.
    is_clean: bool,
    occurrences: i64,
    reports: i64,
    /// Hosts and environments, with their part of the occurrences. All else that is counted apart
    /// is the same.
    places: Vec<(String, String, i64)>,
}

impl Group {
    fn add_place(&mut self, report: &Report, occurrences: i64) {
        let is_here = |(host, environment, _): &&mut (String, String, i64)| {
            *host == report.hostname && *environment == report.environment
        };
        match self.places.iter_mut().find(is_here) {
            Some((_, _, here)) => *here = here.saturating_add(occurrences),
            None => {
                let place = (report.hostname.clone(), report.environment.clone(), occurrences);
                self.places.push(place);
            }
        }
    }

    /// What is counted apart under an exception of the report, without secrets.
    fn facets(&self, exception: ExceptionAt, redaction: &Redaction, at: i64) -> Vec<Facet> {
        let facet = |(hostname, environment, occurrences): &(String, String, i64)| {
            let mut said = Report {
                exception_type: self.newest.exception_type_of(exception).to_owned(),
                hostname: hostname.clone(),
                environment: environment.clone(),
                revision: self.newest.revision.clone(),
                ..Report::default()
            };
            redaction.redact(&mut said);
            facet_of(&said, *occurrences, at)
        };
        self.places.iter().map(facet).collect()
    }
}

/// What is counted apart of a report without secrets.
pub(super) fn facet_of(report: &Report, occurrences: i64, at: i64) -> Facet {
    let Report { exception_type, hostname, environment, .. } = report;
    let revision = report.revision.as_deref().unwrap_or_default();
    Facet::new([exception_type, hostname, environment, revision], occurrences, at)
}

#[derive(Debug, Default)]
struct Groups {
    reports: HashMap<(Fingerprint, Option<u64>), Group>,
    refused: HashMap<&'static str, (i64, String)>,
    /// Occurrences that clients dropped, and the host of one that did.
    lost: Option<(i64, String)>,
}

fn group(
    batch: impl Iterator<Item = Incoming>,
    waiting: &mut Vec<oneshot::Sender<Result<(), NotKept>>>,
) -> Groups {
    let mut groups = Groups::default();
    for item in batch {
        match item {
            Incoming::Refused { reason, example } => {
                let entry = groups.refused.entry(reason).or_default();
                *entry = (entry.0 + 1, example);
            }
            Incoming::Report { report, is_clean, lost, done } => {
                waiting.push(done);
                if lost > 0 {
                    let before = groups.lost.take().map_or(0, |(lost, _)| lost);
                    let lost = before.saturating_add(i64::try_from(lost).unwrap_or(i64::MAX));
                    groups.lost = Some((lost, report.hostname.chars().take(300).collect()));
                }
                let trace = trace_fingerprint(&report);
                let occurrences = i64::try_from(report.error_count).unwrap_or(i64::MAX);
                match groups.reports.entry((trace, report.error_threshold)) {
                    std::collections::hash_map::Entry::Occupied(mut group) => {
                        let group = group.get_mut();
                        group.occurrences = group.occurrences.saturating_add(occurrences);
                        group.reports += 1;
                        group.add_place(&report, occurrences);
                        (group.newest, group.is_clean) = (report, is_clean);
                    }
                    std::collections::hash_map::Entry::Vacant(place) => {
                        let here =
                            (report.hostname.clone(), report.environment.clone(), occurrences);
                        let (newest, places) = (report, vec![here]);
                        place.insert(Group {
                            trace,
                            newest,
                            is_clean,
                            occurrences,
                            reports: 1,
                            places,
                        });
                    }
                }
            }
        }
    }
    groups
}

/// A group that is ready to be written: everything slow was done before the transaction.
enum Write {
    /// A fault of the group. The sample is there when it is time for another one.
    Counted {
        group: Arc<Group>,
        known: Arc<KnownTrace>,
        fault: usize,
        facets: Vec<Facet>,
        sample: Option<Vec<u8>>,
    },
    Pending(NewPending),
}

/// Reports of a batch that no issue counts, so that each reason is one row's change.
#[derive(Default)]
struct Outcomes(HashMap<(OutcomeKind, String), (i64, String)>);

impl Outcomes {
    fn add(&mut self, kind: OutcomeKind, reason: &str, reports: i64, example: String) {
        let entry = self.0.entry((kind, reason.to_owned())).or_default();
        *entry = (entry.0 + reports, example);
    }
}

async fn record(shared: &Shared, verdicts: &Verdicts, groups: Groups) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let rules = shared.rules.get();
    let tip = shared.repo.get().tip_commit();
    let mut outcomes = Outcomes::default();
    let mut rule_hits = RuleHits::default();
    for (reason, (count, example)) in groups.refused {
        outcomes.add(OutcomeKind::Refused, reason, count, example);
    }
    let lost = groups.lost;
    let mut writes = Vec::with_capacity(groups.reports.len());
    for group in groups.reports.into_values() {
        let Some(known) = verdicts.get(&group.trace, rules.revision, tip.as_deref()) else {
            writes.push(Write::Pending(pending(&group, None, shared, now)?));
            continue;
        };
        let group = Arc::new(group);
        for (at, fault) in known.faults.iter().enumerate() {
            match &fault.fate {
                Fate::Dropped { outcome, reason } => {
                    let example = example(&group.newest, &shared.redaction);
                    outcomes.add(*outcome, reason, group.reports, example);
                    rule_hits.add(&fault.rules, group.reports, group.occurrences);
                }
                Fate::Counted { .. } => {
                    let sample = sample_when_due(&group, fault, shared, now)?;
                    let facets = group.facets(fault.exception, &shared.redaction, now);
                    let (group, known) = (group.clone(), known.clone());
                    writes.push(Write::Counted { group, known, fault: at, facets, sample });
                }
            }
        }
    }
    let (mut any_pending, mut any_alert) = (false, false);
    let mut tx = shared.store.write().await?;
    for write in writes {
        match write {
            Write::Pending(new) => {
                any_pending = true;
                tx.add_pending(&new).await?;
            }
            Write::Counted { group, known, fault, facets, sample } => {
                let KnownFault { exception, rules: used, fate } = &known.faults[fault];
                let Fate::Counted { issue_id, known_error, mending, running, .. } = fate else {
                    continue;
                };
                if let Some((running, noted_at)) = running
                    && now - noted_at.load(Ordering::Relaxed) >= RUNNING_EVERY_MS
                {
                    noted_at.store(now, Ordering::Relaxed);
                    tx.seen_running(running.as_str(), true, now).await?;
                }
                let seen = Seen {
                    occurrences: group.occurrences,
                    reports: group.reports,
                    first_at: now,
                    last_at: now,
                    sampled: sample.is_some(),
                };
                let Some(counted) = tx.count(*issue_id, seen).await? else {
                    // The issue is gone: begin anew.
                    any_pending = true;
                    tx.add_pending(&pending(&group, *exception, shared, now)?).await?;
                    continue;
                };
                tx.count_facets(counted.id, &facets).await?;
                rule_hits.add(used, group.reports, group.occurrences);
                if let Some(sample) = sample {
                    tx.add_sample(counted.id, counted.samples, now, &sample).await?;
                }
                let known = known_error.and_then(|id| rules.rules.known_error(id));
                let threshold = threshold_of(&group.newest, &shared.config);
                let added = group.occurrences;
                let occurred = Occurred { added, at: now, threshold, known, mending, back: None };
                any_alert |= tell(&mut tx, shared, &counted, occurred).await?;
            }
        }
    }
    for ((kind, reason), (reports, example)) in outcomes.0 {
        tx.add_outcome(kind, &reason, reports, now, &example).await?;
    }
    tx.count_rule_hits(&rule_hits, now).await?;
    if let Some((occurrences, host)) = lost {
        tx.add_loss(occurrences, now, &shared.redaction.text(&host)).await?;
    }
    tx.commit().await?;
    if any_pending {
        shared.bells.pending.notify_one();
    }
    if any_alert {
        shared.bells.alerts.notify_one();
    }
    Ok(())
}

/// The newest report of a group as a sample of a fault, when the last one is old enough.
fn sample_when_due(
    group: &Group,
    fault: &KnownFault,
    shared: &Shared,
    now: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Fate::Counted { frames, blamed_frame, sampled_at, .. } = &fault.fate else {
        return Ok(None);
    };
    if now - sampled_at.load(Ordering::Relaxed) < SAMPLE_EVERY_MS {
        return Ok(None);
    }
    sampled_at.store(now, Ordering::Relaxed);
    let report = redacted(group, fault.exception, shared);
    let frames = frames.clone();
    encode_sample(&Sample { report: &report, frames, blamed_frame: *blamed_frame }).map(Some)
}

/// The newest report of a group, or an exception that it carries, without secrets.
fn redacted(group: &Group, exception: ExceptionAt, shared: &Shared) -> Report {
    let mut report = match exception {
        None => (*group.newest).clone(),
        Some(at) => group.newest.carried(at),
    };
    if !group.is_clean {
        shared.redaction.redact(&mut report);
    }
    report
}

/// The newest report of a group, to be attributed; of one whose issue is gone only the exception
/// that was counted there. Nothing is stored that was not redacted; the fingerprint is that of the
/// report as it came to the recorder.
fn pending(
    group: &Group,
    exception: ExceptionAt,
    shared: &Shared,
    now: i64,
) -> Result<NewPending, StoreError> {
    let trace = match exception {
        None => group.trace,
        Some(at) => trace_fingerprint(&group.newest.carried(at)),
    };
    Ok(NewPending {
        fingerprint: trace.to_string(),
        occurrences: group.occurrences,
        reports: group.reports,
        error_threshold: threshold_of(&group.newest, &shared.config),
        at: now,
        facets: group.facets(exception, &shared.redaction, now),
        body: encode_sample(&redacted(group, exception, shared))?,
    })
}

/// The threshold of the report, else the configured one.
fn threshold_of(report: &Report, config: &Config) -> i64 {
    let threshold = report.error_threshold.unwrap_or(config.error_threshold);
    i64::try_from(threshold).unwrap_or(i64::MAX)
}

/// A report in a few words, for the list of outcomes.
pub(super) fn example(report: &Report, redaction: &Redaction) -> String {
    let place = report.traceback.last();
    let place = place.map(|frame| format!(" at {}:{}", frame.path, frame.line)).unwrap_or_default();
    let text = format!("{}{place} on {}", report.exception_type, report.hostname);
    redaction.text(&text).chars().take(300).collect()
}
