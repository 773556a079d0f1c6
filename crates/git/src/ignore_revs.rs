//! `.git-blame-ignore-revs`: commits that only reformatted and must not take the blame.
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::line_tracer::object_id;
use flawless_core::CommitId;
use gix_hash::ObjectId;
use sha2::{Digest, Sha256};

/// Where a repository keeps its list, by the convention of the code hosts.
pub(crate) const IGNORE_REVS_PATH: &str = ".git-blame-ignore-revs";

/// Where the list of commits to pass over is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IgnoreRevs {
    /// In `.git-blame-ignore-revs` of the tip, when it has that file.
    #[default]
    Convention,
    /// Nowhere: no commit is passed over.
    Nothing,
    /// In this file of the tip.
    InRepository(String),
    /// In this file of this machine.
    OnDisk(PathBuf),
}

/// Commits to pass over.
#[derive(Debug, Clone, Default)]
pub(crate) struct IgnoreList {
    pub(crate) ids: Arc<HashSet<ObjectId>>,
    /// The same as a file for the git program; `None` when there are none.
    pub(crate) file: Option<PathBuf>,
    /// Names the content: the same for the same commits.
    pub(crate) digest: String,
    /// Further ones, which are neither in the file nor in the digest.
    pub(crate) more: Vec<CommitId>,
}

impl IgnoreList {
    /// The commits that a cleaned `list` names; `file` has the same content.
    pub(crate) fn new(list: &str, file: Option<PathBuf>) -> Self {
        let ids = list.lines().filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
        let digest = if list.is_empty() { String::new() } else { hex(&Sha256::digest(list)) };
        Self { ids: Arc::new(ids), file, digest, more: Vec::new() }
    }

    /// These commits as well.
    pub(crate) fn and(&self, more: &[CommitId]) -> Self {
        let mut ids = (*self.ids).clone();
        ids.extend(more.iter().filter_map(object_id));
        Self { ids: Arc::new(ids), more: more.to_vec(), ..self.clone() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The full commit ids in a list, one a line, in order. Comments and what is no full id are left
/// out: an abbreviated id makes `git blame` fail as a whole.
pub(crate) fn clean(list: &str) -> String {
    let id = |line: &str| CommitId::parse(&line.split('#').next()?.trim().to_ascii_lowercase());
    let mut ids: Vec<CommitId> = list.lines().filter_map(id).collect();
    ids.sort();
    ids.dedup();
    ids.iter().fold(String::new(), |list, id| list + id.as_str() + "\n")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn comments_short_ids_and_rubbish_are_left_out() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        let list = format!(
            "# black\n{full}  # all files\n0123456\n\n--output=x\n{}\n",
            full.to_uppercase()
        );
        assert_eq!(clean(&list), format!("{full}\n"));
    }
}
