//! Maps the path of a deployed file to its path in the repository.
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::deployed_path::{after_last, is_in_interpreter, parts_of, within_packages};
use crate::language::{is_package_path, is_source_root};
use crate::tree_links::through_links;

/// The user's settings for where the code is deployed.
#[derive(Debug, Clone, Default)]
pub struct PathSettings {
    /// `path_prefixes`, tried first and in their order.
    pub prefixes: Vec<PathPrefix>,
    /// `report_runtime_package_directory_names`.
    pub package_folders: Vec<String>,
}

/// A folder of the machine that contains a folder of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPrefix {
    /// The deployed folder, e.g. `/srv/app/current`.
    pub deployed: String,
    /// The folder of the repository that it contains; empty for the whole repository.
    pub folder: String,
}

/// How a deployed file was found in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathRule {
    /// Below one of `path_prefixes`.
    Prefix,
    /// Below one of `report_runtime_package_directory_names`.
    PackageFolder,
    /// The deployed path ends in the whole path of the file.
    WholePath,
    /// At least the last two parts of the paths agree, and more than in any other file.
    LongestSuffix,
    /// The paths agree too little, but only this file contains the text of the frame.
    SameText,
    /// The only file of this name whose text at the reported line agrees.
    SameLine,
    /// In a submodule whose repository is not mirrored.
    Submodule,
}

/// The rule in words, as `flawless blame` prints it.
impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "below one of path_prefixes",
            Self::PackageFolder => "below one of report_runtime_package_directory_names",
            Self::WholePath => "the deployed path ends in it",
            Self::LongestSuffix => "the longest suffix of the deployed path",
            Self::SameText => "the file of this name that contains the text",
            Self::SameLine => "the file whose text at the reported line agrees",
            Self::Submodule => "in a submodule",
        })
    }
}

