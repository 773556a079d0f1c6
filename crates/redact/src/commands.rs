//! Command lines of programs that take a password in a short option: `curl -u user:x`,
//! `mysql -px`, as one text or as a list of arguments.

use std::ops::Range;

use super::bytes::{DASHED, begins};
use super::nothing::hides_nothing;

/// How far a command line is followed.
const LONGEST: usize = 2_000;

/// How a program takes a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `-u user:x`, `-uuser:x`, and the long options of that meaning.
    User(&'static str),
    /// `-p x`.
    Apart(&'static str),
    /// `-p x`, `-px`.
    Both(&'static str),
    /// `-px`; behind a space is something else.
    Joined(&'static str),
    /// `-p x`, after the word `login`.
    AfterLogin(&'static str),
}

/// Programs by the name they are called by.
pub(super) const PROGRAMS: [(&str, Takes); 34] = [
    ("curl", Takes::User("-u")),
    ("smbclient", Takes::User("-U")),
    ("rpcclient", Takes::User("-U")),
    ("lftp", Takes::User("-u")),
    ("xh ", Takes::User("-a")),
    ("http ", Takes::User("-a")),
    ("mysql", Takes::Joined("-p")),
    ("mysqldump", Takes::Joined("-p")),
    ("mysqladmin", Takes::Joined("-p")),
    ("mysqlimport", Takes::Joined("-p")),
    ("mysqlcheck", Takes::Joined("-p")),
    ("mariadb", Takes::Joined("-p")),
    ("mariadb-dump", Takes::Joined("-p")),
    ("7z", Takes::Joined("-p")),
    ("unrar", Takes::Joined("-p")),
    ("sshpass", Takes::Both("-p")),
    ("mongo", Takes::Apart("-p")),
    ("mongosh", Takes::Apart("-p")),
    ("mongodump", Takes::Apart("-p")),
    ("mongorestore", Takes::Apart("-p")),
    ("rabbitmqadmin", Takes::Apart("-p")),
    ("redis-cli", Takes::Apart("-a")),
    ("ldapsearch", Takes::Apart("-w")),
    ("ldapmodify", Takes::Apart("-w")),
    ("ldapadd", Takes::Apart("-w")),
    ("ldapwhoami", Takes::Apart("-w")),
    ("sqlcmd", Takes::Both("-P")),
    ("bcp ", Takes::Both("-P")),
    ("docker", Takes::AfterLogin("-p")),
    ("podman", Takes::AfterLogin("-p")),
    ("skopeo", Takes::AfterLogin("-p")),
    ("helm", Takes::AfterLogin("-p")),
    ("ipmitool", Takes::Apart("-P")),
    ("openssl", Takes::Apart("-k")),
];

/// Looks at command lines one after another, from left to right.
#[derive(Default)]
pub(super) struct Commands {
    /// What was looked at as part of a command line before.
    until: usize,
}

impl Commands {
    /// Adds the passwords in the command line of the program whose name stands here.
    pub(super) fn find(
        &mut self,
        text: &[u8],
        program: Range<usize>,
        takes: Takes,
        found: &mut Vec<Range<usize>>,
    ) {
        let is_word = begins(text, program.start, &DASHED)
            && !text.get(program.end).is_some_and(|byte| DASHED.has(*byte));
        // A short name is only known with the blank behind it.
        let has_blank = text[program.end - 1] == b' ';
        if !is_word && !has_blank || program.start < self.until {
            return;
        }
        let mut words = Arguments::behind(text, program.end - usize::from(has_blank));
        let mut has_login = false;
        while let Some(word) = words.next() {
            let said = &text[word.clone()];
            has_login |= said == b"login";
            let value = match takes {
                Takes::User(option) => {
                    let value = match gives_user(said, option) {
                        true => words.next(),
                        false => behind(text, &word, option),
                    };
                    value.and_then(|value| behind_user(text, value))
                }
                Takes::Apart(option) | Takes::Both(option) if said == option.as_bytes() => {
                    words.next()
                }
                Takes::Apart(_) => None,
                Takes::Both(option) | Takes::Joined(option) => behind(text, &word, option),
                Takes::AfterLogin(option) if has_login && said == option.as_bytes() => words.next(),
                Takes::AfterLogin(_) => None,
            };
            let value = value.filter(|value| {
                let value = &text[value.clone()];
                !value.starts_with(b"-") && !hides_nothing(value)
            });
            found.extend(value);
        }
        self.until = words.at;
    }
}

/// `-u`, `-sSu`, `--user`: the user comes next.
fn gives_user(word: &[u8], option: &str) -> bool {
    let long: [&[u8]; 4] = [b"--user", b"--proxy-user", b"-U", b"--auth"];
    let letters = word.strip_prefix(b"-").unwrap_or_default();
    long.contains(&word)
        || letters.last() == option.as_bytes().last() && letters.iter().all(u8::is_ascii_alphabetic)
}

/// What is joined to the option.
fn behind(text: &[u8], word: &Range<usize>, option: &str) -> Option<Range<usize>> {
    let start = word.start + option.len();
    let is_joined = text[word.clone()].starts_with(option.as_bytes()) && start < word.end;
    is_joined.then_some(start..word.end)
}

/// What stands behind the user's name.
fn behind_user(text: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let is_mark = |byte: &u8| matches!(byte, b':' | b'%' | b',');
    let mark = value.start + text[value.clone()].iter().position(is_mark)?;
    (mark + 1 < value.end).then_some(mark + 1..value.end)
}

/// The arguments of a command line, each without its quotes.
struct Arguments<'a> {
    text: &'a [u8],
    at: usize,
    end: usize,
    /// `['curl', '-u', 'x']` rather than `curl -u x`.
    is_list: bool,
}

impl<'a> Arguments<'a> {
    fn behind(text: &'a [u8], at: usize) -> Self {
        let end = text.len().min(at + LONGEST);
        let closed = quote_at(text, at);
        let is_list = closed.is_some_and(|quote| matches!(text.get(quote + 1), Some(b',')));
        match closed {
            Some(quote) if is_list => Self { text, at: quote + 1, end, is_list },
            // It only closes the string in which the name of the program is all.
            Some(_) => Self { text, at, end: at, is_list },
            None => Self { text, at, end, is_list },
        }
    }
}

impl Iterator for Arguments<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let text = &self.text[..self.end];
        let gap = |byte: &u8| matches!(byte, b' ' | b'\t') || self.is_list && *byte == b',';
        let gaps = text[self.at..].iter().take_while(|byte| gap(byte)).count();
        let start = self.at + gaps;
        let first = *text.get(start)?;
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'|' | b';' | b']' | b')' | b'`');
        if ends(&first) || gaps == 0 {
            return None;
        }
        if let Some(quote) = quote_at(text, start) {
            let inner = quote + 1;
            let end = inner + text[inner..].iter().position(|byte| *byte == text[quote])?;
            self.at = end + 1;
            // The backslashes that this string stands in others by.
            let slashes = quote - start;
            return Some(inner..inner.max(end.saturating_sub(slashes)));
        }
        let is_end =
            |byte: &u8| ends(byte) || matches!(byte, b' ' | b'\t' | b'\'' | b'"' | b',' | b'\\');
        let length = text[start..].iter().position(is_end).unwrap_or(text.len() - start);
        self.at = start + length;
        (length > 0).then_some(start..start + length)
    }
}

/// The quote that is here, maybe with backslashes before it.
fn quote_at(text: &[u8], at: usize) -> Option<usize> {
    let slashes = text.get(at..)?.iter().take_while(|byte| **byte == b'\\').count();
    matches!(text.get(at + slashes), Some(b'\'' | b'"')).then_some(at + slashes)
}
