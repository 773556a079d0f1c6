//! The failing program: a small git repository whose lines appear in the reports.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Frames of a traceback.
pub(crate) const FRAMES: usize = 20;
/// Different lines for the load that is spread.
pub(crate) const MANY: usize = 1_000;
/// Files with one line that fails repeatedly, one for each load.
pub(crate) const KNOWN: usize = 4;

/// Commits of the thousand lines, each by another author.
const COMMITS: usize = 100;

/// A line of the program.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Path in the repository.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) number: usize,
    /// The name of its function.
    pub(crate) function: String,
    /// Its text in the file, without the line end.
    pub(crate) text: String,
}

/// The repository and the lines used in reports.
#[derive(Debug)]
pub(crate) struct Code {
    /// The working tree.
    pub(crate) folder: PathBuf,
    /// The callers, outermost first.
    pub(crate) layers: Vec<Line>,
    /// Lines that fail repeatedly.
    pub(crate) known: Vec<Line>,
    /// The thousand lines that fail in turn.
    pub(crate) many: Vec<Line>,
}

impl Code {
    /// Writes the files and commits them; the file of the thousand lines grows with each of a
    /// hundred commits by a hundred authors.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder.join("shop"))?;
        git(folder, 0, &["init", "--quiet", "--initial-branch=main"])?;
        let layers = (0..FRAMES - 1)
            .map(|layer| {
                let text = format!("    return layer_{:02}(cart, customer)", layer + 1);
                module(folder, &format!("layer_{layer:02}"), text)
            })
            .collect::<Result<_>>()?;
        let known = (0..KNOWN)
            .map(|file| {
                let text = "    return cart.total / customer.parts".to_owned();
                module(folder, &format!("known_{file}"), text)
            })
            .collect::<Result<_>>()?;
        git(folder, 0, &["add", "--all"])?;
        git(folder, 0, &["commit", "--quiet", "--message", "The shop"])?;
        let mut many = Vec::with_capacity(MANY);
        let mut prices = String::from("def price(cart, customer):\n");
        for commit in 0..COMMITS {
            for _ in 0..MANY / COMMITS {
                let number = many.len();
                let text =
                    format!("    cart.price_{number:04} = cart.sum_{number:04} / customer.n");
                prices.push_str(&text);
                prices.push('\n');
                many.push(Line {
                    path: "shop/prices.py".to_owned(),
                    number: number + 2,
                    function: "price".to_owned(),
                    text,
                });
            }
            fs::write(folder.join("shop/prices.py"), &prices)?;
            git(folder, commit + 1, &["add", "--all"])?;
            git(folder, commit + 1, &["commit", "--quiet", "--message", "More prices"])?;
        }
        Ok(Self { folder: folder.to_owned(), layers, known, many })
    }

    /// One line of each author, from the many.
    pub(crate) fn one_of_each_author(&self) -> impl Iterator<Item = &Line> {
        self.many.iter().step_by(MANY / COMMITS)
    }
}

/// Writes a file with one function, whose last line is the one in reports.
fn module(folder: &Path, name: &str, last: String) -> Result<Line> {
    let head = format!("import decimal\n\n\ndef {name}(cart, customer):\n    cart.check()\n");
    let path = format!("shop/{name}.py");
    fs::write(folder.join(&path), format!("{head}{last}\n"))?;
    let number = head.lines().count() + 1;
    Ok(Line { path, number, function: name.to_owned(), text: last })
}

/// Runs git as one of the authors, without the user's settings.
fn git(folder: &Path, author: usize, arguments: &[&str]) -> Result<()> {
    let (name, address) = (format!("Developer {author}"), format!("dev{author}@example.com"));
    let date = format!("2024-{:02}-{:02}T12:00:00Z", author / 28 + 1, author % 28 + 1);
    let status = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", &name), ("GIT_COMMITTER_NAME", &name)])
        .envs([("GIT_AUTHOR_EMAIL", &address), ("GIT_COMMITTER_EMAIL", &address)])
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .stdin(Stdio::null())
        .status()
        .context("git cannot be started")?;
    ensure!(status.success(), "git {} failed", arguments.join(" "));
    Ok(())
}
