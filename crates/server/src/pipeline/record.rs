//! Makes reports durable, many in one transaction, and only then lets their senders go.
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flawless_core::{OutcomeKind, Report};
use flawless_store::{
    Facet, NewPending, RuleHits, Sample, Seen, Store, StoreError, WriteTx, encode_sample,
};

use super::capacity::{Capacity, Kept, over};
use super::decide::{Occurred, decide_alert};
use super::groups::{Batch, Group, Groups, Key};
use super::module_sets::{ModuleSets, NamedModules};
use super::sent_before::SentBefore;
use super::verdicts::{CachedFault, CachedVerdict, FaultVerdict, Verdicts};
use crate::app::App;
use crate::config::Config;
use crate::intake::refusals::{ByReason, Refused};
use crate::intake::{IntakeReceiver, NotKept};
use crate::project::redaction::Redaction;

/// Of a flood, one report in this time is kept whole: the samples then show seconds and not
/// milliseconds of it, and writing them costs nothing.
const SAMPLE_EVERY_MS: i64 = 1_000;
/// That a revision still runs is noted once in this time.
const RUNNING_EVERY_MS: i64 = 3_600_000;
/// Reports in one transaction: enough that the commit is a small part of the work.
const MAX_BATCH: usize = 512;
/// What the reports in one transaction may take: those who wait for the next one should not wait
/// for long.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// Before what could not be stored is tried again, when nothing else comes in.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// While nothing can be stored, the log says so once in this time.
const SAY_AGAIN_MS: i64 = 60_000;

/// Records reports, and remembers what keeps one from counting twice.
#[derive(Debug)]
pub struct Recorder {
    sent_before: SentBefore,
    modules: ModuleSets,
}

impl Recorder {
    /// With what was recorded before the start.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { sent_before: SentBefore::read(store).await?, modules: ModuleSets::default() })
    }

    /// Records reports for ever.
    pub async fn run(mut self, app: App, verdicts: Arc<Verdicts>, incoming: IntakeReceiver) {
        let mut trouble = Trouble::default();
        loop {
            match trouble.since {
                None => incoming.wait().await,
                // What was refused waits to be counted, and nobody may come to ring.
                Some(_) => drop(tokio::time::timeout(TRY_AGAIN, incoming.wait()).await),
            }
            let batch = Batch::of(incoming.take(MAX_BATCH, MAX_BATCH_BYTES), &self.sent_before);
            let Batch { groups, waiting, modules } = batch;
            let refused = incoming.refusals().take();
            let now = app.clock.now();
            let unkept = match self.record(&app, &verdicts, groups, modules, &refused).await {
                Ok(unkept) => {
                    trouble.is_over();
                    for (key, why) in &unkept {
                        let reports = waiting.get(key).map_or(0, Vec::len) as i64;
                        let example = "they wait for attribution".to_owned();
                        incoming.refusals().add(why, Refused { reports, last_at: now, example });
                    }
                    unkept.into_keys().collect()
                }
                Err(error) => {
                    incoming.refusals().put_back(refused);
                    let reports = waiting.values().map(Vec::len).sum::<usize>() as i64;
                    if reports > 0 {
                        let refused = Refused { reports, last_at: now, example: error.to_string() };
                        incoming.refusals().add("could not be stored", refused);
                    }
                    trouble.add(&error, reports, now);
                    if waiting.is_empty() {
                        tokio::time::sleep(TRY_AGAIN).await;
                    }
                    waiting.keys().copied().collect::<HashSet<Key>>()
                }
            };
            for (key, reports) in waiting {
                let answer = if unkept.contains(&key) { Err(NotKept) } else { Ok(()) };
                for (done, _held) in reports {
                    // A sender that went away does not wait for its answer.
                    let _ = done.send(answer);
                }
            }
        }
    }
}

/// Writes down what was refused and the recorder did not come to count.
///
/// # Errors
/// The database refuses.
pub async fn record_refusals(app: &App, refused: &ByReason) -> Result<(), StoreError> {
    let mut tx = app.store.write().await?;
    add_refusals(&mut tx, refused).await?;
    tx.commit().await
}

async fn add_refusals(tx: &mut WriteTx, refused: &ByReason) -> Result<(), StoreError> {
    for (reason, Refused { reports, last_at, example }) in refused {
        tx.add_outcome(OutcomeKind::Refused, reason, *reports, *last_at, example).await?;
    }
    Ok(())
}

/// That nothing can be stored, for the log: once, now and then, and when it is over.
#[derive(Debug, Default)]
struct Trouble {
    since: Option<i64>,
    said_at: i64,
    refused: i64,
}

