//! A real git repository, made by the test.
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A developer: name, address.
pub type Person = (&'static str, &'static str);
pub const ANN: Person = ("Ann Archer", "ann@example.com");
pub const BEN: Person = ("Ben Baker", "ben@example.com");
pub const CLEO: Person = ("Cleo Clark", "cleo@example.com");

pub struct TestRepository {
    folder: TempDir,
}

impl TestRepository {
    pub fn empty() -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("a folder") };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// `shop/web.py` and `shop/money.py` are Ann's, `shop/cart.py` is Ben's.
    pub fn shop() -> Self {
        let repository = Self::empty();
        repository.commit(
            ANN,
            "2026-03-02",
            "web: pages",
            &[
                ("shop/web.py", "def handle(cart):\n    return cart.total()\n"),
                ("shop/money.py", "def add(a, b):\n    return a + b\n\n\ndef fail(text):\n    raise ValueError(text)\n"),
            ],
        );
        repository.commit(
            BEN,
            "2026-05-18",
            "cart: a total",
            &[("shop/cart.py", "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n")],
        );
        repository
    }

    /// The contents of a bundle, with its branch `main` checked out.
    pub fn of_bundle(bundle: &Path) -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("a folder") };
        let bundle = bundle.display().to_string();
        repository.git(&["clone", "--quiet", "--branch=main", &bundle, "."]);
        repository
    }

    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Writes files and commits them as `who` on a day; returns the commit's id.
    pub fn commit(&self, who: Person, day: &str, message: &str, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.dir().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, content).expect("written");
        }
        self.git(&["add", "--all"]);
        let date = format!("{day}T12:00:00+00:00");
        let mut commit = self.command(&["commit", "--quiet", "--allow-empty", "-m", message]);
        for role in ["AUTHOR", "COMMITTER"] {
            commit.env(format!("GIT_{role}_NAME"), who.0);
            commit.env(format!("GIT_{role}_EMAIL"), who.1);
            commit.env(format!("GIT_{role}_DATE"), &date);
        }
        run(commit);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository and returns what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        run(self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.dir()).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }
}

fn run(mut command: Command) -> String {
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
