//! Finds the revision and the line of a reported frame, and blames it there: never blame by a line
//! number alone.
use flawless_core::{Blame, CommitId, Confidence, QuotedText};

use crate::blamer::Blamer;
use crate::error::GitError;
use crate::function_lines::same_text_in_function;
use crate::repository::Repository;
use crate::source_text::{line_in_git, line_of, source_text};

/// Number of earlier versions of a file that are searched.
const MAX_VERSIONS: usize = 50;
/// Number of other frames that are compared with a revision.
const MAX_WITNESSES: usize = 8;

/// A reported line with its author, or why nobody is blamed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// Its author is known.
    Line(Box<LocatedLine>),
    /// Nobody is blamed.
    NotBlamed(NotBlamed),
}

impl Located {
    /// The line with its author; `None` when nobody is blamed.
    pub fn line(self) -> Option<LocatedLine> {
        match self {
            Self::Line(line) => Some(*line),
            Self::NotBlamed(_) => None,
        }
    }
}

/// A line with its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedLine {
    /// How the line was found, in words.
    pub how: String,
    /// How certain that is.
    pub confidence: Confidence,
    /// The revision that contains it.
    pub revision: CommitId,
    /// Its path in that revision.
    pub path: String,
    /// Its number in that revision, from 1.
    pub line: u32,
    /// Its origin and its author.
    pub blame: Blame,
}

/// Why nobody is blamed for a reported line. `at` names a revision, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBlamed {
    /// There is no repository.
    #[error("there is no repository")]
    NoRepository,
    /// The frame has no line number.
    #[error("the report has no valid line number")]
    NoLineNumber,
    /// Only the text could say which revision ran, and the report has too little of it.
    #[error(
        "the running revision is unknown, and the report carries no source text of {path}:{line} \
         to compare with"
    )]
    NoText {
        /// Path in the repository.
        path: String,
        /// Line number in the report.
        line: u32,
    },
    /// The file is too large to be source code.
    #[error(
        "{path} is larger than 32 MiB at {at}: its lines are generated or data, and nobody is \
         blamed for them"
    )]
    TooLarge {
        /// Path in the repository.
        path: String,
        /// The revision.
        at: String,
    },
    /// The file is shorter.
    #[error("{path} has no line {line} at {at}")]
    NoSuchLine {
        /// Path in the repository.
        path: String,
        /// Line number in the report.
        line: u32,
        /// The revision.
        at: String,
    },
    /// The reported text is in no version of the file that was searched.
    #[error(
        "{path}:{line} does not read {text:?} at {at}, nor in the file's last {MAX_VERSIONS} \
         versions before it, and the function does not contain the text: let the client send its \
         revision. Is another branch deployed, or code that was never committed?"
    )]
    ReadsDifferently {
        /// Path in the repository.
        path: String,
        /// Line number in the report.
        line: u32,
        /// The reported source line.
        text: String,
        /// The revision.
        at: String,
    },
    /// The line is in a submodule whose mirror cannot be asked.
    #[error("the submodule's mirror has no tip")]
    NoSubmodule,
    /// A shallow clone does not have the commit that brought the line.
    #[error(
        "the repository's history is cut at {} (a shallow clone), so the author of this line is \
         not known: fetch the rest with git fetch --unshallow", commit.short()
    )]
    ShallowBorder {
        /// Where the history is cut.
        commit: CommitId,
    },
}

/// A line as a report describes it.
#[derive(Debug, Clone, Copy)]
pub struct ReportedLine<'a> {
    /// Path in the repository.
    pub path: &'a str,
    /// Line number, from 1; 0 when the report has none.
    pub line: u32,
    /// Plain name of the function; empty when the report has none.
    pub function: &'a str,
    /// The source line; empty when the report has none.
    pub text: &'a str,
}

/// The running revision, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The client named it, and it is in the mirror.
    Running(CommitId),
    /// Not known: this is the tip of the configured branch.
    Tip(CommitId),
    /// Not known, but older than the tip: it still had a file that is gone at the tip.
    Before(CommitId),
}

