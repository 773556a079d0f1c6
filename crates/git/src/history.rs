//! Queries of a repository's history that are not about one line.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{CommitId, Developer, busiest_committer};
use gix_actor::SignatureRef;

use crate::blocking::blocking;
use crate::error::GitError;
use crate::line_tracer::{commit_id, object_id};
use crate::mirror::Mirror;
use crate::repository::{MAX_TREE, Repository, TRACER_LIMIT};
use crate::tip::Tip;
use crate::tracer::{FileVersion, TraceError, TraceOptions, WhiteSpace};

/// The author, date and message of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its author, by the mailmap.
    pub author: Developer,
    /// Author date, milliseconds since 1970 UTC.
    pub authored_at: i64,
    /// First line of its message.
    pub summary: String,
}

/// A file as a commit changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) commit: CommitId,
    pub(crate) path: String,
}

impl Repository {
    /// The newest versions of `path` up to `from`, newest first, at most `limit`.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn versions(
        &self,
        from: &CommitId,
        path: &str,
        limit: usize,
    ) -> Result<Vec<Version>, GitError> {
        if let (Ok(tracer), Some(id)) = (self.tracer().await, object_id(from)) {
            let path = path.to_owned();
            let options =
                TraceOptions { white_space: WhiteSpace::Ignored, ignored: Arc::default() };
            let versions = blocking(TRACER_LIMIT, move |stop| {
                tracer.versions(id, path.as_bytes(), limit, &options, stop)
            });
            match versions.await {
                Ok(versions) => {
                    let version = |FileVersion { commit, path }| {
                        let path = String::from_utf8(path).ok()?;
                        Some(Version { commit: commit_id(commit), path })
                    };
                    return Ok(versions.into_iter().filter_map(version).collect());
                }
                Err(TraceError::NoSuchFile { .. }) => return Ok(Vec::new()),
                Err(error) => tracing::debug!(%error, "git is asked for a file's history"),
            }
        }
        let count = format!("--max-count={limit}");
        let run = self.run("rev-list").args([&count, from.as_str(), "--", path]);
        let ids = run.timeout(Duration::from_secs(20)).output().await?;
        let ids = String::from_utf8_lossy(&ids);
        let version = |commit| Version { commit, path: path.to_owned() };
        Ok(ids.lines().filter_map(CommitId::parse).map(version).collect())
    }

    /// The merge that brought a commit to the branch of `tip`; `None` when there was none.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn merge_of(
        &self,
        commit: &CommitId,
        tip: &CommitId,
    ) -> Result<Option<CommitId>, GitError> {
        let range = format!("{commit}..{tip}");
        let run = self.run("rev-list").args(["--first-parent", "--ancestry-path", "--reverse"]);
        let run = run.args([&range]).timeout(Duration::from_secs(20));
        let ids = match run.output().await {
            Ok(ids) => ids,
            // The way is too long: the merge is not worth the effort.
            Err(GitError::TooLarge { .. } | GitError::Failed { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(first) = String::from_utf8_lossy(&ids).lines().next().and_then(CommitId::parse)
        else {
            return Ok(None);
        };
        // The first parent was on the branch already: the commit came without a merge.
        let parents = self.parents(&first).await?;
        let is_merge = parents.len() > 1 && parents[0] != *commit;
        Ok(is_merge.then_some(first))
    }

    /// A commit's parents, in their order.
    pub(crate) async fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, GitError> {
        let raw = self.commit(commit).await?;
        let header = raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        let parents = header.filter_map(|line| line.strip_prefix(b"parent "));
        Ok(parents.filter_map(|id| CommitId::parse(&String::from_utf8_lossy(id))).collect())
    }

    /// Files that the last thousand commits up to `tip` deleted and did not create again, each with
    /// the last commit that had it.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn lately_gone(
        &self,
        tip: &CommitId,
    ) -> Result<Vec<(String, CommitId)>, GitError> {
        let run =
            self.run("log").args(["--first-parent", "-m", "--no-renames", "--max-count=1000"]);
        let run = run.args(["--no-show-signature", "--no-ext-diff", "--no-textconv"]);
        let run = run.args(["--diff-filter=AD", "--name-status", "-z", "--format=%x01%P"]);
        let answer = run.args([tip.as_str(), "--"]).timeout(Duration::from_secs(20));
        let answer = answer.max_output(MAX_TREE).output().await?;
        let mut seen = std::collections::HashSet::new();
        let mut gone = Vec::new();
        // Newest first: the first entry of a path is its current state.
        for commit in answer.split(|byte| *byte == 1).skip(1) {
            let mut fields = commit.split(|byte| *byte == 0).map(String::from_utf8_lossy);
            let parents = fields.next().unwrap_or_default();
            let parent = parents.trim().split(' ').next().and_then(CommitId::parse);
            while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
                let is_new = seen.insert(path.to_string());
                if let (true, true, Some(parent)) = (is_new, status.trim() == "D", &parent) {
                    gone.push((path.into_owned(), parent.clone()));
                }
            }
        }
        Ok(gone)
    }

    /// The files that a commit changed and still has, compared with its first parent.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn changed_by(&self, commit: &CommitId) -> Result<Vec<String>, GitError> {
        match self.parents(commit).await?.first() {
            Some(parent) => self.changed_between(parent, commit).await,
            None => Ok(Vec::new()),
        }
    }

    /// The files that differ between two commits and that the later one has.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn changed_between(
        &self,
        older: &CommitId,
        newer: &CommitId,
    ) -> Result<Vec<String>, GitError> {
        let run = self.run("diff-tree").args(["-r", "-z", "--name-only", "--no-renames"]);
        let run = run.args(["--diff-filter=d", older.as_str(), newer.as_str(), "--"]);
        let answer = run.timeout(Duration::from_secs(20)).max_output(MAX_TREE).output().await?;
        let paths = answer.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.filter_map(|path| String::from_utf8(path.to_vec()).ok()).collect())
    }

    /// The names and addresses of all authors of commits up to `tip`.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than a minute.
    async fn authors(&self, tip: &CommitId) -> Result<BTreeSet<(String, String)>, GitError> {
        let run = self.run("rev-list").args(["--format=%an%x00%ae", tip.as_str(), "--"]);
        let run = run.timeout(Duration::from_secs(60)).max_output(MAX_TREE);
        let answer = run.output().await?;
        let people = answer.split(|byte| *byte == b'\n').filter_map(|line| {
            let at = line.iter().position(|byte| *byte == 0)?;
            let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
            Some((text(&line[..at]), text(&line[at + 1..])))
        });
        Ok(people.collect())
    }

    /// Whether `older` is `newer` or in its history.
    ///
    /// # Errors
    /// A commit is missing, or git cannot be run.
    pub async fn is_ancestor(&self, older: &CommitId, newer: &CommitId) -> Result<bool, GitError> {
        // `merge-base --is-ancestor` answers "no" only by its exit code, like a failure.
        let run = self.run("rev-list").args(["--max-count=1", older.as_str()]);
        let run = run.args([&format!("^{newer}")]).timeout(Duration::from_secs(20));
        Ok(run.output().await?.trim_ascii().is_empty())
    }

    /// The first commit on the way from `from` to `to` that changed `path`.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn next_change(
        &self,
        from: &CommitId,
        to: &CommitId,
        path: &str,
    ) -> Result<Option<CommitId>, GitError> {
        let way = format!("{from}..{to}");
        let run = self.run("rev-list").args(["--ancestry-path", "--reverse", "--topo-order"]);
        let run = run.args([way.as_str(), "--", path]).timeout(Duration::from_secs(20));
        let ids = run.output().await?;
        Ok(String::from_utf8_lossy(&ids).lines().next().and_then(CommitId::parse))
    }
}

