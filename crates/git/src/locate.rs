//! Finds the revision and the line that a reported frame is, and blames it there: never blame by
//! a line number alone.
use flawless_core::{Blame, CommitId, Confidence, QuotedText};

use crate::blamer::Blamer;
use crate::error::GitError;
use crate::function_lines::same_text_in_function;
use crate::repository::Repository;
use crate::source_text::{line_in_git, line_of, source_text};

/// How many earlier versions of a file are looked at.
const MAX_VERSIONS: usize = 50;
/// How many of the other frames are asked whether they agree with a revision.
const MAX_WITNESSES: usize = 8;

/// A line with its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How the line was found, in words.
    pub how: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// The revision in which it stands.
    pub revision: CommitId,
    /// Its path there.
    pub path: String,
    /// Its number there, from 1.
    pub line: u32,
    /// Who wrote it.
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

    /// The same for another repository, a part of this one.
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

/// Blames a line where it reads as reported, white space folded: at the running revision or the
/// tip; else in that one of the file's last 50 versions in which most of the `others` agree too,
/// the newest of them; else where the same text stands in the same function.
pub(crate) async fn locate(
    blamer: &Blamer,
    revision: &Revision,
    reported: ReportedLine<'_>,
    others: &[ReportedLine<'_>],
) -> Result<Result<Located, NotLocated>, GitError> {
    let matched = match find(blamer.repository(), revision, reported, others).await? {
        Ok(matched) => matched,
        Err(why) => return Ok(Err(NotLocated(why))),
    };
    let MatchedLine { revision, path, line, confidence, how } = matched;
    let blame = blamer.blame(&revision, &path, line).await?;
    Ok(Ok(Located { how, confidence, revision, path, line, blame }))
}

async fn find(
    repository: &Repository,
    revision: &Revision,
    reported: ReportedLine<'_>,
    others: &[ReportedLine<'_>],
) -> Result<Result<MatchedLine, String>, GitError> {
    let ReportedLine { path, line, text, function } = reported;
    let (commit, name) = (revision.commit(), revision.name());
    if line == 0 {
        return Ok(Err("the report names no valid line number".into()));
    }
    let is_running = matches!(revision, Revision::Running(_));
    let wanted = QuotedText::of(text);
    // Where the revision is unknown the text is all there is: the whole of it, or enough of it
    // around what was redacted.
    if wanted.is_vague() && !is_running {
        return Ok(Err(format!(
            "the running revision is unknown, and the report carries no source text of \
             {path}:{line} to compare with"
        )));
    }
    let content = match repository.file(commit, path).await {
        Err(GitError::TooLarge { .. }) => {
            return Ok(Err(format!(
                "{path} is larger than 32 MiB at {name}: its lines are generated or data, and \
                 nobody is blamed for them"
            )));
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
            return Ok(Ok(here(Confidence::Unconfirmed, how)));
        }
        Some(text) if wanted.reads(&text) => {
            let confidence = match revision {
                Revision::Running(_) => Confidence::Exact,
                Revision::Tip(_) => Confidence::Tip,
                Revision::Before(_) => Confidence::Earlier,
            };
            return Ok(Ok(here(confidence, format!("the text agrees at {name}"))));
        }
        _ if wanted.is_blank() => return Ok(Err(format!("{path} has no line {line} at {name}"))),
        _ => {}
    }
    if let Some(matched) = find_earlier(repository, commit, reported, &wanted, others).await? {
        return Ok(Ok(matched));
    }
    let content = source_text(&content);
    if let Some(found) = same_text_in_function(&content, function, &wanted, line) {
        let how = format!(
            "by text: at {name} line {line} is another one, and the reported text stands in the \
             same function at line {found}"
        );
        return Ok(Ok(MatchedLine { line: found, ..here(Confidence::ByText, how) }));
    }
    Ok(Err(format!(
        "{path}:{line} does not read {:?} at {name}, nor in the file's last {MAX_VERSIONS} \
         versions before it, and the text stands nowhere in the function: say which revision \
         runs; is another branch deployed, or code that was never committed?",
        wanted.as_str()
    )))
}

/// The content of a file; empty when it is not there, or larger than any source is.
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

/// Whether one of the last 50 versions of a file up to `from` is what is looked for, by its text.
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

/// The newest of the file's versions in which the line reads as reported and most of the other
/// frames do as well.
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
        // Without others to bear it out, the text has to say something by itself.
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