impl Trouble {
    fn add(&mut self, error: &StoreError, reports: i64, now: i64) {
        self.refused += reports;
        if self.since.is_none() || now - self.said_at >= SAY_AGAIN_MS {
            self.said_at = now;
            tracing::error!(%error, refused = self.refused, "reports cannot be stored");
        }
        self.since.get_or_insert(now);
    }

    fn is_over(&mut self) {
        if self.since.is_some() {
            tracing::warn!(refused = self.refused, "reports can be stored again");
            *self = Self::default();
        }
    }
}

/// A group that is ready to be written: everything slow was done before the transaction.
enum Write {
    Counted {
        key: Key,
        group: Group,
        known: Arc<CachedVerdict>,
        faults: Vec<CountedFault>,
        lost: Option<(i64, String)>,
    },
    Pending {
        key: Key,
        new: NewPending,
        group: Group,
        lost: Option<(i64, String)>,
    },
}

/// A fault of a group, of those that are known.
struct CountedFault {
    at: usize,
    facets: Vec<Facet>,
    /// There when it is time for another one.
    sample: Option<Vec<u8>>,
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

impl Recorder {
    /// Records groups of reports, and says which were not kept, and why.
    async fn record(
        &mut self,
        app: &App,
        verdicts: &Verdicts,
        groups: Groups,
        modules: NamedModules,
        refused: &ByReason,
    ) -> Result<HashMap<Key, &'static str>, StoreError> {
        let now = app.clock.now();
        let rules = app.rules.get();
        let tip = app.repo.get().tip_commit();
        let mut outcomes = Outcomes::default();
        let mut rule_hits = RuleHits::default();
        let mut writes = Vec::with_capacity(groups.len());
        let (mut losses, mut ids) = (Vec::new(), Vec::new());
        for (key, mut group) in groups {
            let lost = group.lost.take();
            let Some(known) = verdicts.get(&group.trace, rules.revision, tip.as_deref()) else {
                let new = pending(&mut group, app, now)?;
                writes.push(Write::Pending { key, new, group, lost });
                continue;
            };
            let mut faults = Vec::new();
            for (at, fault) in known.faults.iter().enumerate() {
                match &fault.verdict {
                    FaultVerdict::Dropped { outcome, reason } => {
                        let example = example(&group.newest, &app.redaction);
                        outcomes.add(*outcome, reason, group.reports, example);
                        rule_hits.add(&fault.rules, group.reports, group.occurrences);
                    }
                    FaultVerdict::Counted { .. } => {
                        let sample = sample_when_due(&mut group, fault, app, now)?;
                        let facets = group.facets(fault.exception, &app.redaction, now);
                        faults.push(CountedFault { at, facets, sample });
                    }
                }
            }
            writes.push(Write::Counted { key, group, known, faults, lost });
        }
        let (mut any_pending, mut any_alert) = (false, false);
        let mut unkept = HashMap::new();
        let mut noted_running = Vec::new();
        let mut tx = app.store.write().await?;
        let mut capacity = Capacity::new(app.config.quotas, now);
        let mut writes = VecDeque::from(writes);
        while let Some(write) = writes.pop_front() {
            match write {
                Write::Pending { key, new, group, lost } => {
                    match capacity.keep(&mut tx, new, &group.newest).await? {
                        Kept::Waits => any_pending = true,
                        Kept::OverQuota(used_up) => {
                            let example = example(&group.newest, &app.redaction);
                            outcomes.add(
                                OutcomeKind::Refused,
                                &over(used_up),
                                group.reports,
                                example,
                            );
                        }
                        Kept::TooManyWait => {
                            unkept.insert(key, "too many reports wait");
                            continue;
                        }
                    }
                    losses.extend(lost);
                    ids.extend(group.ids);
                }
                Write::Counted { key, mut group, known, faults, lost } => {
                    // Where there is only one, counting it says whether its issue is there.
                    let mut is_gone =
                        faults.len() > 1 && !are_there(&mut tx, &known, &faults).await?;
                    let faults = if is_gone { Vec::new() } else { faults };
                    for CountedFault { at, facets, mut sample } in faults {
                        let CachedFault { rules: used, verdict, .. } = &known.faults[at];
                        let FaultVerdict::Counted {
                            issue_id,
                            known_error,
                            regression_check,
                            running,
                            ..
                        } = verdict
                        else {
                            continue;
                        };
                        if let Some((running, noted_at)) = running
                            && now - noted_at.load(Ordering::Relaxed) >= RUNNING_EVERY_MS
                        {
                            tx.seen_running(running.as_str(), true, now).await?;
                            noted_running.push((known.clone(), at));
                        }
                        if sample.is_some() && !capacity.has_bytes(&mut tx, &group.source).await? {
                            sample = None;
                        }
                        let seen = Seen {
                            occurrences: group.occurrences,
                            reports: group.reports,
                            first_at: now,
                            last_at: now,
                            sampled: sample.is_some(),
                        };
                        let Some(counted) = tx.count(*issue_id, seen).await? else {
                            is_gone = true;
                            break;
                        };
                        tx.count_facets(counted.id, &facets).await?;
                        rule_hits.add(used, group.reports, group.occurrences);
                        if let Some(sample) = sample {
                            let more =
                                tx.add_sample(counted.id, counted.samples, now, &sample).await?;
                            capacity.add_bytes(&mut tx, &group.source, more).await?;
                        }
                        let known = known_error.and_then(|id| rules.rules.known_error(id));
                        let threshold = threshold_of(&group.newest, &app.config);
                        let (added, regressed) = (group.occurrences, None);
                        let occurred = Occurred {
                            added,
                            at: now,
                            threshold,
                            known,
                            regression_check,
                            regressed,
                        };
                        any_alert |= decide_alert(&mut tx, app, &counted, occurred).await?;
                    }
                    match is_gone {
                        // It was erased: the report is looked at anew, whole.
                        true => {
                            let new = pending(&mut group, app, now)?;
                            writes.push_back(Write::Pending { key, new, group, lost });
                        }
                        false => {
                            losses.extend(lost);
                            ids.extend(group.ids);
                        }
                    }
                }
            }
        }
        add_refusals(&mut tx, refused).await?;
        for ((kind, reason), (reports, example)) in outcomes.0 {
            tx.add_outcome(kind, &reason, reports, now, &example).await?;
        }
        tx.count_rule_hits(&rule_hits, now).await?;
        for (occurrences, host) in losses {
            tx.add_loss(occurrences, now, &app.redaction.text(&host)).await?;
        }
        let ids = self.sent_before.write(&mut tx, ids, now).await?;
        let modules =
            self.modules.write(&mut tx, &mut capacity, modules, &app.redaction, now).await?;
        capacity.save(&mut tx).await?;
        tx.commit().await?;
        self.sent_before.take_over(ids);
        self.modules.take_over(modules);
        for (known, at) in noted_running {
            if let FaultVerdict::Counted { running: Some((_, noted_at)), .. } =
                &known.faults[at].verdict
            {
                noted_at.store(now, Ordering::Relaxed);
            }
        }
        if any_pending {
            app.wakeups.pending.notify_one();
        }
        if any_alert {
            app.wakeups.alerts.notify_one();
        }
        Ok(unkept)
    }
}

