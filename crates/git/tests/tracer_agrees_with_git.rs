//! The tracer against git, on random repositories: every line of every file of several commits,
//! with and without white space, with and without commits to pass over.
//!
//! `FLAWLESS_SEED=N` starts with other repositories.
#![expect(clippy::disallowed_methods, reason = "tests start git to make repositories")]

mod random_history;

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flawless_git::tracer::{TraceOptions, Tracer, WhiteSpace};
use gix_hash::ObjectId;
use random_history::{History, Random};

const REPOSITORIES: u64 = 48;
const MIN_LINES: usize = 100_000;

#[test]
fn lines_of_random_repositories_have_gits_origin() {
    let first: u64 =
        std::env::var("FLAWLESS_SEED").map_or(0, |seed| seed.parse().expect("a number"));
    let seeds: Vec<u64> = (first..first + REPOSITORIES).collect();
    let checked: usize = std::thread::scope(|scope| {
        let halves = seeds.chunks(seeds.len().div_ceil(2));
        let workers: Vec<_> = halves
            .map(|seeds| {
                scope.spawn(|| seeds.iter().map(|&seed| check_repository(seed)).sum::<usize>())
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("no difference")).sum()
    });
    println!("{checked} lines agree");
    assert!(checked >= MIN_LINES, "only {checked} lines were compared");
}

#[test]
fn rename_among_alike_files_is_the_one_git_chooses() {
    let mut random = Random::new(7);
    for seed in 0..30 {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        git(dir, &["init", "--quiet", "--bare", "."], b"");
        git(dir, &["fast-import", "--quiet"], alike_files(&mut random).as_bytes());
        let tracer = Tracer::open(&dir.join("objects")).expect("opened");
        let head = git(dir, &["rev-parse", "refs/heads/main"], b"");
        let head = String::from_utf8(head).expect("hex");
        let options =
            TraceOptions { white_space: WhiteSpace::Counts, ignored: Arc::new(HashSet::new()) };
        for path in files(dir, head.trim()) {
            check_file(dir, &tracer, head.trim(), &path, None, &options, seed);
        }
    }
}

/// Many files, some equally similar, of which the next commit keeps one or two at other paths.
fn alike_files(random: &mut Random) -> String {
    let lines = |kept: usize, mark: usize| -> String {
        let line = |n: usize| match n < kept {
            true => format!("a line that all have, number {n}\n"),
            false => format!("one of {mark}, number {n}\n"),
        };
        (0..20).map(line).collect()
    };
    let mut stream = String::new();
    let mut commit = |mark: usize, changes: String| {
        stream += &format!(
            "commit refs/heads/main\nmark :{mark}\ncommitter A <a@b.test> {mark} +0000\n\
             data 1\nx\n{changes}"
        );
    };
    let file =
        |path: &str, text: &str| format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    let names = ["a/cart.py", "b/cart.py", "b/till.py", "c/bill.py", "d/cart.py", "d/list.py"];
    let sources: Vec<String> =
        (0..4).flat_map(|n| names.iter().map(move |name| format!("{n}{name}"))).collect();
    let texts: Vec<_> = sources.iter().map(|_| 11 + 3 * random.below(3)).collect();
    let before = sources.iter().zip(&texts).map(|(path, kept)| file(path, &lines(*kept, *kept)));
    commit(1, before.collect());
    let gone = sources.iter().map(|path| format!("D {path}\n"));
    let new = ["e/cart.py", "e/other.py"]
        .map(|path| file(path, &if random.chance(40) { lines(14, 14) } else { lines(19, 100) }));
    commit(2, gone.chain(new).collect());
    stream
}

fn check_repository(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    git(dir, &["init", "--quiet", "--bare", "."], b"");
    let history = History::make(&mut random);
    git(dir, &["fast-import", "--quiet", "--force"], &history.stream);
    let all = git(dir, &["rev-list", "--all", "--topo-order"], b"");
    let all: Vec<String> = String::from_utf8_lossy(&all).lines().map(str::to_owned).collect();
    // No commit-graph, one whole, and one in layers.
    if seed % 3 == 2 {
        let older = all[all.len() / 2..].join("\n");
        let layer =
            ["commit-graph", "write", "--stdin-commits", "--changed-paths", "--split=no-merge"];
        git(dir, &layer, older.as_bytes());
    }
    if !seed.is_multiple_of(3) {
        let split = if seed % 3 == 2 { "--split=no-merge" } else { "--no-progress" };
        git(dir, &["commit-graph", "write", "--reachable", "--changed-paths", split], b"");
    }
    let tracer = Tracer::open(&dir.join("objects")).expect("opened");
    assert_eq!(tracer.has_filters(), !seed.is_multiple_of(3));

    let mut commits: Vec<String> = vec![all[0].clone()];
    commits.extend((0..2).map(|_| random.pick(&all).clone()));
    let ignored: Vec<String> = all.iter().filter(|_| random.chance(35)).cloned().collect();
    let list = dir.join("ignored");
    std::fs::write(&list, ignored.join("\n") + "\n").expect("written");
    let ignored: HashSet<ObjectId> = ignored.iter().map(|id| object_id(id)).collect();
    let mut checked = 0;
    for commit in &commits {
        for path in files(dir, commit) {
            for white_space in [WhiteSpace::Counts, WhiteSpace::Ignored] {
                for ignored in [HashSet::new(), ignored.clone()] {
                    let list = (!ignored.is_empty()).then_some(list.as_path());
                    let options = TraceOptions { white_space, ignored: Arc::new(ignored) };
                    checked += check_file(dir, &tracer, commit, &path, list, &options, seed);
                }
            }
        }
    }
    checked
}

fn check_file(
    dir: &Path,
    tracer: &Tracer,
    commit: &str,
    path: &[u8],
    ignored: Option<&Path>,
    options: &TraceOptions,
    seed: u64,
) -> usize {
    let list = ignored.map(|list| format!("--ignore-revs-file={}", list.display()));
    let mut arguments = vec!["blame", "--line-porcelain"];
    if options.white_space == WhiteSpace::Ignored {
        arguments.push("-w");
    }
    arguments.extend(list.as_deref());
    let mut command = Command::new("git");
    command.current_dir(dir).args(arguments).args([commit, "--"]).arg(bytes_as_path(path));
    let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stop = AtomicBool::new(false);
    let expected = parse(&output.stdout);
    for (line, wanted) in (1..).zip(&expected) {
        let origin =
            tracer.trace(object_id(commit), path, line, options, &stop).unwrap_or_else(|error| {
                panic!("seed {seed}: {commit} {}: {error}", path.escape_ascii())
            });
        let found = (origin.place.commit, origin.place.path, origin.place.line);
        assert_eq!(
            &found,
            wanted,
            "seed {seed}: {commit} {}:{line}, white space {:?}, ignored {}",
            path.escape_ascii(),
            options.white_space,
            options.ignored.len()
        );
    }
    expected.len()
}

/// Commit, path and line of each line.
fn parse(porcelain: &[u8]) -> Vec<(ObjectId, Vec<u8>, u32)> {
    let mut found = Vec::new();
    let mut head: Option<(ObjectId, u32)> = None;
    for line in porcelain.split(|byte| *byte == b'\n') {
        if line.starts_with(b"\t") {
            head = None;
        } else if let Some(path) = line.strip_prefix(b"filename ") {
            let (commit, number) = head.expect("a head before");
            found.push((commit, unquote(path), number));
        } else if head.is_none() && line.len() > 40 {
            let text = String::from_utf8_lossy(line);
            let mut words = text.split(' ');
            let commit = object_id(words.next().expect("an id"));
            head = Some((commit, words.next().and_then(|n| n.parse().ok()).expect("a number")));
        }
    }
    found
}

/// The generator makes no names with quotes or backslashes: only octal escapes occur.
fn unquote(path: &[u8]) -> Vec<u8> {
    let Some(inner) = path.strip_prefix(b"\"").and_then(|path| path.strip_suffix(b"\"")) else {
        return path.to_owned();
    };
    let mut bytes = Vec::new();
    let mut rest = inner;
    while let Some((&first, behind)) = rest.split_first() {
        if first == b'\\' {
            let digits = std::str::from_utf8(&behind[..3]).expect("digits");
            bytes.push(u8::from_str_radix(digits, 8).expect("octal"));
            rest = &behind[3..];
        } else {
            bytes.push(first);
            rest = behind;
        }
    }
    bytes
}

fn files(dir: &Path, commit: &str) -> Vec<Vec<u8>> {
    let listing = git(dir, &["ls-tree", "-r", "-z", commit], b"");
    let entries = listing.split(|byte| *byte == 0).filter(|entry| entry.starts_with(b"100"));
    entries
        .map(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t').expect("a tab");
            entry[tab + 1..].to_owned()
        })
        .collect()
}

fn object_id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).expect("an id")
}

fn bytes_as_path(path: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(path)
}

fn git(dir: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input).expect("read");
    let output = child.wait_with_output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}
