//! Finds the revision in which a reported line stands, and blames it there: never blame by a
//! line number alone.
use flawless_core::{Blame, CommitId, fold_white_space};

use crate::error::GitError;
use crate::git_blame::LineTracer;
use crate::repository::Repository;

/// How many earlier versions of a file are looked at.
const MAX_VERSIONS: usize = 50;

/// A line with its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How the line was found, in words.
    pub how: String,
    /// git's answer.
    pub blame: Blame,
}

/// Why a line cannot be blamed, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLocated(pub String);

/// A line as a report has it.
#[derive(Debug, Clone, Copy)]
pub struct ReportedLine<'a> {
    /// Path in the repository.
    pub path: &'a str,
    /// Line number, from 1; 0 when the report has none.
    pub line: u32,
    /// The source line; empty when the report has none.
    pub text: &'a str,
}

/// The running revision, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Revision<'a> {
    /// The client named it, and it is in the mirror.
    Running(&'a CommitId),
    /// Not known: this is the tip of the configured branch.
    Tip(&'a CommitId),
}

/// Blames a line where it reads as reported, white space folded: at the running revision or the
/// tip, else in the newest of the file's last 50 versions before it.
pub(crate) async fn locate(
    repository: &Repository,
    tracer: &impl LineTracer,
    revision: Revision<'_>,
    reported: ReportedLine<'_>,
) -> Result<Result<Located, NotLocated>, GitError> {
    let ReportedLine { path, line, text } = reported;
    let (commit, name) = match revision {
        Revision::Running(commit) => (commit, format!("the running revision {}", commit.short())),
        Revision::Tip(commit) => (commit, format!("{}, the tip of the branch", commit.short())),
    };
    let missing = |why: String| Ok(Err(NotLocated(why)));
    if line == 0 {
        return missing("the report names no valid line number".into());
    }
    let wanted = fold_white_space(text);
    if wanted.is_empty() && matches!(revision, Revision::Tip(_)) {
        return missing(format!(
            "the running revision is unknown, and the report carries no source text of \
             {path}:{line} to compare with"
        ));
    }
    match tracer.trace(commit, path, line).await {
        Ok(blame) if wanted.is_empty() => {
            let how = format!("at {name}; the report carries no source text");
            return Ok(Ok(Located { how, blame }));
        }
        Ok(blame) if fold_white_space(&blame.text) == wanted => {
            let how = format!("the text agrees at {name}");
            return Ok(Ok(Located { how, blame }));
        }
        Ok(_) => {}
        // A file without this line is a failure for git, and the earlier versions may have it;
        // with the line it is another failure.
        Err(error @ GitError::Failed { .. }) => {
            if line_of(repository, commit, path, line).await?.is_some() {
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    if wanted.is_empty() {
        return missing(format!("{path} has no line {line} at {name}"));
    }
    for earlier in repository.history(commit, path, MAX_VERSIONS).await? {
        let text = line_of(repository, &earlier, path, line).await?;
        if earlier != *commit && text.is_some_and(|text| fold_white_space(&text) == wanted) {
            let blame = tracer.trace(&earlier, path, line).await?;
            let short = earlier.short();
            let how = format!("the text agrees at {short}, an earlier version of the file");
            return Ok(Ok(Located { how, blame }));
        }
    }
    missing(format!(
        "{path}:{line} does not read {wanted:?} at {name}, nor in the file's last {MAX_VERSIONS} \
         versions before it: is another branch deployed, or code that was never committed?"
    ))
}

/// Line `line` of a version of the file, when it has that many. Lines end at LF only, as git
/// counts them.
async fn line_of(
    repository: &Repository,
    commit: &CommitId,
    path: &str,
    line: u32,
) -> Result<Option<String>, GitError> {
    let content = repository.file(commit, path).await?.unwrap_or_default();
    let mut lines = content.strip_suffix(b"\n").unwrap_or(&content).split(|byte| *byte == b'\n');
    let text = lines.nth(line as usize - 1).filter(|_| !content.is_empty());
    Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()))
}
