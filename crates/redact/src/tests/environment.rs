//! Values of environment variables.

use crate::{Redactor, Rules, SCRUBBED};

fn with(variables: &[(&str, &str)]) -> Redactor {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Redactor::new(&Rules::default(), variables).expect("valid")
}

#[test]
fn value_of_a_secret_variable_vanishes_everywhere() {
    let redactor = with(&[
        ("DB_PASSWORD", "correct horse"),
        ("APP_TOKEN", "zq81-\"x\\y"),
        ("HOME", "/home/ann"),
        ("LONG_SECRET", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("DATABASE_URL", "postgres://ann:swordfish@db/shop"),
    ]);
    for (before, after) in [
        ("no correct horse here", "no **scrubbed** here"),
        ("x='correct%20horse'", "x='**scrubbed**'"),
        (r#"zq81-"x\y and 'zq81-"x\\y'"#, "**scrubbed** and '**scrubbed**'"),
        ("/home/ann", "/home/ann"),
        ("abcdefghijklmnopqrstuvwxyz0123456789!", "**scrubbed**!"),
        ("cut abcdefghijklmnopqrst", "cut **scrubbed**"),
        ("abcdefghijklmnopqrst is another", "abcdefghijklmnopqrst is another"),
        ("login swordfish", "login **scrubbed**"),
        ("swordfishes", "swordfishes"),
    ] {
        assert_eq!(redactor.redact(before), after);
        assert_eq!(redactor.redact_values(before), after);
    }
}

#[test]
fn values_that_are_common_words_are_not_hidden() {
    let redactor = with(&[
        ("PASSWORD", "true"),
        ("DB_PASSWORD", "localhost"),
        ("SECRET_FILE", "/run/secret"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/google.json"),
        ("PWD", "/srv/shop"),
        ("DESKTOP_SESSION", "ubuntu"),
        ("API_KEY", "12345"),
        ("TOKENIZERS_PARALLELISM", "disabled-by-ops"),
    ]);
    let text = "true localhost /run/secret /etc/google.json /srv/shop ubuntu 12345 disabled-by-ops";
    assert_eq!(redactor.redact(text), text);
}

#[test]
fn value_that_is_part_of_the_mark_does_no_harm() {
    let redactor = with(&[("TOKEN_A", "scrubbed"), ("TOKEN_B", "**scrub")]);
    assert_eq!(redactor.redact("scrubbed **scrub"), "**scrubbed** **scrubbed**");
    assert_eq!(redactor.redact(SCRUBBED), SCRUBBED);
}

#[test]
fn redactor_prints_no_secret() {
    let redactor = with(&[("DB_PASSWORD", "correct horse")]);
    assert!(!format!("{redactor:?}").contains("correct"));
}
