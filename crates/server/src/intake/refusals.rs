//! Counts what arrived and is not kept until the store knows of it: refused reports, traffic that is
//! not about errors, and what clients lost. None of it is forgotten on a full disk, or in a flood
//! that keeps the recorder busy.
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flawless_core::OutcomeKind;
use flawless_store::ProjectId;

/// What the store does not know yet.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Uncounted>);

/// What is to be counted.
#[derive(Debug, Default)]
pub struct Uncounted {
    /// What was not kept. Reasons come from a closed set, so this stays small.
    pub unkept: ByReason,
    /// What clients lost, by project.
    pub lost: BTreeMap<ProjectId, Lost>,
}

/// What was not kept, by project, kind and reason.
pub type ByReason = BTreeMap<(ProjectId, OutcomeKind, &'static str), Refused>;

/// Reports that were not kept for one reason.
#[derive(Debug, Clone)]
pub struct Refused {
    /// How many.
    pub reports: i64,
    /// The last one.
    pub last_at: i64,
    /// A short description of the last one.
    pub example: String,
}

/// Errors that clients lost.
#[derive(Debug, Clone)]
pub struct Lost {
    /// How many.
    pub errors: i64,
    /// When a client last told of some.
    pub last_at: i64,
    /// That client.
    pub example: String,
}

impl Uncounted {
    /// Whether there is nothing to count.
    pub fn is_empty(&self) -> bool {
        self.unkept.is_empty() && self.lost.is_empty()
    }

    /// The projects that it belongs to.
    pub fn projects(&self) -> impl Iterator<Item = ProjectId> {
        self.unkept.keys().map(|(project, ..)| *project).chain(self.lost.keys().copied())
    }

    fn add(&mut self, of: (ProjectId, OutcomeKind, &'static str), refused: Refused) {
        let known =
            self.unkept.entry(of).or_insert_with(|| Refused { reports: 0, ..refused.clone() });
        *known = Refused { reports: known.reports.saturating_add(refused.reports), ..refused };
    }

    fn add_lost(&mut self, project: ProjectId, lost: Lost) {
        let known = self.lost.entry(project).or_insert_with(|| Lost { errors: 0, ..lost.clone() });
        *known = Lost { errors: known.errors.saturating_add(lost.errors), ..lost };
    }
}

impl Refusals {
    pub(crate) fn add(
        &self,
        project: ProjectId,
        kind: OutcomeKind,
        reason: &'static str,
        refused: Refused,
    ) {
        self.lock().add((project, kind, reason), refused);
    }

    pub(crate) fn add_lost(&self, project: ProjectId, lost: Lost) {
        self.lock().add_lost(project, lost);
    }

    /// What was not kept of a project that the store does not know yet, by kind and reason.
    pub fn of(&self, project: ProjectId) -> BTreeMap<(OutcomeKind, &'static str), Refused> {
        let all = self.lock();
        let of_project = all.unkept.iter().filter(|((of, ..), _)| *of == project);
        of_project.map(|((_, kind, reason), refused)| ((*kind, *reason), refused.clone())).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes everything out, to write it to the store.
    pub(crate) fn take(&self) -> Uncounted {
        std::mem::take(&mut self.lock())
    }

    /// Puts back what could not be written.
    pub(crate) fn put_back(&self, unwritten: Uncounted) {
        let mut all = self.lock();
        let newer = std::mem::replace(&mut *all, unwritten);
        newer.unkept.into_iter().for_each(|(of, refused)| all.add(of, refused));
        newer.lost.into_iter().for_each(|(project, lost)| all.add_lost(project, lost));
    }

    fn lock(&self) -> MutexGuard<'_, Uncounted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_is_added_to_what_came_meanwhile() {
        let refusals = Refusals::default();
        let refused = |reports, last_at| Refused { reports, last_at, example: last_at.to_string() };
        let lost = |errors, last_at| Lost { errors, last_at, example: last_at.to_string() };
        let kind = OutcomeKind::Refused;
        refusals.add(1, kind, "wrong key", refused(2, 10));
        refusals.add(1, kind, "too slow", refused(1, 11));
        refusals.add(2, kind, "too slow", refused(1, 11));
        refusals.add_lost(2, lost(3, 11));
        let taken = refusals.take();
        assert!(refusals.is_empty());
        refusals.add(1, kind, "wrong key", refused(3, 12));
        refusals.add_lost(2, lost(4, 12));
        refusals.put_back(taken);
        let all = refusals.of(1);
        let shown = all.iter().map(|((_, why), it)| (*why, it.reports, it.last_at, &*it.example));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [("too slow", 1, 11, "11"), ("wrong key", 5, 12, "12")]
        );
        let lost = &refusals.take().lost[&2];
        assert_eq!((lost.errors, lost.last_at, &*lost.example), (7, 12, "12"));
    }
}
