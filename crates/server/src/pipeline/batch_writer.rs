//! Writes a batch of reports in one transaction.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flawless_core::{CommitId, OutcomeKind};
use flawless_store::{Facet, NewSample, RuleHits, Seen, StoreError, WriteTx};

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

/// A group whose faults have been attributed before.
struct Known {
    key: Key,
    group: Group,
    /// Occurrences that its client lost, and its host.
    lost: Option<(i64, String)>,
    verdict: Arc<CachedVerdict>,
    faults: Vec<CountedFault>,
}

impl Known {
    /// The issues that count its faults, as the verdict knows them.
    fn issues(&self) -> impl Iterator<Item = i64> {
        self.faults.iter().filter_map(|fault| match self.verdict.faults[fault.at].verdict {
            FaultVerdict::Counted { issue_id, .. } => Some(issue_id),
            FaultVerdict::Dropped { .. } => None,
        })
    }
}

/// What a group adds to an issue.
struct Count<'a> {
    /// The place of the group in the batch.
    place: usize,
    group: &'a Group,
    verdict: &'a CachedVerdict,
    /// The fault in the verdict.
    at: usize,
    issue: i64,
    seen: Seen,
    facets: &'a [Facet],
    sample: Option<&'a [u8]>,
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
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for Write { key, group, lost, to } in writes {
            match to {
                WriteTo::Issues(verdict, faults) => {
                    known.push(Known { key, group, lost, verdict, faults });
                }
                WriteTo::Pending(pending) => new.push((key, group, lost, pending)),
            }
        }
        for Known { key, mut group, lost, .. } in writer.count(known).await? {
            // An issue was erased: the whole report is attributed again.
            let pending = pending(&mut group, app, now)?;
            new.push((key, group, lost, pending));
        }
        for (key, group, lost, pending) in new {
            let kept = writer.capacity.keep(writer.tx, pending, &group.newest).await?;
            if writer.is_kept(kept, key, &group) {
                writer.keep(lost, group.ids);
            }
        }
        Ok(writer)
    }

    fn keep(&mut self, lost: Option<(i64, String)>, ids: Vec<u64>) {
        self.losses.extend(lost);
        self.ids.extend(ids);
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

    /// Counts the faults of known groups. Returns the groups of which an issue is gone, uncounted.
    async fn count(&mut self, known: Vec<Known>) -> Result<Vec<Known>, StoreError> {
        let (mut known, mut gone) = self.without_gone(known).await?;
        let mut counts = Vec::new();
        for (place, Known { group, verdict, faults, .. }) in known.iter().enumerate() {
            for CountedFault { at, facets, sample } in faults {
                let FaultVerdict::Counted { issue_id, running, .. } = &verdict.faults[*at].verdict
                else {
                    continue;
                };
                self.note_running(verdict, *at, running).await?;
                let has_room = match sample {
                    Some(_) => self.capacity.has_bytes(self.tx, &group.source).await?,
                    None => false,
                };
                let sample = sample.as_deref().filter(|_| has_room);
                let seen = Seen {
                    occurrences: group.occurrences,
                    only_listed: group.only_listed(&self.app.config.environments),
                    reports: group.reports,
                    first_at: self.now,
                    last_at: self.now,
                    samples: i64::from(sample.is_some()),
                };
                let (at, issue) = (*at, *issue_id);
                counts.push(Count { place, group, verdict, at, issue, seen, facets, sample });
            }
        }
        let missed = self.write_counts(&counts).await?;
        // From the last one on, so that the places of the others stay.
        for place in missed.into_iter().rev() {
            gone.push(known.remove(place));
        }
        for Known { group, lost, .. } in known {
            self.keep(lost, group.ids);
        }
        Ok(gone)
    }

    /// Separates the groups of which an issue is gone. Where there is only one, counting it says
    /// whether it is there.
    async fn without_gone(
        &mut self,
        known: Vec<Known>,
    ) -> Result<(Vec<Known>, Vec<Known>), StoreError> {
        let several = known.iter().filter(|known| known.faults.len() > 1);
        let issues: Vec<i64> = several.flat_map(Known::issues).collect();
        if issues.is_empty() {
            return Ok((known, Vec::new()));
        }
        let current = self.tx.current_issues(&issues).await?;
        let is_there = |known: &Known| {
            known.faults.len() <= 1 || known.issues().all(|issue| current.contains_key(&issue))
        };
        Ok(known.into_iter().partition(is_there))
    }

    /// Notes that the revision of a verdict runs, unless that was noted lately.
    async fn note_running(
        &mut self,
        verdict: &Arc<CachedVerdict>,
        at: usize,
        running: &Option<(CommitId, AtomicI64)>,
    ) -> Result<(), StoreError> {
        if let Some((running, noted_at)) = running
            && self.now - noted_at.load(Ordering::Relaxed) >= RUNNING_EVERY_MS
        {
            self.tx.seen_running(running.as_str(), true, self.now).await?;
            self.written.noted_running.push((verdict.clone(), at));
        }
        Ok(())
    }

    /// Writes the counts of a batch, and decides about their issues. Returns the places of the groups
    /// whose issue is gone.
    async fn write_counts(&mut self, counts: &[Count<'_>]) -> Result<Vec<usize>, StoreError> {
        let seen: Vec<(i64, Seen)> = counts.iter().map(|count| (count.issue, count.seen)).collect();
        let states = self.tx.count_all(&seen).await?;
        let mut missed = Vec::new();
        let mut facets = Vec::new();
        let (mut samples, mut sources) = (Vec::new(), Vec::new());
        for (count, state) in counts.iter().zip(&states) {
            let Some(state) = state else {
                missed.push(count.place);
                continue;
            };
            facets.extend(count.facets.iter().map(|facet| (state.id, facet)));
            if let Some(body) = count.sample {
                let (issue, number) = (state.id, state.samples);
                samples.push(NewSample { issue, number, received_at: self.now, body });
                sources.push(&count.group.source);
            }
        }
        self.tx.count_facets(&facets).await?;
        let grew = self.tx.add_samples(&samples).await?;
        for (source, more) in sources.into_iter().zip(grew) {
            self.capacity.add_bytes(self.tx, source, more).await?;
        }
        let mut notified: HashSet<i64> = HashSet::new();
        for (Count { group, verdict, at, seen, .. }, counted) in counts.iter().zip(states) {
            let Some(mut counted) = counted else { continue };
            if notified.contains(&counted.id) {
                // Its state is from before the decision about another group of the batch.
                (counted.notified_at, counted.resolved_at) = (Some(self.now), None);
            }
            let fault = &verdict.faults[*at];
            self.rule_hits.add(&fault.rules, group.reports, group.occurrences);
            let FaultVerdict::Counted { known_error, regression_check, .. } = &fault.verdict else {
                continue;
            };
            let occurred = Occurred {
                added: group.occurrences,
                only_listed: seen.only_listed,
                at: self.now,
                threshold: threshold_of(&group.newest, &self.app.config),
                known: known_error.and_then(|id| self.rules.rules.known_error(id)),
                regression_check,
                regressed: None,
            };
            if decide_alert(self.tx, self.app, &counted, occurred).await? {
                notified.insert(counted.id);
            }
        }
        self.written.any_alert |= !notified.is_empty();
        Ok(missed)
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
