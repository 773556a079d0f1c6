//! A repository that git itself makes, for a test.
use std::path::PathBuf;
use std::process::Command;

use fancy_regex::Regex;
use flawless_core::CommitId;
use flawless_git::process::GitProgram;
use flawless_git::{GitError, Mirror, MirrorSettings, Source};
use tempfile::TempDir;

pub(crate) struct Made {
    pub(crate) folder: TempDir,
}

impl Made {
    pub(crate) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir(made.dir()).expect("made");
        made.git(&["init", "--quiet", "--initial-branch=main"]);
        made
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("origin")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_as(("Ann", "ann@example.com"), arguments)
    }

    pub(crate) fn git_as(&self, (name, email): (&str, &str), arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", &format!("user.name={name}"), "-c", &format!("user.email={email}")])
            .args(arguments)
            .current_dir(self.dir())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn commit(&self, path: &str, content: &[u8]) -> CommitId {
        self.commit_as(("Ann", "ann@example.com"), path, content, path)
    }

    pub(crate) fn commit_as(
        &self,
        who: (&str, &str),
        path: &str,
        content: &[u8],
        message: &str,
    ) -> CommitId {
        let file = self.dir().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, content).expect("written");
        self.git(&["add", "--all"]);
        self.git_as(who, &["commit", "--quiet", "--message", message]);
        CommitId::parse(&self.git(&["rev-parse", "HEAD"])).expect("an id")
    }

    pub(crate) async fn mirror(
        &self,
        source: Source,
        pattern: Option<&str>,
    ) -> Result<Mirror, GitError> {
        Mirror::open(MirrorSettings {
            branch_pattern: pattern.map(|pattern| Regex::new(pattern).expect("valid")),
            ..MirrorSettings::new(GitProgram::new("git"), source, self.folder.path().to_owned())
        })
        .await
    }

    pub(crate) fn clone_source(&self, dir: &str) -> Source {
        Source::Clone { url: self.dir().display().to_string(), dir: self.path(dir) }
    }
}
