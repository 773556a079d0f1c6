//! Whether a report belongs to a resolved issue, and what that means: an older revision still runs,
//! or the issue regressed. Decided by ancestry in git.
use std::collections::HashSet;

use flawless_core::{CommitId, LineOrigin, Recurrence, fold_white_space};
use flawless_git::{GitError, Mirror, Standing, Tip, source_text};
use flawless_store::{Counted, Predecessor, Regression, Resolution, StoreError, exception_types};

use super::issue_facts::NewFacts;
use crate::app::App;
use crate::attribution::At;
use crate::show::regression::fixed_by;

/// Number of earlier issues of the same function that are checked, and that are compared with a new
/// one.
const MAX_EARLIER: i64 = 50;
const MAX_PREDECESSORS: usize = 8;

/// From this share of common letter pairs on, two lines are similar.
const ALIKE: f64 = 0.6;

/// What a report says about the fix of its issue. It holds for all reports with the same traceback
/// until the resolution of the issue changes.
#[derive(Debug, Clone, Default)]
pub struct RegressionCheck {
    /// Whether the revision that ran contains the fix; `None` when that cannot be known.
    pub contained: Option<bool>,
    /// It was considered fixed, but its line was there all the time.
    pub was_never: bool,
    /// The revision in which the line was found.
    pub seen_in: Option<CommitId>,
}

/// A resolved issue that regressed on another line.
#[derive(Debug, Clone)]
pub(super) struct RegressedIssue {
    /// The issue that was resolved.
    pub older: Predecessor,
    /// Why people are notified of it again.
    pub regression: Regression,
}

impl RegressionCheck {
    /// How the check applies to an issue that has just been counted, and why people are notified
    /// again if it regressed. It occurred `at` this time.
    pub(super) fn of(&self, counted: &Counted, at: i64) -> (Recurrence, Option<Regression>) {
        let Some(resolved_at) = counted.resolved_at.filter(|_| !self.was_never) else {
            return (Recurrence::Open, None);
        };
        let contained = self.contained.filter(|_| counted.resolved_by.is_some());
        // A report that waited while somebody resolved the issue says nothing about the fix.
        if !contained.unwrap_or(at >= resolved_at) {
            return (Recurrence::OlderRevision, None);
        }
        let regression = Regression {
            resolved_at,
            resolved_by: counted.resolved_by.clone(),
            resolution: counted.resolution.clone().unwrap_or(Resolution::ByHand),
            read: None,
            seen_in: self.seen_in.as_ref().map(ToString::to_string),
        };
        (Recurrence::Regressed, Some(regression))
    }
}

/// Checks a known issue.
pub(super) async fn known_issue(
    app: &App,
    at: &At,
    issue: i64,
    seen_in: Option<CommitId>,
) -> Result<RegressionCheck, StoreError> {
    let Some(resolved) = app.store.resolution(issue).await? else {
        return Ok(RegressionCheck { seen_in, ..RegressionCheck::default() });
    };
    let by = resolved.resolved_by.as_deref().and_then(CommitId::parse);
    let contained = match (&by, &seen_in) {
        (Some(by), Some(seen_in)) => Some(contains(&at.mirror, seen_in, by).await),
        _ => None,
    };
    let was_never =
        match by.filter(|_| resolved.resolution != Resolution::ByHand && contained == Some(true)) {
            Some(by) => stands_after(app, at, issue, &by).await?,
            None => false,
        };
    Ok(RegressionCheck { contained, was_never, seen_in })
}

/// Whether the line of an issue still exists in the commit that is said to have removed it: that
/// commit may have been added to the ignore list since, or more may be known of moves.
async fn stands_after(app: &App, at: &At, issue: i64, by: &CommitId) -> Result<bool, StoreError> {
    let Some(issue) = app.store.issue(issue).await? else { return Ok(false) };
    let facts = &issue.facts;
    let (Some(commit), Some(path), Some(line)) =
        (&facts.origin_commit, &facts.origin_path, facts.origin_line)
    else {
        return Ok(false);
    };
    let Some(origin) = line_origin(commit, path, line) else { return Ok(false) };
    // The fix introduced this line, which fails in the same way.
    if origin.commit == *by {
        return Ok(false);
    }
    let standing = at.mirror.standing(&at.tip, &origin, &facts.path, by).await;
    Ok(matches!(standing, Ok(Standing::Stands { .. })))
}

