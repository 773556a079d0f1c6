//! Reads one repository through the git program.
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::{CommitId, PathIndex};

use crate::branches::newest_branch;
use crate::error::GitError;
use crate::process::{GitProgram, Run};

/// Source files are small; what is larger is generated or no source at all.
const MAX_BLOB: usize = 32 * 1024 * 1024;
/// Enough for millions of files.
const MAX_TREE: usize = 512 * 1024 * 1024;

/// A git repository on this machine: bare, with a work tree, or a linked work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    git: GitProgram,
    dir: PathBuf,
}

impl Repository {
    /// Opens the repository that `dir` is, or lies in.
    ///
    /// # Errors
    /// `dir` is none, or git cannot be run.
    pub async fn open(git: GitProgram, dir: &Path) -> Result<Self, GitError> {
        let mut repository = Self { git, dir: dir.to_owned() };
        if !dir.is_dir() {
            return Err(GitError::NotARepository(dir.to_owned()));
        }
        let ask = |question| repository.run("rev-parse").args([question]).output();
        // A bare repository has no top; in a work tree, paths have to count from it.
        let found = match ask("--show-toplevel").await {
            Err(GitError::Failed { .. }) => ask("--absolute-git-dir").await,
            top => top,
        };
        match found {
            Ok(found) => {
                let found = found.strip_suffix(b"\n").unwrap_or(&found);
                repository.dir = PathBuf::from(OsStr::from_bytes(found));
                Ok(repository)
            }
            Err(GitError::Failed { .. }) => Err(GitError::NotARepository(dir.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// The top of its work tree, or the bare repository itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn run(&self, subcommand: &str) -> Run {
        self.git.read(&self.dir).subcommand(subcommand)
    }

    pub(crate) fn run_remote(&self, subcommand: &str) -> Run {
        self.git.remote(&self.dir).subcommand(subcommand)
    }

    /// The commit that `revision` names (an id, a short id, a tag, a branch, `HEAD`), or `None`.
    /// What does not look like a name is `None` without asking git.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn resolve(&self, revision: &str) -> Result<Option<CommitId>, GitError> {
        if !is_revision_name(revision) {
            return Ok(None);
        }
        let commit = format!("{revision}^{{commit}}");
        match self.run("rev-parse").args(["--verify", "--quiet", &commit]).output().await {
            Ok(id) => Ok(CommitId::parse(String::from_utf8_lossy(&id).trim())),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The regular files of a commit. Paths that are not UTF-8 are left out: no report can name
    /// them.
    ///
    /// # Errors
    /// The commit is not there, or git cannot be run.
    pub async fn files(&self, commit: &CommitId) -> Result<Arc<PathIndex>, GitError> {
        let run = self.run("ls-tree").args(["-r", "-z", "--full-tree", commit.as_str()]);
        let listing = run.max_output(MAX_TREE).output().await?;
        let regular = listing.split(|byte| *byte == 0).filter_map(|entry| {
            let entry = std::str::from_utf8(entry).ok()?;
            let (kind, path) = entry.split_once('\t')?;
            kind.starts_with("100").then_some(path)
        });
        Ok(Arc::new(PathIndex::new(regular)))
    }

    /// The content of a file of a commit, or `None` when the commit has no such file. `path`
    /// has to come from [`Repository::files`].
    ///
    /// # Errors
    /// The file is larger than 32 MiB, or git cannot be run.
    pub async fn file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let name = format!("{commit}:{path}");
        let run = self.run("cat-file").args(["blob", &name]).max_output(MAX_BLOB);
        match run.output().await {
            Ok(content) => Ok(Some(content)),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest commits up to `from` that changed `path`, newest first, at most `limit`.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub async fn history(
        &self,
        from: &CommitId,
        path: &str,
        limit: usize,
    ) -> Result<Vec<CommitId>, GitError> {
        let count = format!("--max-count={limit}");
        let run = self.run("log").args(["--format=%H", &count, from.as_str(), "--", path]);
        let ids = run.timeout(Duration::from_secs(20)).output().await?;
        Ok(String::from_utf8_lossy(&ids).lines().filter_map(CommitId::parse).collect())
    }

    /// Whether its history is cut (a shallow clone).
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn is_shallow(&self) -> Result<bool, GitError> {
        let answer = self.run("rev-parse").args(["--is-shallow-repository"]).output().await?;
        Ok(answer.starts_with(b"true"))
    }

    /// The reference that runs and its commit: the newest branch that `pattern` matches, else
    /// `HEAD`.
    ///
    /// # Errors
    /// There is no commit, or no branch that matches.
    pub async fn tip(&self, pattern: Option<&Regex>) -> Result<(String, CommitId), GitError> {
        let reference = match pattern {
            Some(pattern) => newest_branch(&self.branches().await?, pattern)?.to_owned(),
            None => "HEAD".to_owned(),
        };
        match self.resolve(&reference).await? {
            Some(commit) => Ok((reference, commit)),
            None => {
                let dir = self.dir.display();
                Err(GitError::NoTip(format!("{reference} of {dir} names no commit yet")))
            }
        }
    }

    /// All branches, ours and remote ones, as full reference names.
    async fn branches(&self) -> Result<Vec<String>, GitError> {
        let run = self.run("for-each-ref").args(["--format=%(refname) %(symref)"]);
        let list = run.args(["refs/heads/", "refs/remotes/"]).output().await?;
        let list = String::from_utf8_lossy(&list);
        // A symbolic one (origin/HEAD) only repeats another.
        let plain = list.lines().filter_map(|line| line.strip_suffix(' '));
        Ok(plain.map(str::to_owned).collect())
    }
}

/// Whether a text can name a commit and nothing else: no option, no range, no file of a commit.
pub(crate) fn is_revision_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('-')
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/+-".contains(&b))
}
