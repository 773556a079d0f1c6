//! Where a line was born, asked of `git blame`.
use std::path::PathBuf;
use std::time::Duration;

use flawless_core::{Blame, CommitId, Developer, LineOrigin};

use crate::error::GitError;
use crate::repository::Repository;

/// Traces a line back to where it was born.
pub trait LineTracer {
    /// The origin of line `line` (from 1) of `path` at `commit`, white space ignored, moves and
    /// copies followed, ignored commits passed over, `.mailmap` applied.
    fn trace(
        &self,
        commit: &CommitId,
        path: &str,
        line: u32,
    ) -> impl Future<Output = Result<Blame, GitError>> + Send;
}

/// The git program as a tracer.
#[derive(Debug)]
pub struct GitBlame {
    repository: Repository,
    ignore_revs_file: Option<PathBuf>,
    mailmap: Option<CommitId>,
    shallow: bool,
}

impl GitBlame {
    /// Blames in `repository`; passes over the commits that `ignore_revs_file` lists (full ids
    /// only) and applies the `.mailmap` of the commit `mailmap`.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn new(
        repository: Repository,
        ignore_revs_file: Option<PathBuf>,
        mailmap: Option<CommitId>,
    ) -> Result<Self, GitError> {
        let shallow = repository.is_shallow().await?;
        Ok(Self { repository, ignore_revs_file, mailmap, shallow })
    }
}

impl LineTracer for GitBlame {
    async fn trace(&self, commit: &CommitId, path: &str, line: u32) -> Result<Blame, GitError> {
        let mut run = self.repository.run("blame");
        if let Some(mailmap) = &self.mailmap {
            run = run
                .env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", "mailmap.blob")
                .env("GIT_CONFIG_VALUE_0", format!("{mailmap}:.mailmap"));
        }
        let range = format!("{line},{line}");
        run = run.args(["--porcelain", "-w", "-M", "-C", "-L", &range]);
        // What the repository's own configuration says about blame must not change the answer.
        run = run.args(["--no-ignore-revs-file", "--no-textconv"]);
        if let Some(file) = &self.ignore_revs_file {
            let mut option = std::ffi::OsString::from("--ignore-revs-file=");
            option.push(file);
            run = run.args([option]);
        }
        let run = run.args([commit.as_str(), "--", path]).timeout(Duration::from_secs(60));
        let answer = run.output().await?;
        parse_porcelain(&answer, self.shallow)
            .map_err(|message| GitError::Unexpected { command: "blame".into(), message })
    }
}

/// Reads the porcelain format for one line: `ID ORIGINAL-LINE FINAL-LINE COUNT`, then headers,
/// then the line itself behind a tab.
fn parse_porcelain(answer: &[u8], shallow: bool) -> Result<Blame, String> {
    let answer = String::from_utf8_lossy(answer);
    let mut lines = answer.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let commit = words.next().and_then(CommitId::parse);
    let line = words.next().and_then(|word| word.parse().ok());
    let (Some(commit), Some(line)) = (commit, line) else {
        return Err(format!("{first:?} instead of a commit and a line"));
    };
    let mut blame = Blame {
        origin: LineOrigin { commit, path: String::new(), line },
        developer: Developer::default(),
        authored_at: 0,
        summary: String::new(),
        text: String::new(),
        at_shallow_border: false,
    };
    for line in lines {
        if let Some(text) = line.strip_prefix('\t') {
            text.clone_into(&mut blame.text);
            break;
        }
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "author" => value.clone_into(&mut blame.developer.name),
            "author-mail" => {
                value.trim_matches(['<', '>']).clone_into(&mut blame.developer.email);
            }
            "author-time" => {
                let seconds: i64 = value.parse().map_err(|_| format!("author-time {value:?}"))?;
                blame.authored_at = seconds.saturating_mul(1000);
            }
            "summary" => value.clone_into(&mut blame.summary),
            "boundary" => blame.at_shallow_border = shallow,
            "filename" => blame.origin.path = unquote(value),
            _ => {}
        }
    }
    if blame.origin.path.is_empty() {
        return Err("no file name".into());
    }
    Ok(blame)
}

/// A path as git prints it: in quotes, with C escapes, when it has odd characters.
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
