//! User patterns that backtrack heavily.

use std::time::Duration;

use super::{redactor, time};
use crate::{Redactor, Rules, SCRUBBED, SourceLines};

/// Looks ahead from each character to the end.
const SLOW: &str = r"(?=.*\d)(?=.*!)x";
/// The test runs unoptimised; without a limit it takes minutes.
const LIMIT: Duration = Duration::from_secs(8);

fn with(names: &[&str], values: &[&str]) -> Redactor {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let rules = Rules { extra_names: own(names), extra_values: own(values), off: Vec::new() };
    Redactor::new(&rules, []).expect("valid")
}

fn long() -> String {
    "some words ".repeat(4_000)
}

#[test]
fn slow_pattern_is_named_and_unsearched_text_replaced_whole() {
    let redactor = with(&[], &[r"cust-\d+", SLOW]);
    let report = redactor.one_report();
    let start = time();
    assert_eq!(report.redact("no cust-12 here"), "no **scrubbed** here");
    assert_eq!(report.slow_pattern(), None);
    let long = long();
    assert_eq!(report.redact(&long), SCRUBBED);
    assert_eq!(report.redact_values(&long), SCRUBBED);
    assert_eq!(report.redact_named("x", "short"), SCRUBBED, "nothing is left for this report");
    assert_eq!(report.redact(""), "");
    assert_eq!(report.slow_pattern(), Some(("extra_values", SLOW)));
    let took = time() - start;
    assert!(took < LIMIT, "{took:?}");
}

#[test]
fn text_replaced_whole_is_told_apart_from_unchanged_text() {
    let redactor = with(&[], &[r"(a|b|ab)*(?=c)d\1"]);
    let report = redactor.one_report();
    let text = "ab".repeat(2000);
    // Callers keep a borrowed text unchanged.
    assert!(matches!(report.redact(&text), std::borrow::Cow::Owned(_)));
    assert_eq!(report.slow_pattern().map(|(list, _)| list), Some("extra_values"));
    let lines = ["before", text.as_str(), "after"];
    let lines = report.redact_lines(&lines, 1).expect("something was replaced");
    assert_eq!(lines, SourceLines { line: SCRUBBED.to_owned(), ..SourceLines::default() });
}

#[test]
fn short_texts_are_searched_when_a_pattern_is_always_slow() {
    let redactor = with(&[], &[SLOW]);
    let long = long();
    let start = time();
    let mut slow = 0;
    for _ in 0..20 {
        let report = redactor.one_report();
        // Like the paths of a report, which come before its values.
        assert_eq!(report.redact("shop/cart.py"), "shop/cart.py");
        assert_eq!(report.redact(&long), SCRUBBED);
        slow += usize::from(report.slow_pattern() == Some(("extra_values", SLOW)));
    }
    assert_eq!(slow, 20, "each is reported");
    let took = time() - start;
    assert!(took < LIMIT, "{took:?}");
}

#[test]
fn pattern_no_longer_slow_searches_long_texts_again() {
    let redactor = with(&[], &[SLOW]);
    let (slow, quick) = (long(), "some words\n".repeat(50));
    for _ in 0..6 {
        redactor.one_report().redact(&slow);
    }
    assert_eq!(redactor.redact(&quick), SCRUBBED, "only short texts are searched");
    let searched = || redactor.redact(&quick) == quick;
    let again = (0..1_000).any(|_| searched() && searched() && searched());
    assert!(again);
}

#[test]
fn pattern_that_scans_a_long_text_once_is_not_slow() {
    let redactor = with(&[], &[r"(?<=cust-)\d+", r"(\w)\1\1"]);
    let report = redactor.one_report();
    let text = format!("{} cust-4711 aaa", "some words ".repeat(900));
    assert!(report.redact(&text).ends_with("cust-**scrubbed** **scrubbed**"));
    assert_eq!(report.slow_pattern(), None);
}

#[test]
fn slow_name_pattern_hides_the_named_value() {
    let redactor = with(&[r"(a|b|ab)*(?=c)d\1"], &[]);
    let report = redactor.one_report();
    let name = "ab".repeat(200);
    let start = time();
    assert!(report.is_secret_name(&name));
    assert_eq!(report.slow_pattern().map(|(list, _)| list), Some("extra_names"));
    assert!(!report.is_secret_name("x"));
    let took = time() - start;
    assert!(took < LIMIT, "{took:?}");
}

#[test]
fn built_in_rules_have_no_time_limit() {
    let report = redactor().one_report();
    let text = "password=hunter2 ".repeat(20_000);
    assert!(!report.redact(&text).contains("hunter2"));
    assert_eq!(report.slow_pattern(), None);
    assert_eq!(report.redact("x"), "x");
}
