//! Finds where a line was born: with the tracer, and the git program as its fallback.
//!
//! The git program answers what the tracer cannot read, and checks it: from time to time it gets
//! the same question, and after the first difference only git is used for the repository.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin};
use gix_hash::ObjectId;
use quick_cache::sync::Cache;

use crate::blocking::blocking;
use crate::error::GitError;
use crate::facts::{Fact, FactKey, FactStore};
use crate::git_blame::{Answer, git_blame, git_blame_moves};
use crate::ignore_revs::IgnoreList;
use crate::repository::Repository;
use crate::source_text::line_of;
use crate::tracer::{Origin, Place, TraceError, TraceOptions, Tracer, WhiteSpace, count_lines};

/// The program that finds origins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// The tracer, with the git program as its fallback.
    #[default]
    Tracer,
    /// Only the git program.
    Git,
}

/// One in this many answers is checked by git.
const JUDGE_EVERY: u64 = 200;
/// The tracer needs milliseconds; longer questions go to git.
const TRACER_LIMIT: Duration = Duration::from_secs(2);
/// Changes whenever the tracer's answers do: facts of an older version are not used.
pub(crate) const ANSWERS_VERSION: u32 = 1;
const MAX_RECENT: usize = 4_000;

/// The results of the checks since the start of the program.
#[derive(Debug, Default)]
pub struct Judgement {
    asked: AtomicU64,
    judged: AtomicU64,
    differences: AtomicU64,
    distrusted: AtomicBool,
}

impl Judgement {
    /// Answers that git checked.
    pub fn judged(&self) -> u64 {
        self.judged.load(Ordering::Relaxed)
    }

    /// Answers in which git differed; after the first one only git is used.
    pub fn differences(&self) -> u64 {
        self.differences.load(Ordering::Relaxed)
    }
}

/// Finds the origins of lines in one repository.
#[derive(Debug, Clone)]
pub(crate) struct LineTracer {
    pub(crate) repository: Repository,
    engine: Engine,
    ignored: IgnoreList,
    pub(crate) facts: Option<Arc<dyn FactStore>>,
    recent: Arc<Cache<FactKey, Arc<Traced>>>,
    judgement: Arc<Judgement>,
}

/// A line and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traced {
    pub(crate) origin: LineOrigin,
    /// The text of the line in the requested revision, without its end.
    pub(crate) text: String,
    /// Whether a commit was ignored on the way.
    pub(crate) is_guessed: bool,
    /// Whether the history is cut there: the line is this old or older.
    pub(crate) at_shallow_border: bool,
}

impl LineTracer {
    /// Forgets the answers that it keeps in memory.
    pub(crate) fn forget(&mut self) {
        self.recent = Arc::new(Cache::new(MAX_RECENT));
    }

    pub(crate) fn new(
        repository: Repository,
        engine: Engine,
        ignored: IgnoreList,
        facts: Option<Arc<dyn FactStore>>,
        judgement: Arc<Judgement>,
    ) -> Self {
        let recent = Arc::new(Cache::new(MAX_RECENT));
        Self { repository, engine, ignored, facts, recent, judgement }
    }

    /// The same, ignoring these commits as well.
    pub(crate) fn passing_over(&self, more: &[CommitId]) -> Self {
        let ignored = self.ignored.and(more);
        Self { ignored, facts: None, recent: Arc::new(Cache::new(1)), ..self.clone() }
    }

    /// The same without ignoring any commit; `None` when this one ignores none either.
    pub(crate) fn passing_over_none(&self) -> Option<Self> {
        if self.ignored.ids.is_empty() {
            return None;
        }
        Some(Self { ignored: IgnoreList::default(), ..self.clone() })
    }

    pub(crate) fn options(&self, white_space: WhiteSpace) -> TraceOptions {
        TraceOptions { white_space, ignored: self.ignored.ids.clone() }
    }