impl Mirror {
    /// Files that are gone at the tip, deleted or renamed within its last thousand commits, each
    /// with the last commit that had it. git is asked once per tip.
    pub async fn lately_gone(&self, tip: &Tip) -> Arc<Vec<(String, CommitId)>> {
        let look = async || self.repository.lately_gone(&tip.commit).await.map(Arc::new);
        // After a failure it is tried again next time.
        self.repository.note_use().await;
        let found = tip.gone.get_or_try_init(look).await;
        let found = found.inspect_err(|error| tracing::warn!(%error, "deleted files are unknown"));
        found.cloned().unwrap_or_default()
    }

    /// The addresses of all authors of commits that `tip` has, as committed and by the mailmap, in
    /// lower case. git is asked once per tip.
    pub async fn authors(&self, tip: &Tip) -> Arc<BTreeSet<String>> {
        let with_mapped = |committed: BTreeSet<(String, String)>| {
            let mapped = committed.into_iter().flat_map(|(name, email)| {
                let known = tip.blamer.mailmap.resolve_cow(SignatureRef {
                    name: name.as_bytes().into(),
                    email: email.as_bytes().into(),
                    time: "",
                });
                let mapped = String::from_utf8_lossy(known.email.as_ref()).to_lowercase();
                [email.to_lowercase(), mapped]
            });
            Arc::new(mapped.collect())
        };
        let look = async || self.repository.authors(&tip.commit).await.map(with_mapped);
        self.repository.note_use().await;
        let found = tip.authors.get_or_try_init(look).await;
        let found = found.inspect_err(|error| tracing::warn!(%error, "the authors are not known"));
        found.cloned().unwrap_or_default()
    }

    /// The author, date and message of a commit, by the mailmap of `tip`.
    ///
    /// # Errors
    /// The commit is missing, or git cannot be run.
    pub async fn change(&self, tip: &Tip, commit: &CommitId) -> Result<Change, GitError> {
        let info = tip.blamer.commit_info(commit).await?;
        let (author, authored_at, summary) = (info.people.author, info.authored_at, info.summary);
        Ok(Change { author, authored_at, summary })
    }

    /// When a developer last committed, milliseconds since 1970 UTC; `None` when they never did.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than a minute.
    pub async fn last_commit_of(
        &self,
        tip: &Tip,
        developer: &Developer,
    ) -> Result<Option<i64>, GitError> {
        let author = format!("--author=<{}>", developer.email);
        let run = self.repository.run("rev-list").args(["--all", "--fixed-strings"]);
        let run = run.args(["--regexp-ignore-case"]);
        let run = run.args(["--max-count=1", "--format=%ct", &author, tip.commit.as_str(), "--"]);
        let answer = run.timeout(Duration::from_secs(60)).output().await?;
        // The line of the commit itself comes first.
        let answer = String::from_utf8_lossy(&answer);
        let seconds = answer.lines().last().and_then(|line| line.parse::<i64>().ok());
        Ok(seconds.map(|seconds| seconds.saturating_mul(1000)))
    }

    /// The person who recently changed a file most often, except automation and `gone`.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub async fn busiest_committer(
        &self,
        tip: &Tip,
        path: &str,
        gone: &str,
    ) -> Result<Option<Developer>, GitError> {
        let mut people = Vec::new();
        for version in self.repository.versions(&tip.commit, path, 50).await? {
            people.push(tip.blamer.commit_info(&version.commit).await?.people.author);
        }
        let busiest = busiest_committer(&people, gone, &self.settings.automation);
        Ok(busiest.map(|(developer, _)| developer.clone()))
    }
}
