//! Calls that take a password by position: `HTTPBasicAuth('user', 'x')`, `login('user', 'x')`,
//! `SecretStr('x')`, `PASSWORD('x')`, `EXEC sp_addlogin 'user', 'x'`.

use std::ops::Range;

use super::bytes::SNAKE;
use super::nothing::hides_nothing;
use super::pair_value::{self, Context};

/// Length limit of the arguments.
const LONGEST: usize = 500;
/// Number of arguments that are examined.
const MOST: usize = 8;

/// The start of a call in lower case, up to its bracket or SQL's blank, and which arguments are
/// secrets.
pub(super) const CALLS: [(&str, Takes); 20] = [
    ("auth(", Takes::Credentials),
    ("credentials(", Takes::Credentials),
    ("login(", Takes::Further),
    ("authenticate(", Takes::Further),
    ("jwt.encode(", Takes::Further),
    ("jwt.decode(", Takes::Further),
    ("password(", Takes::Password),
    ("passwd(", Takes::Password),
    ("passphrase(", Takes::Password),
    ("secretstr(", Takes::Password),
    ("secretbytes(", Takes::Password),
    ("fernet(", Takes::Password),
    ("hmac.new(", Takes::First),
    ("crypt(", Takes::First),
    ("encrypt(", Takes::Further),
    ("decrypt(", Takes::Further),
    ("oauth1(", Takes::Further),
    ("oauth1session(", Takes::Further),
    ("sp_addlogin ", Takes::Second),
    ("sp_password ", Takes::Password),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A user's name and a password; or a token alone, where the name is that of a class.
    Credentials,
    /// All but the first one.
    Further,
    First,
    Second,
    /// All, unless the function asks or looks for a password.
    Password,
}

/// Adds the secrets among the arguments of the call whose name and bracket end here. Only literals
/// count, not the names of variables.
pub(super) fn find(text: &[u8], end: usize, takes: Takes, found: &mut Vec<Range<usize>>) {
    let arguments = literals(&text[..text.len().min(end + LONGEST)], end);
    let length = text[..end - 1].iter().rev().take(64).take_while(|b| SNAKE.has(**b)).count();
    let name = &text[end - 1 - length..end - 1];
    let is_class =
        name.last().is_some_and(u8::is_ascii_alphabetic) && name.iter().any(u8::is_ascii_uppercase);
    let secrets = match takes {
        Takes::First => arguments.get(..1),
        Takes::Second => arguments.get(1..2),
        Takes::Further => arguments.get(1..),
        Takes::Password if asks(name) => None,
        Takes::Password => Some(&arguments[..]),
        Takes::Credentials if arguments.len() > 1 && is_basic(name, is_class) => arguments.get(1..),
        Takes::Credentials if arguments.len() == 1 && is_class => Some(&arguments[..]),
        Takes::Credentials => None,
    };
    let secrets = secrets.unwrap_or_default().iter().flatten();
    found.extend(secrets.filter(|value| !hides_nothing(&text[(*value).clone()])).cloned());
}

/// `get_password('service')` takes no password, `is_password('x')` does.
fn asks(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let first = lower.split(|byte| *byte == b'_').next().unwrap_or_default();
    let asking: [&[u8]; 10] = [
        b"ask", b"fetch", b"find", b"forgot", b"get", b"input", b"load", b"lookup", b"prompt",
        b"read",
    ];
    asking.contains(&first) || lower.starts_with(b"get")
}

/// Whether it takes a name and a password, rather than two roles.
fn is_basic(name: &[u8], is_class: bool) -> bool {
    let lower = name.to_ascii_lowercase();
    let kinds: [&[u8]; 5] = [b"basic", b"digest", b"proxy", b"http", b"set_"];
    is_class || kinds.iter().any(|kind| memchr::memmem::find(&lower, kind).is_some())
}

/// The arguments by position: the strings, and `None` for others. Keyword arguments are found by
/// their names.
fn literals(text: &[u8], start: usize) -> Vec<Option<Range<usize>>> {
    let mut arguments = Vec::new();
    let mut at = start;
    while arguments.len() < MOST {
        at += text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let value = at..pair_value::end(text, at, Context::default());
        let Some(first) = text.get(at) else { break };
        if *first == b')' || value.is_empty() {
            break;
        }
        let end = value.end + text[value.end..].iter().take_while(|byte| **byte == b' ').count();
        let given = &text[value.clone()];
        let is_string = is_string(given);
        let is_named = text.get(end) == Some(&b'=') || given.contains(&b'=') && !is_string;
        if is_named {
            break;
        }
        arguments.push(is_string.then_some(value));
        if text.get(end) != Some(&b',') {
            break;
        }
        at = end + 1;
    }
    arguments
}

/// `'x'`, `b'x'`, `\'x\'`, `N'x'`
fn is_string(value: &[u8]) -> bool {
    let prefix = value.iter().take(2).take_while(|byte| b"bBrRuUfFNE".contains(byte)).count();
    let slashes = value[prefix..].iter().take_while(|byte| **byte == b'\\').count();
    matches!(value.get(prefix + slashes), Some(b'\'' | b'"'))
}
