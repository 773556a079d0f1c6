//! Decides about an issue that has just been counted, in the transaction that counted it.
use flawless_core::{Decision, KnownError, Tally, TellPolicy, decide};

use crate::config::Config;
use crate::store::{Counted, StoreError, WriteTx};

/// Asks `core` whether to tell; when it says so, marks the issue as told and leaves an alert.
/// `added` is what the count has grown by. Says whether there is something to tell.
pub(super) async fn tell(
    tx: &mut WriteTx,
    config: &Config,
    counted: Counted,
    added: i64,
    threshold: i64,
    known: Option<&KnownError>,
    now: i64,
) -> Result<bool, StoreError> {
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    let tally = Tally {
        decided: whole(counted.occurrences - added),
        now: whole(counted.occurrences),
        told: counted.told_at.is_some(),
    };
    let policy = TellPolicy { minimum_date: config.minimum_date, threshold: whole(threshold) };
    match decide(tally, counted.authored_at, known, policy) {
        Decision::Quiet(_) => Ok(false),
        Decision::Tell(reason) => {
            tx.tell(counted.id, counted.occurrences, &reason, now).await?;
            Ok(true)
        }
    }
}
