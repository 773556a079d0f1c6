//! Finds the revision in which a reported line stands: never blame by a line number alone.
use flawless_core::{CommitId, fold_white_space};

use crate::error::GitError;
use crate::repository::Repository;

/// How many earlier versions of a file are looked at.
const MAX_VERSIONS: usize = 50;

/// The revision to blame in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// There the line stands at its number.
    pub commit: CommitId,
    /// How it was found, in words.
    pub how: String,
}

/// Why a line cannot be blamed, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLocated(pub String);

/// The running revision, as far as it is known.
#[derive(Debug, Clone)]
pub(crate) enum Revision<'a> {
    /// The client named it, and it is in the mirror.
    Running(&'a CommitId),
    /// Not known: this is the tip of the configured branch.
    Tip(&'a CommitId),
}

/// Finds where line `line` of `path` reads `text`, white space folded: at the running revision
/// or the tip, else in the newest of the file's last 50 versions before it.
pub(crate) async fn locate(
    repository: &Repository,
    revision: Revision<'_>,
    path: &str,
    line: u32,
    text: &str,
) -> Result<Result<Located, NotLocated>, GitError> {
    let (commit, name) = match revision {
        Revision::Running(commit) => (commit, format!("the running revision {}", commit.short())),
        Revision::Tip(commit) => (commit, format!("{}, the tip of the branch", commit.short())),
    };
    let found = |commit: &CommitId, how: String| Ok(Ok(Located { commit: commit.clone(), how }));
    let missing = |why: String| Ok(Err(NotLocated(why)));
    if line == 0 {
        return missing("the report names no valid line number".into());
    }
    let wanted = fold_white_space(text);
    if wanted.is_empty() {
        let Revision::Running(_) = revision else {
            return missing(format!(
                "the running revision is unknown, and the report carries no source text of \
                 {path}:{line} to compare with"
            ));
        };
        return match line_of(repository, commit, path, line).await? {
            Some(_) => found(commit, format!("at {name}; the report carries no source text")),
            None => missing(format!("{path} has no line {line} at {name}")),
        };
    }
    if reads(repository, commit, path, line, &wanted).await? {
        return found(commit, format!("the text agrees at {name}"));
    }
    for earlier in repository.history(commit, path, MAX_VERSIONS).await? {
        if earlier != *commit && reads(repository, &earlier, path, line, &wanted).await? {
            let how =
                format!("the text agrees at {}, an earlier version of the file", earlier.short());
            return found(&earlier, how);
        }
    }
    missing(format!(
        "{path}:{line} does not read {wanted:?} at {name}, nor in the file's last {MAX_VERSIONS} \
         versions before it: is another branch deployed, or code that was never committed?"
    ))
}

async fn reads(
    repository: &Repository,
    commit: &CommitId,
    path: &str,
    line: u32,
    wanted: &str,
) -> Result<bool, GitError> {
    let found = line_of(repository, commit, path, line).await?;
    Ok(found.is_some_and(|found| fold_white_space(&found) == wanted))
}

/// The text of a line as git counts lines (they end at LF only), or `None` when the file has
/// fewer or is not there.
async fn line_of(
    repository: &Repository,
    commit: &CommitId,
    path: &str,
    line: u32,
) -> Result<Option<String>, GitError> {
    let Some(content) = repository.file(commit, path).await? else {
        return Ok(None);
    };
    let text = content.split(|byte| *byte == b'\n').nth(line as usize - 1);
    Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()))
}
