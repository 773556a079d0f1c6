//! Writes a batch of reports in one transaction.
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flawless_core::OutcomeKind;
use flawless_store::{RuleHits, Seen, StoreError, WriteTx};

use super::batch_plan::{
    BatchPlan, CountedFault, Outcomes, Write, WriteTo, example, pending, threshold_of,
};
use super::capacity::{Capacity, Kept, over};
use super::decide::{Occurred, decide_alert};
use super::groups::{Group, Key};
use super::verdicts::{CachedVerdict, FaultVerdict};
use crate::app::{App, RulesAt};

/// Minimum time between two notes that a revision still runs.
const RUNNING_EVERY_MS: i64 = 3_600_000;

/// A project's part of a transaction, and what follows from what was written in it.
pub(super) struct BatchWriter<'a> {
    app: &'a App,
    rules: &'a RulesAt,
    now: i64,
    pub(super) tx: &'a mut WriteTx,
    pub(super) capacity: Capacity,
    /// Ids of the reports that were kept.
    pub(super) ids: Vec<u64>,
    outcomes: Outcomes,
    rule_hits: RuleHits,
    losses: Vec<(i64, String)>,
    written: Written,
}

/// What was written of a project.
#[derive(Default)]
pub(super) struct Written {
    any_pending: bool,
    any_alert: bool,
    noted_running: Vec<(Arc<CachedVerdict>, usize)>,
    /// The groups that were not kept, and why.
    pub(super) unkept: HashMap<Key, &'static str>,
}

impl<'a> BatchWriter<'a> {
    /// Writes what was planned.
    pub(super) async fn write(
        app: &'a App,
        rules: &'a RulesAt,
        plan: BatchPlan,
        tx: &'a mut WriteTx,
        now: i64,
    ) -> Result<Self, StoreError> {
        let BatchPlan { writes, outcomes, rule_hits } = plan;
        tx.enter(app.project_id());
        let mut writer = Self {
            app,
            rules,
            now,
            tx,
            capacity: Capacity::new(app.config.quotas, now),
            ids: Vec::new(),
            outcomes,
            rule_hits,
            losses: Vec::new(),
            written: Written::default(),
        };
        let mut writes = VecDeque::from(writes);
        while let Some(Write { key, mut group, lost, to }) = writes.pop_front() {
            let is_kept = match to {
                WriteTo::Pending(new) => {
                    let kept = writer.capacity.keep(writer.tx, new, &group.newest).await?;
                    writer.is_kept(kept, key, &group)
                }
                WriteTo::Issues(known, faults) => {
                    if !writer.count(&group, &known, faults).await? {
                        // An issue was erased: the whole report is attributed again.
                        let to = WriteTo::Pending(pending(&mut group, app, now)?);
                        writes.push_back(Write { key, group, lost, to });
                        continue;
                    }
                    true
                }
            };
            if is_kept {
                writer.losses.extend(lost);
                writer.ids.extend(group.ids);
            }
        }
        Ok(writer)
    }

    fn is_kept(&mut self, kept: Kept, key: Key, group: &Group) -> bool {
        match kept {
            Kept::Waits => self.written.any_pending = true,
            Kept::OverQuota(used_up) => {
                let example = example(&group.newest, &self.app.redaction);
                self.outcomes.add(OutcomeKind::Refused, &over(used_up), group.reports, example);
            }
            Kept::TooManyWait => {
                self.written.unkept.insert(key, "too many reports wait");
                return false;
            }
        }
        true
    }

    /// Counts the faults of a group; no when one of their issues is gone.
    async fn count(
        &mut self,
        group: &Group,
        known: &Arc<CachedVerdict>,
        faults: Vec<CountedFault>,
    ) -> Result<bool, StoreError> {
        // Where there is only one, counting it says whether its issue is there.
        if faults.len() > 1 && !are_there(self.tx, known, &faults).await? {
            return Ok(false);
        }
        for fault in faults {
            if !self.count_fault(group, known, fault).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn count_fault(
        &mut self,
        group: &Group,
        verdict: &Arc<CachedVerdict>,
        CountedFault { at, facets, mut sample }: CountedFault,
    ) -> Result<bool, StoreError> {
        let (tx, now) = (&mut *self.tx, self.now);
        let fault = &verdict.faults[at];
        let FaultVerdict::Counted { issue_id, known_error, regression_check, running, .. } =
            &fault.verdict
        else {
            return Ok(true);
        };
        if let Some((running, noted_at)) = running
            && now - noted_at.load(Ordering::Relaxed) >= RUNNING_EVERY_MS
        {
            tx.seen_running(running.as_str(), true, now).await?;
            self.written.noted_running.push((verdict.clone(), at));
        }
        if sample.is_some() && !self.capacity.has_bytes(tx, &group.source).await? {
            sample = None;
        }
        let seen = Seen {
            occurrences: group.occurrences,
            only_listed: group.only_listed(&self.app.config.environments),
            reports: group.reports,
            first_at: now,
            last_at: now,
            sampled: sample.is_some(),
        };
        let Some(counted) = tx.count(*issue_id, seen).await? else { return Ok(false) };
        tx.count_facets(counted.id, &facets).await?;
        self.rule_hits.add(&fault.rules, group.reports, group.occurrences);
        if let Some(sample) = sample {
            let more = tx.add_sample(counted.id, counted.samples, now, &sample).await?;
            self.capacity.add_bytes(tx, &group.source, more).await?;
        }
        let occurred = Occurred {
            added: seen.occurrences,
            only_listed: seen.only_listed,
            at: now,
            threshold: threshold_of(&group.newest, &self.app.config),
            known: known_error.and_then(|id| self.rules.rules.known_error(id)),
            regression_check,
            regressed: None,
        };
        self.written.any_alert |= decide_alert(tx, self.app, &counted, occurred).await?;
        Ok(true)
    }

    /// Writes the sums.
    pub(super) async fn finish(self) -> Result<Written, StoreError> {
        let Self { app, now, tx, capacity, outcomes, rule_hits, losses, written, .. } = self;
        for ((kind, reason), (reports, example)) in outcomes.0 {
            tx.add_outcome(kind, &reason, reports, now, &example).await?;
        }
        tx.count_rule_hits(&rule_hits, now).await?;
        for (occurrences, host) in losses {
            tx.add_loss(occurrences, now, &app.redaction.text(&host)).await?;
        }
        capacity.save(tx).await?;
        Ok(written)
    }
}

impl Written {
    /// Follows up on it once it is durable.
    pub(super) fn follow_up(&self, app: &App, now: i64) {
        for (known, at) in &self.noted_running {
            if let FaultVerdict::Counted { running: Some((_, noted_at)), .. } =
                &known.faults[*at].verdict
            {
                noted_at.store(now, Ordering::Relaxed);
            }
        }
        if self.any_pending {
            app.wakeups.pending.notify_one();
        }
        if self.any_alert {
            app.wakeups.alerts.notify_one();
        }
    }
}

/// Whether the issues that faults are counted under exist.
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
