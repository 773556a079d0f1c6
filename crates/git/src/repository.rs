//! Reads one repository: frequent questions go to the tracer, others to the git program.
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::CommitId;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::blocking::blocking;
use crate::branches::newest_branch;
use crate::clock::now;
use crate::error::GitError;
use crate::line_tracer::object_id;
use crate::process::{GitProgram, Run};
use crate::revision_name::is_revision_name;
use crate::tracer::{TraceError, Tracer};

/// Source files are small; a larger file is generated, or not source at all.
const MAX_BLOB: usize = 32 * 1024 * 1024;
/// Enough for millions of files.
pub(crate) const MAX_TREE: usize = 512 * 1024 * 1024;

/// The commit that a revision's name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The commit that it names now.
    pub commit: CommitId,
    /// Whether it is the name of a branch, which may name another commit later.
    pub is_branch: bool,
}

/// The tracer, or why it cannot be used.
type OpenedTracer = Result<Arc<Tracer>, String>;

/// What is open of a repository.
#[derive(Debug, Default)]
struct Open {
    tracer: Option<OpenedTracer>,
    /// `None`: nothing was used since it was closed.
    used_at: Option<Instant>,
}

/// A git repository on this machine: bare, with a work tree, or a linked work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    git: GitProgram,
    dir: PathBuf,
    /// Opened when it is first needed; the error says why it cannot read this repository.
    open: Arc<Mutex<Open>>,
}

/// Time limit for everything that the tracer reads, except a line's history.
pub(crate) const TRACER_LIMIT: Duration = Duration::from_secs(10);

