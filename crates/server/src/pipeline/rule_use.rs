//! Counts how often each rule matters: the rules that a verdict rests on.
use flawless_core::{FrameKind, ResolvedFrame, RuleId};
use flawless_store::{RuleHits, StoreError, TakenPending, WriteTx};

/// The rules behind the verdict on a counted report: the known error that it matches, and the
/// library code behind the blamed line.
pub(super) fn rules_used(
    frames: &[ResolvedFrame],
    blamed: Option<usize>,
    known_error: Option<RuleId>,
) -> Box<[RuleId]> {
    let behind = frames.iter().skip(blamed.map_or(0, |blamed| blamed + 1));
    let library = behind.filter_map(|frame| match frame.kind {
        FrameKind::LibraryCode(id) => Some(id),
        _ => None,
    });
    let mut used: Vec<RuleId> = known_error.into_iter().chain(library).collect();
    used.sort_unstable();
    used.dedup();
    used.into()
}

/// Counts the uses of rules that decided about reports that waited.
pub(super) async fn count_rules(
    tx: &mut WriteTx,
    used: &[RuleId],
    taken: &TakenPending,
    now: i64,
) -> Result<(), StoreError> {
    let mut hits = RuleHits::default();
    hits.add(used, taken.reports, taken.occurrences);
    tx.count_rule_hits(&hits, now).await
}
