//! The mirror against repositories that git itself made.
#![expect(clippy::disallowed_methods, reason = "tests start git to make repositories")]

mod made;

use std::path::Path;

use flawless_core::CommitId;
use flawless_git::process::GitProgram;
use flawless_git::tracer::WhiteSpace;
use flawless_git::{
    GitError, Located, Mirror, MirrorSettings, NotBlamed, ReportedLine, Repository, Revision,
    Source,
};
use made::Made;

/// Path and line at birth of a line with this text; `None` when the line has another text.
async fn blame(mirror: &Mirror, path: &str, line: u32, text: &str) -> Option<(String, u32)> {
    let tip = mirror.tip().expect("a tip");
    let reported = ReportedLine { path, line, function: "", text };
    let found = mirror
        .locate(&tip, &Revision::Tip(tip.commit.clone()), reported, &[])
        .await
        .expect("git runs")
        .line()?;
    Some((found.blame.origin.path, found.blame.origin.line))
}

#[tokio::test]
async fn renamed_and_odd_files_are_blamed_with_their_birth_paths() {
    let made = Made::new();
    made.commit("old \"näme\".py", b"one\ntwo\nthree\nfour\n");
    made.git(&["mv", "old \"näme\".py", "new.py"]);
    made.git(&["commit", "--quiet", "--message", "move"]);
    made.commit("no_newline.py", b"x = 1");
    made.commit("windows.py", b"a = 1\r\nb = 2\r\n");
    made.commit("latin.py", b"# \xe4\nb = 2\n");
    made.commit("empty.py", b"");
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    for (path, line, text, born) in [
        ("new.py", 3, "three", Some(("old \"näme\".py", 3))),
        ("no_newline.py", 1, "x  = 1", Some(("no_newline.py", 1))),
        ("windows.py", 2, "b = 2", Some(("windows.py", 2))),
        ("latin.py", 2, "b = 2", Some(("latin.py", 2))),
        // another line, but the text is in the file only once
        ("new.py", 3, "four", Some(("old \"näme\".py", 4))),
        ("new.py", 5, "x", None),
        ("new.py", 0, "one", None),
        ("new.py", 3, "", None),
        ("empty.py", 1, "x", None),
        ("none.py", 1, "x", None),
    ] {
        let born = born.map(|(path, line): (&str, u32)| (path.to_owned(), line));
        assert_eq!(blame(&mirror, path, line, text).await, born, "{path}:{line} {text}");
    }
}

#[tokio::test]
async fn bare_repositories_linked_work_trees_and_subfolders_are_read() {
    let made = Made::new();
    made.commit("shop/cart.py", b"one\ntwo\n");
    let (bare, linked) = (made.path("bare.git"), made.path("linked"));
    let text = |path: &Path| path.display().to_string();
    made.git(&["clone", "--quiet", "--bare", ".", &text(&bare)]);
    made.git(&["worktree", "add", "--quiet", &text(&linked)]);
    for folder in [bare, linked.clone(), made.dir().join("shop")] {
        let mirror = made.mirror(Source::Folder(folder.clone()), None).await.expect("opens");
        let answer = blame(&mirror, "shop/cart.py", 2, "two").await.expect("an answer");
        assert_eq!(answer, ("shop/cart.py".into(), 2), "{}", folder.display());
    }
    let nowhere = made.mirror(Source::Folder(made.folder.path().to_owned()), None).await;
    assert!(matches!(nowhere, Err(GitError::NotARepository(_))), "{nowhere:?}");
    let empty = Made::new();
    let unborn = empty.mirror(Source::Folder(empty.dir()), None).await;
    assert!(matches!(unborn, Err(GitError::NoTip(_))), "{unborn:?}");
}

