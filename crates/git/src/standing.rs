//! Mended? Whether a line still stands in a later revision, or which commit changed it.
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin};

use crate::blocking::blocking;
use crate::error::GitError;
use crate::git_blame::git_blame_reverse;
use crate::line_tracer::object_id;
use crate::repository::Repository;
use crate::tracer::{Place, WhiteSpace};

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
    repository: &Repository,
    origin: &LineOrigin,
    revision: &CommitId,
) -> Result<Standing, GitError> {
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
    let by = repository.next_change(&last.commit, revision, &last.path).await?;
    Ok(Standing::Gone { by, last })
}
