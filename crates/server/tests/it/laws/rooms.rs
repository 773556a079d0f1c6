//! The rooms of the server have one order, and each uses only those before it. This list is the
//! plan of the house: ARCHITECTURE.md has no other.
use std::path::{Path, PathBuf};

/// Each room with its rule. A room uses only rooms that are listed before it.
const ROOMS: [(&str, &str); 20] = [
    ("listen", "accepts connections, bounded in number, memory and time"),
    ("config", "knows options as typed, then as used"),
    ("project", "is what one project has: its keys, and the redaction of what comes in"),
    ("intake", "is the door: what is handed over is answered only when it is durable"),
    ("attribution", "leads from a report to its line and author, and writes nothing"),
    ("app", "is what all running parts share, and nothing that a single feature remembers"),
    ("ingest", "turns bytes from clients into reports, one folder for each protocol"),
    ("show", "says an issue, in mails, posts, pages and JSON alike"),
    ("mail", "writes and sends mails"),
    ("channel", "writes and sends posts"),
    ("sign_in", "knows who somebody is and what they may do"),
    ("notify", "leads from an alert to who hears of it, when and in what"),
    ("upkeep", "runs jobs by the clock, not by a report"),
    ("pipeline", "leads from an accepted report to a decided alert"),
    ("actions", "is what people do: one transaction, noted, undoable"),
    ("query", "is what people ask, and reads only"),
    ("web", "is HTTP for people and programs"),
    ("server", "starts and stops everything"),
    ("cli", "has one file for each command"),
    ("main", "is the program"),
];
/// Files that may be outside the rooms.
const LOOSE: [&str; 3] = ["lib.rs", "main.rs", "server.rs"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn place_of(room: &str) -> Option<usize> {
    ROOMS.iter().position(|(name, _)| *name == room)
}

/// Every file of the server with the path of its module.
fn modules() -> Vec<(PathBuf, Vec<String>)> {
    let (root, mut found, mut folders) = (source(), Vec::new(), vec![source()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below").with_extension("");
                let parts = below.components().map(|part| part.as_os_str().to_string_lossy());
                let mut module: Vec<String> = parts.map(Into::into).collect();
                module.pop_if(|last| last == "mod");
                found.push((path.strip_prefix(&root).expect("below").to_owned(), module));
            }
        }
    }
    assert!(found.len() > 200, "the sources were found");
    found
}

/// A path in a text: where it begins, and its segments. Of `use a::{b, c}` there are two.
type Found = (usize, Vec<String>);

/// The paths of a text that begin with `crate` or `super`.
fn paths(text: &str) -> Vec<Found> {
    let is_word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut found = Vec::new();
    for head in ["crate::", "super::"] {
        for (at, _) in text.match_indices(head) {
            let before = at.checked_sub(1).map(|before| text.as_bytes()[before]);
            let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
            if is_word(before) || before == Some(b':') || line.trim_start().starts_with("//") {
                continue;
            }
            let mut leaves = Vec::new();
            tree(&text[at..], Vec::new(), &mut leaves);
            found.extend(leaves.into_iter().map(|leaf| (at, leaf)));
        }
    }
    found
}

/// Reads one tree of paths, and returns the text that follows it.
fn tree<'a>(text: &'a str, before: Vec<String>, leaves: &mut Vec<Vec<String>>) -> &'a str {
    let mut text = text.trim_start();
    let mut path = before;
    loop {
        if let Some(mut list) = text.strip_prefix('{') {
            while !list.trim_start().starts_with('}') && !list.is_empty() {
                list = tree(list, path.clone(), leaves);
                list = list.trim_start().strip_prefix(',').unwrap_or(list);
            }
            return list.trim_start().strip_prefix('}').unwrap_or(list);
        }
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        path.push(text[..end].to_owned());
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest.trim_start(),
            None => {
                leaves.push(path);
                // A renamed import, or a glob: up to the end of this part of the list.
                let stop = text.find([',', '}', ';', '\n', '(', ' ', ')']).unwrap_or(text.len());
                let rest = &text[stop..];
                let is_renamed = rest.starts_with(" as ");
                return if is_renamed {
                    &rest[rest.find([',', '}', ';']).unwrap_or(0)..]
                } else {
                    rest
                };
            }
        }
    }
}

/// The full name of a path, from the root of the crate.
fn resolved(module: &[String], path: &[String]) -> Vec<String> {
    let above = path.iter().take_while(|part| *part == "super").count();
    let start = if above == 0 { &[] } else { &module[..module.len().saturating_sub(above)] };
    let rest = if above == 0 { &path[1..] } else { &path[above..] };
    start.iter().chain(rest).cloned().collect()
}

#[test]
fn rooms_use_only_rooms_listed_before_them() {
    let mut broken = Vec::new();
    for (file, module) in modules() {
        let Some(room) = module.first().and_then(|name| place_of(name)) else { continue };
        let text = std::fs::read_to_string(source().join(&file)).expect("read");
        let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
        for (at, path) in paths(&text) {
            let mut from = module.clone();
            if at > tests {
                from.push("tests".to_owned());
            }
            let target = resolved(&from, &path);
            let Some(used) = target.first().and_then(|name| place_of(name)) else { continue };
            if used > room {
                let ((name, law), (behind, _)) = (ROOMS[room], ROOMS[used]);
                let line = text[..at].lines().count();
                broken.push(format!(
                    "src/{}:{line}: {name} uses {}, but {behind} is listed after it. The room \
                     {name} {law}. Hand over what it needs, or move it to {name} or before.",
                    file.display(),
                    path.join("::"),
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_all_belong_to_a_room() {
    for (file, module) in modules() {
        let is_loose = module.len() <= 1 && file.components().count() == 1;
        let name = file.display().to_string();
        if is_loose {
            assert!(LOOSE.contains(&name.as_str()), "src/{name} is not in a room");
        } else if !file.starts_with("bin") {
            let room = &module[0];
            assert!(place_of(room).is_some(), "src/{room}/ is not in the list of rooms");
        }
    }
}

#[test]
fn paths_are_read_in_all_their_forms() {
    let read = |text: &str| -> Vec<String> {
        let module = ["mail".to_owned(), "send".to_owned()];
        paths(text).iter().map(|(_, path)| resolved(&module, path).join("::")).collect()
    };
    assert_eq!(read("use crate::web;"), ["web"]);
    assert_eq!(
        read("use crate::{web::page, cli as c, config::{Config, self}, pipeline::*};"),
        ["web::page", "cli", "config::Config", "config::self", "pipeline::"]
    );
    assert_eq!(
        read("use super::super::web;\nlet x = super::smtp::go();"),
        ["web", "mail::smtp::go"]
    );
    assert_eq!(read("fn f(a: &crate::web::Site) -> Vec<crate::cli::X> {"), ["web::Site", "cli::X"]);
    assert_eq!(read("// use crate::web;\nlet mycrate::web = 1;"), [""; 0]);
}