#[tokio::test]
async fn clone_follows_force_pushes_and_a_new_default_branch() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    made.git(&["checkout", "--quiet", "--orphan", "trunk"]);
    let new = made.commit("b.py", b"two\n");
    made.git(&["branch", "--quiet", "-D", "main"]);
    assert_eq!(mirror.fetch().await.expect("fetches").commit, new);
    assert_eq!(blame(&mirror, "b.py", 1, "two").await.expect("an answer").0, "b.py");
    let graph = made.path("mirror.git/objects/info/commit-graphs");
    assert!(graph.is_dir(), "the commit-graph was written");
    // Opened again, the clone works without the remote.
    std::fs::rename(made.dir(), made.path("gone")).expect("moved");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("opens");
    assert_eq!(mirror.tip().expect("a tip").commit, new);
    let error = mirror.fetch().await.expect_err("no remote").to_string();
    assert!(error.contains("git fetch failed"), "{error}");
}

/// The commit that a name refers to.
async fn commit_of(mirror: &Mirror, name: &str) -> Option<CommitId> {
    mirror.resolve(name).await.expect("git runs").map(|named| named.commit)
}

#[tokio::test]
async fn missing_revision_is_fetched_but_not_repeatedly() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    let new = made.commit("b.py", b"two\n");
    assert_eq!(commit_of(&mirror, new.as_str()).await, Some(new));
    // Within the next seconds a name that does not exist costs no fetch.
    let newer = made.commit("c.py", b"three\n");
    made.git(&["tag", "v3"]);
    assert_eq!(commit_of(&mirror, "v3").await, None);
    mirror.fetch().await.expect("fetches");
    assert_eq!(commit_of(&mirror, "v3").await, Some(newer.clone()));
    assert_eq!(commit_of(&mirror, "shop@3").await, Some(newer));
}

#[tokio::test]
async fn report_asks_for_a_fetch_without_waiting_for_it() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    made.commit("b.py", b"two\n");
    // The commit is on no branch: only its id names it.
    made.git(&["checkout", "--quiet", "--detach"]);
    let loose = made.commit("c.py", b"three\n");
    made.git(&["checkout", "--quiet", "main"]);
    made.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    assert_eq!(mirror.running(loose.as_str()).await.expect("git runs"), None);
    std::fs::rename(made.dir(), made.path("away")).expect("moved");
    let ticket = mirror.ask_for_fetch(Some(loose.as_str()));
    mirror.fetch_is_asked_for().await;
    mirror.fetch().await.expect_err("the remote is away");
    assert!(!mirror.is_fetched(ticket), "a fetch that failed brought nothing");
    std::fs::rename(made.path("away"), made.dir()).expect("moved back");
    mirror.fetch().await.expect("fetches");
    assert!(mirror.is_fetched(ticket));
    let running = mirror.running(loose.as_str()).await.expect("git runs");
    assert_eq!(running, Some(Revision::Running(loose)), "asked for again after the failure");
}

#[tokio::test]
async fn branch_name_is_not_a_running_revision() {
    let made = Made::new();
    let first = made.commit("a.py", b"one\n");
    made.git(&["tag", "v1.0"]);
    made.git(&["branch", "release/1.2.3"]);
    made.git(&["branch", "both"]);
    made.git(&["tag", "both"]);
    made.git(&["branch", "shop-2.0"]);
    made.git(&["tag", "2.0"]);
    let short = &first.as_str()[..9];
    let names =
        ["main", "HEAD", "refs/heads/main", "heads/main", "main-dirty", "shop@main", "1.2.3"];
    for source in [Source::Folder(made.dir()), made.clone_source("mirror.git")] {
        let mirror = made.mirror(source, None).await.expect("opens");
        let running = async |name: &str| mirror.running(name).await.expect("git runs");
        for name in names {
            assert_eq!(running(name).await, Some(Revision::Tip(first.clone())), "{name}");
        }
        for name in [first.as_str(), short, "v1.0", "1.0", "refs/tags/v1.0", "both", "shop@2.0"] {
            assert_eq!(running(name).await, Some(Revision::Running(first.clone())), "{name}");
        }
    }
}

