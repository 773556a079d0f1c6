//! Submodules: their files belong to other repositories, which have mirrors of their own if they
//! are configured.
use std::sync::Arc;

use flawless_core::{CommitId, PathIndex};
use tokio::time::Instant;

use crate::error::GitError;
use crate::mirror::{Mirror, MirrorSettings};
use crate::tree::Tree;

/// The mirrors of submodules, by the submodules' paths.
#[derive(Debug, Default)]
pub(crate) struct Submodules(Vec<(String, Arc<Mirror>)>);

/// The files of one revision, including those of mirrored submodules.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) index: Arc<PathIndex>,
    /// Path of the submodule, its mirror, and the commit of it that belongs to the revision.
    parts: Vec<(String, Arc<Mirror>, CommitId)>,
}

impl Submodules {
    /// Opens or clones all configured mirrors.
    pub(crate) async fn open(settings: &MirrorSettings) -> Result<Self, GitError> {
        let mut mirrors = Vec::new();
        for (path, source) in &settings.submodules {
            let settings = MirrorSettings {
                source: source.clone(),
                branch_pattern: None,
                // Facts and lists belong to one repository; a submodule does not share them.
                facts: None,
                submodules: Vec::new(),
                scratch: settings.scratch.join("submodules"),
                ..settings.clone()
            };
            let made = tokio::fs::create_dir_all(&settings.scratch).await;
            let scratch = &settings.scratch;
            made.map_err(|source| GitError::Write { path: scratch.clone(), source })?;
            let mirror = Box::pin(Mirror::open(settings)).await?;
            mirrors.push((path.trim_matches('/').to_owned(), Arc::new(mirror)));
        }
        Ok(Self(mirrors))
    }

    /// Updates all of them, and returns whether there are any; failures are logged, and older
    /// commits remain usable.
    pub(crate) async fn fetch(&self) -> bool {
        for (path, mirror) in &self.0 {
            if let Err(error) = Box::pin(mirror.fetch()).await {
                tracing::warn!(%error, path, "a submodule could not be updated");
            }
        }
        !self.0.is_empty()
    }

    /// When one of them was last used; `None` while all are closed.
    pub(crate) fn used_at(&self) -> Option<Instant> {
        self.0.iter().filter_map(|(_, mirror)| mirror.used_at()).max()
    }

    /// Closes all of them.
    pub(crate) async fn close(&self) {
        for (_, mirror) in &self.0 {
            Box::pin(mirror.close()).await;
        }
    }

    /// The warnings of all of them.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let of = |(path, mirror): &(String, Arc<Mirror>)| -> Vec<String> {
            mirror.warnings().iter().map(|warning| format!("submodule {path}: {warning}")).collect()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Adds the files of the submodules to those of a tree.
    pub(crate) async fn list(&self, tree: Tree) -> Result<Listing, GitError> {
        let Tree { mut files, links, submodules } = tree;
        let mut parts = Vec::new();
        let mut others = Vec::new();
        for (path, commit) in submodules {
            let mirror = self.0.iter().find(|(mirrored, _)| *mirrored == path);
            let Some((_, mirror)) = mirror else {
                others.push(path);
                continue;
            };
            if Box::pin(mirror.resolve_here(commit.as_str())).await?.is_none() {
                mirror.ask_for_fetch(Some(commit.as_str()));
                others.push(path);
                continue;
            }
            let inner = mirror.repository.tree(&commit).await?;
            files.extend(inner.files.iter().map(|file| format!("{path}/{file}")));
            parts.push((path, mirror.clone(), commit));
        }
        let index = PathIndex::with_links(files, links).with_submodules(others);
        Ok(Listing { index: Arc::new(index), parts })
    }
}

impl Listing {
    /// The submodule that contains a path, its commit, and the path in it.
    pub(crate) fn submodule_of<'a>(
        &'a self,
        path: &'a str,
    ) -> Option<(&'a Mirror, &'a CommitId, &'a str)> {
        self.parts.iter().find_map(|(folder, mirror, commit)| {
            let inner = path.strip_prefix(folder.as_str())?.strip_prefix('/')?;
            Some((&**mirror, commit, inner))
        })
    }
}
