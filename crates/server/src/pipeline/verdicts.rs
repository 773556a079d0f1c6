//! Verdicts about tracebacks seen before, so that a known line costs no look at the repository.
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use flawless_core::{ClassifiedFrame, CommitId, ExceptionAt, Fingerprint, OutcomeKind, RuleId};
use quick_cache::sync::Cache;

use super::regression::RegressionCheck;

/// What became of the last report with a certain traceback.
#[derive(Debug)]
pub struct CachedVerdict {
    /// The rules it was judged by.
    pub rules_revision: i64,
    /// Only right as long as this is the tip, or there is none: nobody could be blamed there.
    pub only_at_tip: Option<Option<String>>,
    /// What became of each of its faults.
    pub faults: Box<[CachedFault]>,
}

/// What became of a fault of a report.
#[derive(Debug)]
pub struct CachedFault {
    /// The exception of the report that carries it.
    pub exception: ExceptionAt,
    /// The rules that made it so, for counting how often they matter.
    pub rules: Box<[RuleId]>,
    /// What became of it.
    pub verdict: FaultVerdict,
}

/// What becomes of a fault.
#[derive(Debug)]
pub enum FaultVerdict {
    /// It is counted under an issue.
    Counted {
        /// The issue.
        issue_id: i64,
        /// The known error it is.
        known_error: Option<RuleId>,
        /// What its frames were to the choice.
        frames: Arc<[ClassifiedFrame]>,
        /// The blamed frame.
        blamed_frame: Option<usize>,
        /// What it says about the fix of its issue.
        regression_check: RegressionCheck,
        /// The revision that its reports name, and when it was noted that it runs.
        running: Option<(CommitId, AtomicI64)>,
        /// When its last sample was kept.
        sampled_at: AtomicI64,
    },
    /// A rule drops it.
    Dropped {
        /// Which kind of rule.
        outcome: OutcomeKind,
        /// Which rule.
        reason: String,
    },
}

/// A bounded memory of verdicts; a restart begins with an empty one.
#[derive(Debug)]
pub struct Verdicts(Cache<Fingerprint, Arc<CachedVerdict>>);

/// Tracebacks remembered: a few kilobytes each.
const CAPACITY: usize = 4096;

impl Default for Verdicts {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl Verdicts {
    /// The verdict about a traceback, when it still holds.
    pub fn get(
        &self,
        trace: &Fingerprint,
        rules_revision: i64,
        tip: Option<&str>,
    ) -> Option<Arc<CachedVerdict>> {
        let known = self.0.get(trace)?;
        let holds = known.rules_revision == rules_revision
            && known.only_at_tip.as_ref().is_none_or(|at| at.as_deref() == tip);
        holds.then_some(known)
    }

    /// Remembers a verdict.
    pub fn insert(&self, trace: Fingerprint, known: CachedVerdict) {
        self.0.insert(trace, Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use flawless_core::{Report, trace_fingerprint};

    use super::*;

    #[test]
    fn a_verdict_holds_for_its_rules_and_where_nobody_was_blamed_for_its_tip() {
        let verdicts = Verdicts::default();
        let trace = trace_fingerprint(&Report::default());
        let known =
            |only_at_tip| CachedVerdict { rules_revision: 7, only_at_tip, faults: Box::default() };
        verdicts.insert(trace, known(None));
        assert!(verdicts.get(&trace, 7, Some("a")).is_some());
        assert!(verdicts.get(&trace, 8, Some("a")).is_none());
        verdicts.insert(trace, known(Some(Some("a".into()))));
        assert!(verdicts.get(&trace, 7, Some("a")).is_some());
        assert!(verdicts.get(&trace, 7, Some("b")).is_none());
        verdicts.insert(trace, known(Some(None)));
        assert!(verdicts.get(&trace, 7, None).is_some());
        assert!(verdicts.get(&trace, 7, Some("a")).is_none());
    }
}
