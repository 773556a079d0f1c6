//! The author of a line, however the line got to its place.
#![expect(clippy::disallowed_methods, reason = "tests start git to make repositories")]

mod made;

use std::sync::Arc;

use flawless_core::{AutomationPatterns, Blame, CommitId, Confidence, LaterKind};
use flawless_git::process::GitProgram;
use flawless_git::{
    Engine, Located, LocatedLine, Mirror, MirrorSettings, ReportedLine, Revision, Source, Standing,
};
use made::Made;

const ANN: (&str, &str) = ("Ann", "ann@example.com");
const BEN: (&str, &str) = ("Ben", "ben@example.com");
const BOT: (&str, &str) = ("fix-it[bot]", "1+fix-it[bot]@users.noreply.github.com");

async fn open(made: &Made, engine: Engine) -> Mirror {
    let settings = MirrorSettings {
        automation: Arc::new(AutomationPatterns::new::<&str>(&[]).expect("built in")),
        engine,
        ..MirrorSettings::new(
            GitProgram::new("git"),
            Source::Folder(made.dir()),
            made.folder.path().to_owned(),
        )
    };
    Mirror::open(settings).await.expect("opens")
}

async fn blame(made: &Made, path: &str, line: u32) -> Blame {
    let mirror = open(made, Engine::Tracer).await;
    let tip = mirror.tip().expect("a tip");
    mirror.blame(&tip, &tip.commit, path, line).await.expect("blamed")
}

fn author(blame: &Blame) -> &str {
    blame.developer.as_ref().map_or("nobody", |who| &who.email)
}

fn later(blame: &Blame) -> Vec<(LaterKind, &str)> {
    blame.later.iter().map(|later| (later.kind, later.developer.name.as_str())).collect()
}

const SEND: &str =
    "def send(parcel):\n    address = parcel.find_address_of_customer()\n    return address\n";

#[tokio::test]
async fn moved_lines_keep_their_author_within_and_between_files() {
    let made = Made::new();
    let born = made.commit("post.py", format!("import a\n\n{SEND}\nx = 1\n").as_bytes());
    made.commit_as(BEN, "post.py", format!("import a\nx = 1\n\n\n{SEND}").as_bytes(), "down");
    std::fs::write(made.dir().join("post.py"), "import a\nx = 1\n").expect("written");
    made.commit_as(BEN, "parcel.py", SEND.as_bytes(), "to a file of its own");
    let found = blame(&made, "parcel.py", 2).await;
    assert_eq!(
        (author(&found), found.origin.path.as_str(), found.origin.line),
        (ANN.1, "post.py", 4)
    );
    assert_eq!(found.origin.commit, born);
    assert_eq!(later(&found)[0], (LaterKind::Moved, "Ben"));
    let short = blame(&made, "parcel.py", 3).await;
    assert_eq!(author(&short), ANN.1, "a short line moves with its neighbours");
    assert!(found.also_known.iter().any(|origin| origin.path == "parcel.py"));
}

#[tokio::test]
async fn line_removed_elsewhere_is_not_taken_for_a_moved_one() {
    let made = Made::new();
    made.commit("a.py", b"def f():\n    return None\n");
    std::fs::write(made.dir().join("a.py"), "def f():\n    pass\n").expect("written");
    made.commit_as(BEN, "b.py", b"def g():\n    x = 1\n    return None\n", "new");
    assert_eq!(author(&blame(&made, "b.py", 3).await), BEN.1);
}

#[tokio::test]
async fn reindenting_and_listed_commits_are_named_but_not_blamed() {
    let made = Made::new();
    made.commit("a.py", b"total = sum(prices)\nreturn_value = total\n");
    made.commit_as(
        BEN,
        "a.py",
        b"if x:\n    total = sum(prices)\n    return_value = total\n",
        "if",
    );
    let found = blame(&made, "a.py", 2).await;
    assert_eq!((author(&found), later(&found)), (ANN.1, vec![(LaterKind::Reindented, "Ben")]));
    let format = made.commit_as(
        BEN,
        "a.py",
        b"if x:\n    total = sum( prices, )\n    return_value = total\n",
        "format",
    );
    assert_eq!(author(&blame(&made, "a.py", 2).await), BEN.1);
    made.commit(".git-blame-ignore-revs", format!("# black\n{format}\nabc123\n").as_bytes());
    let found = blame(&made, "a.py", 2).await;
    assert_eq!(author(&found), ANN.1);
    assert!(found.also_known.iter().any(|origin| origin.commit == format), "{found:#?}");
}