    /// The tracer, while it is trusted and can read this repository.
    pub(crate) async fn tracer(&self) -> Option<Arc<Tracer>> {
        let distrusted = self.judgement.distrusted.load(Ordering::Relaxed);
        if self.engine == Engine::Git || distrusted {
            return None;
        }
        self.repository.tracer().await.ok()
    }

    /// The origin of line `line` (from 1) of `path` at `commit`.
    ///
    /// # Errors
    /// The line does not exist, or neither the tracer nor git can answer.
    pub(crate) async fn trace(
        &self,
        commit: &CommitId,
        path: &str,
        line: u32,
        white_space: WhiteSpace,
    ) -> Result<Arc<Traced>, GitError> {
        let asked = FactKey {
            commit: commit.clone(),
            path: path.to_owned(),
            line,
            options: self.options_name(white_space),
        };
        if let Some(known) = self.recent.get(&asked) {
            return Ok(known);
        }
        let traced = Arc::new(self.find(&asked, white_space).await?);
        self.recent.insert(asked, traced.clone());
        Ok(traced)
    }

    async fn find(&self, asked: &FactKey, white_space: WhiteSpace) -> Result<Traced, GitError> {
        let FactKey { commit, path, line, .. } = asked;
        let Some(tracer) = self.tracer().await else {
            return self.trace_by_git(asked, white_space).await;
        };
        let found = match self.known_fact(&tracer, asked, white_space).await {
            Ok((_, Some(known))) => Ok(known),
            Ok((key, None)) => self.trace_uncached(&tracer, asked, key, white_space).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(traced) => Ok(traced),
            Err(TraceError::NoSuchFile { .. }) => {
                let (path, commit) = (shown(path), commit.short());
                Err(GitError::NoSuchLine(format!("there is no file {path} at {commit}")))
            }
            Err(TraceError::NoSuchLine { lines }) => {
                let (path, commit) = (shown(path), commit.short());
                let count = if lines == 1 { "1 line".into() } else { format!("{lines} lines") };
                let text = format!("{path} has {count} at {commit} and no line {line}");
                Err(GitError::NoSuchLine(text))
            }
            Err(error) => {
                tracing::debug!(%error, %commit, path, line, "git is asked instead of the tracer");
                self.trace_by_git(asked, white_space).await
            }
        }
    }

    async fn trace_by_git(
        &self,
        asked: &FactKey,
        white_space: WhiteSpace,
    ) -> Result<Traced, GitError> {
        let answer = self.ask_git(&asked.commit, &asked.path, asked.line, white_space).await?;
        let at_shallow_border = answer.is_boundary && self.repository.is_shallow().await?;
        let Answer { origin, text, .. } = answer;
        // git does not say whether it ignored a commit.
        let is_guessed = !self.ignored.ids.is_empty();
        Ok(Traced { origin, text, is_guessed, at_shallow_border })
    }

    /// The place that git finds a line of `origin` was moved from; `None` when it was not moved.
    pub(crate) async fn moved_by_git(
        &self,
        origin: &LineOrigin,
    ) -> Result<Option<LineOrigin>, GitError> {
        let LineOrigin { commit, path, line } = origin;
        let moved = git_blame_moves(&self.repository, &self.ignored, commit, path, *line).await?;
        Ok((moved != *origin).then_some(moved))
    }

