//! Groups the reports of a batch that are certain to get the same verdict.
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flawless_core::{ExceptionAt, Fingerprint, NotifiedEnvironments, Report, trace_fingerprint};
use flawless_store::{Facet, ProjectId};
use tokio::sync::oneshot;

use super::module_sets::NamedModules;
use super::sent_before::{SentBefore, hash_of};
use crate::intake::{Incoming, NotKept};
use crate::listen::memory::Held;
use crate::project::redaction::Redaction;

/// What reports of a batch with the same verdict have in common.
pub(super) type Key = (ProjectId, Fingerprint, Option<u64>);

/// Senders that wait for the reports of each group, and the memory that these take.
pub(super) type Waiting = HashMap<Key, Vec<(oneshot::Sender<Result<(), NotKept>>, Held)>>;

/// Reports of a batch that are certain to get the same verdict.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) trace: Fingerprint,
    pub(super) newest: Box<Report>,
    /// The secrets of `newest` are removed already.
    is_clean: bool,
    pub(super) occurrences: i64,
    pub(super) reports: i64,
    /// Hosts and environments with their shares of the occurrences. Everything else that is counted
    /// separately is the same.
    places: Vec<(String, String, i64)>,
    /// The sender whose quota is charged.
    pub(super) source: Arc<str>,
    /// Occurrences that clients dropped, and the host of one of these clients.
    pub(super) lost: Option<(i64, String)>,
    /// Hashes of the report ids.
    pub(super) ids: Vec<u64>,
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

    /// The occurrences in environments of which nobody is notified.
    pub(super) fn only_listed(&self, notified: &NotifiedEnvironments) -> i64 {
        let others = self.places.iter().filter(|(_, place, _)| !notified.is_notified(place));
        others.fold(0, |sum, (_, _, occurrences)| sum.saturating_add(*occurrences))
    }

    /// Removes the secrets from the newest report.
    pub(super) fn clean(&mut self, redaction: &Redaction) {
        if !std::mem::replace(&mut self.is_clean, true) {
            redaction.redact(&mut self.newest);
        }
    }

    /// The newest report, or an exception that it carries.
    pub(super) fn about(&self, exception: ExceptionAt) -> Cow<'_, Report> {
        match exception {
            None => Cow::Borrowed(&*self.newest),
            Some(at) => Cow::Owned(self.newest.carried(at)),
        }
    }

    /// What is counted separately for an exception of the report, without secrets.
    pub(super) fn facets(
        &self,
        exception: ExceptionAt,
        redaction: &Redaction,
        at: i64,
    ) -> Vec<Facet> {
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

/// What is counted separately for a report without secrets.
pub(super) fn facet_of(report: &Report, occurrences: i64, at: i64) -> Facet {
    let Report { exception_type, hostname, environment, .. } = report;
    let revision = report.revision.as_deref().unwrap_or_default();
    Facet::new([exception_type, hostname, environment, revision], occurrences, at)
}

pub(super) type Groups = HashMap<Key, Group>;

/// What is recorded in one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) projects: BTreeMap<ProjectId, ProjectBatch>,
    pub(super) waiting: Waiting,
}

/// The part of a batch that belongs to one project.
#[derive(Debug, Default)]
pub(super) struct ProjectBatch {
    pub(super) groups: Groups,
    pub(super) modules: NamedModules,
}

impl Batch {
    /// Groups reports and notes which modules they name. A report that was recorded before is
    /// answered immediately; one that occurs twice counts once, and the second shares the answer of
    /// the first.
    pub(super) fn of(reports: Vec<Incoming>, sent_before: &SentBefore) -> Self {
        let Self { mut projects, mut waiting } = Self::default();
        let mut keys_of_ids: HashMap<u64, Key> = HashMap::new();
        for Incoming { mut report, is_clean, sender, lost, done, held } in reports {
            let id = report.id.take().map(|id| hash_of(&sender.source, &id));
            if id.is_some_and(|id| sent_before.contains(id)) {
                // A sender that went away does not wait for its answer.
                let _ = done.send(Ok(()));
                continue;
            }
            if let Some(first) = id.and_then(|id| keys_of_ids.get(&id)) {
                waiting.entry(*first).or_default().push((done, held));
                continue;
            }
            let key = (sender.project, trace_fingerprint(&report), report.error_threshold);
            keys_of_ids.extend(id.map(|id| (id, key)));
            waiting.entry(key).or_default().push((done, held));
            let ProjectBatch { groups, modules } = projects.entry(sender.project).or_default();
            modules.take_from(&mut report, is_clean, &sender.source);
            let occurrences = i64::try_from(report.error_count).unwrap_or(i64::MAX);
            let dropped = (lost > 0).then(|| {
                let lost = i64::try_from(lost).unwrap_or(i64::MAX);
                (lost, report.hostname.chars().take(300).collect())
            });
            match groups.entry(key) {
                Entry::Occupied(mut group) => {
                    let group = group.get_mut();
                    group.occurrences = group.occurrences.saturating_add(occurrences);
                    group.reports += 1;
                    group.lost = with_lost(group.lost.take(), dropped);
                    group.ids.extend(id);
                    group.add_place(&report, occurrences);
                    (group.newest, group.is_clean) = (report, is_clean);
                }
                Entry::Vacant(place) => {
                    let here = (report.hostname.clone(), report.environment.clone(), occurrences);
                    place.insert(Group {
                        trace: key.1,
                        newest: report,
                        is_clean,
                        occurrences,
                        reports: 1,
                        places: vec![here],
                        source: sender.source,
                        lost: dropped,
                        ids: id.into_iter().collect(),
                    });
                }
            }
        }
        Self { projects, waiting }
    }
}

/// Adds both, with the newer host.
fn with_lost(before: Option<(i64, String)>, newer: Option<(i64, String)>) -> Option<(i64, String)> {
    match (before, newer) {
        (Some((before, _)), Some((newer, host))) => Some((before.saturating_add(newer), host)),
        (before, newer) => newer.or(before),
    }
}