#[tokio::test]
async fn bot_commit_leads_to_co_author_merger_or_earlier_author() {
    let made = Made::new();
    made.commit("a.py", b"timeout = 10\nretries = 3\n");
    let message = "Bump\n\nCo-authored-by: Ben <ben@example.com>";
    made.commit_as(BOT, "a.py", b"timeout = 20\nretries = 3\n", message);
    let found = blame(&made, "a.py", 1).await;
    assert_eq!(author(&found), BEN.1);
    assert!(
        found.steps[0].contains("co-author Ben <ben@example.com> is blamed"),
        "{:?}",
        found.steps
    );

    made.commit_as(BOT, "a.py", b"timeout = 20\nretries = 4\n", "Bump");
    let found = blame(&made, "a.py", 2).await;
    assert_eq!(author(&found), ANN.1, "{:?}", found.steps);
    assert_eq!(found.summary, "Bump", "the line is the bot's, and its identity stays");
    assert!(found.steps.last().expect("steps").contains("Ann <ann@example.com> wrote that"));

    made.git(&["switch", "--quiet", "--create", "bump"]);
    made.commit_as(BOT, "new.py", b"only = 'automation'\n", "Add");
    made.git(&["switch", "--quiet", "main"]);
    made.commit("other.py", b"x\n");
    made.git_as(BEN, &["merge", "--quiet", "--no-ff", "--message", "merge", "bump"]);
    let found = blame(&made, "new.py", 1).await;
    assert_eq!(author(&found), BEN.1, "{:?}", found.steps);
    assert!(found.steps[1].contains("Ben <ben@example.com> merged it"), "{:?}", found.steps);

    made.commit_as(BOT, "alone.py", b"nobody = 'knows'\n", "Add");
    let found = blame(&made, "alone.py", 1).await;
    assert_eq!(found.developer, None, "{:?}", found.steps);
}

