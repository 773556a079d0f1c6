//! Cases from public bug reports about tools of this kind, reduced, each with the correct line and
//! person. Texts go to `flawless blame`, programs run in a real Python and report to a server.
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{App, NOW, TestRepository, flawless_with_bytes, python_with_package};

fn file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/pipeline/reported_cases")).join(name)
}

fn repository(name: &str) -> TestRepository {
    TestRepository::of_bundle(&file(&format!("{name}.bundle")))
}

/// The pasted text, the repository, and parts of the expected answer.
const TEXTS: &[(&str, &str, &[&str])] = &[
    ("plain", "shop", AVERAGE_PRICE),
    ("compose_inter", "shop", AVERAGE_PRICE),
    ("cut", "shop", &["  warning   the traceback is cut off"]),
    ("kubectl_ts", "shop", AVERAGE_PRICE),
    ("stamp", "shop", AVERAGE_PRICE),
    ("compose_prefix", "shop", AVERAGE_PRICE),
    ("rsyslog012", "shop", AVERAGE_PRICE),
    ("json", "shop", AVERAGE_PRICE),
    ("ansi313", "shop", AVERAGE_PRICE),
    ("utf16", "shop", AVERAGE_PRICE),
    ("loguru", "shop", AVERAGE_PRICE),
    ("ray", "shop", &["  line      shop/cart.py:6 in price_of", "Ann <ann@example.org>"]),
    ("syntax", "shop", &["SyntaxError\n", "  line      shop/report.py:3", "Jon <jon@example.org>"]),
    // Two files have the name; only one has this text at the line.
    (
        "mono",
        "shop",
        &["  line      services/worker/models.py:10 in load", "Eve <eve@example.org>"],
    ),
    ("mono", "mono", &["  nobody    no frame of the traceback is a file of the repository"]),
    ("ign", "ign", &["  line      m.py:2 in f", "Ann <ann@example.org>"]),
    ("odd_2", "odd", &["  line      m2.py:2 in f2", "George Right <george@right.example>"]),
];
const AVERAGE_PRICE: &[&str] = &[
    "ZeroDivisionError\n  line      shop/cart.py:11 in average_price\n",
    "  author    Ann <ann@example.org>\n",
];

#[test]
fn pasted_tracebacks_lead_to_the_right_line_and_person() {
    for (name, repository_name, expected) in TEXTS {
        let repository = repository(repository_name);
        let text = std::fs::read(file(&format!("in/{name}.txt"))).expect("the text exists");
        let dir = repository.dir().display().to_string();
        let arguments = ["blame", "--repo", &dir, "--rev", "main"];
        let output = flawless_with_bytes(Path::new("/"), &arguments, &text);
        let answer = String::from_utf8_lossy(&output.stdout);
        for part in *expected {
            assert!(answer.contains(part), "{name}: {part:?} is missing in\n{answer}");
        }
        let is_plain = |c: char| c == '\n' || !c.is_control();
        assert!(answer.chars().all(is_plain), "{name}: {answer:?}");
    }
}

type Issue = (&'static str, i64, &'static str, i64);

/// A program, the folder it runs in, and its expected issues: file, line, owner, occurrences.
const PROGRAMS: &[(&str, &str, &[Issue])] = &[
    ("c_tasks", ".", &[("shop/cart.py", 6, "ann", 1)]),
    ("c_pool", ".", &[("shop/cart.py", 6, "ann", 1)]),
    (
        "c_more",
        ".",
        &[
            ("shop/rates.py", 6, "sam", 1),
            ("shop/rates.py", 7, "sam", 1),
            ("templates/bad.html", 2, "uma", 1),
            ("templates/cart.html", 4, "uma", 1),
        ],
    ),
    ("c_latin", ".", &[("shop/preise.py", 6, "dan", 1), ("shop/preise.py", 10, "dan", 1)]),
    ("c_syntax", ".", &[("shop/report.py", 3, "jon", 1)]),
    ("c_single", ".", &[("shop/gifts.py", 5, "ida", 5), ("shop/orders.py", 5, "hal", 5)]),
    (
        "c_worker",
        "services/worker",
        &[("services/worker/models.py", 6, "eve", 1), ("services/worker/models.py", 10, "eve", 1)],
    ),
];

/// Runs a program of the cases and returns the issues.
async fn run(
    name: &str,
    folder: &str,
    server_side: TestRepository,
    program_side: &TestRepository,
) -> Vec<(String, i64, String, i64)> {
    let repo = server_side.dir().to_owned();
    let app = App::with("report_error_threshold", "1").repository(server_side).start().await;
    let folder = program_side.dir().join(folder);
    let script = folder.join(format!("{name}.py"));
    std::fs::copy(file(&format!("programs/{name}.py")), &script).expect("copied");
    let mut program = Command::new(python_with_package());
    program.arg(&script).current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1");
    program.env("FLAWLESS_DSN", app.server.dsn().expect("an address")).env("REPO", repo);
    let output = tokio::task::spawn_blocking(move || program.output()).await.expect("no panic");
    println!("{}", String::from_utf8_lossy(&output.expect("python runs").stderr));
    app.settle().await;
    let found = app.server.app.store.issues_between(0, NOW + 3_600_000).await.expect("store");
    let issue = found.into_iter().map(|found| found.issue).map(|issue| {
        let owner = issue.facts.developer_email.unwrap_or_default();
        let owner = owner.trim_end_matches("@example.org").to_owned();
        (issue.facts.path, issue.facts.line, owner, issue.occurrences)
    });
    let mut issues: Vec<_> = issue.collect();
    issues.sort();
    issues
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_programs_lead_to_the_right_lines_and_people() {
    for (name, folder, expected) in PROGRAMS {
        let program_side = repository("shop");
        let issues = run(name, folder, repository("shop"), &program_side).await;
        let expected = expected.iter().map(|&(path, line, owner, occurrences)| {
            (path.to_owned(), line, owner.to_owned(), occurrences)
        });
        assert_eq!(issues, expected.collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn file_changed_under_the_program_blames_nobody_else() {
    let program_side = repository("shop");
    program_side.git(&["checkout", "--quiet", "a13d915"]);
    let issues = run("c_stale2", ".", repository("shop"), &program_side).await;
    assert_eq!(issues, [("shop/stale2.py".to_owned(), 6, "oli".to_owned(), 1)]);
}
