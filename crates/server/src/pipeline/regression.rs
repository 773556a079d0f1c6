//! Whether a report is of an issue that was mended, and what that means: an older revision still
//! runs, or it is back. Decided by ancestry in git.
use std::collections::HashSet;

use flawless_core::{CommitId, LineOrigin, Mended, fold_white_space};
use flawless_git::{GitError, Mirror, Standing, Tip, source_text};
use flawless_store::{Counted, Predecessor, StoreError, exception_types};

use super::issue_facts::NewFacts;
use crate::app::App;
use crate::attribution::At;
use crate::show::regression::{Again, words_of};

/// So many earlier issues of the same function are looked at, and so many compared with a new one.
const MAX_EARLIER: i64 = 50;
const MAX_PREDECESSORS: usize = 8;

/// From this share of common letter pairs on, two lines read alike.
const ALIKE: f64 = 0.6;

/// What a report says about the mending of its issue. It holds for all reports with the same
/// traceback, as long as the issue is mended as it is.
#[derive(Debug, Clone, Default)]
pub struct Mending {
    /// Whether the revision that ran contains what mended it; `None` when that cannot be known.
    pub contained: Option<bool>,
    /// It was taken for mended, and its line stood there all the time.
    pub was_never: bool,
    /// The revision in which the line was found.
    pub seen_in: Option<CommitId>,
}

/// A mended issue that has come back on a line of its own.
#[derive(Debug, Clone)]
pub(super) struct Back {
    /// The issue that was mended.
    pub older: Predecessor,
    /// Why it is told again.
    pub again: Again,
}

impl Mending {
    /// What it is to an issue that has just been counted, and why it is told again when it is.
    /// It occurred `at` this time.
    pub(super) fn of(&self, counted: &Counted, at: i64) -> (Mended, Option<Again>) {
        let Some(mended_at) = counted.mended_at.filter(|_| !self.was_never) else {
            return (Mended::No, None);
        };
        let contained = self.contained.filter(|_| counted.mended_by.is_some());
        // What waited while somebody said that it is mended says nothing about that.
        if !contained.unwrap_or(at >= mended_at) {
            return (Mended::Later, None);
        }
        let again = Again {
            mended_at,
            mended_by: counted.mended_by.clone(),
            mended_how: counted.mended_how.clone().unwrap_or_default(),
            read: None,
            seen_in: self.seen_in.as_ref().map(ToString::to_string),
        };
        (Mended::Again, Some(again))
    }
}

/// Looks at an issue that is known.
pub(super) async fn known_issue(
    app: &App,
    at: &At,
    issue: i64,
    seen_in: Option<CommitId>,
) -> Result<Mending, StoreError> {
    let Some(mended) = app.store.mended(issue).await? else {
        return Ok(Mending { seen_in, ..Mending::default() });
    };
    let by = mended.mended_by.as_deref().and_then(CommitId::parse);
    let contained = match (&by, &seen_in) {
        (Some(by), Some(seen_in)) => Some(contains(&at.mirror, seen_in, by).await),
        _ => None,
    };
    let was_never = match by.filter(|_| mended.mended_found && contained == Some(true)) {
        Some(by) => stands_after(app, at, issue, &by).await?,
        None => false,
    };
    Ok(Mending { contained, was_never, seen_in })
}

/// Whether the line of an issue stands in the commit that is said to have taken it away: since then
/// it was listed as one to pass over, or more is known of moves.
async fn stands_after(app: &App, at: &At, issue: i64, by: &CommitId) -> Result<bool, StoreError> {
    let Some(issue) = app.store.issue(issue).await? else { return Ok(false) };
    let facts = &issue.facts;
    let (Some(commit), Some(path), Some(line)) =
        (&facts.origin_commit, &facts.origin_path, facts.origin_line)
    else {
        return Ok(false);
    };
    let Some(origin) = line_origin(commit, path, line) else { return Ok(false) };
    let standing = at.mirror.standing(&at.tip, &origin, &facts.path, by).await;
    Ok(matches!(standing, Ok(Standing::Stands { .. })))
}