/// The newest report of a group as a sample of a fault, when the last one is old enough.
fn sample_when_due(
    group: &mut Group,
    fault: &CachedFault,
    app: &App,
    now: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let FaultVerdict::Counted { frames, blamed_frame, sampled_at, .. } = &fault.verdict else {
        return Ok(None);
    };
    if now - sampled_at.load(Ordering::Relaxed) < SAMPLE_EVERY_MS {
        return Ok(None);
    }
    sampled_at.store(now, Ordering::Relaxed);
    group.clean(&app.redaction);
    let report = &*group.about(fault.exception);
    encode_sample(&Sample { report, frames: frames.clone(), blamed_frame: *blamed_frame }).map(Some)
}

/// Whether the issues that faults are counted under are there.
async fn are_there(
    tx: &mut WriteTx,
    known: &CachedVerdict,
    faults: &[CountedFault],
) -> Result<bool, StoreError> {
    for fault in faults {
        if let FaultVerdict::Counted { issue_id, .. } = known.faults[fault.at].verdict
            && !tx.has_issue(issue_id).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The newest report of a group, to be attributed. Nothing is stored that was not redacted; the
/// fingerprint is that of the report as it came to the recorder.
fn pending(group: &mut Group, app: &App, now: i64) -> Result<NewPending, StoreError> {
    let facets = group.facets(None, &app.redaction, now);
    group.clean(&app.redaction);
    Ok(NewPending {
        fingerprint: group.trace.to_string(),
        occurrences: group.occurrences,
        reports: group.reports,
        error_threshold: threshold_of(&group.newest, &app.config),
        at: now,
        facets,
        source: group.source.to_string(),
        body: encode_sample(&*group.newest)?,
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
