//! Runs the git program once for each line and reads its output.
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use flawless_git::tracer::{Place, WhiteSpace};
use gix_hash::ObjectId;

use super::places::Line;

/// Runs git without the user's settings.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let done = Command::new("git")
        .args(["-c", "safe.directory=*", "-c", "core.quotePath=false", "-C"])
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("git cannot be started")?;
    ensure!(done.status.success(), "git {} failed", arguments.join(" "));
    Ok(done.stdout)
}

/// The result of `git blame` for one line.
pub(super) fn blame(
    folder: &Path,
    commit: &str,
    line: &Line,
    white_space: WhiteSpace,
) -> Result<Place> {
    let range = format!("{},+1", line.number);
    let mut arguments = vec!["blame", "--porcelain", "-L", &range];
    if white_space == WhiteSpace::Ignored {
        arguments.push("-w");
    }
    arguments.extend([commit, "--", &line.path]);
    read(&git(folder, &arguments)?).context("git's answer cannot be read")
}

/// `COMMIT LINE-THERE LINE-HERE COUNT`, then headers, then the line itself after a tab.
fn read(answer: &[u8]) -> Option<Place> {
    let mut lines = answer.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let commit = ObjectId::from_hex(words.next()?).ok()?;
    let line = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let mut headers = lines.take_while(|line| !line.starts_with(b"\t"));
    let path = unquoted(headers.find_map(|line| line.strip_prefix(b"filename "))?);
    Some(Place { commit, path, line })
}

/// Unquotes a path as printed by git, with quotes and C escapes if it has unusual characters.
fn unquoted(path: &[u8]) -> Vec<u8> {
    let inner = path.strip_prefix(b"\"").and_then(|path| path.strip_suffix(b"\""));
    let Some(mut rest) = inner else { return path.to_owned() };
    let mut plain = Vec::with_capacity(rest.len());
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        let [escape, behind @ ..] = rest else { break };
        rest = behind;
        plain.push(match (escape, rest) {
            (b'0'..=b'3', [second, third, behind @ ..]) => {
                rest = behind;
                (escape - b'0') << 6 | (second & 7) << 3 | third & 7
            }
            (b'a', _) => 7,
            (b'b', _) => 8,
            (b't', _) => b'\t',
            (b'n', _) => b'\n',
            (b'v', _) => 11,
            (b'f', _) => 12,
            (b'r', _) => b'\r',
            (other, _) => *other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_of_git_is_read_and_its_path_unquoted() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let answer = format!("{id} 7 9 1\nauthor A\nfilename \"a\\t\\303\\244\\\"b.py\"\n\tx\n");
        let place = read(answer.as_bytes()).expect("an answer");
        assert_eq!((place.line, place.path), (7, "a\tä\"b.py".as_bytes().to_vec()));
        assert_eq!(place.commit.to_string(), id);
        assert_eq!(unquoted("ä b.py".as_bytes()), "ä b.py".as_bytes());
        assert!(read(b"fatal: no such path").is_none());
    }
}