impl Repository {
    /// Opens the repository at `dir`, or the one that contains it.
    ///
    /// # Errors
    /// `dir` is not in a repository, or git cannot be run.
    pub async fn open(git: GitProgram, dir: &Path) -> Result<Self, GitError> {
        let mut repository = Self { git, dir: dir.to_owned(), open: Arc::default() };
        if !dir.is_dir() {
            return Err(GitError::NotARepository(dir.to_owned()));
        }
        let ask = |question| repository.run("rev-parse").args([question]).output();
        // A bare repository has no top; in a work tree, paths must be relative to it.
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

    /// The commit that `revision` names (an id, a short id, a tag, a branch, `HEAD`), or `None`. A
    /// text that cannot be a name is `None` without asking git.
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

    /// The commit that `revision` names, and whether it names a branch: any reference except a tag
    /// moves.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) async fn resolve_named(&self, revision: &str) -> Result<Option<Named>, GitError> {
        let Some(commit) = self.resolve(revision).await? else { return Ok(None) };
        let run = self.run("rev-parse").args(["--symbolic-full-name", revision]);
        let reference = match run.output().await {
            Ok(name) => name,
            Err(GitError::Failed { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let reference = reference.trim_ascii();
        let is_branch = !reference.is_empty() && !reference.starts_with(b"refs/tags/");
        Ok(Some(Named { commit, is_branch }))
    }

    /// The commits that abbreviated ids name; `None` for an id of no commit or of several.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) async fn resolve_ids(
        &self,
        ids: impl Iterator<Item = &str>,
    ) -> Result<Vec<Option<CommitId>>, GitError> {
        let questions: String = ids.map(|id| format!("{id}^{{commit}}\n")).collect();
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let count = questions.lines().count();
        let run = self.run("cat-file").args(["--batch-check=%(objectname)"]);
        let answer = run.input(questions.into_bytes()).output().await?;
        let answer = String::from_utf8_lossy(&answer);
        let mut found: Vec<Option<CommitId>> = answer.lines().map(CommitId::parse).collect();
        found.resize(count, None);
        Ok(found)
    }

    /// The tracer for this repository, or why it cannot be used.
    pub(crate) async fn tracer(&self) -> Result<Arc<Tracer>, String> {
        let mut open = self.open.lock().await;
        open.used_at = Some(now());
        match &open.tracer {
            Some(known) => known.clone(),
            None => open.tracer.insert(self.open_tracer().await).clone(),
        }
    }

    /// Notes that something was read that is kept in memory, without the tracer.
    pub(crate) async fn note_use(&self) {
        self.open.lock().await.used_at = Some(now());
    }

    /// When it was last used; `None` while it is closed.
    pub(crate) fn used_at(&self) -> Option<Instant> {
        // Whoever has it locked is using it.
        self.open.try_lock().map_or_else(|_| Some(now()), |open| open.used_at)
    }

    /// Closes the tracer. What uses it now goes on; the next question opens it again.
    pub(crate) async fn close(&self) {
        *self.open.lock().await = Open::default();
    }

    async fn open_tracer(&self) -> Result<Arc<Tracer>, String> {
        let places = ["objects", "shallow", "info/grafts"];
        let run = self.run("rev-parse").args(["--path-format=absolute"]);
        let run = run.args(places.iter().flat_map(|place| ["--git-path", place]));
        let answer = run.args(["--show-object-format"]).output().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let lines: Vec<&[u8]> = answer.trim_ascii_end().split(|byte| *byte == b'\n').collect();
        let [objects, shallow, grafts, format] = lines[..] else {
            return Err("git rev-parse gave an unexpected answer".into());
        };
        let path = |bytes| PathBuf::from(OsStr::from_bytes(bytes));
        if format != b"sha1" {
            return Err("its objects are not named by SHA-1".into());
        }
        if path(shallow).exists() {
            return Err("it is a shallow clone".into());
        }
        if path(grafts).exists() {
            return Err("it has grafts".into());
        }
        let objects = path(objects);
        let opened = blocking(TRACER_LIMIT, move |_| Tracer::open(&objects)).await;
        opened.map(Arc::new).map_err(|error| error.to_string())
    }

    /// Makes the objects of a fetch visible.
    pub(crate) async fn refresh(&self) {
        let mut open = self.open.lock().await;
        let Some(Ok(tracer)) = open.tracer.clone() else {
            // The obstacle may be gone.
            open.tracer = None;
            return;
        };
        drop(open);
        if let Err(error) = blocking(TRACER_LIMIT, move |_| tracer.refresh()).await {
            tracing::warn!(%error, "the commit-graph was not read again");
        }
    }

    /// The content of a file of a commit, or `None` when the commit has no such file. `path` must
    /// come from the tree of a commit.
    ///
    /// # Errors
    /// The file is larger than 32 MiB, or git cannot be run.
    pub async fn file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        if let (Ok(tracer), Some(id)) = (self.tracer().await, object_id(commit)) {
            let path = path.to_owned();
            let content = blocking(TRACER_LIMIT, move |_| tracer.content(id, path.as_bytes()));
            match content.await {
                Ok(content) => return Ok(content),
                Err(TraceError::TooLarge(_)) => {
                    return Err(GitError::TooLarge {
                        command: "git cat-file".into(),
                        limit: MAX_BLOB,
                    });
                }
                Err(_) => {}
            }
        }
        let name = format!("{commit}:{path}");
        let run = self.run("cat-file").args(["blob", &name]).max_output(MAX_BLOB);
        match run.output().await {
            Ok(content) => Ok(Some(content)),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A commit as git stores it.
    ///
    /// # Errors
    /// It is missing, or git cannot be run.
    pub(crate) async fn commit(&self, commit: &CommitId) -> Result<Vec<u8>, GitError> {
        if let (Ok(tracer), Some(id)) = (self.tracer().await, object_id(commit))
            && let Ok(raw) = blocking(TRACER_LIMIT, move |_| tracer.commit(id)).await
        {
            return Ok(raw);
        }
        self.run("cat-file").args(["commit", commit.as_str()]).output().await
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
                Err(GitError::NoTip(format!("{reference} of {dir} has no commit yet")))
            }
        }
    }

    /// All branches, local and remote ones, as full reference names.
    async fn branches(&self) -> Result<Vec<String>, GitError> {
        let run = self.run("for-each-ref").args(["--format=%(refname) %(symref)"]);
        let list = run.args(["refs/heads/", "refs/remotes/"]).output().await?;
        let list = String::from_utf8_lossy(&list);
        // A symbolic one (origin/HEAD) only repeats another.
        let plain = list.lines().filter_map(|line| line.strip_suffix(' '));
        Ok(plain.map(str::to_owned).collect())
    }
}
