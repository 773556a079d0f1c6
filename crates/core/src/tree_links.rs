//! Symbolic links in a tree: the other paths to its files.
use std::collections::{BTreeSet, HashMap};

/// A link may lead to a link; nobody needs more steps, and hostile trees have cycles.
const MAX_STEPS: usize = 8;
/// A link to a folder adds as many paths as the folder has files.
const MAX_WAYS: usize = 100_000;

/// Every path to one of `files` through one of `links` (path and target as written), with the file
/// it leads to. Targets outside the repository are ignored.
pub(crate) fn through_links(
    files: &[Box<str>],
    links: impl IntoIterator<Item = (String, String)>,
) -> HashMap<Box<str>, Box<str>> {
    let links: HashMap<String, String> = links.into_iter().collect();
    let mut ways = HashMap::new();
    if links.is_empty() {
        return ways;
    }
    let known: BTreeSet<&str> = files.iter().map(AsRef::as_ref).collect();
    let mut paths: Vec<&String> = links.keys().collect();
    paths.sort();
    for path in paths {
        let Some(target) = follow(path, &links) else { continue };
        if known.contains(target.as_str()) {
            ways.insert(path.as_str().into(), target.into());
            continue;
        }
        let folder = format!("{target}/");
        for file in known.range(folder.as_str()..).take_while(|file| file.starts_with(&folder)) {
            if ways.len() >= MAX_WAYS {
                return ways;
            }
            let way = format!("{path}/{}", &file[folder.len()..]);
            if !known.contains(way.as_str()) {
                ways.insert(way.into(), (*file).into());
            }
        }
    }
    ways
}

/// The target of a link, with links on the way resolved.
fn follow(link: &str, links: &HashMap<String, String>) -> Option<String> {
    let mut path = link.to_owned();
    for _ in 0..MAX_STEPS {
        // The first part of the path that is a link itself.
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let Some((end, target)) =
            ends.into_iter().find_map(|end| Some((end, links.get(&path[..end])?)))
        else {
            return Some(path);
        };
        let folder = path[..end].rsplit_once('/').map_or("", |(folder, _)| folder);
        path = join(folder, target, &path[end..])?;
    }
    None
}

/// `folder/target` and the rest, without `.` and `..`; `None` when it leaves the repository.
fn join(folder: &str, target: &str, rest: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')).chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::through_links;

    #[test]
    fn links_lead_to_files_and_folders_but_never_outside() {
        let files: Vec<Box<str>> =
            ["v2/app/a.py", "v2/app/b.py", "lib/c.py"].into_iter().map(Into::into).collect();
        let links = [
            ("current", "v2"),
            ("app", "current/app"),
            ("lib/d.py", "../lib/c.py"),
            ("out", "../../etc"),
            ("abs", "/etc/passwd"),
            ("loop", "loop"),
            ("nowhere", "gone.py"),
        ];
        let links = links.map(|(path, target)| (path.to_owned(), target.to_owned()));
        let ways = through_links(&files, links);
        let way = |path: &str| ways.get(path).map(|file| &**file);
        assert_eq!(way("current/app/a.py"), Some("v2/app/a.py"));
        assert_eq!(way("app/b.py"), Some("v2/app/b.py"), "a link through a link");
        assert_eq!(way("lib/d.py"), Some("lib/c.py"));
        assert_eq!(ways.len(), 5, "{ways:?}");
    }
}
