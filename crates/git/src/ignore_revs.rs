//! `.git-blame-ignore-revs`: commits that only reformatted code and must not be blamed.
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::line_tracer::object_id;
use flawless_core::CommitId;
use gix_hash::ObjectId;
use sha2::{Digest, Sha256};

/// The path of a repository's own list, by the convention of the code hosts.
pub(crate) const IGNORE_REVS_PATH: &str = ".git-blame-ignore-revs";

/// Where the list of ignored commits is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IgnoreRevs {
    /// In `.git-blame-ignore-revs` of the tip, if it has that file.
    #[default]
    Convention,
    /// Nowhere: no commit is ignored.
    Nothing,
    /// In this file of the tip.
    InRepository(String),
    /// In this file on this machine.
    OnDisk(PathBuf),
}

/// The ignored commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct IgnoreList {
    pub(crate) ids: Arc<HashSet<ObjectId>>,
    /// A file with the same content for the git program; `None` when there are none.
    pub(crate) file: Option<PathBuf>,
    /// Identifies the content: the same for the same commits.
    pub(crate) digest: String,
    /// Further ignored commits, which are neither in the file nor in the digest.
    pub(crate) more: Vec<CommitId>,
}

impl IgnoreList {
    /// The commits in a cleaned `list`; `file` has the same content.
    pub(crate) fn new(list: &str, file: Option<PathBuf>) -> Self {
        let ids = list.lines().filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()).collect();
        let digest = if list.is_empty() { String::new() } else { hex(&Sha256::digest(list)) };
        Self { ids: Arc::new(ids), file, digest, more: Vec::new() }
    }

    /// Adds these commits.
    pub(crate) fn and(&self, more: &[CommitId]) -> Self {
        let mut ids = (*self.ids).clone();
        ids.extend(more.iter().filter_map(object_id));
        Self { ids: Arc::new(ids), more: more.to_vec(), ..self.clone() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The entries of a list: one id per line, possibly abbreviated and followed by other words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// Full ids.
    pub(crate) ids: Vec<CommitId>,
    /// Abbreviated ids, each with its line number from 1.
    pub(crate) short: Vec<(usize, String)>,
    /// Line numbers of entries that are not ids, with their texts.
    pub(crate) odd: Vec<(usize, String)>,
}

/// Parses a list. `#` begins a comment.
pub(crate) fn entries(list: &str) -> Entries {
    let mut entries = Entries::default();
    for (number, line) in (1..).zip(list.trim_start_matches('\u{feff}').lines()) {
        let Some(word) = line.split('#').next().and_then(|text| text.split_whitespace().next())
        else {
            continue;
        };
        let id = word.to_ascii_lowercase();
        match CommitId::parse(&id) {
            Some(id) => entries.ids.push(id),
            None if is_short_id(&id) => entries.short.push((number, id)),
            None => entries.odd.push((number, word.chars().take(80).collect())),
        }
    }
    entries
}

/// git accepts abbreviated ids of four digits and more.
fn is_short_id(word: &str) -> bool {
    (4..40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The list as git reads it: full ids, one per line, sorted. `git blame` fails as a whole on an
/// abbreviated one.
pub(crate) fn clean(mut ids: Vec<CommitId>) -> String {
    ids.sort();
    ids.dedup();
    ids.iter().fold(String::new(), |list, id| list + id.as_str() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_short_and_commented_and_others_are_named() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        let list = format!(
            "\u{feff}# black\n{full}  # all files\r\n0123456 black\n\n--output=x\n{}\n{full} all of it\n",
            full.to_uppercase()
        );
        let entries = entries(&list);
        let id = CommitId::parse(full).expect("an id");
        assert_eq!(entries.ids, [id.clone(), id.clone(), id]);
        assert_eq!(entries.short, [(3, "0123456".to_owned())]);
        assert_eq!(entries.odd, [(5, "--output=x".to_owned())]);
        assert_eq!(clean(entries.ids), format!("{full}\n"));
    }
}