async fn locate(
    mirror: &Mirror,
    running: Option<&CommitId>,
    (path, line, function, text): (&str, u32, &str, &str),
    others: &[ReportedLine<'_>],
) -> Result<LocatedLine, String> {
    let tip = mirror.tip().expect("a tip");
    let reported = ReportedLine { path, line, function, text };
    let revision = match running {
        Some(running) => Revision::Running(running.clone()),
        None => Revision::Tip(tip.commit.clone()),
    };
    let found = mirror.locate(&tip, &revision, reported, others).await.expect("git runs");
    match found {
        Located::Line(line) => Ok(*line),
        Located::NotBlamed(why) => Err(why.to_string()),
    }
}

#[tokio::test]
async fn unknown_revision_is_the_one_in_which_most_frames_agree() {
    let made = Made::new();
    made.commit("b.py", b"call(1)\n");
    let first = made.commit("a.py", b"x = 1\nboom()\n");
    made.commit("a.py", b"boom()\nx = 1\n");
    made.commit("b.py", b"call(2)\n");
    made.commit("a.py", b"y = 1\nboom()\n");
    made.commit("a.py", b"nothing\n");
    let mirror = open(&made, Engine::Tracer).await;
    let other = ReportedLine { path: "b.py", line: 1, function: "", text: "call(1)" };
    let found = locate(&mirror, None, ("a.py", 2, "f", "boom()"), &[other]).await.expect("found");
    assert_eq!((found.revision, found.confidence), (first, Confidence::Earlier));
    assert!(found.how.contains("as 1 of 1 other frames do"), "{}", found.how);
}

#[tokio::test]
async fn text_is_found_elsewhere_in_its_function_only() {
    let made = Made::new();
    let source = "def f():\n    new = 1\n    boom(x)\n\ndef g():\n    boom(y)\n";
    let running = made.commit("a.py", source.as_bytes());
    let mirror = open(&made, Engine::Tracer).await;
    let at = |line, function, text| ("a.py", line, function, text);
    let found = locate(&mirror, Some(&running), at(2, "f", "boom(x)"), &[]).await.expect("found");
    assert_eq!((found.line, found.confidence), (3, Confidence::ByText));
    let exact =
        locate(&mirror, Some(&running), at(3, "f", "  boom(x)\n"), &[]).await.expect("found");
    assert_eq!((exact.line, exact.confidence), (3, Confidence::Exact));
    let silent = locate(&mirror, Some(&running), at(3, "f", ""), &[]).await.expect("found");
    assert_eq!(silent.confidence, Confidence::Unconfirmed);
    let elsewhere = locate(&mirror, None, at(2, "f", "boom(y)"), &[]).await;
    assert!(elsewhere.expect_err("g is not f").contains("the function does not contain the text"));
}

#[tokio::test]
async fn line_is_fixed_when_it_is_gone_from_a_later_revision() {
    let made = Made::new();
    let born = made.commit("a.py", b"first\nboom(x)\nlast\n");
    made.git(&["mv", "a.py", "b.py"]);
    let moved = made.commit("b.py", b"zero\nfirst\nboom(x)\nlast\nmore\n");
    let mended = made.commit("b.py", b"zero\nfirst\nboom(y)\nlast\nmore\n");
    let tip = made.commit("c.py", b"else\n");
    made.git(&["switch", "--quiet", "--orphan", "other"]);
    let other = made.commit("a.py", b"first\nboom(x)\n");
    made.git(&["switch", "--quiet", "main"]);
    let mirror = open(&made, Engine::Tracer).await;
    let head = mirror.tip().expect("a tip");
    let origin = mirror.blame(&head, &moved, "b.py", 3).await.expect("blamed").origin;
    assert_eq!(origin.commit, born);
    let standing =
        async |revision| mirror.standing(&head, &origin, "a.py", revision).await.expect("git runs");
    let stands = |path: &str, line| Standing::Stands { path: path.into(), line };
    assert_eq!(standing(&born).await, stands("a.py", 2));
    assert_eq!(standing(&moved).await, stands("b.py", 3));
    let Standing::Gone { by, last } = standing(&tip).await else { panic!("it is gone") };
    assert_eq!((by, last.path.as_str(), last.line), (Some(mended), "b.py", 3));
    assert_eq!(standing(&other).await, Standing::NeverThere);
}

async fn commit_of(mirror: &Mirror, name: &str) -> Option<CommitId> {
    mirror.resolve(name).await.expect("git").map(|named| named.commit)
}

#[tokio::test]
async fn deployed_revision_outlives_a_force_push() {
    let made = Made::new();
    made.commit("a.py", b"one\n");
    let deployed = made.commit("a.py", b"two\n");
    let mirror = made.mirror(made.clone_source("mirror.git"), None).await.expect("clones");
    assert_eq!(commit_of(&mirror, &deployed.as_str()[..9]).await, Some(deployed.clone()));
    made.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    made.commit("a.py", b"three\n");
    mirror.fetch().await.expect("fetches");
    let dir = made.path("mirror.git");
    let dir = dir.to_str().expect("text");
    made.git(&["-C", dir, "gc", "--quiet", "--prune=now"]);
    assert_eq!(commit_of(&mirror, deployed.as_str()).await, Some(deployed.clone()));
    let head = mirror.tip().expect("a tip");
    let found = mirror.blame(&head, &deployed, "a.py", 1).await.expect("blamed");
    assert_eq!(found.origin.commit, deployed);
}

#[tokio::test]
async fn hostile_places_get_a_reason_but_no_person_or_server_file() {
    let made = Made::new();
    let commit = made.commit("a.py", b"one\ntwo\n");
    let long = "x/".repeat(50_000);
    for engine in [Engine::Tracer, Engine::Git] {
        let mirror = open(&made, engine).await;
        let tip = mirror.tip().expect("a tip");
        for (path, line) in [
            ("a.py", 0),
            ("a.py", 3),
            ("a.py", u32::MAX),
            ("--contents=/etc/hostname", 1),
            ("/etc/passwd", 1),
            ("../a.py", 1),
            ("a.py/", 1),
            ("a.py\0", 1),
            ("a\n.py", 1),
            ("", 1),
            (":(top)a.py", 1),
            (long.as_str(), 1),
        ] {
            let found = mirror.blame(&tip, &commit, path, line).await;
            let words = found.expect_err("no such line").to_string();
            assert!(!words.is_empty() && words.len() < 1_000, "{engine:?}: {words:.2000}");
        }
        for revision in ["--contents=/etc/hostname", "-L1", "a..b", "x\0", "HEAD:a.py", &long] {
            assert_eq!(mirror.resolve(revision).await.expect("no failure"), None);
        }
    }
}

#[tokio::test]
async fn broken_repository_gives_a_reason_and_never_a_person() {
    let made = Made::new();
    for number in 0..30 {
        let lines: String =
            (0..200).map(|line| format!("line {line} {}\n", line * number)).collect();
        made.commit("a.py", lines.as_bytes());
    }
    made.git(&["repack", "-adq"]);
    let packs = made.dir().join(".git/objects/pack");
    let pack = packs.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path());
    let pack = pack.into_iter().find(|path| path.extension().is_some_and(|e| e == "pack"));
    let pack = pack.expect("a pack");
    let mut bytes = std::fs::read(&pack).expect("read");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 400] {
        *byte ^= 0x5a;
    }
    std::fs::remove_file(&pack).expect("removed");
    std::fs::write(&pack, bytes).expect("written");
    let mirror = open(&made, Engine::Tracer).await;
    let tip = mirror.tip().expect("a tip");
    let git = open(&made, Engine::Git).await;
    for line in 1..=200 {
        let found = mirror.trace(
            &tip,
            &tip.commit,
            "a.py",
            line,
            flawless_git::tracer::WhiteSpace::Ignored,
        );
        let judged =
            git.trace(&tip, &tip.commit, "a.py", line, flawless_git::tracer::WhiteSpace::Ignored);
        match (found.await, judged.await) {
            (Ok(found), Ok(judged)) => assert_eq!(found, judged, "line {line}"),
            (Err(error), Err(_)) => assert!(error.to_string().contains("blame"), "{error}"),
            // Without reading the broken part our answer is right; git reads more.
            (Ok(_), Err(_)) => {}
            (Err(error), Ok(_)) => panic!("git answers and we do not: {error}"),
        }
    }
}

