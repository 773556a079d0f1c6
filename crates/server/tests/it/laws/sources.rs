//! The rules of ARCHITECTURE.md that no compiler enforces.
use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    files(&["rs"])
}

fn files(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let root =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().expect("a folder");
    let is_meant = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("benches")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if is_meant(&path) {
                // Some files are test data in other encodings.
                let text = String::from_utf8_lossy(&std::fs::read(&path).expect("read")).into();
                found.push((path.strip_prefix(&root).expect("below").to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "the sources were found");
    found
}

/// Code without the tests at its end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn files_say_what_they_are_for_and_have_one_topic() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: more than one topic?", path.display());
    }
}

#[test]
fn store_alone_has_sql_and_one_file_starts_processes() {
    for (path, text) in sources() {
        let shown = path.display().to_string();
        let in_tests = shown.contains("/tests/") || shown.starts_with("benches/");
        let code = without_tests(&text);
        // `redact` knows how others write statements, and makes none itself.
        let reads_texts = shown.starts_with("crates/redact/");
        if !shown.starts_with("crates/store/") && !in_tests && !reads_texts {
            for sql in ["sqlx", "SELECT ", "INSERT INTO", "DELETE FROM"] {
                let allowed = sql == "sqlx" && shown.ends_with("logging.rs");
                assert!(!code.contains(sql) || allowed, "{shown} contains {sql:?}");
            }
        }
        if !shown.ends_with("git/src/process.rs") && !in_tests {
            assert!(!code.contains("Command::new"), "{shown} starts a process");
        }
    }
}

#[test]
fn plural_forms_come_from_one_place() {
    let plural = fancy_regex::Regex::new(
        "\\{[a-z_. ]*(:[^}]*)?\\}\\}? ((more|open|older|waiting|other) )?(occurrences|issues|frames|\
         variables|reports|entries|days|hours|minutes|times|mails|alerts|lines|exceptions|developers|\
         samples|posts|rules|recipients|addresses|tokens|tracebacks|commits)\\b",
    );
    let plural = plural.expect("a pattern");
    for (path, text) in files(&["rs", "html", "txt"]) {
        let shown = path.display().to_string();
        let of_people = ["crates/base/src/", "crates/server/src/", "crates/store/src/"];
        if !of_people.iter().any(|crate_| shown.starts_with(crate_)) || shown.ends_with("plural.rs")
        {
            continue;
        }
        let lines = without_tests(&text).lines().filter(|line| !line.trim().starts_with("//"));
        for line in lines {
            let is_wrong = plural.is_match(line).expect("short lines");
            assert!(!is_wrong, "{shown} is wrong where the number is 1; plural.rs helps: {line}");
        }
    }
}

/// The project's crates that each package uses; a crate that is missing here fails the test.
const USES: [(&str, &[&str]); 12] = [
    ("benches", &["base", "core", "git", "protocol", "server", "store"]),
    ("crates/base", &[]),
    ("crates/client", &["protocol", "redact"]),
    ("crates/core", &[]),
    ("crates/flawless", &["client", "protocol", "redact"]),
    ("crates/git", &["core"]),
    ("crates/heap", &[]),
    ("crates/protocol", &[]),
    ("crates/redact", &[]),
    ("crates/server", &["base", "core", "git", "heap", "protocol", "redact", "store"]),
    ("crates/store", &["base", "core", "git"]),
    ("python", &["client", "redact"]),
];
/// The external crates that the domain may use: none that does I/O, waits or reads the clock.
const OF_CORE: [&str; 4] = ["encoding_rs", "fancy-regex", "serde", "sha2"];

#[test]
fn crates_use_only_those_below_them() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut folders = vec!["benches".to_owned(), "python".to_owned()];
    for entry in std::fs::read_dir(root.join("crates")).expect("a folder") {
        folders.push(format!("crates/{}", entry.expect("an entry").file_name().display()));
    }
    folders.sort();
    let known: Vec<&str> = USES.iter().map(|(folder, _)| *folder).collect();
    assert_eq!(folders, known, "each package is in the list");
    for (folder, allowed) in USES {
        let manifest = std::fs::read_to_string(root.join(folder).join("Cargo.toml"));
        let manifest = manifest.expect("a manifest");
        let used = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let used = used.split("\n[").next().unwrap_or_default().lines();
        let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
        let used: Vec<String> = used.map(name).filter(|name| !name.is_empty()).collect();
        let ours = used.iter().filter_map(|name| name.strip_prefix("flawless-"));
        assert_eq!(ours.collect::<Vec<_>>(), allowed, "{folder}/Cargo.toml");
        if folder == "crates/core" {
            assert_eq!(used, OF_CORE, "core does no I/O, and its manifest keeps it so");
        }
    }
}
