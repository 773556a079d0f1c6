//! Asks `git blame` where a line was born.
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin};

use crate::error::GitError;
use crate::ignore_revs::IgnoreList;
use crate::repository::Repository;
use crate::tracer::WhiteSpace;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// git's answer for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) origin: LineOrigin,
    /// The text of the line in the requested revision, without its line break.
    pub(crate) text: String,
    /// The walk ended at the start of the history, or where it is cut.
    pub(crate) is_boundary: bool,
}

/// Asks the git program for the origin of line `line` (from 1) of `path` at `commit`.
pub(crate) async fn git_blame(
    repository: &Repository,
    ignored: &IgnoreList,
    white_space: WhiteSpace,
    commit: &CommitId,
    path: &str,
    line: u32,
) -> Result<Answer, GitError> {
    let options: &[&str] = match white_space {
        WhiteSpace::Ignored => &["-w"],
        WhiteSpace::Counts => &[],
    };
    blame(repository, ignored, options, commit, path, line).await
}

async fn blame(
    repository: &Repository,
    ignored: &IgnoreList,
    options: &[&str],
    commit: &CommitId,
    path: &str,
    line: u32,
) -> Result<Answer, GitError> {
    let range = format!("{line},{line}");
    let mut run = repository.run("blame").args(["--porcelain", "-L", &range]);
    run = run.args(options.iter().copied());
    // The repository's own configuration of blame must not change the answer.
    run = run.args(["--no-ignore-revs-file", "--no-textconv"]);
    if let Some(file) = &ignored.file {
        let mut option = std::ffi::OsString::from("--ignore-revs-file=");
        option.push(file);
        run = run.args([option]);
    }
    run = run.args(ignored.more.iter().map(|commit| format!("--ignore-rev={commit}")));
    let answer = run.args([commit.as_str(), "--", path]).timeout(TIME_LIMIT).output().await?;
    parse_porcelain(&answer)
        .map_err(|message| GitError::Unexpected { command: "git blame".into(), message })
}

/// Asks the git program where a line was before it was moved within its file or from another one.
pub(crate) async fn git_blame_moves(
    repository: &Repository,
    ignored: &IgnoreList,
    commit: &CommitId,
    path: &str,
    line: u32,
) -> Result<LineOrigin, GitError> {
    // The same number of letters and digits must move as with the tracer.
    let options = ["-w", "-M20", "-C20"];
    Ok(blame(repository, ignored, &options, commit, path, line).await?.origin)
}

/// Asks the git program how long a line of `origin` existed on the way to `revision`: the last
/// commit that has it, and its place there.
pub(crate) async fn git_blame_reverse(
    repository: &Repository,
    origin: &LineOrigin,
    revision: &CommitId,
) -> Result<LineOrigin, GitError> {
    let LineOrigin { commit, path, line } = origin;
    let (range, way) = (format!("{line},{line}"), format!("{commit}..{revision}"));
    let run = repository.run("blame").args(["--porcelain", "--reverse", "-w", "-L", &range]);
    let run = run.args(["--no-ignore-revs-file", "--no-textconv", &way, "--", path]);
    let answer = run.timeout(TIME_LIMIT).output().await?;
    let answer = parse_porcelain(&answer)
        .map_err(|message| GitError::Unexpected { command: "git blame".into(), message })?;
    Ok(answer.origin)
}

/// Parses the porcelain format of one line: `ID ORIGINAL-LINE FINAL-LINE COUNT`, then headers, then
/// the line itself after a tab.
fn parse_porcelain(answer: &[u8]) -> Result<Answer, String> {
    let answer = String::from_utf8_lossy(answer);
    let mut lines = answer.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let commit = words.next().and_then(CommitId::parse);
    let line = words.next().and_then(|word| word.parse().ok());
    let (Some(commit), Some(line)) = (commit, line) else {
        return Err(format!("{first:?} instead of a commit and a line"));
    };
    let mut path = None;
    let (mut text, mut is_boundary) = (String::new(), false);
    for line in lines {
        if let Some(found) = line.strip_prefix('\t') {
            found.clone_into(&mut text);
            break;
        }
        match line.split_once(' ').unwrap_or((line, "")) {
            ("boundary", _) => is_boundary = true,
            ("filename", name) => path = Some(unquote(name)),
            _ => {}
        }
    }
    let path = path.ok_or("no file name")?;
    Ok(Answer { origin: LineOrigin { commit, path, line }, text, is_boundary })
}

/// Unquotes a path as git prints it: in quotes, with C escapes, when it has unusual characters.
fn unquote(path: &str) -> String {
    let Some(inner) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else {
        return path.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'a') => bytes.push(7),
            Some(b'b') => bytes.push(8),
            Some(b'v') => bytes.push(11),
            Some(b'f') => bytes.push(12),
            Some(first @ b'0'..=b'7') => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    if let Some(digit @ b'0'..=b'7') = rest.peek() {
                        value = value * 8 + u32::from(digit - b'0');
                        rest.next();
                    }
                }
                bytes.push(u8::try_from(value & 0xff).unwrap_or_default());
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn quoted_paths_are_read() {
        for (printed, path) in [
            ("a/b.py", "a/b.py"),
            (r#""a\tb.py""#, "a\tb.py"),
            (r#""\303\244.py""#, "ä.py"),
            (r#""say \"hi\"\\.py""#, r#"say "hi"\.py"#),
        ] {
            assert_eq!(unquote(printed), path);
        }
    }
}