#[tokio::test]
async fn line_moved_about_in_its_file_still_exists() {
    let made = Made::new();
    let long: String =
        (0..40).map(|n| format!("def f{n}():\n    return call_number({n})\n\n")).collect();
    let born = made
        .commit("a.py", format!("{long}def boom():\n    explode_with(everything)\n").as_bytes());
    let (first, second) = long.split_at(long.len() / 2);
    made.commit("b.py", first.as_bytes());
    let moved = format!("def boom():\n    explode_with(everything)\n\n\n{second}");
    let later = made.commit_as(BEN, "a.py", moved.as_bytes(), "split");
    let mirror = open(&made, Engine::Tracer).await;
    let head = mirror.tip().expect("a tip");
    let origin = mirror.blame(&head, &born, "a.py", 122).await.expect("blamed").origin;
    let standing = mirror.standing(&head, &origin, "a.py", &later).await.expect("git runs");
    assert_eq!(standing, Standing::Stands { path: "a.py".into(), line: 2 });
}

#[tokio::test]
async fn line_moved_from_beyond_a_shallow_border_has_no_author() {
    let made = Made::new();
    made.commit("post.py", format!("import a\n\n{SEND}").as_bytes());
    made.commit("other.py", b"x = 1\n");
    std::fs::write(made.dir().join("post.py"), "import a\n").expect("written");
    made.commit_as(BEN, "parcel.py", SEND.as_bytes(), "to a file of its own");
    let url = format!("file://{}", made.dir().display());
    let clone = made.path("shallow");
    made.git(&["clone", "--quiet", "--depth=2", &url, clone.to_str().expect("text")]);
    let (git, scratch) = (GitProgram::new("git"), made.folder.path().to_owned());
    let settings = MirrorSettings::new(git, Source::Folder(clone), scratch);
    let mirror = Mirror::open(settings).await.expect("opens");
    let tip = mirror.tip().expect("a tip");
    let found = mirror.blame(&tip, &tip.commit, "parcel.py", 2).await.expect("blamed");
    assert!(found.at_shallow_border, "{found:#?}");
}

const PAY: &str = "\
def pay(card, amount):
    checked = check_the_card(card, amount)
    return charge(card, amount, currency='eur', retries=3)
";

/// Ann's file, of which others move line 3 about, and its commit.
fn pay() -> (Made, CommitId) {
    let made = Made::new();
    let rest: String =
        (0..30).map(|n| format!("def f{n}():\n    return call_{n}()\n\n\n")).collect();
    let born = made.commit_as(ANN, "pay.py", format!("{PAY}\n\n{rest}").as_bytes(), "pay");
    (made, born)
}