    /// The version of the file in that commit, and the known fact about its line.
    async fn known_fact(
        &self,
        tracer: &Arc<Tracer>,
        asked: &FactKey,
        white_space: WhiteSpace,
    ) -> Result<(Option<FactKey>, Option<Traced>), TraceError> {
        let Some(facts) = &self.facts else { return Ok((None, None)) };
        let Some(id) = object_id(&asked.commit) else { return Ok((None, None)) };
        let (tracer, options) = (tracer.clone(), self.options(white_space));
        let (path, line) = (asked.path.clone(), asked.line);
        let (version, text) = blocking(TRACER_LIMIT, move |stop| {
            let version = tracer.stop(id, path.as_bytes(), &options, stop)?;
            let content = tracer.content(id, path.as_bytes())?.unwrap_or_default();
            let text = line_of(&content, line);
            let lines = count_lines(&content);
            Ok((version, text.ok_or(TraceError::NoSuchLine { lines })?))
        })
        .await?;
        // A path that is not valid UTF-8 cannot be an unambiguous key.
        let Ok(path) = String::from_utf8(version.path) else { return Ok((None, None)) };
        let key = FactKey { commit: commit_id(version.commit), path, ..asked.clone() };
        let known = facts.get(&key).await.map(|fact| Traced {
            origin: fact.origin,
            text,
            is_guessed: fact.is_guessed,
            at_shallow_border: false,
        });
        Ok((Some(key), known))
    }

    async fn trace_uncached(
        &self,
        tracer: &Arc<Tracer>,
        asked: &FactKey,
        key: Option<FactKey>,
        white_space: WhiteSpace,
    ) -> Result<Traced, TraceError> {
        let id = object_id(&asked.commit).ok_or(TraceError::Unsupported("SHA-256"))?;
        let (tracer, options) = (tracer.clone(), self.options(white_space));
        let (path, line) = (asked.path.clone(), asked.line);
        let origin: Origin = blocking(TRACER_LIMIT, move |stop| {
            tracer.trace(id, path.as_bytes(), line, &options, stop)
        })
        .await?;
        let fact = Fact { origin: line_origin(&origin.place), is_guessed: origin.is_guessed };
        if let (Some(facts), Some(key)) = (&self.facts, &key) {
            facts.put(key, &fact).await;
        }
        if self.judgement.asked.fetch_add(1, Ordering::Relaxed) % JUDGE_EVERY == JUDGE_EVERY - 1 {
            tokio::spawn(self.clone().judge(asked.clone(), key, fact.clone(), white_space));
        }
        let text = String::from_utf8_lossy(&origin.text).into_owned();
        let Fact { origin, is_guessed } = fact;
        Ok(Traced { origin, text, is_guessed, at_shallow_border: false })
    }

    /// Asks git about the same line. If it differs, its answer is used, and the tracer no longer.
    async fn judge(
        self,
        asked: FactKey,
        key: Option<FactKey>,
        fact: Fact,
        white_space: WhiteSpace,
    ) {
        let answer = self.ask_git(&asked.commit, &asked.path, asked.line, white_space).await;
        // A failure of git says nothing about the tracer.
        let Ok(answer) = answer else { return };
        self.judgement.judged.fetch_add(1, Ordering::Relaxed);
        if answer.origin == fact.origin {
            return;
        }
        self.judgement.differences.fetch_add(1, Ordering::Relaxed);
        self.judgement.distrusted.store(true, Ordering::Relaxed);
        tracing::error!(
            commit = %asked.commit, path = asked.path, line = asked.line,
            tracer = ?fact.origin, git = ?answer.origin,
            "the tracer and git disagree: git answers from now on; please report this"
        );
        self.recent.remove(&asked);
        if let (Some(facts), Some(key)) = (&self.facts, &key) {
            facts.put(key, &Fact { origin: answer.origin, ..fact }).await;
        }
    }

    async fn ask_git(
        &self,
        commit: &CommitId,
        path: &str,
        line: u32,
        white_space: WhiteSpace,
    ) -> Result<Answer, GitError> {
        git_blame(&self.repository, &self.ignored, white_space, commit, path, line).await
    }

    /// Identifies the ignored commits by their content.
    fn options_name(&self, white_space: WhiteSpace) -> String {
        let white_space = match white_space {
            WhiteSpace::Ignored => "w",
            WhiteSpace::Counts => "",
        };
        format!("{ANSWERS_VERSION}{white_space}:{}", self.ignored.digest)
    }
}

/// A path as messages show it.
fn shown(path: &str) -> String {
    let printable = path.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    printable.take(200).collect()
}

