//! Finds the branch that runs.
use std::path::Path;
use std::time::Duration;

use fancy_regex::Regex;

use crate::error::GitError;
use crate::natural_order::natural_order;
use crate::process::{GitProgram, Run};

/// The newest of `branches` (full reference names) whose name `pattern` matches from its start,
/// with or without a leading `origin/`.
pub(crate) fn newest_branch<'a>(
    branches: &'a [String],
    pattern: &Regex,
) -> Result<&'a str, GitError> {
    let matches = |name: &str| {
        let from_start = |found: fancy_regex::Match<'_>| found.start() == 0;
        pattern.find(name).ok().flatten().is_some_and(from_start)
    };
    let runs = branches.iter().filter(|full| {
        let name = branch_name(full);
        matches(name) || matches(&format!("origin/{name}"))
    });
    let newest = runs.max_by(|a, b| natural_order(branch_name(a), branch_name(b)));
    newest.map(String::as_str).ok_or_else(|| {
        let (pattern, count) = (pattern.as_str(), branches.len());
        let text = format!("repo_branch_pattern {pattern:?} matches none of {count} branches");
        GitError::NoTip(text)
    })
}

/// The branch's own name in `refs/heads/x` and `refs/remotes/origin/x`.
fn branch_name(full: &str) -> &str {
    let ours = full.strip_prefix("refs/heads/");
    let remote = || full.strip_prefix("refs/remotes/")?.split_once('/').map(|(_, name)| name);
    ours.or_else(remote).unwrap_or(full)
}

/// The HEAD of a remote.
pub(crate) struct RemoteHead {
    /// Its default branch, as a full reference name.
    pub(crate) default: Option<String>,
    branches: Vec<String>,
}

/// Asks a remote for its branches; `ls_remote` is the command without arguments.
pub(crate) async fn remote_head(ls_remote: Run, url: &str) -> Result<RemoteHead, GitError> {
    let run = ls_remote.args(["--symref", "--", url, "HEAD", "refs/heads/*"]);
    let answer = run.timeout(Duration::from_secs(120)).output().await?;
    let answer = String::from_utf8_lossy(&answer);
    let default = answer.lines().find_map(|line| {
        let name = line.strip_prefix("ref: ")?.strip_suffix("\tHEAD")?;
        name.starts_with("refs/heads/").then(|| name.to_owned())
    });
    let names = answer.lines().filter_map(|line| line.split_once('\t').map(|(_, name)| name));
    let branches = names.filter(|name| name.starts_with("refs/heads/"));
    Ok(RemoteHead { default, branches: branches.map(str::to_owned).collect() })
}

/// Checks that a remote can be cloned, and returns the branch that would run. Runs in the root
/// folder, where no repository's configuration applies.
///
/// # Errors
/// The remote's message, credentials hidden; or no branch matches.
pub async fn probe_remote(
    git: &GitProgram,
    url: &str,
    pattern: Option<&Regex>,
) -> Result<String, GitError> {
    let head = remote_head(git.remote(Path::new("/")).subcommand("ls-remote"), url).await?;
    match pattern {
        Some(pattern) => newest_branch(&head.branches, pattern).map(str::to_owned),
        None => {
            head.default.ok_or_else(|| GitError::NoTip("the remote has no commit yet".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_matching_branch_runs() {
        let names = ["refs/heads/main", "refs/heads/release-9", "refs/remotes/origin/release-10"];
        let names = names.map(str::to_owned);
        let newest = |pattern: &str| {
            let pattern = Regex::new(pattern).expect("valid");
            newest_branch(&names, &pattern).map(str::to_owned)
        };
        assert_eq!(newest("release-").expect("some"), "refs/remotes/origin/release-10");
        assert_eq!(newest("origin/release-").expect("0.4.5's form"), names[2]);
        assert_eq!(newest(r"release-\d$").expect("one"), names[1]);
        assert_eq!(
            newest("elease").expect_err("not from the start").to_string(),
            "repo_branch_pattern \"elease\" matches none of 3 branches"
        );
    }
}
