//! The versions of installed packages, read by the sending thread without the interpreter, from the
//! names of the metadata folders that installers create.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most folders, and most entries of one, that are examined.
const FOLDERS: usize = 50;
const ENTRIES: usize = 20_000;
const MODULES: usize = 1_000;

/// Versions by name; the first folder counts, as it does for imports.
pub(crate) fn find(folders: &[PathBuf]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, version) in folders.iter().take(FOLDERS).flat_map(|folder| installed_in(folder)) {
        if found.len() >= MODULES {
            break;
        }
        found.entry(name).or_insert(version);
    }
    found
}

fn installed_in(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().take(ENTRIES);
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name_and_version(&name)).collect()
}

/// `requests-2.32.0.dist-info`, `six-1.16.0-py3.9.egg-info`.
fn name_and_version(folder: &str) -> Option<(String, String)> {
    let stem = folder.strip_suffix(".dist-info").or_else(|| folder.strip_suffix(".egg-info"))?;
    let (name, version) = stem.split_once('-')?;
    let version = version.split('-').next().unwrap_or(version);
    (!name.is_empty() && !version.is_empty())
        .then(|| (name.to_lowercase().replace('_', "-"), version.to_owned()))
}
