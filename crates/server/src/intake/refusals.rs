//! Counts refused reports until the store knows of them, so that none is forgotten on a full disk,
//! or in a flood that keeps the recorder busy.
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flawless_store::ProjectId;

/// Refused reports, by project and reason. Reasons come from a closed set, so this stays small.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<ByReason>);

/// Refused reports, by project and reason.
pub type ByReason = BTreeMap<(ProjectId, &'static str), Refused>;

/// Reports that were refused for one reason.
#[derive(Debug, Clone)]
pub struct Refused {
    /// How many.
    pub reports: i64,
    /// The last one.
    pub last_at: i64,
    /// A short description of the last one.
    pub example: String,
}

impl Refusals {
    pub(crate) fn add(&self, project: ProjectId, reason: &'static str, refused: Refused) {
        add(&mut self.lock(), (project, reason), refused);
    }

    /// All of a project that the store does not know yet, by reason.
    pub fn of(&self, project: ProjectId) -> BTreeMap<&'static str, Refused> {
        let all = self.lock();
        let of_project = all.iter().filter(|((of, _), _)| *of == project);
        of_project.map(|((_, reason), refused)| (*reason, refused.clone())).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes everything out, to write it to the store.
    pub(crate) fn take(&self) -> ByReason {
        std::mem::take(&mut self.lock())
    }

    /// Puts back what could not be written.
    pub(crate) fn put_back(&self, unwritten: ByReason) {
        let newer = std::mem::replace(&mut *self.lock(), unwritten);
        for ((project, reason), refused) in newer {
            self.add(project, reason, refused);
        }
    }

    fn lock(&self) -> MutexGuard<'_, ByReason> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(all: &mut ByReason, reason: (ProjectId, &'static str), refused: Refused) {
    let known = all.entry(reason).or_insert_with(|| Refused { reports: 0, ..refused.clone() });
    *known = Refused { reports: known.reports.saturating_add(refused.reports), ..refused };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwritten_refusals_are_added_to_those_that_came_meanwhile() {
        let refusals = Refusals::default();
        let refused = |reports, last_at| Refused { reports, last_at, example: last_at.to_string() };
        refusals.add(1, "wrong key", refused(2, 10));
        refusals.add(1, "too slow", refused(1, 11));
        refusals.add(2, "too slow", refused(1, 11));
        let taken = refusals.take();
        assert!(refusals.is_empty());
        refusals.add(1, "wrong key", refused(3, 12));
        refusals.put_back(taken);
        let all = refusals.of(1);
        let shown = all.iter().map(|(why, it)| (*why, it.reports, it.last_at, it.example.as_str()));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [("too slow", 1, 11, "11"), ("wrong key", 5, 12, "12")]
        );
    }
}
