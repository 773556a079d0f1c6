//! The newest commit of the branch that runs, with its lists for blame: its mailmap, the ignored
//! commits, its code owners.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{CodeOwners, CommitId, code_owners_paths};
use gix_mailmap::Snapshot;
use tokio::sync::OnceCell;

use crate::blamer::Blamer;
use crate::error::GitError;
use crate::ignore_revs::{self, Entries, IGNORE_REVS_PATH, IgnoreList, IgnoreRevs};
use crate::line_tracer::{Judgement, LineTracer};
use crate::mirror::MirrorSettings;
use crate::repository::Repository;

/// A blame that takes longer is stopped long before.
const KEEP_LISTS: Duration = Duration::from_secs(24 * 3_600);

/// The newest commit of the branch that runs.
#[derive(Debug, Clone)]
pub struct Tip {
    /// The commit.
    pub commit: CommitId,
    /// Full reference name, or `HEAD`.
    pub reference: String,
    /// Its `CODEOWNERS`, when it has one.
    pub code_owners: Option<CodeOwners>,
    /// What of its own lists cannot be used, each in a sentence.
    pub warnings: Vec<String>,
    pub(crate) blamer: Blamer,
    /// Deleted files, and the last commit that had them; read when first needed.
    pub(crate) gone: OnceCell<Arc<Vec<(String, CommitId)>>>,
    /// The addresses of all authors; read when first needed.
    pub(crate) authors: OnceCell<Arc<BTreeSet<String>>>,
}

impl Tip {
    pub(crate) async fn read(
        settings: &MirrorSettings,
        repository: &Repository,
        judgement: Arc<Judgement>,
        commit: CommitId,
        reference: String,
    ) -> Result<Self, GitError> {
        let mut warnings = Vec::new();
        let mut lists = Lists { repository, tip: &commit, warnings: &mut warnings };
        let list = lists.ignore_revs(&settings.ignore_revs).await?;
        let mailmap = lists.read(".mailmap").await?.unwrap_or_default();
        let code_owners = lists.code_owners().await?;
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let file = match list.as_str() {
            "" => None,
            list => Some(write_ignore_revs(&settings.scratch, &commit, list).await?),
        };
        let ignored = IgnoreList::new(&list, file);
        let (engine, facts) = (settings.engine, settings.facts.clone());
        let blamer = Blamer {
            tracer: LineTracer::new(repository.clone(), engine, ignored, facts, judgement),
            mailmap: Arc::new(Snapshot::from_bytes(&mailmap)),
            automation: settings.automation.clone(),
            tip: commit.clone(),
        };
        Ok(Self {
            commit,
            reference,
            code_owners,
            warnings,
            blamer,
            gone: OnceCell::new(),
            authors: OnceCell::new(),
        })
    }

    /// The same without what is read when it is needed.
    pub(crate) fn closed(&self) -> Self {
        let mut closed = self.clone();
        closed.blamer.tracer.forget();
        (closed.gone, closed.authors) = (OnceCell::new(), OnceCell::new());
        closed
    }
}

/// Entries of a list that are named one by one in warnings.
const MAX_NAMED: usize = 10;
/// A larger list was not written by people.
const MAX_LIST: u64 = 32 * 1024 * 1024;

/// Reads a repository's own lists. An unusable one is ignored with a warning: lines have authors
/// without it.
struct Lists<'a> {
    repository: &'a Repository,
    tip: &'a CommitId,
    warnings: &'a mut Vec<String>,
}

impl Lists<'_> {
    async fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match self.repository.file(self.tip, path).await {
            Err(GitError::TooLarge { .. }) => {
                self.warnings.push(too_large(path));
                Ok(None)
            }
            read => read,
        }
    }

    /// The ignored commits, in git's format.
    async fn ignore_revs(&mut self, place: &IgnoreRevs) -> Result<String, GitError> {
        let (name, list) = match place {
            IgnoreRevs::Nothing => return Ok(String::new()),
            IgnoreRevs::Convention => {
                (IGNORE_REVS_PATH.to_owned(), self.read(IGNORE_REVS_PATH).await?)
            }
            IgnoreRevs::OnDisk(path) => {
                let name = path.display().to_string();
                let error = |source| GitError::Read { path: path.clone(), source };
                let size = tokio::fs::metadata(path).await.map_err(error)?.len();
                if size > MAX_LIST {
                    self.warnings.push(too_large(&name));
                    return Ok(String::new());
                }
                (name, Some(tokio::fs::read(path).await.map_err(error)?))
            }
            IgnoreRevs::InRepository(path) => {
                let list = self.read(path).await?;
                if list.is_none() {
                    let tip = self.tip.short();
                    self.warnings.push(format!("ignore_revs_file: {path} is not a file of {tip}"));
                }
                (path.clone(), list)
            }
        };
        let list = String::from_utf8_lossy(&list.unwrap_or_default()).into_owned();
        let Entries { mut ids, short, odd } = ignore_revs::entries(&list);
        let found = self.repository.resolve_ids(short.iter().map(|(_, id)| id.as_str())).await?;
        let mut wrong: Vec<(usize, String)> = odd;
        for ((number, id), found) in short.into_iter().zip(found) {
            match found {
                Some(found) => ids.push(found),
                None => wrong.push((number, id)),
            }
        }
        wrong.sort();
        for (number, word) in wrong.iter().take(MAX_NAMED) {
            self.warnings.push(format!(
                "{name}:{number}: {word:?} names no commit, or several: write the whole id, or \
                 its lines are blamed on that commit"
            ));
        }
        if wrong.len() > MAX_NAMED {
            let more = wrong.len() - MAX_NAMED;
            self.warnings.push(format!("{name}: {more} more entries name no commit"));
        }
        Ok(ignore_revs::clean(ids))
    }

    async fn code_owners(&mut self) -> Result<Option<CodeOwners>, GitError> {
        for path in code_owners_paths(None) {
            if let Some(text) = self.read(path).await? {
                let owners = CodeOwners::parse(&String::from_utf8_lossy(&text));
                for warning in owners.warnings().iter().take(MAX_NAMED) {
                    self.warnings.push(format!("{path}:{}: {}", warning.line, warning.message));
                }
                return Ok(Some(owners));
            }
        }
        Ok(None)
    }
}

fn too_large(path: &str) -> String {
    format!("{path} is larger than 32 MiB and is ignored: make it smaller, or remove it")
}

/// Each tip has a file of its own: blames of an older tip may still read theirs.
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

/// Removes the lists of tips that no blame reads any longer.
fn remove_older(scratch: &Path) {
    let entries = scratch.read_dir().into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with("ignore-revs-")) {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed());
        if matches!(age, Ok(Ok(age)) if age > KEEP_LISTS) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
