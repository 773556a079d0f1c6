//! Finds the running revision of the program: from its own variable, from the platform, from a
//! REVISION file, or from `.git` beside the code, read without starting git.
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Set by the deployment for Flawless; its value is taken as it is.
const OUR_VARIABLE: &str = "FLAWLESS_REVISION";

/// Set by hosting platforms; used when the value is a commit id.
const PLATFORM_VARIABLES: [&str; 20] = [
    "GIT_COMMIT",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BITBUCKET_COMMIT",
    "BUILD_SOURCEVERSION",
    "BUILD_VCS_NUMBER",
    "CIRCLE_SHA1",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "DRONE_COMMIT_SHA",
    "HEROKU_BUILD_COMMIT",
    "HEROKU_SLUG_COMMIT",
    "SOURCE_VERSION",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "VERCEL_GIT_COMMIT_SHA",
    "CF_PAGES_COMMIT_SHA",
    "ZEABUR_GIT_COMMIT_SHA",
    "COMMIT_REF",
    "COMMIT_SHA",
    "KAMAL_VERSION",
];

const REVISION_FILE: &str = "REVISION";
/// Size limit of the small files read here, in bytes.
const LARGEST: u64 = 4_096;
const LONGEST_REVISION: usize = 200;
/// Line limit in `packed-refs`, for repositories with very many branches and tags.
const MOST_REFERENCES: usize = 1_000_000;

/// The running revision, or `None` when it cannot be found. `variable` looks up an environment
/// variable; `folders` are where the program's code may be, most likely first.
pub fn running_revision(
    variable: impl Fn(&str) -> Option<String>,
    folders: &[PathBuf],
) -> Option<String> {
    let told = variable(OUR_VARIABLE).and_then(|value| acceptable(&value));
    let platform = || {
        let values = PLATFORM_VARIABLES.iter().filter_map(|name| variable(name));
        values.map(|value| value.trim().to_owned()).find(|value| is_commit_id(value))
    };
    let up = || folders.iter().flat_map(|folder| folder.ancestors());
    let file = || up().find_map(|folder| revision_file(&folder.join(REVISION_FILE)));
    let checkout = || up().find_map(|folder| head_of(&folder.join(".git")));
    told.or_else(platform).or_else(file).or_else(checkout)
}

fn acceptable(value: &str) -> Option<String> {
    let value = value.trim();
    let fits = !value.is_empty()
        && value.len() <= LONGEST_REVISION
        && value.chars().all(|c| c.is_ascii_graphic());
    fits.then(|| value.to_owned())
}

