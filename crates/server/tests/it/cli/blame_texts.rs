//! `flawless blame` reads tracebacks as people log and paste them: it names the author of the line
//! and the parts of the text that it could not read.
use serde_json::Value;

use crate::harness::{
    ANN, BEN, CLEO, TestRepository, flawless_with_bytes, flawless_with_input, stderr, stdout,
};

const PLAIN: &str = "\
Traceback (most recent call last):
  File \"/srv/app/shop/web.py\", line 2, in handle
    return cart.total()
  File \"/srv/app/shop/cart.py\", line 5, in total
    return sum(prices) / len(prices)
           ~~~~~~~~~~~~^~~~~~~~~~~~~
ZeroDivisionError: division by zero
";

/// The answers to `input`, one for each fault.
fn answers(repository: &TestRepository, input: impl AsRef<[u8]>) -> Vec<Value> {
    let arguments = ["blame", "--json"];
    let output = stdout(&flawless_with_bytes(repository.dir(), &arguments, input.as_ref()));
    output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Exception, line and developer of an answer.
fn verdict(answer: &Value) -> String {
    let frame = &answer["frame"];
    format!(
        "{} {}:{} {}",
        answer["exception_type"].as_str().unwrap_or_default(),
        frame["repo_path"].as_str().unwrap_or("nowhere"),
        frame["line"],
        answer["developer"]["email"].as_str().unwrap_or("nobody"),
    )
}

fn each_line(change: impl Fn(usize, &str) -> String) -> String {
    PLAIN.lines().enumerate().map(|(at, line)| change(at, line) + "\n").collect()
}

#[test]
fn traceback_leads_to_the_same_author_however_it_is_logged() {
    let repository = TestRepository::shop();
    let json = serde_json::json!({ "level": "error", "exc_info": PLAIN }).to_string();
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(PLAIN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let coloured = PLAIN
        .replace("\"/srv", "\u{1b}[35m\"/srv")
        .replace(".py\"", ".py\"\u{1b}[0m")
        .replace("ZeroDivisionError", "\u{1b}[1;35mZeroDivisionError\u{1b}[0m");
    let loguru = PLAIN
        .replace("last):\n  File", "last):\n\n> File")
        .replace("cart.total()\n", "cart.total()\n           │    └ <function total at 0x7f>\n\n");
    for (form, input) in [
        ("plain", PLAIN.into()),
        ("stamps", each_line(|at, line| format!("2026-11-29T10:00:00.{}Z {line}", at * 37)).into()),
        ("more before the first line", format!("ERROR:shop:failed: {PLAIN}").into()),
        (
            "another container's lines",
            each_line(|at, line| {
                let other = if at == 3 { "db-1   | LOG:  checkpoint starting: time\n" } else { "" };
                format!("{other}web-1  | {line}")
            })
            .into(),
        ),
        ("syslog", format!("Nov 29 web app[1]: {}", PLAIN.replace('\n', "#012")).into_bytes()),
        ("JSON", json.into_bytes()),
        ("UTF-16", utf16),
        ("colours", coloured.into_bytes()),
        ("loguru", loguru.into_bytes()),
        ("no header", PLAIN.lines().skip(1).collect::<Vec<_>>().join("\n").into_bytes()),
        ("quoted", each_line(|_, line| format!("> {line}")).into_bytes()),
    ] {
        let answers: Vec<String> = answers(&repository, &input).iter().map(verdict).collect();
        assert_eq!(answers, [format!("ZeroDivisionError shop/cart.py:5 {}", BEN.1)], "{form}");
    }
}

#[test]
fn truncated_traceback_names_nobody_without_a_warning() {
    let repository = TestRepository::shop();
    let whole = &answers(&repository, PLAIN)[0];
    assert_eq!(whole["warnings"], serde_json::json!([]));
    let upto = |what: &str| &PLAIN[..PLAIN.find(what).expect("the text contains it")];
    for (input, warning) in [
        (upto("  File \"/srv/app/shop/cart").to_owned(), "the traceback is cut off"),
        (upto("shop/cart.py\"").to_owned(), "line 4 looks like a frame"),
        (upto("ZeroDivisionError").to_owned(), "the traceback is cut off"),
        (
            PLAIN.replace("    return cart.total()\n", "  [...]\n"),
            "left out of the traceback at line 3",
        ),
    ] {
        let answer = &answers(&repository, &input)[0];
        let warnings = answer["warnings"].to_string();
        assert!(warnings.contains(warning), "{input}\n{answer}");
        let text = stdout(&flawless_with_input(repository.dir(), &["blame"], &input));
        let (said, author) = (text.find("  warning   "), text.find("  author    "));
        assert!(said.is_some_and(|said| author.is_none_or(|author| said < author)), "{text}");
    }
}

#[test]
fn several_tracebacks_are_answered_and_numbered() {
    let repository = TestRepository::shop();
    let input = format!("starting\n{PLAIN}\nagain\n{PLAIN}");
    let places: Vec<String> = answers(&repository, &input)
        .iter()
        .map(|a| format!("{} of {} from {}", a["traceback"], a["tracebacks"], a["input_line"]))
        .collect();
    assert_eq!(places, ["1 of 2 from 2", "2 of 2 from 11"]);
    let text = stdout(&flawless_with_input(repository.dir(), &["blame"], &input));
    assert!(text.contains("ZeroDivisionError (traceback 2 of 2, from line 11)\n"), "{text}");
    let one = stdout(&flawless_with_input(repository.dir(), &["blame"], PLAIN));
    assert!(one.starts_with("ZeroDivisionError\n"), "{one}");
}

#[test]
fn worker_traceback_sent_as_text_is_blamed_where_it_failed() {
    let repository = TestRepository::shop();
    let caller = "  File \"/srv/app/shop/web.py\", line 2, in handle\n    return cart.total()\n";
    let worker = "  File \"/srv/app/shop/cart.py\", line 5, in total\n    return sum(prices) / len(prices)\n";
    let get =
        "  File \"/usr/lib/python3/dist-packages/pool.py\", line 9, in get\n    raise value\n";
    let header = "Traceback (most recent call last):\n";
    let zero = "ZeroDivisionError: division by zero\n";
    let ray = format!(
        "{header}{caller}{get}ray.exceptions.RayTaskError(ZeroDivisionError): ray::total() \
         (pid=7, ip=10.0.0.7)\n{worker}{zero}"
    );
    let pool = format!(
        "multiprocessing.pool.RemoteTraceback: \n\"\"\"\n{header}{worker}{zero}\"\"\"\n\nThe above \
         exception was the direct cause of the following exception:\n\n{header}{caller}{get}{zero}"
    );
    for input in [ray, pool] {
        let answers = answers(&repository, &input);
        assert_eq!(answers.len(), 1, "{answers:?}");
        let verdict = verdict(&answers[0]);
        assert!(verdict.ends_with(&format!("shop/cart.py:5 {}", BEN.1)), "{verdict}");
    }
}

#[test]
fn members_of_a_printed_group_are_all_answered() {
    let repository = TestRepository::shop();
    let input = "  \
  + Exception Group Traceback (most recent call last):
  |   File \"/usr/lib/python3.11/asyncio/taskgroups.py\", line 145, in __aexit__
  |     raise me from None
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/srv/app/shop/cart.py\", line 5, in total
    |     return sum(prices) / len(prices)
    | ZeroDivisionError: division by zero
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File \"/srv/app/shop/money.py\", line 2, in add
    |     return a + b
    | TypeError: no
    +------------------------------------
";
    let answers: Vec<String> = answers(&repository, input).iter().map(verdict).collect();
    assert_eq!(
        answers,
        [
            format!("ZeroDivisionError shop/cart.py:5 {}", BEN.1),
            format!("TypeError shop/money.py:2 {}", ANN.1),
        ]
    );
}

#[test]
fn syntax_error_is_blamed_on_the_place_it_names() {
    let repository = TestRepository::shop();
    let broken = "def weekly(rows):\n    for row in rows\n        yield row\n";
    repository.commit(CLEO, "2026-08-01", "report", &[("shop/report.py", broken)]);
    let input = "\
Traceback (most recent call last):
  File \"/srv/app/shop/web.py\", line 2, in handle
    return cart.total()
  File \"/srv/app/shop/report.py\", line 2
    for row in rows
                   ^
SyntaxError: expected ':'
";
    let answers: Vec<String> = answers(&repository, input).iter().map(verdict).collect();
    assert_eq!(answers, [format!("SyntaxError shop/report.py:2 {}", CLEO.1)]);
}

#[test]
fn text_that_mentions_a_traceback_is_never_said_to_hold_none() {
    let repository = TestRepository::shop();
    for (input, said) in [
        ("see below\nTraceback (most recent call last):\n(gone)\n", "a traceback in line 2"),
        ("all is well\n", "contains no traceback"),
    ] {
        let output = flawless_with_input(repository.dir(), &["blame"], input);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn control_characters_of_input_or_repository_are_never_printed() {
    let repository = TestRepository::shop();
    let cart = "def total(prices):\n    return 7 / len(prices)\n    # a\u{9b}31m\u{202e}b\n";
    let subject = "cart\u{202e}: a \u{9b}31mtotal\u{1b}[31m";
    repository.commit(CLEO, "2026-08-01", subject, &[("shop/cart.py", cart)]);
    let input = "\
Traceback (most recent call last):
  File \"/srv/app/\u{1b}]0;title\u{7}shop/cart.py\", line 2, in to\u{202e}tal
    return \u{1b}[31m7 / len(prices)\u{9b}0m\u{0}
Zero\u{2066}DivisionError: division\u{1b}[2J by zero
";
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    for arguments in [
        &["blame"][..],
        &["blame", "--why"],
        &["blame", "--json"],
        &["blame", "--line", "shop/cart.py:3", "--why"],
        &["blame", "--line", "shop/cart.py:3", "--json"],
    ] {
        let text = stdout(&flawless_with_input(repository.dir(), arguments, input));
        assert!(text.contains("cleo"), "{arguments:?}: {text}");
        assert!(!text.contains(is_harmful), "{arguments:?}: {text:?}");
    }
}