impl Revision {
    /// The commit where the search for a line starts.
    pub fn commit(&self) -> &CommitId {
        match self {
            Self::Running(commit) | Self::Tip(commit) | Self::Before(commit) => commit,
        }
    }

    /// The commit, when it certainly is the one that ran.
    pub fn running(&self) -> Option<&CommitId> {
        match self {
            Self::Running(commit) => Some(commit),
            _ => None,
        }
    }

    /// The same for another repository that is a part of this one.
    pub(crate) fn with(&self, commit: CommitId) -> Self {
        match self {
            Self::Running(_) => Self::Running(commit),
            Self::Tip(_) => Self::Tip(commit),
            Self::Before(_) => Self::Before(commit),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Running(commit) => format!("the running revision {}", commit.short()),
            Self::Tip(commit) => format!("{}, the tip of the branch", commit.short()),
            Self::Before(commit) => {
                format!("{}, the last revision that has all its files", commit.short())
            }
        }
    }
}

/// A line of a revision, and how it was found.
struct MatchedLine {
    revision: CommitId,
    path: String,
    line: u32,
    confidence: Confidence,
    how: String,
}

/// Why no line of a revision matches.
enum Unmatched {
    NotBlamed(NotBlamed),
    Git(GitError),
}

impl From<NotBlamed> for Unmatched {
    fn from(why: NotBlamed) -> Self {
        Self::NotBlamed(why)
    }
}