#[tokio::test]
async fn interrupted_clone_is_started_again() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let hidden = made.path("hidden");
    std::fs::rename(made.dir(), &hidden).expect("moved");
    made.mirror(made.clone_source("mirror.git"), None).await.expect_err("no remote");
    std::fs::rename(&hidden, made.dir()).expect("moved back");
    made.mirror(made.clone_source("mirror.git"), None).await.expect("clones now");
}

#[tokio::test]
async fn folder_we_did_not_clone_is_left_alone() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let checkout = made.path("checkout");
    made.git(&["clone", "--quiet", ".", &checkout.display().to_string()]);
    let head = std::fs::read(checkout.join(".git/HEAD")).expect("there");
    let new = made.commit("b.py", b"two\n");
    let mirror = made.mirror(made.clone_source("checkout"), None).await.expect("clones next to it");
    assert_eq!(mirror.tip().expect("a tip").commit, new);
    assert_eq!(
        mirror.repository().dir(),
        made.path("checkout.flawless.git").canonicalize().expect("there")
    );
    assert!(!checkout.join("b.py").exists());
    assert_eq!(std::fs::read(checkout.join(".git/HEAD")).expect("there"), head);
    // Nor a folder with other things in it.
    std::fs::create_dir(made.path("papers")).expect("made");
    std::fs::write(made.path("papers/tax.txt"), "x").expect("written");
    made.mirror(made.clone_source("papers"), None).await.expect("clones next to it");
    assert_eq!(std::fs::read_dir(made.path("papers")).expect("there").count(), 1);
}

#[tokio::test]
async fn options_ranges_and_files_are_not_revisions() {
    let made = Made::new();
    let commit = made.commit("a.py", b"one\n");
    made.git(&["tag", "v1.0"]);
    let repository = Repository::open(GitProgram::new("git"), &made.dir()).await.expect("opens");
    for name in ["HEAD", "main", "v1.0", commit.as_str(), &commit.as_str()[..8]] {
        let found = repository.resolve(name).await.expect("git runs");
        assert_eq!(found.as_ref(), Some(&commit), "{name}");
    }
    let long = "a".repeat(100_000);
    for name in [
        "",
        "-",
        "--all",
        "--output=x",
        "--contents=/etc/hostname",
        "HEAD:a.py",
        "HEAD^{tree}",
        "HEAD..main",
        "@{-1}",
        "a b",
        "a\0b",
        "no-such",
        "../../etc/passwd",
        &long,
    ] {
        assert_eq!(repository.resolve(name).await.expect("git runs"), None, "{name}");
    }
}

#[tokio::test]
async fn hooks_and_outside_configuration_do_not_count() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let hooks = made.path("hooks");
    std::fs::create_dir(&hooks).expect("made");
    let canary = made.path("canary");
    let script = format!("#!/bin/sh\ntouch {}\n", canary.display());
    for name in ["reference-transaction", "fsmonitor-watchman", "post-checkout"] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(hooks.join(name), &script).expect("written");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(hooks.join(name), executable).expect("set");
    }
    made.git(&["config", "core.hooksPath", &hooks.display().to_string()]);
    made.git(&[
        "config",
        "core.fsmonitor",
        &hooks.join("fsmonitor-watchman").display().to_string(),
    ]);
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    blame(&mirror, "a.py", 1, "one").await.expect("an answer");
    assert!(!canary.exists());
}