async fn stands_at_the_tip(made: &Made, born: &CommitId) -> Standing {
    let mut found = Vec::new();
    for engine in [Engine::Tracer, Engine::Git] {
        let mirror = open(made, engine).await;
        let tip = mirror.tip().expect("a tip");
        let origin = mirror.blame(&tip, born, "pay.py", 3).await.expect("blamed").origin;
        found.push(mirror.standing(&tip, &origin, "pay.py", &tip.commit).await.expect("git runs"));
    }
    assert_eq!(found[0], found[1], "both engines");
    found.remove(0)
}

fn place(path: &str, line: u32) -> Standing {
    Standing::Stands { path: path.into(), line }
}

#[tokio::test]
async fn line_moved_to_another_file_still_exists_there() {
    let (made, born) = pay();
    let rest = std::fs::read_to_string(made.dir().join("pay.py")).expect("read");
    let rest = rest.strip_prefix(PAY).expect("it begins so");
    std::fs::write(made.dir().join("pay.py"), rest.trim_start()).expect("written");
    made.commit_as(BEN, "cards.py", format!("import cards\n\n\n{PAY}").as_bytes(), "move");
    assert_eq!(stands_at_the_tip(&made, &born).await, place("cards.py", 6));
    made.git(&["mv", "cards.py", "wallet.py"]);
    made.git_as(BEN, &["commit", "--quiet", "--message", "rename"]);
    made.commit_as(
        BEN,
        "wallet.py",
        format!("# wallet\nimport cards\n\n\n{PAY}").as_bytes(),
        "top",
    );
    assert_eq!(stands_at_the_tip(&made, &born).await, place("wallet.py", 7));
    let fixed = PAY.replace("retries=3", "retries=0, wait=True, limit=amount");
    let fix =
        made.commit_as(BEN, "wallet.py", format!("import cards\n\n\n{fixed}").as_bytes(), "fix");
    let Standing::Gone { by, .. } = stands_at_the_tip(&made, &born).await else {
        panic!("it was changed")
    };
    assert_eq!(by, Some(fix));
}

#[tokio::test]
async fn line_reformatted_by_a_listed_commit_still_exists() {
    for split in [false, true] {
        let (made, born) = pay();
        let whole = std::fs::read_to_string(made.dir().join("pay.py")).expect("read");
        let line = "    return charge(card, amount, currency='eur', retries=3)\n";
        let formatted = match split {
            false => "    return charge(card, amount, currency=\"eur\", retries=3)\n".to_owned(),
            true => {
                "    return charge(\n        card,\n        amount,\n        currency=\"eur\",\n        retries=3,\n    )\n".to_owned()
            }
        };
        let black =
            made.commit_as(BEN, "pay.py", whole.replace(line, &formatted).as_bytes(), "black");
        let Standing::Gone { by, .. } = stands_at_the_tip(&made, &born).await else {
            panic!("this commit is not listed as formatting")
        };
        assert_eq!(by, Some(black.clone()));
        let list = format!("{black} # black\n");
        made.commit_as(BEN, ".git-blame-ignore-revs", list.as_bytes(), "list");
        let found = stands_at_the_tip(&made, &born).await;
        assert!(
            matches!(&found, Standing::Stands { path, .. } if path == "pay.py"),
            "{split}: {found:?}"
        );
    }
}

#[tokio::test]
async fn line_moved_on_a_merged_branch_still_exists() {
    let (made, born) = pay();
    made.git(&["checkout", "--quiet", "-b", "side"]);
    let rest = std::fs::read_to_string(made.dir().join("pay.py")).expect("read");
    let rest = rest.strip_prefix(PAY).expect("it begins so");
    std::fs::write(made.dir().join("pay.py"), rest.trim_start()).expect("written");
    made.commit_as(BEN, "cards.py", PAY.as_bytes(), "move");
    made.git(&["checkout", "--quiet", "main"]);
    made.commit_as(ANN, "other.py", b"x = 1\n", "other");
    made.git_as(BEN, &["merge", "--quiet", "--no-ff", "--no-edit", "side"]);
    assert_eq!(stands_at_the_tip(&made, &born).await, place("cards.py", 3));
}
