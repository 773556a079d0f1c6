//! Rules that the user adds and switches off.

use crate::{RedactError, Redactor, Rules, SCRUBBED};

fn with(names: &[&str], values: &[&str], off: &[&str]) -> Result<Redactor, RedactError> {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let rules = Rules { extra_names: own(names), extra_values: own(values), off: own(off) };
    Redactor::new(&rules, [])
}

#[test]
fn name_pattern_matches_at_the_start_as_in_python() {
    let redactor = with(&["colou?r", "(?!not_)mine|yours"], &[], &[]).expect("valid");
    assert!(redactor.is_secret_name("color_code") && redactor.is_secret_name("yours"));
    assert!(!redactor.is_secret_name("my_color"));
    assert_eq!(
        redactor.redact("colour='red', shade=1, self.mine=[1]"),
        "colour=**scrubbed**, shade=1, self.mine=**scrubbed**"
    );
}

#[test]
fn value_pattern_match_is_replaced() {
    let redactor = with(&[], &[r"(?<=cust-)\d+", r"\w+", r"x*"], &[]).expect("valid");
    let once = redactor.redact("a cust-123!").into_owned();
    assert_eq!(once, "**scrubbed** **scrubbed**-**scrubbed**!");
    assert_eq!(redactor.redact(&once), once);
}

#[test]
fn pattern_that_gives_up_hides_the_whole_text() {
    let redactor = with(&[], &[r"(a|b|ab)*(?=c)d\1"], &[]).expect("valid");
    let text = "ab".repeat(2000);
    assert_eq!(redactor.redact(&text), SCRUBBED);
}

#[test]
fn rule_is_switched_off_by_its_name() {
    let redactor = with(&[], &[], &["password", "url_password", "card_number"]).expect("valid");
    let text = "password='x', u='http://ann:x@host', n=4242424242424242, AUTH x, mysql -p'x', \
                [SQL: CREATE USER a IDENTIFIED BY ?] [parameters: ('x',)]";
    assert_eq!(redactor.redact(text), text);
    assert_eq!(redactor.redact("cookie='x'"), "cookie=**scrubbed**");
    for name in Redactor::rule_names() {
        assert!(with(&[], &[], &[name]).is_ok(), "{name}");
    }
    let all: Vec<&str> = Redactor::rule_names().collect();
    let redactor = with(&[], &[], &all).expect("valid");
    let text = "password='x' Bearer abcdefgh12345678 http://a:b@c";
    assert_eq!(redactor.redact(text), text);
    assert_eq!(Redactor::rule_descriptions().count(), all.len());
}

#[test]
fn wrong_rule_error_names_the_fault_and_gives_a_hint() {
    let message = with(&["(unclosed"], &[], &[]).expect_err("no pattern").to_string();
    assert!(message.contains("extra_names") && message.contains("(unclosed"), "{message}");
    assert!(with(&["a)(b"], &[], &[]).is_err());
    let message = with(&[], &[], &["passwords"]).expect_err("no rule").to_string();
    assert!(message.contains("passwords") && message.contains("password, secret"), "{message}");
}
