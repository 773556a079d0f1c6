//! Writes a batch of reports in one transaction. The known lines of all its projects are counted in
//! the same statements, everything else project by project.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flawless_core::{CommitId, OutcomeKind};
use flawless_store::{Facet, NewPending, NewSample, RuleHits, Seen, StoreError, WriteTx};

use super::batch_plan::{
    BatchPlan, CountedFault, Outcomes, Write, WriteTo, example, pending, threshold_of,
};
use super::capacity::{Capacity, Kept, over};
use super::decide::{Occurred, decide_alert};
use super::groups::{Group, Key};
use super::module_sets::{self, ModuleSets, NamedModules};
use super::verdicts::{CachedVerdict, FaultVerdict};
use crate::app::{App, RulesAt};

/// Minimum time between two notes that a revision still runs.
const RUNNING_EVERY_MS: i64 = 3_600_000;

/// What a batch brings to one project.
pub(super) struct ProjectPlan {
    pub(super) app: App,
    pub(super) rules: Arc<RulesAt>,
    pub(super) plan: BatchPlan,
    pub(super) modules: NamedModules,
}

/// What was written, to be followed up on once it is durable.
#[derive(Default)]
pub(super) struct Written {
    /// Ids of the reports that were kept.
    pub(super) ids: Vec<u64>,
    /// The groups that were not kept, and why.
    pub(super) unkept: HashMap<Key, &'static str>,
    pub(super) module_sets: module_sets::Written,
    noted_running: Vec<(Arc<CachedVerdict>, usize)>,
    /// Projects with reports that wait for attribution.
    with_pending: Vec<App>,
    /// Projects with alerts to compose.
    with_alerts: Vec<App>,
}

/// A batch within its transaction.
struct BatchWriter<'a> {
    tx: &'a mut WriteTx,
    now: i64,
    projects: Vec<ProjectWriter>,
    written: Written,
}

/// What is summed up by project.
struct ProjectWriter {
    app: App,
    rules: Arc<RulesAt>,
    capacity: Capacity,
    outcomes: Outcomes,
    rule_hits: RuleHits,
    losses: Vec<(i64, String)>,
    modules: NamedModules,
    any_pending: bool,
    any_alert: bool,
}

/// A group, and the place of its project in the batch.
struct Of {
    project: usize,
    key: Key,
    group: Group,
    /// Occurrences that its client lost, and its host.
    lost: Option<(i64, String)>,
}

/// A group whose faults have been attributed before.
struct Known {
    of: Of,
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
    of: &'a Of,
    verdict: &'a CachedVerdict,
    /// The fault in the verdict.
    at: usize,
    issue: i64,
    seen: Seen,
    facets: &'a [Facet],
    sample: Option<&'a [u8]>,
}

/// Writes what was planned.
pub(super) async fn write(
    tx: &mut WriteTx,
    plans: Vec<ProjectPlan>,
    sets: &ModuleSets,
    now: i64,
) -> Result<Written, StoreError> {
    let projects = Vec::with_capacity(plans.len());
    let mut writer = BatchWriter { tx, now, projects, written: Written::default() };
    let (mut known, mut new) = (Vec::new(), Vec::new());
    for (project, plan) in plans.into_iter().enumerate() {
        let ProjectPlan { app, rules, plan, modules } = plan;
        let BatchPlan { writes, outcomes, rule_hits } = plan;
        for Write { key, group, lost, to } in writes {
            let of = Of { project, key, group, lost };
            match to {
                WriteTo::Issues(verdict, faults) => known.push(Known { of, verdict, faults }),
                WriteTo::Pending(pending) => new.push((of, pending)),
            }
        }
        writer.projects.push(ProjectWriter {
            capacity: Capacity::new(app.config.quotas, now),
            app,
            rules,
            outcomes,
            rule_hits,
            losses: Vec::new(),
            modules,
            any_pending: false,
            any_alert: false,
        });
    }
    for Known { mut of, .. } in writer.count(known).await? {
        // An issue was erased: the whole report is attributed again.
        let pending = pending(&mut of.group, &writer.projects[of.project].app, now)?;
        new.push((of, pending));
    }
    for (of, pending) in new {
        writer.keep_pending(of, pending).await?;
    }
    writer.finish(sets).await
}