/// The mended issue that a new one is: the line was put back, or the change that mended it fails
/// in the same way.
pub(super) async fn come_back(
    app: &App,
    at: &At,
    new: &NewFacts,
) -> Result<Option<Back>, StoreError> {
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
    // Most lines still stand beside the new one: that costs no question about their history.
    let content = at.mirror.file(seen_in, path).await.ok().flatten().unwrap_or_default();
    let content = source_text(&content);
    let lines: HashSet<&str> = content.lines().map(str::trim).collect();
    for older in alike {
        let reads_the_same = fold_white_space(&older.text) == fold_white_space(&facts.text);
        if !reads_the_same && lines.contains(older.text.trim()) {
            continue;
        }
        let Some((by, how)) = mended_before(at, &older, path, seen_in).await else { continue };
        let is_put_back = reads_the_same && contains(&at.mirror, &origin, &by).await;
        if is_put_back || by == origin {
            let again = Again {
                mended_at: older.mended_at.unwrap_or_else(|| app.clock.now()),
                mended_by: Some(by.to_string()),
                mended_how: older.mended_how.clone().unwrap_or(how),
                read: (!is_put_back).then(|| older.text.clone()),
                seen_in: Some(seen_in.to_string()),
            };
            return Ok(Some(Back { older, again }));
        }
    }
    Ok(None)
}

/// Whether a line is another one edited, and not one written beside it: most of what it consists
/// of is the same.
fn reads_like(older: &str, newer: &str) -> bool {
    strsim::sorensen_dice(&fold_white_space(older), &fold_white_space(newer)) >= ALIKE
}

/// The commit that mended an older issue for `seen_in`, and how that is known.
async fn mended_before(
    at: &At,
    older: &Predecessor,
    path: &str,
    seen_in: &CommitId,
) -> Option<(CommitId, String)> {
    let At { mirror, tip, .. } = at;
    if let Some(by) = older.mended_by.as_deref().and_then(CommitId::parse) {
        let how = older.mended_how.clone().unwrap_or_default();
        return contains(mirror, seen_in, &by).await.then_some((by, how));
    }
    let line = line_origin(&older.origin_commit, &older.origin_path, older.origin_line)?;
    match mirror.standing(tip, &line, path, seen_in).await {
        Ok(Standing::Gone { by: Some(by), .. }) => {
            let how = words_of(mirror, tip, &by).await;
            Some((by, how))
        }
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "what became of an older line is not known");
            None
        }
    }
}

/// Whether `older` is in the history of `revision`; no when git does not know.
async fn contains(mirror: &Mirror, revision: &CommitId, older: &CommitId) -> bool {
    let found = mirror.repository().is_ancestor(older, revision).await;
    found
        .inspect_err(|error| tracing::warn!(%error, "whether a revision is mended is not known"))
        .unwrap_or(false)
}

/// The line of an issue as git names it.
pub(super) fn line_origin(commit: &str, path: &str, line: i64) -> Option<LineOrigin> {
    let (commit, line) = (CommitId::parse(commit)?, u32::try_from(line).ok()?);
    Some(LineOrigin { commit, path: path.to_owned(), line })
}

/// What became of a line in `revision`, last seen at `path`: the commit that changed it, or `revision` itself when
/// that is not certain, and how that is known. `None` when it stands there, or never did.
pub(super) async fn gone_in(
    mirror: &Mirror,
    tip: &Tip,
    line: &LineOrigin,
    path: &str,
    revision: &CommitId,
) -> Result<Option<(CommitId, String)>, GitError> {
    Ok(match mirror.standing(tip, line, path, revision).await? {
        Standing::Gone { by: Some(by), .. } => {
            let how = words_of(mirror, tip, &by).await;
            Some((by, how))
        }
        Standing::Gone { by: None, .. } => {
            let how = "the line is gone there; which commit did it is not certain".to_owned();
            Some((revision.clone(), how))
        }
        Standing::Stands { .. } | Standing::NeverThere => None,
    })
}

#[cfg(test)]
mod tests {
    use super::reads_like;

    #[test]
    fn an_edited_line_reads_like_the_older_one_and_a_line_beside_it_does_not() {
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
