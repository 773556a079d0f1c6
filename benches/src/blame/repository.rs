//! A repository to measure in: a bare mirror of one on this machine, kept between runs.
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flawless_git::tracer::{TraceOptions, WhiteSpace};
use gix_hash::ObjectId;

use super::git::{blame, git};
use super::places::Line;
use crate::setting::target_folder;

/// Number of lines that git is asked about before measuring.
const WARM_UP: usize = 5;

/// A bare mirror.
#[derive(Debug)]
pub(super) struct Bare {
    /// Its name in the table.
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// The commit at its `HEAD`.
    pub(super) head: ObjectId,
}

impl Bare {
    /// Makes a mirror with the commit-graph that the server writes.
    pub(super) fn with_graph(repository: &Path) -> Result<Self> {
        let bare = Self::of(repository, "")?;
        let write = ["commit-graph", "write", "--reachable", "--changed-paths", "--split"];
        git(&bare.folder, &write)?;
        Ok(bare)
    }

    /// Makes a mirror without any commit-graph.
    pub(super) fn without_graph(repository: &Path) -> Result<Self> {
        Self::of(repository, "-no-graph")
    }

    fn of(repository: &Path, suffix: &str) -> Result<Self> {
        let from = repository.canonicalize().with_context(|| repository.display().to_string())?;
        let from = from.to_str().context("a folder with an odd name")?;
        let all = target_folder()?.join("bench-mirrors");
        let folder = all.join(from.trim_matches('/').replace('/', "+") + suffix);
        if !folder.exists() {
            eprintln!("cloning {from} into {} …", folder.display());
            fs::create_dir_all(&all)?;
            let new = folder.with_extension("new");
            remove(&new)?;
            let to = new.to_str().context("a folder with an odd name")?;
            // Only branches and tags, like the server's own mirrors, without pull requests.
            git(&all, &["clone", "--bare", "--quiet", "--", from, to])?;
            // A clone on the same disk copies it.
            remove(&new.join("objects/info/commit-graph"))?;
            remove(&new.join("objects/info/commit-graphs"))?;
            fs::rename(&new, &folder)?;
        }
        let head = git(&folder, &["rev-parse", "--verify", "HEAD^{commit}"])?;
        let head = ObjectId::from_hex(head.trim_ascii())?;
        Ok(Self { name: short_name(from), folder, head })
    }

    /// The folder of its objects.
    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// Loads its files into the disk cache and asks git about a few lines.
    pub(super) fn warm(&self, lines: &[Line]) -> Result<()> {
        for entry in fs::read_dir(self.objects().join("pack"))? {
            io::copy(&mut File::open(entry?.path())?, &mut io::sink())?;
        }
        let head = self.head.to_string();
        for line in lines.iter().take(WARM_UP) {
            blame(&self.folder, &head, line, WhiteSpace::Ignored)?;
        }
        Ok(())
    }
}

/// Options that ignore no revisions.
pub(super) fn trace_options(white_space: WhiteSpace) -> TraceOptions {
    TraceOptions { white_space, ignored: Default::default() }
}

fn remove(path: &Path) -> Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    } else if path.exists() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The last part of a path that is a name, without the owner before a plus sign.
fn short_name(path: &str) -> String {
    let mut parts = path.rsplit('/').filter(|part| !matches!(*part, "" | "repo" | ".git"));
    let name = parts.next().unwrap_or(path);
    let name = name.strip_suffix(".git").unwrap_or(name);
    name.rsplit('+').next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn repository_is_called_by_the_part_of_its_path_that_names_it() {
        assert_eq!(short_name("/srv/sympy+sympy/repo"), "sympy");
        assert_eq!(short_name("/srv/rails/.git"), "rails");
        assert_eq!(short_name("/srv/rails.git"), "rails");
    }
}
