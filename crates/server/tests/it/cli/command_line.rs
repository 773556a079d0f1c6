//! The program as people and scripts call it.
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::{
    BEN, CLEO, TestRepository, flawless, flawless_with_input, python, python_with_package, stderr,
    stdout,
};

const TRACEBACK: &str = "\
Traceback (most recent call last):
  File \"/srv/app/shop/web.py\", line 2, in handle
    return cart.total()
  File \"/srv/app/shop/cart.py\", line 5, in total
    return sum(prices) / len(prices)
  File \"/opt/py/site-packages/numpy/core.py\", line 9, in div
    return a / b
  File \"/srv/app/shop/money.py\", line 6, in fail
    raise ValueError(text)
ValueError: no
";

#[test]
fn blame_names_the_line_its_author_and_passed_over_frames() {
    let repository = TestRepository::shop();
    let output = flawless_with_input(repository.dir(), &["blame", "--json"], TRACEBACK);
    let found: Value = serde_json::from_str(&stdout(&output)).expect("one line of JSON");
    let head = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(found["frame"]["index"], 1);
    assert_eq!(found["frame"]["repo_path"], "shop/cart.py");
    assert_eq!(found["frame"]["path"], "/srv/app/shop/cart.py");
    assert_eq!((&found["commit"], &found["origin_line"]), (&head.into(), &5.into()));
    let suspects = found["suspects"].as_array().expect("a list").iter();
    let suspects: Vec<&Value> = suspects.map(|suspect| &suspect["index"]).collect();
    assert_eq!(suspects, [1, 0, 3], "the raise statement last");
    assert_eq!(found["developer"]["email"], BEN.1);
    assert_eq!(found["authored_at"], "2026-05-18T12:00:00Z");
    let passed: Vec<&str> = found["passed_over"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| f["reason"].as_str().expect("text"))
        .collect();
    assert_eq!(passed, ["not a file of the repository", "a raise statement: its caller is blamed"]);

    let text = stdout(&flawless_with_input(repository.dir(), &["blame"], TRACEBACK));
    assert!(text.contains("author    Ben Baker <ben@example.com>"), "{text}");
}

#[test]
fn blame_takes_several_tracebacks_a_revision_and_rules() {
    let repository = TestRepository::shop();
    let before = repository.git(&["rev-parse", "HEAD"]);
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices or [1])\n";
    repository.commit(CLEO, "2026-07-01", "fix", &[("shop/cart.py", cart)]);
    let folder = tempfile::tempdir().expect("a folder");
    let repo = repository.dir().display().to_string();
    let two = format!("{TRACEBACK}\n{TRACEBACK}");
    let arguments = ["blame", "--json", "--repo", &repo, "--rev", &before];
    let lines = stdout(&flawless_with_input(folder.path(), &arguments, &two));
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.lines().all(|line| line.contains(BEN.1)), "{lines}");

    std::fs::write(
        folder.path().join("f.cfg"),
        format!("[flawless]\nrepo_dir = {repo}\ndata_dir_path = data\n"),
    )
    .expect("written");
    let add = ["rules", "add", "building_blocks", "-conf", "f.cfg", "--filename", "shop/cart.py"];
    stdout(&flawless(folder.path(), &add));
    let blamed = flawless_with_input(folder.path(), &["blame", "-conf", "f.cfg"], TRACEBACK);
    let text = stdout(&blamed);
    assert!(text.contains("line      shop/web.py:2 in handle"), "{text}");
    assert!(text.contains("passed    shop/cart.py:5 in total: library code (rule 1)"), "{text}");

    let wrong = flawless_with_input(
        folder.path(),
        &["blame", "--repo", &repo, "--rev", "--output=x"],
        TRACEBACK,
    );
    assert_eq!(wrong.status.code(), Some(2), "clap takes it for an option");
    let wrong = flawless_with_input(
        folder.path(),
        &["blame", "--repo", &repo, "--rev=--output=x"],
        TRACEBACK,
    );
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("does not name a commit"), "{}", stderr(&wrong));
    let none = flawless_with_input(folder.path(), &["blame", "--repo", &repo], "all is well\n");
    assert!(stderr(&none).contains("contains no traceback"), "{}", stderr(&none));
}

