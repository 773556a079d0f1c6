//! Makes reports durable, many in one transaction, and only then answers their senders.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_core::OutcomeKind;
use flawless_store::{DEFAULT_PROJECT, ProjectId, Store, StoreError, WriteTx};

use super::batch_plan::BatchPlan;
use super::batch_writer::{self, ProjectPlan};
use super::groups::{Batch, Key, ProjectBatch};
use super::module_sets::ModuleSets;
use super::sent_before::SentBefore;
use super::verdicts::Verdicts;
use crate::app::projects::Projects;
use crate::intake::refusals::{Lost, Refused, Uncounted};
use crate::intake::{IntakeReceiver, NotKept};

/// Reports in one transaction: enough that the commit is a small part of the work.
const MAX_BATCH: usize = 512;
/// Bytes of reports in one transaction, so that the senders of the next one do not wait long.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// Time before reports that could not be stored are tried again, when no others arrive.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Minimum time between two log lines while nothing can be stored.
const SAY_AGAIN_MS: i64 = 60_000;

/// Records reports, and remembers their ids so that none counts twice.
#[derive(Debug)]
pub struct Recorder {
    sent_before: SentBefore,
    modules: ModuleSets,
}

impl Recorder {
    /// Starts with the reports that were recorded before.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { sent_before: SentBefore::read(store).await?, modules: ModuleSets::default() })
    }

    /// Records reports until the process ends.
    pub async fn run(
        mut self,
        projects: Arc<Projects>,
        clock: Clock,
        verdicts: Arc<Verdicts>,
        incoming: IntakeReceiver,
    ) {
        let mut trouble = Trouble::default();
        loop {
            match trouble.since {
                None => incoming.wait().await,
                // Refused reports wait to be counted, and no other report may arrive to wake the
                // recorder.
                Some(_) => drop(tokio::time::timeout(TRY_AGAIN, incoming.wait()).await),
            }
            if projects.store().is_shared()
                && let Err(error) = self.sent_before.catch_up(projects.store()).await
            {
                tracing::debug!(%error, "ids that other servers recorded could not be read");
            }
            let batch = Batch::of(incoming.take(MAX_BATCH, MAX_BATCH_BYTES), &self.sent_before);
            let Batch { projects: batches, waiting } = batch;
            let refused = incoming.refusals().take();
            let now = clock.now();
            let recorded = self.record(&projects, &verdicts, batches, &refused, now).await;
            let unkept = match recorded {
                Ok(unkept) => {
                    trouble.is_over();
                    for (key, why) in &unkept {
                        let reports = waiting.get(key).map_or(0, Vec::len) as i64;
                        let example = "they wait for attribution".to_owned();
                        let refused = Refused { reports, last_at: now, example };
                        incoming.refusals().add(key.0, OutcomeKind::Refused, why, refused);
                    }
                    unkept.into_keys().collect()
                }
                Err(error) => {
                    incoming.refusals().put_back(refused);
                    let reports = waiting.values().map(Vec::len).sum::<usize>() as i64;
                    for ((project, ..), waiting) in &waiting {
                        let reports = waiting.len() as i64;
                        let refused = Refused { reports, last_at: now, example: error.to_string() };
                        let kind = OutcomeKind::Refused;
                        incoming.refusals().add(*project, kind, "could not be stored", refused);
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

/// Stores what the recorder did not get to count.
pub async fn record_refusals(projects: &Projects, uncounted: &Uncounted) -> Result<(), StoreError> {
    let mut tx = projects.store().write().await?;
    let there = tx.enter_all(projects_of(uncounted).collect()).await?;
    add_uncounted(&mut tx, projects, uncounted, &there).await?;
    tx.commit().await
}

fn projects_of(uncounted: &Uncounted) -> impl Iterator<Item = ProjectId> {
    // The default project counts those of projects that are gone.
    uncounted.projects().chain((!uncounted.is_empty()).then_some(DEFAULT_PROJECT))
}

async fn add_uncounted(
    tx: &mut WriteTx,
    projects: &Projects,
    uncounted: &Uncounted,
    there: &BTreeSet<ProjectId>,
) -> Result<(), StoreError> {
    let counting = |project| if there.contains(project) { *project } else { DEFAULT_PROJECT };
    for ((project, kind, reason), Refused { reports, last_at, example }) in &uncounted.unkept {
        tx.enter(counting(project));
        tx.add_outcome(*kind, reason, *reports, *last_at, example).await?;
    }
    for (project, Lost { errors, last_at, example }) in &uncounted.lost {
        tx.enter(counting(project));
        let app = projects.get(*project).unwrap_or_else(|| projects.first());
        tx.add_loss(*errors, *last_at, &app.redaction.text(example)).await?;
    }
    Ok(())
}

/// Logs that nothing can be stored: at first, from time to time, and when it is over.
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

impl Recorder {
    /// Records what reports of some projects bring, and returns which groups were not kept, and
    /// why.
    async fn record(
        &mut self,
        projects: &Projects,
        verdicts: &Verdicts,
        batches: BTreeMap<ProjectId, ProjectBatch>,
        refused: &Uncounted,
        now: i64,
    ) -> Result<HashMap<Key, &'static str>, StoreError> {
        let mut unkept = HashMap::new();
        let mut plans = Vec::new();
        for (project, ProjectBatch { groups, modules }) in batches {
            let Some(app) = projects.get(project) else {
                unkept.extend(groups.into_keys().map(|key| (key, "project removed")));
                continue;
            };
            let rules = app.rules.get();
            let plan = BatchPlan::of(&app, verdicts, &rules, groups, now)?;
            plans.push(ProjectPlan { app, rules, plan, modules });
        }
        let mut tx = projects.store().write().await?;
        let of_plans = plans.iter().map(|plan| plan.app.project_id());
        let there = tx.enter_all(of_plans.chain(projects_of(refused)).collect()).await?;
        let is_there = |plan: &ProjectPlan| there.contains(&plan.app.project_id());
        let (plans, removed): (Vec<_>, Vec<_>) = plans.into_iter().partition(is_there);
        // Removed a moment ago: only their own reports are refused.
        let refused_keys = removed.into_iter().flat_map(|removed| removed.plan.writes);
        unkept.extend(refused_keys.map(|write| (write.key, "project removed")));
        let mut written = batch_writer::write(&mut tx, plans, &self.modules, now).await?;
        add_uncounted(&mut tx, projects, refused, &there).await?;
        let ids = std::mem::take(&mut written.ids);
        let ids = self.sent_before.write(&mut tx, ids, now).await?;
        tx.commit().await?;
        self.sent_before.take_over(ids);
        self.modules.take_over(std::mem::take(&mut written.module_sets));
        written.follow_up(now);
        unkept.extend(written.unkept);
        Ok(unkept)
    }
}