/// The resolved issue that regressed as a new one: the line was put back, or the change that
/// resolved it fails in the same way.
pub(super) async fn find_regressed(
    app: &App,
    at: &At,
    new: &NewFacts,
) -> Result<Option<RegressedIssue>, StoreError> {
    let facts = &new.facts;
    let origin = facts.origin_commit.as_deref().and_then(CommitId::parse);
    let (Some(origin), Some(seen_in)) = (origin, &new.revision) else { return Ok(None) };
    let (path, function) = (&facts.path, &facts.function_name);
    let older = app.store.predecessors(path, function, MAX_EARLIER).await?;
    let fails_alike = |older: &Predecessor| {
        exception_types(&older.exception_types).any(|name| name == facts.exception_type)
    };
    let older = older.into_iter().filter(fails_alike).take(MAX_PREDECESSORS);
    let alike: Vec<Predecessor> =
        older.filter(|older| reads_like(&older.text, &facts.text)).collect();
    if alike.is_empty() {
        return Ok(None);
    }
    // Most lines are still there next to the new one: their history need not be searched.
    let content = at.mirror.file(seen_in, path).await.ok().flatten().unwrap_or_default();
    let content = source_text(&content);
    let lines: HashSet<&str> = content.lines().map(str::trim).collect();
    for older in alike {
        let reads_the_same = fold_white_space(&older.text) == fold_white_space(&facts.text);
        if !reads_the_same && lines.contains(older.text.trim()) {
            continue;
        }
        let Some((by, how)) = resolved_before(at, &older, path, seen_in).await else { continue };
        let is_put_back = reads_the_same && contains(&at.mirror, &origin, &by).await;
        if is_put_back || by == origin {
            let regression = Regression {
                resolved_at: older.resolved_at.unwrap_or_else(|| app.clock.now()),
                resolved_by: Some(by.to_string()),
                resolution: older.resolution.clone().unwrap_or(how),
                read: (!is_put_back).then(|| older.text.clone()),
                seen_in: Some(seen_in.to_string()),
            };
            return Ok(Some(RegressedIssue { older, regression }));
        }
    }
    Ok(None)
}

/// Whether a line is an edited version of another one, and not one added next to it: most of its
/// content is the same.
fn reads_like(older: &str, newer: &str) -> bool {
    strsim::sorensen_dice(&fold_white_space(older), &fold_white_space(newer)) >= ALIKE
}

/// The commit that fixed an older issue for `seen_in`, and how that is known.
async fn resolved_before(
    at: &At,
    older: &Predecessor,
    path: &str,
    seen_in: &CommitId,
) -> Option<(CommitId, Resolution)> {
    let At { mirror, tip, .. } = at;
    if let Some(by) = older.resolved_by.as_deref().and_then(CommitId::parse) {
        let how = older.resolution.clone().unwrap_or(Resolution::ByHand);
        return contains(mirror, seen_in, &by).await.then_some((by, how));
    }
    let line = line_origin(&older.origin_commit, &older.origin_path, older.origin_line)?;
    match mirror.standing(tip, &line, path, seen_in).await {
        Ok(Standing::Gone { by: Some(by), .. }) => {
            let how = fixed_by(mirror, tip, &by).await;
            Some((by, how))
        }
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "the history of an older line could not be read");
            None
        }
    }
}

/// Whether `older` is in the history of `revision`; `false` when git does not know.
async fn contains(mirror: &Mirror, revision: &CommitId, older: &CommitId) -> bool {
    let found = mirror.repository().is_ancestor(older, revision).await;
    found
        .inspect_err(|error| tracing::warn!(%error, "the ancestry of a revision is not known"))
        .unwrap_or(false)
}

/// The line of an issue as git identifies it.
pub(super) fn line_origin(commit: &str, path: &str, line: i64) -> Option<LineOrigin> {
    let (commit, line) = (CommitId::parse(commit)?, u32::try_from(line).ok()?);
    Some(LineOrigin { commit, path: path.to_owned(), line })
}

/// The commit that changed a line, last seen at `path`, before `revision`, or `revision` itself
/// when that is not certain, and how that is known. `None` when the line is still there, or never
/// was.
pub(super) async fn gone_in(
    mirror: &Mirror,
    tip: &Tip,
    line: &LineOrigin,
    path: &str,
    revision: &CommitId,
) -> Result<Option<(CommitId, Resolution)>, GitError> {
    Ok(match mirror.standing(tip, line, path, revision).await? {
        Standing::Gone { by: Some(by), .. } => {
            let how = fixed_by(mirror, tip, &by).await;
            Some((by, how))
        }
        Standing::Gone { by: None, .. } => Some((revision.clone(), Resolution::Gone)),
        Standing::Stands { .. } | Standing::NeverThere => None,
    })
}

#[cfg(test)]
mod tests {
    use super::reads_like;

    #[test]
    fn edited_line_resembles_the_older_one_but_a_neighbour_does_not() {
        let older = "return sum(prices) / len(prices)";
        for edited in [
            "return sum(prices) / max(len(prices), 1)",
            "return sum(prices) / len(prices or [1])",
            "    average = sum(prices) / len(prices)",
        ] {
            assert!(reads_like(older, edited), "{edited}");
        }
        for other in ["rate = load_rate('eur')", "check(prices)", "raise ValueError(text)", ""] {
            assert!(!reads_like(older, other), "{other}");
        }
    }
}
