//! What is asked of a mirror: who wrote a line, and what became of it.
use flawless_core::{Blame, CommitId, LineOrigin};

use crate::error::GitError;
use crate::locate::{Located, LocatedLine, NotBlamed, ReportedLine, Revision, locate};
use crate::mirror::Mirror;
use crate::standing::{Standing, standing};
use crate::tip::Tip;
use crate::tracer::WhiteSpace;

impl Mirror {
    /// Only the origin of line `line` (from 1) of `path` at `commit`: the answer of `git blame`
    /// with these options and the ignore list of `tip`.
    ///
    /// # Errors
    /// The line does not exist, or git cannot be run.
    pub async fn trace(
        &self,
        tip: &Tip,
        commit: &CommitId,
        path: &str,
        line: u32,
        white_space: WhiteSpace,
    ) -> Result<LineOrigin, GitError> {
        let traced = tip.blamer.tracer.trace(commit, path, line, white_space).await?;
        Ok(traced.origin.clone())
    }

    /// Blames line `line` (from 1) of `path` as it is at `commit`.
    ///
    /// # Errors
    /// The line does not exist, or git cannot be run.
    pub async fn blame(
        &self,
        tip: &Tip,
        commit: &CommitId,
        path: &str,
        line: u32,
    ) -> Result<Blame, GitError> {
        let listing = self.listing(commit).await?;
        if let Some((part, commit, path)) = listing.submodule_of(path)
            && let Some(tip) = part.tip()
        {
            return tip.blamer.blame(commit, path, line).await;
        }
        tip.blamer.blame(commit, path, line).await
    }

    /// Whether the line that was born at `origin` and last seen at `path` still exists in
    /// `revision`, or which commit changed it. For a line of a submodule the commit is not named.
    ///
    /// # Errors
    /// A commit is missing, or git cannot be run.
    pub async fn standing(
        &self,
        tip: &Tip,
        origin: &LineOrigin,
        path: &str,
        revision: &CommitId,
    ) -> Result<Standing, GitError> {
        let listing = self.listing(revision).await?;
        let Some((part, commit, _)) = listing.submodule_of(path) else {
            return standing(&tip.blamer, origin, revision).await;
        };
        let Some(tip) = part.tip() else { return Ok(Standing::NeverThere) };
        Ok(match standing(&tip.blamer, origin, commit).await? {
            Standing::Gone { last, .. } => Standing::Gone { by: None, last },
            Standing::Stands { path: inner, line } => {
                let folder = path.strip_suffix(inner.as_str()).unwrap_or_default();
                Standing::Stands { path: format!("{folder}{inner}"), line }
            }
            Standing::NeverThere => Standing::NeverThere,
        })
    }

    /// Blames a line whose text agrees with the report, from `revision` on. `tip` provides the
    /// ignore list and the mailmap, `others` are the report's other frames in the repository, for a
    /// revision that has to be guessed.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than a minute.
    pub async fn locate(
        &self,
        tip: &Tip,
        revision: &Revision,
        reported: ReportedLine<'_>,
        others: &[ReportedLine<'_>],
    ) -> Result<Located, GitError> {
        let listing = self.listing(revision.commit()).await?;
        if let Some((part, commit, path)) = listing.submodule_of(reported.path) {
            let Some(tip) = part.tip() else {
                return Ok(Located::NotBlamed(NotBlamed::NoSubmodule));
            };
            // The revision of the submodule is as certain as the one that names it.
            let inner = revision.with(commit.clone());
            let found = locate(&tip.blamer, &inner, ReportedLine { path, ..reported }, &[]).await?;
            let path = reported.path.to_owned();
            // Later searches for the line start here.
            let revision = revision.commit().clone();
            return Ok(match found {
                Located::Line(line) => {
                    Located::Line(Box::new(LocatedLine { revision, path, ..*line }))
                }
                not_blamed @ Located::NotBlamed(_) => not_blamed,
            });
        }
        locate(&tip.blamer, revision, reported, others).await
    }
}
