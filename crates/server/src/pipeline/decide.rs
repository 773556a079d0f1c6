//! Decides about an issue that has just been counted, in the transaction that counted it.
use flawless_core::{AlertPolicy, Decision, KnownError, Recurrence, Tally, decide};
use flawless_store::{Counted, Regression, StoreError, WriteTx};

use super::regression::RegressionCheck;
use crate::app::App;

/// What a report contributes to the decision.
pub(super) struct Occurred<'a> {
    /// Occurrences that were added to the count.
    pub added: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Time of the latest occurrence.
    pub at: i64,
    /// Occurrences from which on the owner is notified.
    pub threshold: i64,
    /// The known error that it matches.
    pub known: Option<&'a KnownError>,
    /// What it says about the fix of its issue.
    pub regression_check: &'a RegressionCheck,
    /// The issue was resolved and regressed on another line.
    pub regressed: Option<Regression>,
}

/// Asks `core` whether to notify; if so, marks the issue as notified and stores an alert. Returns
/// whether it did.
pub(super) async fn decide_alert(
    tx: &mut WriteTx,
    app: &App,
    counted: &Counted,
    occurred: Occurred<'_>,
) -> Result<bool, StoreError> {
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    let now = app.clock.now();
    let Occurred { added, only_listed, at, threshold, known, regression_check, regressed } =
        occurred;
    let (recurrence, regression) = match regressed {
        Some(regression) => (Recurrence::Regressed, Some(regression)),
        None => regression_check.of(counted, at),
    };
    let notifiable = counted.occurrences - counted.only_listed;
    let tally = Tally {
        decided: whole(notifiable - (added - only_listed)),
        now: whole(notifiable),
        only_listed: added > 0 && only_listed == added,
        notified: counted.notified_at.is_some(),
        first_seen_at: counted.first_seen_at,
        recurrence,
        muted: counted.muted_until.is_some_and(|until| until > now),
        kept_out: counted.kept_out,
    };
    let policy = AlertPolicy {
        minimum_date: app.config.minimum_date,
        threshold: whole(threshold),
        baseline_until: app.baseline_until,
    };
    match decide(tally, counted.authored_at, known, policy) {
        Decision::Quiet(_) => Ok(false),
        Decision::Notify(reason) => {
            tx.notify(counted.id, counted.occurrences, &reason, regression.as_ref(), now).await?;
            if counted.resolved_at.is_some() {
                tx.clear_resolved(counted.id).await?;
            }
            Ok(true)
        }
    }
}
