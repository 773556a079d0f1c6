//! The content of a commit's tree.
use flawless_core::CommitId;

use crate::error::GitError;
use crate::repository::{MAX_TREE, Repository};

/// Only a hostile repository has more links.
const MAX_LINKS: usize = 10_000;

/// The content of a commit's tree.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Paths of regular files.
    pub(crate) files: Vec<String>,
    /// Paths of symbolic links, and their targets as written.
    pub(crate) links: Vec<(String, String)>,
    /// Paths of submodules, and the commit of each that belongs to this one.
    pub(crate) submodules: Vec<(String, CommitId)>,
}

impl Repository {
    /// Reads the tree of a commit. Paths that are not UTF-8 are left out: no report can name them.
    ///
    /// # Errors
    /// The commit does not exist, or git cannot be run.
    pub(crate) async fn tree(&self, commit: &CommitId) -> Result<Tree, GitError> {
        let run = self.run("ls-tree").args(["-r", "-z", "--full-tree", commit.as_str()]);
        let listing = run.max_output(MAX_TREE).output().await?;
        let mut tree = Tree::default();
        let mut links = Vec::new();
        for entry in listing.split(|byte| *byte == 0) {
            let entry = std::str::from_utf8(entry).ok().and_then(|entry| entry.split_once('\t'));
            let Some((about, path)) = entry else { continue };
            let mut words = about.split(' ');
            match (words.next(), words.nth(1).and_then(CommitId::parse)) {
                (Some("120000"), Some(blob)) => links.push((path.to_owned(), blob)),
                (Some("160000"), Some(commit)) => tree.submodules.push((path.to_owned(), commit)),
                (Some(mode), _) if mode.starts_with("100") => tree.files.push(path.to_owned()),
                _ => {}
            }
        }
        links.truncate(MAX_LINKS);
        let targets = self.link_targets(links).await;
        let targets = targets.inspect_err(|error| tracing::warn!(%error, "links are not readable"));
        tree.links = targets.unwrap_or_default();
        Ok(tree)
    }

    /// The targets of links, from their blobs.
    async fn link_targets(
        &self,
        links: Vec<(String, CommitId)>,
    ) -> Result<Vec<(String, String)>, GitError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let ids: String = links.iter().map(|(_, blob)| format!("{blob}\n")).collect();
        let answer =
            self.run("cat-file").args(["--batch"]).input(ids.into_bytes()).output().await?;
        let mut rest = answer.as_slice();
        let mut targets = Vec::with_capacity(links.len());
        for (path, _) in links {
            // `ID blob SIZE`, the content, a line end.
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let Some(size) = head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok())
            else {
                continue;
            };
            let Some((target, behind)) = rest.split_at_checked(size) else { break };
            if let Ok(target) = std::str::from_utf8(target) {
                targets.push((path, target.to_owned()));
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        Ok(targets)
    }
}