fn is_commit_id(value: &str) -> bool {
    (7..=64).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_full_commit_id(value: &str) -> bool {
    matches!(value.len(), 40 | 64) && is_commit_id(value)
}

fn revision_file(path: &Path) -> Option<String> {
    acceptable(read_small(path)?.lines().next()?)
}

/// The checked-out commit of a repository, or of a work tree or submodule, whose `.git` is a file
/// that names its folder.
fn head_of(dot_git: &Path) -> Option<String> {
    let folder = if dot_git.is_dir() {
        dot_git.to_owned()
    } else {
        let named = read_small(dot_git)?;
        dot_git.parent()?.join(named.strip_prefix("gitdir:")?.trim())
    };
    let head = read_small(&folder.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref:") else {
        return Some(head.trim().to_owned()).filter(|id| is_full_commit_id(id));
    };
    let reference = reference.trim();
    if !reference.starts_with("refs/") || reference.split('/').any(|part| part == "..") {
        return None;
    }
    let shared = match read_small(&folder.join("commondir")) {
        Some(named) => folder.join(named.trim()),
        None => folder.clone(),
    };
    let loose = [&folder, &shared].into_iter().find_map(|at| read_small(&at.join(reference)));
    let loose = loose.map(|id| id.trim().to_owned());
    loose.or_else(|| packed(&shared, reference)).filter(|id| is_full_commit_id(id))
}

fn packed(folder: &Path, reference: &str) -> Option<String> {
    let lines = BufReader::new(File::open(folder.join("packed-refs")).ok()?).lines();
    lines.take(MOST_REFERENCES).map_while(Result::ok).find_map(|line| {
        let (id, name) = line.split_once(' ')?;
        (name == reference).then(|| id.to_owned())
    })
}

fn read_small(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    // Reading a named pipe would block forever.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn nothing_set(_: &str) -> Option<String> {
        None
    }

    #[expect(clippy::disallowed_methods, reason = "the real git makes the repository")]
    fn git(folder: &Path, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"];
        let done = Command::new("git").args(identity).args(arguments).current_dir(folder).output();
        let done = done.expect("git runs");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    fn revision(folder: &Path) -> Option<String> {
        running_revision(nothing_set, &[folder.to_owned()])
    }

    #[test]
    fn checkout_names_its_commit_in_every_form_of_head() {
        let folder = tempfile::tempdir().expect("a folder");
        let shop = folder.path().join("shop");
        fs::create_dir_all(shop.join("src")).expect("folders");
        git(&shop, &["init", "--quiet", "--initial-branch=main"]);
        assert_eq!(revision(&shop), None, "there is no commit yet");
        git(&shop, &["commit", "--quiet", "--allow-empty", "--message", "first"]);
        let first = git(&shop, &["rev-parse", "HEAD"]);
        assert_eq!(revision(&shop.join("src")).as_ref(), Some(&first), "above the code");
        git(&shop, &["pack-refs", "--all"]);
        assert_eq!(revision(&shop).as_ref(), Some(&first));
        git(&shop, &["worktree", "add", "--quiet", "-b", "other/name", "../tree"]);
        let tree = folder.path().join("tree");
        git(&tree, &["commit", "--quiet", "--allow-empty", "--message", "second"]);
        let second = git(&tree, &["rev-parse", "HEAD"]);
        assert_eq!(revision(&tree).as_ref(), Some(&second));
        git(&shop, &["checkout", "--quiet", "--detach", &second]);
        assert_eq!(revision(&shop).as_ref(), Some(&second));
    }

    #[test]
    fn revision_comes_from_caller_platform_file_then_git() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let folders = [root.to_owned()];
        fs::create_dir(root.join(".git")).expect("a folder");
        fs::write(root.join(".git/HEAD"), format!("{ID}\n")).expect("a file");
        assert_eq!(revision(root).as_deref(), Some(ID));
        fs::write(root.join("REVISION"), "v1.4.2\n").expect("a file");
        assert_eq!(revision(root).as_deref(), Some("v1.4.2"));
        let platform = |name: &str| match name {
            "GIT_COMMIT" => Some("main".to_owned()),
            "RENDER_GIT_COMMIT" => Some(format!(" {ID}\n")),
            _ => None,
        };
        assert_eq!(running_revision(platform, &folders).as_deref(), Some(ID), "main is no commit");
        let told = |name: &str| match name {
            "FLAWLESS_REVISION" => Some("release-7".to_owned()),
            other => platform(other),
        };
        assert_eq!(running_revision(told, &folders).as_deref(), Some("release-7"));
    }

    #[test]
    fn broken_files_yield_no_revision() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = folder.path().join(".git");
        let huge = "x".repeat(100_000);
        for head in ["", "ref: refs/heads/.invalid", "ref: ../../etc/passwd", "nonsense", &huge] {
            fs::create_dir_all(&git).expect("a folder");
            fs::write(git.join("HEAD"), head).expect("a file");
            assert_eq!(revision(folder.path()), None, "{head:.40}");
        }
        fs::remove_dir_all(&git).expect("it is there");
        fs::write(&git, "gitdir: nowhere\n").expect("a file");
        assert_eq!(revision(folder.path()), None);
    }
}
