//! Reads one repository: through the tracer what is asked often, else through the git program.
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::CommitId;
use tokio::sync::OnceCell;

use crate::blocking::blocking;
use crate::branches::newest_branch;
use crate::error::GitError;
use crate::line_tracer::{commit_id, object_id};
use crate::process::{GitProgram, Run};
use crate::revision_name::is_revision_name;
use crate::tracer::{FileVersion, TraceError, TraceOptions, Tracer, WhiteSpace};

/// Source files are small; what is larger is generated or no source at all.
const MAX_BLOB: usize = 32 * 1024 * 1024;
/// A repository with more links is made to hurt.
const MAX_LINKS: usize = 10_000;
/// Enough for millions of files.
const MAX_TREE: usize = 512 * 1024 * 1024;

/// A git repository on this machine: bare, with a work tree, or a linked work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    git: GitProgram,
    dir: PathBuf,
    /// Opened when it is first needed; else why this repository is not one for it.
    tracer: Arc<OnceCell<Result<Arc<Tracer>, String>>>,
}

/// What the tree of a commit holds.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Paths of regular files.
    pub(crate) files: Vec<String>,
    /// Paths of symbolic links, and where they lead as they say it.
    pub(crate) links: Vec<(String, String)>,
    /// Paths of submodules, and the commit of their repository that belongs there.
    pub(crate) submodules: Vec<(String, CommitId)>,
}

/// A file as a commit brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) commit: CommitId,
    pub(crate) path: String,
}

const TRACER_LIMIT: Duration = Duration::from_secs(10);

impl Repository {
    /// Opens the repository that `dir` is, or lies in.
    ///
    /// # Errors
    /// `dir` is none, or git cannot be run.
    pub async fn open(git: GitProgram, dir: &Path) -> Result<Self, GitError> {
        let mut repository = Self { git, dir: dir.to_owned(), tracer: Arc::default() };
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

    /// What the tree of a commit holds. Paths that are not UTF-8 are left out: no report can name
    /// them.
    ///
    /// # Errors
    /// The commit is not there, or git cannot be run.
    pub(crate) async fn tree(&self, commit: &CommitId) -> Result<Tree, GitError> {
        let run = self.run("ls-tree").args(["-r", "-z", "--full-tree", commit.as_str()]);
        let listing = run.max_output(MAX_TREE).output().await?;
        let mut tree = Tree::default();
        let mut links = Vec::new();
        for entry in listing.split(|byte| *byte == 0) {
            let entry = std::str::from_utf8(entry).ok().and_then(|entry| entry.split_once('\t'));
            let Some((about, path)) = entry else { continue };
            let mut words = about.split(' ');
            match (words.next(), words.nth(1).and_then(CommitId::parse)) {
                (Some("120000"), Some(blob)) => links.push((path.to_owned(), blob)),
                (Some("160000"), Some(commit)) => tree.submodules.push((path.to_owned(), commit)),
                (Some(mode), _) if mode.starts_with("100") => tree.files.push(path.to_owned()),
                _ => {}
            }
        }
        links.truncate(MAX_LINKS);
        tree.links = self.link_targets(links).await?;
        Ok(tree)
    }

    /// Where links lead, as their blobs say.
    async fn link_targets(
        &self,
        links: Vec<(String, CommitId)>,
    ) -> Result<Vec<(String, String)>, GitError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let ids: String = links.iter().map(|(_, blob)| format!("{blob}\n")).collect();
        let answer =
            self.run("cat-file").args(["--batch"]).input(ids.into_bytes()).output().await?;
        let mut rest = answer.as_slice();
        let mut targets = Vec::with_capacity(links.len());
        for (path, _) in links {
            // `ID blob SIZE`, the content, a line end.
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let Some(size) = head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok())
            else {
                continue;
            };
            let Some((target, behind)) = rest.split_at_checked(size) else { break };
            if let Ok(target) = std::str::from_utf8(target) {
                targets.push((path, target.to_owned()));
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        Ok(targets)
    }

    /// The tracer for this repository, or why there is none.
    pub(crate) async fn tracer(&self) -> Result<Arc<Tracer>, String> {
        self.tracer.get_or_init(|| self.open_tracer()).await.clone()
    }

    async fn open_tracer(&self) -> Result<Arc<Tracer>, String> {
        let places = ["objects", "shallow", "info/grafts"];
        let run = self.run("rev-parse").args(["--path-format=absolute"]);
        let run = run.args(places.iter().flat_map(|place| ["--git-path", place]));
        let answer = run.args(["--show-object-format"]).output().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let lines: Vec<&[u8]> = answer.trim_ascii_end().split(|byte| *byte == b'\n').collect();
        let [objects, shallow, grafts, format] = lines[..] else {
            return Err("git rev-parse answered something unexpected".into());
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

    /// Takes up what a fetch brought.
    pub(crate) async fn refresh(&self) {
        let Some(Ok(tracer)) = self.tracer.get().cloned() else { return };
        if let Err(error) = blocking(TRACER_LIMIT, move |_| tracer.refresh()).await {
            tracing::warn!(%error, "the commit-graph was not read again");
        }
    }

    /// The content of a file of a commit, or `None` when the commit has no such file. `path`
    /// has to come from the tree of a commit.
    ///
    /// # Errors
    /// The file is larger than 32 MiB, or git cannot be run.
    pub async fn file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        if let (Ok(tracer), Some(id)) = (self.tracer().await, object_id(commit)) {
            let path = path.to_owned();
            let content = blocking(TRACER_LIMIT, move |_| tracer.content(id, path.as_bytes()));
            if let Ok(content) = content.await {
                return Ok(content);
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
        let run = self.run("log").args(["--format=%H", &count, from.as_str(), "--", path]);
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
            // Too long a way: the merge is not worth more.
            Err(GitError::TooLarge { .. } | GitError::Failed { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(first) = String::from_utf8_lossy(&ids).lines().next().and_then(CommitId::parse)
        else {
            return Ok(None);
        };
        let raw = self.commit(&first).await?;
        let header = raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        let parents: Vec<&[u8]> = header.filter_map(|line| line.strip_prefix(b"parent ")).collect();
        // The first parent was on the branch before: then the commit came without a merge.
        let is_merge = parents.len() > 1 && parents[0] != commit.as_str().as_bytes();
        Ok(is_merge.then_some(first))
    }

    /// Files that the last thousand commits up to `tip` deleted and that were not made anew, each
    /// with the last commit that had it.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than 20 s.
    pub(crate) async fn lately_gone(
        &self,
        tip: &CommitId,
    ) -> Result<Vec<(String, CommitId)>, GitError> {
        let run =
            self.run("log").args(["--first-parent", "-m", "--no-renames", "--max-count=1000"]);
        let run = run.args(["--diff-filter=AD", "--name-status", "-z", "--format=%x01%P"]);
        let answer = run.args([tip.as_str(), "--"]).timeout(Duration::from_secs(20));
        let answer = answer.max_output(MAX_TREE).output().await?;
        let mut seen = std::collections::HashSet::new();
        let mut gone = Vec::new();
        // Newest first: what is met first about a path is how it stands now.
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

    /// Whether `older` is `newer` or in its history.
    ///
    /// # Errors
    /// A commit is missing, or git cannot be run.
    pub async fn is_ancestor(&self, older: &CommitId, newer: &CommitId) -> Result<bool, GitError> {
        // `merge-base --is-ancestor` says no by its exit code alone, as a failure does.
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
