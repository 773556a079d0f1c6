//! Deployed revisions are kept by references of our own, so that a force-push does not lose them.
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flawless_core::CommitId;
use tokio::time::Instant;

use crate::repository::Repository;

const FETCH_LIMIT: Duration = Duration::from_secs(60);
/// Anybody can report ids that do not exist: each is asked for once, as long as it is remembered,
/// and not one after the other.
const MAX_ASKED: usize = 1_000;
const ASK_EVERY: Duration = Duration::from_secs(10);

/// The revisions that are pinned or were asked for since the start.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pinned: Mutex<HashSet<CommitId>>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    ids: HashSet<CommitId>,
    last: Option<Instant>,
}

impl Asked {
    /// Whether this one may be asked for now.
    fn may(&mut self, commit: &CommitId) -> bool {
        if self.ids.contains(commit) || self.last.is_some_and(|last| last.elapsed() < ASK_EVERY) {
            return false;
        }
        if self.ids.len() >= MAX_ASKED {
            self.ids.clear();
        }
        self.last = Some(Instant::now());
        self.ids.insert(commit.clone())
    }
}

impl Pins {
    /// Keeps a commit of a mirror of ours.
    pub(crate) async fn pin(&self, repository: &Repository, commit: &CommitId) {
        let is_new =
            self.pinned.lock().unwrap_or_else(PoisonError::into_inner).insert(commit.clone());
        if !is_new {
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
        if !self.asked.lock().unwrap_or_else(PoisonError::into_inner).may(commit) {
            return None;
        }
        let refspec = format!("{commit}:{}", reference(commit));
        let run =
            repository.run_remote("fetch").args(["--quiet", "--no-tags", "--", url, &refspec]);
        match run.timeout(FETCH_LIMIT).output().await {
            Ok(_) => repository.resolve(commit.as_str()).await.ok().flatten(),
            Err(error) => {
                tracing::info!(%error, %commit, "a revision is not on the remote");
                None
            }
        }
    }
}

fn reference(commit: &CommitId) -> String {
    format!("refs/flawless/deploy/{commit}")
}
