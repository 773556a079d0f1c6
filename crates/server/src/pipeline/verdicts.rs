//! Cached verdicts on tracebacks seen before, so that a known line needs no access to the
//! repository.
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use flawless_core::{
    CommitId, ExceptionAt, Fingerprint, Frame, OutcomeKind, ResolvedFrame, RuleId,
};
use flawless_store::ProjectId;
use quick_cache::sync::Cache;

use super::regression::RegressionCheck;

/// The verdict on the last report with a certain traceback.
#[derive(Debug)]
pub struct CachedVerdict {
    /// The revision of the rules that it rests on.
    pub rules_revision: i64,
    /// Valid only while this is the tip (the inner `None`: no tip), because nobody could be blamed
    /// there.
    pub only_at_tip: Option<Option<String>>,
    /// The verdict on each of its faults.
    pub faults: Box<[CachedFault]>,
}

/// The verdict on one fault of a report.
#[derive(Debug)]
pub struct CachedFault {
    /// The exception of the report that carries it.
    pub exception: ExceptionAt,
    /// The rules behind the verdict, to count how often they matter.
    pub rules: Box<[RuleId]>,
    /// What is done with the fault.
    pub verdict: FaultVerdict,
}

/// What is done with a fault.
#[derive(Debug)]
pub enum FaultVerdict {
    /// It is counted under an issue.
    Counted {
        /// The number of the issue.
        issue_id: i64,
        /// The known error that it matches.
        known_error: Option<RuleId>,
        /// Its frames, resolved.
        frames: Arc<[ResolvedFrame]>,
        /// What the server read of its frames itself, without locals, by their indexes.
        read: Box<[(usize, Frame)]>,
        /// The blamed frame.
        blamed_frame: Option<usize>,
        /// What it says about the fix of its issue.
        regression_check: RegressionCheck,
        /// The revision that its reports name, and when it was last noted as running.
        running: Option<(CommitId, AtomicI64)>,
        /// When its last sample was kept.
        sampled_at: AtomicI64,
    },
    /// A rule drops it.
    Dropped {
        /// The kind of rule.
        outcome: OutcomeKind,
        /// Names the rule.
        reason: String,
    },
}

/// A bounded cache of verdicts; it is empty after a restart.
#[derive(Debug)]
pub struct Verdicts(Cache<(ProjectId, Fingerprint), Arc<CachedVerdict>>);

/// Number of cached tracebacks, a few kilobytes each.
const CAPACITY: usize = 4096;

impl Default for Verdicts {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Verdicts {
    /// The verdict on a traceback of a project, if it still holds.
    pub fn get(
        &self,
        project: ProjectId,
        trace: &Fingerprint,
        rules_revision: i64,
        tip: Option<&str>,
    ) -> Option<Arc<CachedVerdict>> {
        let known = self.0.get(&(project, *trace))?;
        let holds = known.rules_revision == rules_revision
            && known.only_at_tip.as_ref().is_none_or(|at| at.as_deref() == tip);
        holds.then_some(known)
    }

    /// Caches a verdict.
    pub fn insert(&self, project: ProjectId, trace: Fingerprint, known: CachedVerdict) {
        self.0.insert((project, trace), Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use flawless_core::{Report, trace_fingerprint};

    use super::*;

    #[test]
    fn verdict_holds_for_its_rules_and_unblamed_for_its_tip() {
        let verdicts = Verdicts::default();
        let trace = trace_fingerprint(&Report::default());
        let known =
            |only_at_tip| CachedVerdict { rules_revision: 7, only_at_tip, faults: Box::default() };
        verdicts.insert(1, trace, known(None));
        assert!(verdicts.get(1, &trace, 7, Some("a")).is_some());
        assert!(verdicts.get(1, &trace, 8, Some("a")).is_none());
        assert!(verdicts.get(2, &trace, 7, Some("a")).is_none(), "another project");
        verdicts.insert(1, trace, known(Some(Some("a".into()))));
        assert!(verdicts.get(1, &trace, 7, Some("a")).is_some());
        assert!(verdicts.get(1, &trace, 7, Some("b")).is_none());
        verdicts.insert(1, trace, known(Some(None)));
        assert!(verdicts.get(1, &trace, 7, None).is_some());
        assert!(verdicts.get(1, &trace, 7, Some("a")).is_none());
    }
}