impl From<GitError> for Unmatched {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// Blames a line whose text agrees with the report, white space folded: at the running revision or
/// the tip; else in the newest of those among the file's last 50 versions in which most of the
/// `others` agree too; else where the same text is in the same function.
pub(crate) async fn locate(
    blamer: &Blamer,
    revision: &Revision,
    reported: ReportedLine<'_>,
    others: &[ReportedLine<'_>],
) -> Result<Located, GitError> {
    let matched = match find(blamer.repository(), revision, reported, others).await {
        Ok(matched) => matched,
        Err(Unmatched::NotBlamed(why)) => return Ok(Located::NotBlamed(why)),
        Err(Unmatched::Git(error)) => return Err(error),
    };
    let MatchedLine { revision, path, line, confidence, how } = matched;
    let blame = blamer.blame(&revision, &path, line).await?;
    if blame.at_shallow_border {
        let commit = blame.origin.commit;
        return Ok(Located::NotBlamed(NotBlamed::ShallowBorder { commit }));
    }
    Ok(Located::Line(Box::new(LocatedLine { how, confidence, revision, path, line, blame })))
}

async fn find(
    repository: &Repository,
    revision: &Revision,
    reported: ReportedLine<'_>,
    others: &[ReportedLine<'_>],
) -> Result<MatchedLine, Unmatched> {
    let ReportedLine { path, line, text, function } = reported;
    let (commit, name) = (revision.commit(), revision.name());
    if line == 0 {
        return Err(NotBlamed::NoLineNumber.into());
    }
    let is_running = matches!(revision, Revision::Running(_));
    let wanted = QuotedText::of(text);
    // If the revision is unknown, only the text identifies the line: it must be complete, or enough
    // must be left around the redacted parts.
    if wanted.is_vague() && !is_running {
        return Err(NotBlamed::NoText { path: path.to_owned(), line }.into());
    }
    let content = match repository.file(commit, path).await {
        Err(GitError::TooLarge { .. }) => {
            return Err(NotBlamed::TooLarge { path: path.to_owned(), at: name }.into());
        }
        content => content?.unwrap_or_default(),
    };
    let line = line_in_git(&content, line);
    let here = |confidence, how| MatchedLine {
        revision: commit.clone(),
        path: path.to_owned(),
        line,
        confidence,
        how,
    };
    match line_of(&content, line) {
        Some(_) if wanted.is_blank() => {
            let how = format!("at {name}; the report carries no source text");
            return Ok(here(Confidence::Unconfirmed, how));
        }
        Some(text) if wanted.reads(&text) => {
            let confidence = match revision {
                Revision::Running(_) => Confidence::Exact,
                Revision::Tip(_) => Confidence::Tip,
                Revision::Before(_) => Confidence::Earlier,
            };
            return Ok(here(confidence, format!("the text agrees at {name}")));
        }
        _ if wanted.is_blank() => {
            return Err(NotBlamed::NoSuchLine { path: path.to_owned(), line, at: name }.into());
        }
        _ => {}
    }
    if let Some(matched) = find_earlier(repository, commit, reported, &wanted, others).await? {
        return Ok(matched);
    }
    let content = source_text(&content);
    if let Some(found) = same_text_in_function(&content, function, &wanted, line) {
        let how = format!(
            "by text: line {line} at {name} is a different one, but the reported text is at \
             line {found} of the same function"
        );
        return Ok(MatchedLine { line: found, ..here(Confidence::ByText, how) });
    }
    let (path, text) = (path.to_owned(), wanted.as_str().to_owned());
    Err(NotBlamed::ReadsDifferently { path, line, text, at: name }.into())
}

/// The content of a file; empty when it does not exist, or is too large for a source file.
async fn content_of(
    repository: &Repository,
    commit: &CommitId,
    path: &str,
) -> Result<Vec<u8>, GitError> {
    match repository.file(commit, path).await {
        Err(GitError::TooLarge { .. }) => Ok(Vec::new()),
        content => Ok(content?.unwrap_or_default()),
    }
}

/// Whether one of the last 50 versions of a file up to `from` has the wanted text.
pub(crate) async fn had_version(
    repository: &Repository,
    from: &CommitId,
    path: &str,
    is_it: &(dyn Fn(&str) -> bool + Sync),
) -> Result<bool, GitError> {
    for version in repository.versions(from, path, MAX_VERSIONS).await? {
        let content = content_of(repository, &version.commit, &version.path).await?;
        if is_it(&source_text(&content)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest of the file's versions in which the line agrees with the report, as do most of the
/// other frames.
async fn find_earlier(
    repository: &Repository,
    from: &CommitId,
    reported: ReportedLine<'_>,
    wanted: &QuotedText<'_>,
    others: &[ReportedLine<'_>],
) -> Result<Option<MatchedLine>, GitError> {
    let texts = others.iter().map(|other| (other, QuotedText::of(other.text)));
    let witnesses: Vec<_> =
        texts.filter(|(_, text)| !text.is_vague()).take(MAX_WITNESSES).collect();
    let mut best: Option<(usize, MatchedLine)> = None;
    for version in repository.versions(from, reported.path, MAX_VERSIONS).await? {
        if version.commit == *from {
            continue;
        }
        let content = content_of(repository, &version.commit, &version.path).await?;
        let line = line_in_git(&content, reported.line);
        if line_of(&content, line).is_none_or(|text| !wanted.reads(&text)) {
            continue;
        }
        let mut agreeing = 0;
        for (other, quoted) in &witnesses {
            let content = content_of(repository, &version.commit, other.path).await?;
            let text = line_of(&content, line_in_git(&content, other.line));
            agreeing += usize::from(text.is_some_and(|text| quoted.reads(&text)));
        }
        // Without other frames to confirm it, the text must be informative by itself.
        let is_borne_out = if witnesses.is_empty() {
            wanted.is_informative()
        } else {
            agreeing * 2 >= witnesses.len()
        };
        if is_borne_out && best.as_ref().is_none_or(|(most, _)| agreeing > *most) {
            let mut how = format!(
                "the text agrees at {}, an earlier version of the file",
                version.commit.short()
            );
            if !witnesses.is_empty() {
                how += &format!(", as {agreeing} of {} other frames do", witnesses.len());
            }
            let matched = MatchedLine {
                revision: version.commit,
                path: version.path,
                line,
                confidence: Confidence::Earlier,
                how,
            };
            best = Some((agreeing, matched));
        }
        if is_borne_out && agreeing == witnesses.len() {
            break;
        }
    }
    Ok(best.map(|(_, matched)| matched))
}
