//! Values after a secret name that are not secret: a developer needs to see that one is missing, or
//! is a function by mistake.

use super::redactor;
use crate::{SCRUBBED, hides_nothing};

const NOTHING: &[&str] = &[
    "None",
    "''",
    "\"\"",
    "b''",
    "u''",
    "''''''",
    r"\'\'",
    r#"\\\"\\\""#,
    "True",
    "False",
    "true",
    "null",
    "nil",
    "undefined",
    "...",
    "NotImplemented",
    "0",
    "-1",
    "0.0",
    "'0'",
    "'None'",
    "'null'",
    "[]",
    "{}",
    "()",
    "set()",
    "frozenset()",
    "deque([])",
    "SimpleCookie()",
    "ImmutableMultiDict([])",
    "QueryDict({})",
    "SecretStr('')",
    "Token(None)",
    "defaultdict({})",
    "<function login at 0x7f3a2c1b8d90>",
    "<function make.<locals>.inner at 0x7f3a2c1b8d90>",
    "<function <lambda> at 0x7f3a2c1b8d90>",
    "<built-in function compare_digest>",
    "<built-in method get of dict object at 0x7f3a2c>",
    "<bound method Client.token of <shop.client.Client object at 0x7f3a2c>>",
    "<method 'get' of 'dict' objects>",
    "<slot wrapper '__init__' of 'object' objects>",
    "<class 'shop.auth.Token'>",
    "<module 'secrets' from '/usr/lib/python3.11/secrets.py'>",
    "<module 'token' (built-in)>",
    "<coroutine object login at 0x7f3a2c>",
    "<generator object tokens.<locals>.<genexpr> at 0x7f3a2c>",
    "<object object at 0x7f3a2c>",
    "<Session object>",
    "<sqlalchemy.orm.session.Session object at 0x7f3a2c1b8d90>",
    "<requests.sessions.Session object at 0x7F3A2C1B8D90>",
    "<shop.Session object, not printed: it takes too long>",
    "<shop.Session object, not printed: its repr raised KeyError>",
    "<RequestsCookieJar[]>",
    "<SecureCookieSession {}>",
    "<SimpleCookie: >",
    "<SimpleLazyObject: None>",
    "functools.partial(<function ask at 0x7f3a2c>)",
    "%s",
    "%(password)s",
    "'%(password)s'",
    "?",
    "{password}",
    "{{ password }}",
    "invalid",
    "'Expired'",
    "['This field is required.']",
    "[ErrorDetail(string='This field may not be null.', code='null')]",
    "'Ensure this value has at least 8 characters (it has 3).'",
    "\"The two password fields didn’t match.\"",
    "'Signature has expired'",
    "'password_too_short'",
    "$PASSWORD",
    "${PASSWORD}",
];

const SECRETS: &[&str] = &[
    "'hunter2'",
    "hunter2",
    "b'x'",
    "'x'",
    "' '' '",
    "1234",
    "12",
    "7",
    "3.14",
    "0x1f",
    "[1]",
    "['']",
    "{'a': None}",
    "(None, 'x')",
    "{1, 2}",
    "Token('x')",
    "Token(value=None)",
    "SecretStr('x')",
    "SimpleCookie({'a': 'b'})",
    "<Token: abcdef>",
    "<Token abcdef>",
    "<Session 4242>",
    "<Session hunter2 object>",
    "<Cookie sessionid=abc for example.com/>",
    "<bound method Token.refresh of Token(value='abc')>",
    "<SecureCookieSession {'user': 3}>",
    "<Session object at hunter2>",
    "<object hunter2>",
    "functools.partial(<function ask at 0x7f3a2c>, 'x')",
    "<module 'x' from 'y'> = 'z'",
    "{hunter2}",
    "$ecret1",
    "None of these",
    "correct horse battery staple",
    "'the password'",
    "password",
    "'is 123'",
    "'must be 1234'",
    "'This field is hunter2.'",
    "['This field is required.', 'hunter2']",
    "[ErrorDetail(string='hunter2', code='required')]",
    "closed1",
    "inValid",
    "'closed#'",
    "Nonesuch",
    "'None1'",
    "truest",
    "x()y",
    "(",
    "<",
    "<>",
    "",
];

#[test]
fn none_functions_and_plain_objects_are_shown_under_any_name() {
    for value in NOTHING {
        assert!(hides_nothing(value), "{value}");
        let report = redactor().one_report();
        assert_eq!(report.redact_named("password", value), *value);
        let text = format!("login(password={value}, user='ann')");
        assert_eq!(redactor().redact(&text), text);
    }
}

#[test]
fn possible_secret_under_a_secret_name_is_hidden() {
    for value in SECRETS.iter().filter(|value| !value.is_empty()) {
        assert!(!hides_nothing(value), "{value}");
        assert_eq!(redactor().one_report().redact_named("password", value), SCRUBBED);
    }
}

#[test]
fn value_is_judged_by_its_name_where_that_says_something() {
    let report = redactor().one_report();
    for (name, value, is_secret) in [
        ("db_password", "'x'", true),
        ("X-Api-Key", "x", true),
        ("name", "'ann'", false),
        ("signature", "<Signature (a, b)>", false),
        ("signature", "'9f86d081884c7d659a2feaa0c55ad015'", true),
        ("X-Hub-Signature-256", "sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c", true),
        ("some_vendors_key", "'aB3dE5fG7hI9jK1lM3nO5pQ7'", true),
        ("some_vendors_key", "'user:3'", false),
        ("cache_key", "'aB3dE5fG7hI9jK1lM3nO5pQ7'", false),
        ("public_key", "'aB3dE5fG7hI9jK1lM3nO5pQ7'", false),
        ("response", "'6629fae49393a05397450978507c4ef1'", true),
        ("response", "<Response [200]>", false),
    ] {
        let redacted = report.redact_named(name, value);
        assert_eq!(redacted == SCRUBBED, is_secret, "{name}={value} -> {redacted}");
    }
}