impl BatchWriter<'_> {
    /// A project of the batch, and the transaction in it.
    fn enter(&mut self, project: usize) -> (&mut ProjectWriter, &mut WriteTx) {
        let project = &mut self.projects[project];
        self.tx.enter(project.app.project_id());
        (project, self.tx)
    }

    fn keep(&mut self, of: Of) {
        self.projects[of.project].losses.extend(of.lost);
        self.written.ids.extend(of.group.ids);
    }

    async fn keep_pending(&mut self, of: Of, pending: NewPending) -> Result<(), StoreError> {
        let (project, tx) = self.enter(of.project);
        match project.capacity.keep(tx, pending, &of.group.newest).await? {
            Kept::Waits => project.any_pending = true,
            Kept::OverQuota(used_up) => {
                let example = example(&of.group.newest, &project.app.redaction);
                let reports = of.group.reports;
                project.outcomes.add(OutcomeKind::Refused, &over(used_up), reports, example);
            }
            Kept::TooManyWait => {
                self.written.unkept.insert(of.key, "too many reports wait");
                return Ok(());
            }
        }
        self.keep(of);
        Ok(())
    }

    /// Counts the faults of known groups. Returns the groups of which an issue is gone, uncounted.
    async fn count(&mut self, known: Vec<Known>) -> Result<Vec<Known>, StoreError> {
        let (mut known, mut gone) = self.without_gone(known).await?;
        let mut counts = Vec::new();
        for (place, Known { of, verdict, faults }) in known.iter().enumerate() {
            for CountedFault { at, facets, sample } in faults {
                let FaultVerdict::Counted { issue_id, running, .. } = &verdict.faults[*at].verdict
                else {
                    continue;
                };
                self.note_running(of.project, verdict, *at, running).await?;
                let (project, tx) = self.enter(of.project);
                let has_room = match sample {
                    Some(_) => project.capacity.has_bytes(tx, &of.group.source).await?,
                    None => false,
                };
                let sample = sample.as_deref().filter(|_| has_room);
                let seen = Seen {
                    occurrences: of.group.occurrences,
                    only_listed: of.group.only_listed(&project.app.config.environments),
                    reports: of.group.reports,
                    first_at: self.now,
                    last_at: self.now,
                    samples: i64::from(sample.is_some()),
                };
                let (at, issue) = (*at, *issue_id);
                counts.push(Count { place, of, verdict, at, issue, seen, facets, sample });
            }
        }
        let missed = self.write_counts(&counts).await?;
        // From the last one on, so that the places of the others stay.
        for place in missed.into_iter().rev() {
            gone.push(known.remove(place));
        }
        for Known { of, .. } in known {
            self.keep(of);
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
        project: usize,
        verdict: &Arc<CachedVerdict>,
        at: usize,
        running: &Option<(CommitId, AtomicI64)>,
    ) -> Result<(), StoreError> {
        if let Some((running, noted_at)) = running
            && self.now - noted_at.load(Ordering::Relaxed) >= RUNNING_EVERY_MS
        {
            let now = self.now;
            let (_, tx) = self.enter(project);
            tx.seen_running(running.as_str(), true, now).await?;
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
        let (mut samples, mut senders) = (Vec::new(), Vec::new());
        for (count, state) in counts.iter().zip(&states) {
            let Some(state) = state else {
                missed.push(count.place);
                continue;
            };
            facets.extend(count.facets.iter().map(|facet| (state.id, facet)));
            if let Some(body) = count.sample {
                let (issue, number) = (state.id, state.samples);
                samples.push(NewSample { issue, number, received_at: self.now, body });
                senders.push((count.of.project, &count.of.group.source));
            }
        }
        self.tx.count_facets(&facets).await?;
        let grew = self.tx.add_samples(&samples).await?;
        for ((project, source), more) in senders.into_iter().zip(grew) {
            let (project, tx) = self.enter(project);
            project.capacity.add_bytes(tx, source, more).await?;
        }
        let now = self.now;
        let mut notified: HashSet<i64> = HashSet::new();
        for (Count { of, verdict, at, seen, .. }, counted) in counts.iter().zip(states) {
            let Some(mut counted) = counted else { continue };
            if notified.contains(&counted.id) {
                // Its state is from before the decision about another group of the batch.
                (counted.notified_at, counted.resolved_at) = (Some(now), None);
            }
            let (project, tx) = self.enter(of.project);
            let fault = &verdict.faults[*at];
            project.rule_hits.add(&fault.rules, of.group.reports, of.group.occurrences);
            let FaultVerdict::Counted { known_error, regression_check, .. } = &fault.verdict else {
                continue;
            };
            let occurred = Occurred {
                added: of.group.occurrences,
                only_listed: seen.only_listed,
                at: now,
                threshold: threshold_of(&of.group.newest, &project.app.config),
                known: known_error.and_then(|id| project.rules.rules.known_error(id)),
                regression_check,
                regressed: None,
            };
            if decide_alert(tx, &project.app, &counted, occurred).await? {
                project.any_alert = true;
                notified.insert(counted.id);
            }
        }
        Ok(missed)
    }

    /// Writes the sums of each project.
    async fn finish(mut self, sets: &ModuleSets) -> Result<Written, StoreError> {
        let (tx, now) = (self.tx, self.now);
        for project in self.projects {
            let ProjectWriter { app, mut capacity, outcomes, rule_hits, losses, modules, .. } =
                project;
            tx.enter(app.project_id());
            let seen = sets.write(tx, &mut capacity, modules, &app.redaction, now).await?;
            self.written.module_sets.extend(seen);
            for ((kind, reason), (reports, example)) in outcomes.0 {
                tx.add_outcome(kind, &reason, reports, now, &example).await?;
            }
            tx.count_rule_hits(&rule_hits, now).await?;
            for (occurrences, host) in losses {
                tx.add_loss(occurrences, now, &app.redaction.text(&host)).await?;
            }
            capacity.save(tx).await?;
            if project.any_pending {
                self.written.with_pending.push(app.clone());
            }
            if project.any_alert {
                self.written.with_alerts.push(app);
            }
        }
        Ok(self.written)
    }
}

impl Written {
    /// Follows up on it once it is durable.
    pub(super) fn follow_up(&self, now: i64) {
        for (known, at) in &self.noted_running {
            if let FaultVerdict::Counted { running: Some((_, noted_at)), .. } =
                &known.faults[*at].verdict
            {
                noted_at.store(now, Ordering::Relaxed);
            }
        }
        for app in &self.with_pending {
            app.wakeups.pending.notify_one();
        }
        for app in &self.with_alerts {
            app.wakeups.alerts.notify_one();
        }
    }
}
