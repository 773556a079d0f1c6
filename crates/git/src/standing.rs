//! Mended? Whether a line still stands in a later revision, or which commit changed it.
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin, fold_white_space};

use crate::blamer::Blamer;
use crate::blocking::blocking;
use crate::error::GitError;
use crate::git_blame::git_blame_reverse;
use crate::line_tracer::object_id;
use crate::source_text::{line_of, source_text};
use crate::tracer::{Place, WhiteSpace};

/// So many lines that read alike are traced back.
const MAX_ALIKE: usize = 8;
const TRACER_LIMIT: Duration = Duration::from_secs(2);

/// What became of a line in a later revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It stands there.
    Stands {
        /// The path of its file.
        path: String,
        /// Its number, from 1.
        line: u32,
    },
    /// It was changed or removed.
    Gone {
        /// The commit that did it; `None` when that is not certain.
        by: Option<CommitId>,
        /// Where it stood last.
        last: LineOrigin,
    },
    /// The revision's history does not have the commit that brought the line.
    NeverThere,
}

/// What became of the line that was born at `origin` in `revision`. A direct diff proves that it
/// stands; that it is gone is asked of git, which follows renames and rewrites step by step.
pub(crate) async fn standing(
    blamer: &Blamer,
    origin: &LineOrigin,
    revision: &CommitId,
) -> Result<Standing, GitError> {
    let repository = blamer.repository();
    if !repository.is_ancestor(&origin.commit, revision).await? {
        return Ok(Standing::NeverThere);
    }
    if let (Ok(tracer), Some(commit), Some(later)) =
        (repository.tracer().await, object_id(&origin.commit), object_id(revision))
    {
        let place = Place { commit, path: origin.path.clone().into_bytes(), line: origin.line };
        let found =
            blocking(TRACER_LIMIT, move |_| tracer.stands_in(&place, later, WhiteSpace::Ignored));
        if let Ok(Some(line)) = found.await {
            return Ok(Standing::Stands { path: origin.path.clone(), line });
        }
    }
    if origin.commit == *revision {
        return Ok(Standing::Stands { path: origin.path.clone(), line: origin.line });
    }
    let last = git_blame_reverse(repository, origin, revision).await?;
    if last.commit == *revision {
        return Ok(Standing::Stands { path: last.path, line: last.line });
    }
    for path in [&origin.path, &last.path] {
        if let Some(line) = stands_by_text(blamer, origin, revision, path).await? {
            return Ok(Standing::Stands { path: path.clone(), line });
        }
    }
    let by = repository.next_change(&last.commit, revision, &last.path).await?;
    // A merge only brings what another commit did.
    let by = match by {
        Some(by) if repository.parents(&by).await?.len() > 1 => None,
        by => by,
    };
    Ok(Standing::Gone { by, last })
}

/// The line of `path` in `revision` that reads as the line at `origin` and was born there. Code
/// that was moved about is not found by going forward, but by going back from where it stands.
async fn stands_by_text(
    blamer: &Blamer,
    origin: &LineOrigin,
    revision: &CommitId,
    path: &str,
) -> Result<Option<u32>, GitError> {
    let born = blamer.repository().file(&origin.commit, &origin.path).await?.unwrap_or_default();
    let Some(wanted) = line_of(&born, origin.line).map(|text| fold_white_space(&text).into_owned())
    else {
        return Ok(None);
    };
    let content = blamer.repository().file(revision, path).await?.unwrap_or_default();
    let content = source_text(&content);
    let lines = (1u32..).zip(content.split('\n'));
    let alike = lines.filter(|(_, text)| fold_white_space(text) == wanted);
    for (line, _) in alike.take(MAX_ALIKE) {
        if blamer.blame(revision, path, line).await?.origin == *origin {
            return Ok(Some(line));
        }
    }
    Ok(None)
}
