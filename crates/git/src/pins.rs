//! Deployed revisions are kept by references of our own, so that a force-push does not lose them.
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flawless_core::CommitId;

use crate::error::GitError;
use crate::repository::Repository;

const FETCH_LIMIT: Duration = Duration::from_secs(60);
/// Anybody can report an id that does not exist: each is asked for once, up to this many.
const MAX_ASKED: usize = 1_000;

/// The revisions that are pinned or were asked for since the start.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pinned: Mutex<HashSet<CommitId>>,
    asked: Mutex<HashSet<CommitId>>,
}

impl Pins {
    /// Keeps a commit of a mirror of ours.
    pub(crate) async fn pin(&self, repository: &Repository, commit: &CommitId) {
        if !insert(&self.pinned, commit) {
            return;
        }
        let reference = reference(commit);
        let run = repository.run("update-ref").args([reference.as_str(), commit.as_str()]);
        if let Err(error) = run.output().await {
            tracing::warn!(%error, %commit, "a deployed revision could not be pinned");
            self.pinned.lock().unwrap_or_else(PoisonError::into_inner).remove(commit);
        }
    }

    /// Asks the remote for a commit that no branch or tag has any more. Not every remote gives
    /// one out.
    pub(crate) async fn fetch(
        &self,
        repository: &Repository,
        url: &str,
        commit: &CommitId,
    ) -> Option<CommitId> {
        let full = self.asked.lock().unwrap_or_else(PoisonError::into_inner).len() >= MAX_ASKED;
        if full || !insert(&self.asked, commit) {
            return None;
        }
        let refspec = format!("{commit}:{}", reference(commit));
        let run =
            repository.run_remote("fetch").args(["--quiet", "--no-tags", "--", url, &refspec]);
        match run.timeout(FETCH_LIMIT).output().await {
            Ok(_) => repository.resolve(commit.as_str()).await.ok().flatten(),
            Err(error) => {
                let refused = matches!(error, GitError::Failed { .. });
                tracing::info!(%error, %commit, refused, "a revision is not on the remote");
                None
            }
        }
    }
}

fn reference(commit: &CommitId) -> String {
    format!("refs/flawless/deploy/{commit}")
}

/// Whether the commit is new to the set.
fn insert(set: &Mutex<HashSet<CommitId>>, commit: &CommitId) -> bool {
    set.lock().unwrap_or_else(PoisonError::into_inner).insert(commit.clone())
}