#[test]
fn rules_are_added_listed_imported_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| flawless(folder.path(), arguments);
    let every = [
        "rules",
        "add",
        "known_errors",
        "--filename",
        "a.py",
        "--alert-every-n-occurrences",
        "7",
        "--email-recipients",
        "a@example.com,b@example.com",
    ];
    assert_eq!(stdout(&run(&every)), "entry 1 was added to known_errors\n");
    assert_eq!(stdout(&run(&every)), "known_errors already has this entry\n");
    let listed = stdout(&run(&["rules", "list", "known_errors", "--json"]));
    let entry: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(
        entry,
        serde_json::json!({"id": 1, "filename": "a.py", "alert_every_n_occurrences": 7, "email_recipients": ["a@example.com", "b@example.com"]})
    );
    let document =
        r#"{"remap": {"old": "new@example.com", "x": "y@example.com"}, "last_update_ts": 1}"#;
    let imported =
        flawless_with_input(folder.path(), &["rules", "import", "email_remapping", "-"], document);
    assert_eq!(stdout(&imported), "email_remapping: 2 entries added, 0 were there already\n");
    assert_eq!(
        stdout(&run(&["rules", "remove", "known_errors", "1"])),
        "entry 1 was removed from known_errors\n"
    );
    let again = run(&["rules", "remove", "known_errors", "1"]);
    assert_eq!(again.status.code(), Some(1));
    for (arguments, words) in [
        (
            vec!["rules", "add", "watch_list", "--email", "x", "--filepath", "a"],
            "\"x\" is not a mail address",
        ),
        (vec!["rules", "add", "watch_list", "--filename", "a"], "unknown field \"filename\""),
        (vec!["rules", "add", "known_errors"], "missing field `filename`"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert_eq!(run(&["rules", "list", "nothing"]).status.code(), Some(2));
}

#[test]
fn options_completions_manual_and_docs_have_one_definition() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = stdout(&flawless(folder.path(), &["options"]));
    assert!(options.starts_with("port\n    default value: 9028\n    type: port\n"), "{options}");
    assert!(stdout(&flawless(folder.path(), &["completions", "bash"])).contains("complete -F"));
    assert!(stdout(&flawless(folder.path(), &["man"])).contains(".TH flawless"));
    let page = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/configuration.md"
    ))
    .expect("docs/configuration.md");
    let table = flawless_server::config::options_markdown();
    assert!(page.contains(&table), "put `flawless options --markdown` into docs/configuration.md");
}

/// The demo, run without cargo and without an active environment.
fn demo(python: &Path) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(["demo", "--once", "--python"]).arg(python).current_dir(folder.path());
    for variable in ["CARGO", "CARGO_MANIFEST_DIR", "PYTHONPATH", "VIRTUAL_ENV"] {
        command.env_remove(variable);
    }
    command.output().expect("it runs")
}

const DEMO: [&str; 6] = [
    "ZeroDivisionError: division by zero",
    "shop/stats.py:9 in average",
    "developer  Ben Baker <ben@example.com>",
    "To: ben@example.com",
    "prices = []",
    "/issues/1",
];

#[test]
fn demo_runs_a_failing_program_with_the_python_package() {
    let python = python_with_package();
    let text = stdout(&demo(&python));
    let program = [
        "\nimport flawless\n",
        "\nwrap_function(daily_report)(orders=[])\n",
        &format!("{} run.py\nTraceback (most recent call last):\n", python.display()),
        "in production",
        "at the running revision",
    ];
    for expected in DEMO.iter().chain(&program) {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
}

#[test]
fn demo_ends_well_without_the_python_package_and_gives_a_hint() {
    // The older client, which has the same name, is installed.
    let text = stdout(&demo(&python()));
    let notified = ["does not have it; `pip install", "older wire format"];
    for expected in DEMO.iter().chain(&notified) {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    let without = demo(Path::new("./no-python"));
    assert_eq!(without.status.code(), Some(1));
    let error = stderr(&without);
    assert!(
        error.contains("no-python cannot be started") && error.contains("--python PATH"),
        "{error}"
    );
}
