//! The newest commit of the branch that runs, and what it says about blame: its mailmap, the
//! commits to pass over, its code owners.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{CodeOwners, CommitId, code_owners_paths};
use gix_mailmap::Snapshot;
use tokio::sync::OnceCell;

use crate::blamer::Blamer;
use crate::error::GitError;
use crate::ignore_revs::{self, IGNORE_REVS_PATH, IgnoreList, IgnoreRevs};
use crate::line_tracer::{Judgement, LineTracer};
use crate::mirror::MirrorSettings;
use crate::repository::Repository;

/// A blame that takes longer is stopped long before.
const KEEP_LISTS: Duration = Duration::from_secs(24 * 3_600);

/// The newest commit of the branch that runs.
#[derive(Debug)]
pub struct Tip {
    /// The commit.
    pub commit: CommitId,
    /// Full reference name, or `HEAD`.
    pub reference: String,
    /// Its `CODEOWNERS`, when it has one.
    pub code_owners: Option<CodeOwners>,
    pub(crate) blamer: Blamer,
    /// Files that are gone, and the last commit that had them; asked for when first needed.
    pub(crate) gone: OnceCell<Arc<Vec<(String, CommitId)>>>,
}

impl Tip {
    pub(crate) async fn read(
        settings: &MirrorSettings,
        repository: &Repository,
        judgement: Arc<Judgement>,
        commit: CommitId,
        reference: String,
    ) -> Result<Self, GitError> {
        let list = ignore_revs(&settings.ignore_revs, repository, &commit).await?;
        let list = ignore_revs::clean(&list);
        let file = match list.as_str() {
            "" => None,
            list => Some(write_ignore_revs(&settings.scratch, &commit, list).await?),
        };
        let ignored = IgnoreList::new(&list, file);
        let mailmap = repository.file(&commit, ".mailmap").await?.unwrap_or_default();
        let (engine, facts) = (settings.engine, settings.facts.clone());
        let blamer = Blamer {
            tracer: LineTracer::new(repository.clone(), engine, ignored, facts, judgement),
            mailmap: Arc::new(Snapshot::from_bytes(&mailmap)),
            automation: settings.automation.clone(),
            tip: commit.clone(),
        };
        let code_owners = code_owners(repository, &commit).await?;
        Ok(Self { commit, reference, code_owners, blamer, gone: OnceCell::new() })
    }
}

async fn ignore_revs(
    place: &IgnoreRevs,
    repository: &Repository,
    tip: &CommitId,
) -> Result<String, GitError> {
    let list = match place {
        IgnoreRevs::Nothing => None,
        IgnoreRevs::Convention => repository.file(tip, IGNORE_REVS_PATH).await?,
        IgnoreRevs::OnDisk(path) => {
            let read = tokio::fs::read(path).await;
            Some(read.map_err(|source| GitError::Read { path: path.clone(), source })?)
        }
        IgnoreRevs::InRepository(path) => {
            let list = repository.file(tip, path).await?;
            if list.is_none() {
                tracing::warn!("ignore_revs_file {path} is not a file of {}", tip.short());
            }
            list
        }
    };
    Ok(String::from_utf8_lossy(&list.unwrap_or_default()).into_owned())
}

/// A file of its own for each tip: blames of an older tip may still read theirs.
async fn write_ignore_revs(
    scratch: &Path,
    tip: &CommitId,
    list: &str,
) -> Result<PathBuf, GitError> {
    let path = scratch.join(format!("ignore-revs-{}", tip.short()));
    let error = |source| GitError::Write { path: path.clone(), source };
    let new = path.with_extension("new");
    tokio::fs::write(&new, list).await.map_err(error)?;
    tokio::fs::rename(&new, &path).await.map_err(error)?;
    remove_older(scratch);
    Ok(path)
}

/// Lists of tips that no blame reads any more.
fn remove_older(scratch: &Path) {
    let entries = scratch.read_dir().into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with("ignore-revs-")) {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed());
        if matches!(age, Ok(Ok(age)) if age > KEEP_LISTS) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

async fn code_owners(
    repository: &Repository,
    tip: &CommitId,
) -> Result<Option<CodeOwners>, GitError> {
    for path in code_owners_paths(None) {
        if let Some(text) = repository.file(tip, path).await? {
            let owners = CodeOwners::parse(&String::from_utf8_lossy(&text));
            for warning in owners.warnings() {
                tracing::warn!("{path}:{}: {}", warning.line, warning.message);
            }
            return Ok(Some(owners));
        }
    }
    Ok(None)
}