#[tokio::test]
async fn links_and_submodules_lead_to_their_files_and_repositories() {
    let part = Made::new();
    let first = part.commit("pay/card.py", b"charge(1)\n");
    part.commit("pay/card.py", b"charge(2)\n");
    let made = Made::new();
    made.commit("v2/shop/cart.py", b"total()\n");
    std::os::unix::fs::symlink("v2/shop", made.dir().join("shop")).expect("linked");
    let url = part.dir().display().to_string();
    made.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "vendor/pay",
    ]);
    let checked_out = made.dir().join("vendor/pay");
    let checked_out = checked_out.to_str().expect("text");
    made.git(&["-C", checked_out, "checkout", "--quiet", first.as_str()]);
    let running = made.commit("x.py", b"x\n");
    let settings = flawless_core::PathSettings::default();
    let find = |files: &flawless_core::PathIndex, path: &str| match files.find(path, &settings) {
        flawless_core::PathMatch::Certain(file, rule) => format!("{file} {rule:?}"),
        other => format!("{other:?}"),
    };
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    let files = mirror.files(&running).await.expect("listed");
    assert_eq!(find(&files, "/srv/app/shop/cart.py"), "v2/shop/cart.py WholePath");
    let inner = "/srv/app/vendor/pay/pay/card.py";
    assert_eq!(find(&files, inner), "vendor/pay Submodule");

    let settings = MirrorSettings {
        submodules: vec![("vendor/pay".into(), Source::Folder(part.dir()))],
        ..MirrorSettings::new(
            GitProgram::new("git"),
            Source::Folder(made.dir()),
            made.folder.path().to_owned(),
        )
    };
    let mirror = Mirror::open(settings).await.expect("opens");
    let files = mirror.files(&running).await.expect("listed");
    assert_eq!(find(&files, inner), "vendor/pay/pay/card.py WholePath");
    let tip = mirror.tip().expect("a tip");
    let path = "vendor/pay/pay/card.py";
    let reported = ReportedLine { path, line: 1, function: "", text: "charge(1)" };
    let found =
        mirror.locate(&tip, &Revision::Running(running), reported, &[]).await.expect("git runs");
    assert_eq!(
        found.line().expect("found").blame.origin.commit,
        first,
        "the commit the revision names"
    );
}

#[tokio::test]
async fn many_fetches_leave_few_packs_and_every_line_is_traced() {
    let made = Made::new();
    let first = made.commit("a.py", b"first = 1\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    for number in 0..35 {
        made.commit("b.py", format!("number = {number}\n").repeat(120 + number).as_bytes());
        // Without this option git unpacks small fetches.
        let dir = made.path("mirror.git");
        made.git(&["-C", dir.to_str().expect("text"), "config", "fetch.unpackLimit", "1"]);
        mirror.fetch().await.expect("fetches");
    }
    let packs = made.path("mirror.git").join("objects/pack").read_dir().expect("a folder");
    let is_pack = |path: &Path| path.extension().is_some_and(|extension| extension == "pack");
    let packs = packs.filter(|entry| is_pack(&entry.as_ref().expect("an entry").path())).count();
    assert!(packs <= 31, "{packs} packs");
    let tip = mirror.tip().expect("a tip");
    let born = mirror.blame(&tip, &tip.commit, "a.py", 1).await.expect("blamed").origin.commit;
    assert_eq!(born, first);
    let newest = mirror.blame(&tip, &tip.commit, "b.py", 1).await.expect("blamed").origin.commit;
    assert_eq!(newest, tip.commit);
}

#[tokio::test]
async fn stale_lock_of_a_killed_git_does_not_stop_fetches() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    for lock in ["refs/heads/main.lock", "objects/info/commit-graphs/commit-graph-chain.lock"] {
        std::fs::write(made.path("mirror.git").join(lock), "").expect("written");
    }
    let new = made.commit("a.py", b"two\n");
    assert_eq!(mirror.fetch().await.expect("fetches").commit, new);
}

#[tokio::test]
async fn sha_256_repository_is_left_to_git() {
    let made = Made::new();
    std::fs::remove_dir_all(made.dir().join(".git")).expect("removed");
    made.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    let born = made.commit("a.py", b"one\ntwo\n");
    made.commit("a.py", b"zero\none\ntwo\n");
    assert_eq!(born.as_str().len(), 64);
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    let tip = mirror.tip().expect("a tip");
    let found = mirror.blame(&tip, &tip.commit, "a.py", 2).await.expect("blamed");
    assert_eq!((found.origin.commit, found.origin.line), (born, 1));
}