/// The file of a revision that a deployed file was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathMatch<'a> {
    /// This file of the repository.
    Certain(&'a str, PathRule),
    /// This file; but when the running revision is known and the file does not contain the text of
    /// a frame, the frame belongs to another file.
    Likely(&'a str, PathRule),
    /// One of these files, likelier ones first, if it contains the text of the frame.
    IfTextStands(Vec<&'a str>),
    /// One of these files, whose names are only a part of the deployed one, if it contains the text
    /// of the frame at exactly that line.
    IfLineStands(Vec<&'a str>),
    /// Not a file of the repository.
    Foreign,
}

/// Limit of files that are read to find the right one.
const MAX_CANDIDATES: usize = 8;
/// This many agreeing parts identify a file.
const ENOUGH_PARTS: usize = 2;
/// Limit of files of the same name that are compared with the one that the path suggests.
const MAX_RIVALS: usize = 32;
/// Shorter ends of names agree by chance.
const MIN_NAME_END: usize = 3;

/// The files of one revision of the repository, found by their deployed paths.
#[derive(Debug, Default)]
pub struct PathIndex {
    files: Vec<Box<str>>,
    /// Files by the [`stem`] of the name in lower case.
    by_stem: HashMap<Box<str>, Vec<u32>>,
    /// The names of all folders, as [`package_name`].
    folders: HashSet<Box<str>>,
    /// Those of `files` that are aliases through symbolic links, with the real file.
    links: HashMap<Box<str>, Box<str>>,
    /// Folders of submodules whose repositories are not mirrored.
    submodules: Vec<Box<str>>,
}

/// How similar the names of a deployed file and of a file of the repository are, the most similar
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// The names are the same.
    Same,
    /// One is derived from the other: `shop` from `shop.py`, `shop.py` from `shop.py.in`.
    Made,
    /// They differ in case only.
    OtherCase,
}

impl PathIndex {
    /// An index of `files`, paths from the repository's root with `/` between the parts.
    pub fn new<S: Into<Box<str>>>(files: impl IntoIterator<Item = S>) -> Self {
        Self::with_links(files, [])
    }

    /// The same with symbolic links, each with its target as written. Links out of the repository
    /// and broken links are ignored.
    pub fn with_links<S: Into<Box<str>>>(
        files: impl IntoIterator<Item = S>,
        links: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut files: Vec<Box<str>> = files.into_iter().map(Into::into).collect();
        let links = through_links(&files, links);
        files.extend(links.keys().cloned());
        let mut by_stem: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        let mut folders = HashSet::new();
        let mut last_folder = "";
        for (at, file) in (0u32..).zip(&files) {
            let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
            by_stem.entry(stem(&name.to_lowercase()).into()).or_default().push(at);
            // Files come folder by folder, so most have the folder of the previous one.
            if folder != last_folder {
                folders.extend(folder.split('/').map(|name| package_name(name).into()));
                last_folder = folder;
            }
        }
        Self { files, by_stem, folders, links, submodules: Vec::new() }
    }

    /// Adds the folders of submodules whose files are not in the index.
    #[must_use]
    pub fn with_submodules(self, submodules: impl IntoIterator<Item = String>) -> Self {
        Self { submodules: submodules.into_iter().map(Into::into).collect(), ..self }
    }

    /// Number of files in the revision.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the revision has no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether `path` is a file of the revision.
    pub fn contains(&self, path: &str) -> bool {
        self.file(path).is_some()
    }

    /// Finds the file of the repository that was deployed as `deployed`:
    ///
    /// 1. below one of the configured prefixes, the file of the same path there;
    /// 2. below one of the package folders, the file whose path is the whole rest;
    /// 3. nothing in the interpreter's library;
    /// 4. the file that agrees in the most trailing parts: at least two, or its whole path. Below
    ///    site-packages and the like, a package without a folder of its name in the repository is
    ///    foreign;
    /// 5. if fewer parts agree, or several files agree equally, the text of the frame decides;
    /// 6. a path below a submodule's folder is in that submodule;
    /// 7. if no file has that name, one whose name is an end of it: tools that run code on other
    ///    machines or build it put a prefix before names. The line of the frame decides.
    ///
    /// A file of Java and its relatives, which is named by its package, agrees in all parts.
    pub fn find(&self, deployed: &str, settings: &PathSettings) -> PathMatch<'_> {
        let Some(parts) = parts_of(deployed) else { return PathMatch::Foreign };
        if is_package_path(deployed) {
            return self.of_package(&parts, settings);
        }
        match self.find_file(&parts, settings) {
            PathMatch::Certain(file, rule) => PathMatch::Certain(self.real(file), rule),
            PathMatch::Likely(file, rule) => PathMatch::Likely(self.real(file), rule),
            PathMatch::IfTextStands(files) => {
                PathMatch::IfTextStands(files.into_iter().map(|file| self.real(file)).collect())
            }
            PathMatch::IfLineStands(files) => {
                PathMatch::IfLineStands(files.into_iter().map(|file| self.real(file)).collect())
            }
            PathMatch::Foreign
                if is_in_interpreter(&parts) || within_packages(&parts).is_some() =>
            {
                PathMatch::Foreign
            }
            PathMatch::Foreign => self
                .submodules
                .iter()
                .find(|folder| {
                    let length = folder.split('/').count();
                    let is_it = |run: &[&str]| folder.split('/').eq(run.iter().copied());
                    // A single name may be any folder's, unless it begins the path.
                    let from = if length < ENOUGH_PARTS { 1 } else { parts.len() };
                    parts.windows(length).take(from).any(is_it)
                })
                .map_or_else(
                    || self.by_end_of_name(&parts),
                    |folder| PathMatch::Certain(folder, PathRule::Submodule),
                ),
        }
    }

    /// The file with a package's whole path: dependencies have files of the same names in other
    /// packages.
    fn of_package(&self, parts: &[&str], settings: &PathSettings) -> PathMatch<'_> {
        let path = parts.join("/");
        let is_it = |file: &str| file.strip_suffix(&*path).is_some_and(is_source_root);
        match self.find_file(parts, settings) {
            found @ PathMatch::Certain(_, PathRule::Prefix | PathRule::PackageFolder) => found,
            PathMatch::Certain(file, rule) if is_it(file) => {
                PathMatch::Certain(self.real(file), rule)
            }
            PathMatch::Likely(file, rule) if is_it(file) => {
                PathMatch::Likely(self.real(file), rule)
            }
            PathMatch::IfTextStands(mut files) => {
                files.retain(|file| is_it(file));
                match &*files {
                    [] => PathMatch::Foreign,
                    _ => PathMatch::IfTextStands(files),
                }
            }
            _ => PathMatch::Foreign,
        }
    }

    /// Other files with the name of `deployed` than the one that its path suggests, those that
    /// agree in the most trailing parts first; empty when there are too many.
    pub fn rivals(&self, deployed: &str, than: &str) -> Vec<&str> {
        let Some(parts) = parts_of(deployed) else { return Vec::new() };
        let Some((name, folders)) = parts.split_last() else { return Vec::new() };
        let agreeing = |file: &str| {
            file.rsplit('/').skip(1).zip(folders.iter().rev()).take_while(|(a, b)| a == *b).count()
        };
        let named =
            self.named_like(name).filter(|file| like(file_name(file), name) == Likeness::Same);
        let mut rivals: Vec<&str> = named.map(|file| self.real(file)).collect();
        rivals.sort_unstable();
        rivals.dedup();
        rivals.retain(|file| *file != than);
        if rivals.len() > MAX_RIVALS {
            return Vec::new();
        }
        rivals.sort_by_key(|file| std::cmp::Reverse(agreeing(file)));
        rivals
    }

    /// Files whose name is an end of the deployed one: `git.py` for `ansible_module_git.py`.
    fn by_end_of_name(&self, parts: &[&str]) -> PathMatch<'_> {
        let Some(name) = parts.last().map(|name| stem(name).to_lowercase()) else {
            return PathMatch::Foreign;
        };
        if self.by_stem.contains_key(name.as_str()) {
            return PathMatch::Foreign;
        }
        let ends = name.match_indices(['_', '-', '.']).map(|(at, _)| &name[at + 1..]);
        let named = ends
            .filter(|end| end.len() >= MIN_NAME_END)
            .find_map(|end| self.by_stem.get(end))
            .filter(|named| named.len() <= MAX_CANDIDATES);
        match named {
            Some(named) => {
                PathMatch::IfLineStands(named.iter().map(|&at| &*self.files[at as usize]).collect())
            }
            None => PathMatch::Foreign,
        }
    }

    /// The real file behind a path through a link.
    fn real<'a>(&'a self, file: &'a str) -> &'a str {
        self.links.get(file).map_or(file, |real| real)
    }

    fn find_file<'a>(&'a self, parts: &[&str], settings: &PathSettings) -> PathMatch<'a> {
        if let Some(file) = settings.prefixes.iter().find_map(|prefix| self.below(prefix, parts)) {
            return PathMatch::Certain(file, PathRule::Prefix);
        }
        for folder in &settings.package_folders {
            if let Some(rest) = after_last(parts, |part| part == folder)
                && let Some(file) = self.file(&rest.join("/"))
            {
                return PathMatch::Certain(file, PathRule::PackageFolder);
            }
        }
        let package = within_packages(parts);
        if package.is_none() && is_in_interpreter(parts) {
            return PathMatch::Foreign;
        }
        self.by_suffix(package.unwrap_or(parts), package.is_some())
    }

    fn by_suffix(&self, parts: &[&str], is_packaged: bool) -> PathMatch<'_> {
        let mut unsure = Vec::new();
        for likeness in [Likeness::Same, Likeness::Made, Likeness::OtherCase] {
            let (agreeing, best) = self.best(parts, likeness);
            let whole = best.iter().copied().find(|file| file.split('/').count() == agreeing);
            let is_unknown = || !self.folders.contains(&*package_name(parts[0]));
            let is_somebody_elses = is_packaged
                && (agreeing < ENOUGH_PARTS || (agreeing < parts.len() && is_unknown()));
            if !is_somebody_elses {
                let is_enough = agreeing >= ENOUGH_PARTS || agreeing == parts.len();
                match (whole, best.as_slice()) {
                    (Some(file), _) if is_enough || best.len() == 1 => {
                        return PathMatch::Certain(file, PathRule::WholePath);
                    }
                    (_, [file]) if agreeing >= ENOUGH_PARTS => {
                        return PathMatch::Likely(file, PathRule::LongestSuffix);
                    }
                    _ => {}
                }
            }
            for file in best {
                if !unsure.contains(&file) {
                    unsure.push(file);
                }
            }
        }
        if unsure.is_empty() || unsure.len() > MAX_CANDIDATES {
            return PathMatch::Foreign;
        }
        PathMatch::IfTextStands(unsure)
    }

    fn below(&self, prefix: &PathPrefix, parts: &[&str]) -> Option<&str> {
        let rest = parts.strip_prefix(parts_of(&prefix.deployed)?.as_slice())?.join("/");
        match prefix.folder.trim_matches('/') {
            "" => self.file(&rest),
            folder => self.file(&format!("{folder}/{rest}")),
        }
    }

    fn file(&self, path: &str) -> Option<&str> {
        self.named_like(file_name(path)).find(|file| *file == path)
    }

    fn named_like<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let found = self.by_stem.get(stem(&name.to_lowercase()));
        found.into_iter().flatten().map(|&at| &*self.files[at as usize])
    }

    /// Of the files whose names are at least this similar, those that agree with `parts` in the
    /// most trailing parts, and in how many.
    fn best(&self, parts: &[&str], likeness: Likeness) -> (usize, Vec<&str>) {
        let Some((name, folders)) = parts.split_last() else { return (0, Vec::new()) };
        let agrees = |a: &str, b: &str| match likeness {
            Likeness::Same | Likeness::Made => a == b,
            Likeness::OtherCase => a.to_lowercase() == b.to_lowercase(),
        };
        let mut most = 0;
        let mut best: Vec<&str> = Vec::new();
        for file in self.named_like(name).filter(|file| like(file_name(file), name) <= likeness) {
            let outwards = file.rsplit('/').skip(1).zip(folders.iter().rev());
            let agreeing = 1 + outwards.take_while(|(a, b)| agrees(a, b)).count();
            if agreeing > most {
                most = agreeing;
                best.clear();
            }
            if agreeing < most {
                continue;
            }
            // A file and a link to it are one; the shorter path is the one that agrees as a whole.
            match best.iter_mut().find(|other| self.real(other) == self.real(file)) {
                Some(other) if file.len() < other.len() => *other = file,
                Some(_) => {}
                None => best.push(file),
            }
        }
        (most, best)
    }
}

/// How similar two names are whose stems differ at most in case.
fn like(a: &str, b: &str) -> Likeness {
    if a == b {
        Likeness::Same
    } else if stem(a) == stem(b) {
        Likeness::Made
    } else {
        Likeness::OtherCase
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A file's name without what building and installing add or remove: `shop` for `shop.py`,
/// `shop.pyc`, `shop.py.in` and `shop.in`.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".in").unwrap_or(name);
    let stem = [".py", ".pyc", ".pyo", ".pyw"].iter().find_map(|end| name.strip_suffix(end));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// The name of a package or of its folder, normalised as package managers do.
fn package_name(name: &str) -> String {
    stem(name).to_lowercase().replace('-', "_")
}

#[cfg(test)]
#[path = "path_index_tests.rs"]
mod tests;
