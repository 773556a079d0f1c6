//! Decides about an issue that has just been counted, in the transaction that counted it.
use flawless_core::{Decision, KnownError, Mended, Tally, TellPolicy, decide};
use flawless_store::{Counted, StoreError, WriteTx};

use super::regression::Mending;
use crate::app::App;
use crate::show::regression::Again;

/// What a report brings to the decision.
pub(super) struct Occurred<'a> {
    /// What the count has grown by.
    pub added: i64,
    /// When it occurred last.
    pub at: i64,
    /// From how many occurrences on it is told.
    pub threshold: i64,
    /// The known error it is.
    pub known: Option<&'a KnownError>,
    /// What it says about the mending of its issue.
    pub mending: &'a Mending,
    /// The issue was mended and has come back on another line.
    pub back: Option<Again>,
}

/// Asks `core` whether to tell; when it says so, marks the issue as told and leaves an alert.
/// Says whether there is something to tell.
pub(super) async fn tell(
    tx: &mut WriteTx,
    app: &App,
    counted: &Counted,
    occurred: Occurred<'_>,
) -> Result<bool, StoreError> {
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    let now = app.clock.now();
    let Occurred { added, at, threshold, known, mending, back } = occurred;
    let (mended, again) = match back {
        Some(again) => (Mended::Again, Some(again)),
        None => mending.of(counted, at),
    };
    let tally = Tally {
        decided: whole(counted.occurrences - added),
        now: whole(counted.occurrences),
        told: counted.told_at.is_some(),
        first_seen_at: counted.first_seen_at,
        mended,
        muted: counted.muted_until.is_some_and(|until| until > now),
        kept_out: counted.kept_out,
    };
    let policy = TellPolicy {
        minimum_date: app.config.minimum_date,
        threshold: whole(threshold),
        baseline_until: app.baseline_until,
    };
    match decide(tally, counted.authored_at, known, policy) {
        Decision::Quiet(_) => Ok(false),
        Decision::Tell(reason) => {
            let again = again.and_then(|again| serde_json::to_string(&again).ok());
            tx.tell(counted.id, counted.occurrences, &reason, again.as_deref(), now).await?;
            if counted.mended_at.is_some() {
                tx.clear_mended(counted.id).await?;
            }
            Ok(true)
        }
    }
}