#[tokio::test]
async fn ignore_list_takes_short_ids_and_names_unusable_lines() {
    let made = Made::new();
    made.commit("a.py", b"x = 1\n");
    let format = made.commit("a.py", b"x = (1)\n");
    let list = format!("{} black, all files\nffffffff gone\nnot an id\n", &format.as_str()[..8]);
    made.commit(".git-blame-ignore-revs", list.as_bytes());
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    let found = mirror
        .trace(&mirror.tip().expect("a tip"), &format, "a.py", 1, WhiteSpace::Ignored)
        .await
        .expect("traced");
    assert_ne!(found.commit, format, "a listed commit is not blamed");
    let warnings = mirror.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with(".git-blame-ignore-revs:2: \"ffffffff\" names no commit"));
    assert!(warnings[1].starts_with(".git-blame-ignore-revs:3: \"not\" names no commit"));
}

#[tokio::test]
async fn oversized_lists_and_files_are_named_and_stop_nothing_else() {
    let made = Made::new();
    made.commit("a.py", b"x = 1\n");
    let large = vec![b'#'; 33 << 20];
    made.commit(".mailmap", &large);
    made.commit("CODEOWNERS", &large);
    made.commit(".git-blame-ignore-revs", &large);
    made.commit("large.py", &large);
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    let warnings = mirror.warnings();
    for list in [".mailmap", "CODEOWNERS", ".git-blame-ignore-revs"] {
        let named = |warning: &&String| warning.starts_with(&format!("{list} is larger than"));
        assert_eq!(warnings.iter().filter(named).count(), 1, "{list}: {warnings:?}");
    }
    assert_eq!(blame(&mirror, "a.py", 1, "x = 1").await.expect("blamed").0, "a.py");
    let tip = mirror.tip().expect("a tip");
    let reported = ReportedLine { path: "large.py", line: 1, function: "", text: "x = 1 + 1 + 1" };
    let revision = Revision::Running(tip.commit.clone());
    let found = mirror.locate(&tip, &revision, reported, &[]).await.expect("git runs");
    let Located::NotBlamed(why @ NotBlamed::TooLarge { .. }) = found else { panic!("{found:?}") };
    assert!(why.to_string().starts_with("large.py is larger than 32 MiB"), "{why}");
}

#[tokio::test]
async fn commit_in_another_encoding_is_found_in_the_mailmap() {
    let made = Made::new();
    let map = "George Right <george@right.example> Jürgen <jurgen@example.org>\n";
    made.commit(".mailmap", map.as_bytes());
    std::fs::write(made.dir().join("a.py"), "x = 1\n").expect("written");
    made.git(&["add", "--all"]);
    let tree = made.git(&["write-tree"]);
    let person = b"J\xfcrgen <jurgen@example.org> 1700000000 +0000";
    let mut commit =
        format!("tree {tree}\nparent {}\nauthor ", made.git(&["rev-parse", "HEAD"])).into_bytes();
    commit.extend_from_slice(person);
    commit.extend_from_slice(b"\ncommitter ");
    commit.extend_from_slice(person);
    commit.extend_from_slice(b"\nencoding ISO-8859-1\n\nx\n");
    let file = made.path("commit");
    std::fs::write(&file, commit).expect("written");
    let id = made.git(&["hash-object", "-t", "commit", "-w", &file.display().to_string()]);
    made.git(&["update-ref", "refs/heads/main", &id]);
    let mirror = made.mirror(Source::Folder(made.dir()), None).await.expect("opens");
    let tip = mirror.tip().expect("a tip");
    let found = mirror.blame(&tip, &tip.commit, "a.py", 1).await.expect("blamed");
    assert_eq!(found.developer.expect("a person").email, "george@right.example");
}