pub(crate) fn object_id(commit: &CommitId) -> Option<ObjectId> {
    ObjectId::from_hex(commit.as_str().as_bytes()).ok()
}

pub(crate) fn commit_id(id: ObjectId) -> CommitId {
    let hex = id.to_string();
    CommitId::parse(&hex).expect("an object id prints as 40 or 64 lower-case digits")
}

pub(crate) fn line_origin(origin: &Place) -> LineOrigin {
    LineOrigin {
        commit: commit_id(origin.commit),
        path: String::from_utf8_lossy(&origin.path).into_owned(),
        line: origin.line,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::facts::Later;
    use crate::process::GitProgram;

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<(FactKey, Fact)>>);

    impl FactStore for Kept {
        fn get<'a>(&'a self, key: &'a FactKey) -> Later<'a, Option<Fact>> {
            let kept = self.0.lock().expect("lock").clone();
            let found = kept.into_iter().rev().find(|(known, _)| known == key);
            Box::pin(async move { found.map(|(_, fact)| fact) })
        }

        fn put<'a>(&'a self, key: &'a FactKey, fact: &'a Fact) -> Later<'a, ()> {
            self.0.lock().expect("lock").push((key.clone(), fact.clone()));
            Box::pin(async {})
        }
    }

    async fn repository(dir: &std::path::Path) -> (Repository, CommitId) {
        let git = GitProgram::new("git");
        let run = async |arguments: &[&str]| {
            let run = git.read(dir).args(["-c", "user.name=A", "-c", "user.email=a@e.com"]);
            run.args(arguments.iter().copied()).output().await.expect("git runs")
        };
        run(&["init", "--quiet"]).await;
        std::fs::write(dir.join("a.py"), "one\ntwo\n").expect("written");
        run(&["add", "a.py"]).await;
        run(&["commit", "--quiet", "--message", "first"]).await;
        let repository = Repository::open(git, dir).await.expect("opens");
        let head = repository.resolve("HEAD").await.expect("git runs").expect("a commit");
        (repository, head)
    }

    #[tokio::test]
    async fn fact_saves_the_walk_and_git_wins_when_it_differs() {
        let folder = tempfile::tempdir().expect("a folder");
        let (repository, head) = repository(folder.path()).await;
        let (kept, judgement) = (Arc::new(Kept::default()), Arc::new(Judgement::default()));
        let facts: Option<Arc<dyn FactStore>> = Some(kept.clone());
        let ignored = IgnoreList::default();
        let tracer = LineTracer::new(repository, Engine::Tracer, ignored, facts, judgement.clone());
        let ask = async |tracer: &LineTracer| {
            let traced = tracer.trace(&head, "a.py", 2, WhiteSpace::Ignored).await;
            traced.expect("traced").origin.clone()
        };
        let right = LineOrigin { commit: head.clone(), path: "a.py".into(), line: 2 };
        assert_eq!(ask(&tracer).await, right);
        let (key, fact) = kept.0.lock().expect("lock")[0].clone();
        assert_eq!(fact.origin, right);

        // A wrong fact, such as a faulty tracer would have left.
        let wrong = Fact { origin: LineOrigin { line: 1, ..right.clone() }, ..fact };
        kept.put(&key, &wrong).await;
        let forgetful = LineTracer { recent: Arc::new(Cache::new(1)), ..tracer.clone() };
        assert_eq!(ask(&forgetful).await, wrong.origin, "facts are believed");
        let asked = key.clone();
        forgetful.clone().judge(asked, Some(key.clone()), wrong, WhiteSpace::Ignored).await;
        assert_eq!((judgement.judged(), judgement.differences()), (1, 1));
        assert_eq!(kept.get(&key).await.expect("kept").origin, right);
        assert!(forgetful.tracer().await.is_none(), "git answers from now on");
        assert_eq!(ask(&forgetful).await, right);
    }
}
