//! Command lines of programs that take a password in a short option or by position: `curl -u
//! user:x`, `mysql -p'x'`, `sqlplus user/x@db`, as one text or as a list of arguments.

use std::ops::Range;

use super::bytes::{DASHED, begins};
use super::nothing::hides_nothing;
use super::options::is_of_sentence;
use super::pair_value::{DEEPEST, closes_string};

/// Length limit of a command line.
const LONGEST: usize = 2_000;

/// How a program takes a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `-u user:x`, `-uuser:x`, and the equivalent long options.
    User(&'static str),
    /// `-p x`.
    Apart(&'static str),
    /// `-p x`, `-px`.
    Both(&'static str),
    /// `-px`; a word after a space is something else.
    Joined(&'static str),
    /// `-p x`, after the word `login`.
    AfterLogin(&'static str),
    /// `user/x@db`, as the first argument.
    Slashed,
    /// `-b file user x`, `-nb user x`.
    Placed,
}

/// Programs by their command names.
pub(super) const PROGRAMS: [(&str, Takes); 49] = [
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
    ("mongo", Takes::Both("-p")),
    ("mongosh", Takes::Both("-p")),
    ("mongodump", Takes::Both("-p")),
    ("mongorestore", Takes::Both("-p")),
    ("rabbitmqadmin", Takes::Apart("-p")),
    ("redis-cli", Takes::Apart("-a")),
    ("ldapsearch", Takes::Both("-w")),
    ("ldapmodify", Takes::Both("-w")),
    ("ldapadd", Takes::Both("-w")),
    ("ldapwhoami", Takes::Both("-w")),
    ("sqlcmd", Takes::Both("-P")),
    ("bcp ", Takes::Both("-P")),
    ("docker", Takes::AfterLogin("-p")),
    ("podman", Takes::AfterLogin("-p")),
    ("skopeo", Takes::AfterLogin("-p")),
    ("helm", Takes::AfterLogin("-p")),
    ("ipmitool", Takes::Apart("-P")),
    ("openssl", Takes::Apart("-k")),
    ("twine", Takes::Apart("-p")),
    ("unzip", Takes::Both("-P")),
    ("zip ", Takes::Both("-P")),
    ("zip'", Takes::Both("-P")),
    ("zip\"", Takes::Both("-P")),
    ("zip\\", Takes::Both("-P")),
    ("rar ", Takes::Joined("-p")),
    ("rar'", Takes::Joined("-p")),
    ("rar\"", Takes::Joined("-p")),
    ("rar\\", Takes::Joined("-p")),
    ("sqlplus", Takes::Slashed),
    ("sqlldr", Takes::Slashed),
    ("expdp", Takes::Slashed),
    ("impdp", Takes::Slashed),
    ("htpasswd", Takes::Placed),
];

/// Examines command lines one after another, from left to right.
#[derive(Default)]
pub(super) struct Commands {
    /// The end of the part already examined.
    until: usize,
}

impl Commands {
    /// Adds the passwords in the command line of the program named here.
    pub(super) fn find(
        &mut self,
        text: &[u8],
        program: Range<usize>,
        takes: Takes,
        found: &mut Vec<Range<usize>>,
    ) {
        let is_begun = begins(text, program.start, &DASHED);
        // A short name was only matched with the blank or the quote after it.
        let has_more = !text[program.end - 1].is_ascii_alphanumeric();
        let is_word =
            is_begun && (has_more || !text.get(program.end).is_some_and(|byte| DASHED.has(*byte)));
        if !is_word || program.start < self.until {
            return;
        }
        let end = program.end - usize::from(has_more);
        let is_file = text[end..].get(..4).is_some_and(|end| end.eq_ignore_ascii_case(b".exe"));
        let mut words = Arguments::behind(text, if is_file { end + 4 } else { end });
        let mut has_login = false;
        let mut letters: Vec<u8> = Vec::new();
        let mut placed = 0;
        while let Some(word) = words.next() {
            let said = &text[word.clone()];
            has_login |= said == b"login";
            match said.strip_prefix(b"-") {
                Some(option) => letters.extend_from_slice(option),
                None => placed += 1,
            }
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
                Takes::Slashed if placed == 1 && !said.starts_with(b"-") => {
                    behind_slash(text, word)
                }
                Takes::Slashed => None,
                Takes::Placed => {
                    let place = if letters.contains(&b'n') { 2 } else { 3 };
                    (letters.contains(&b'b') && placed == place && !said.starts_with(b"-"))
                        .then_some(word)
                }
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

/// The text joined to the option.
fn behind(text: &[u8], word: &Range<usize>, option: &str) -> Option<Range<usize>> {
    let start = word.start + option.len();
    let is_joined = text[word.clone()].starts_with(option.as_bytes()) && start < word.end;
    is_joined.then_some(start..word.end)
}

/// The text after the user's name.
fn behind_user(text: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let is_mark = |byte: &u8| matches!(byte, b':' | b'%' | b',');
    let mark = value.start + text[value.clone()].iter().position(is_mark)?;
    (mark + 1 < value.end).then_some(mark + 1..value.end)
}

/// The text between the user's name and the database: `bob/x@db`, `userid=bob/x`.
fn behind_slash(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let said = &text[word.clone()];
    let slash = said.iter().position(|byte| *byte == b'/')?;
    let user = said[..slash].strip_prefix(b"userid=").unwrap_or(&said[..slash]);
    let is_user = !user.is_empty()
        && user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_$#".contains(byte));
    let rest = &said[slash + 1..];
    let value = rest.split(|byte| b"@ <".contains(byte)).next().unwrap_or_default();
    let is_path =
        rest.get(value.len()) != Some(&b'@') && (value.contains(&b'/') || value.ends_with(b".sql"));
    let start = word.start + slash + 1;
    (is_user && !is_path && !value.is_empty() && !is_of_sentence(value))
        .then_some(start..start + value.len())
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
            // `"C:\Program Files\mysql.exe" -px`
            Some(quote) if text[quote + 1..].starts_with(b" -") => {
                Self { text, at: quote + 1, end, is_list }
            }
            // The quote only closes a string that holds nothing but the program's name.
            Some(_) => Self { text, at, end: at, is_list },
            None => Self { text, at, end, is_list },
        }
    }

    /// Skips blanks and escaped line ends.
    fn behind_gap(&self, text: &[u8]) -> usize {
        let mut at = self.at;
        loop {
            match text[at..] {
                [b' ' | b'\t', ..] => at += 1,
                [b',', ..] if self.is_list => at += 1,
                [b'\\', b'\n', ..] => at += 2,
                [b'\\', b'\r', b'\n', ..] => at += 3,
                // This is how it reads in an escaped text.
                [b'\\', b'\\', b'\\', ..] => {
                    let run = text[at..].iter().take(DEEPEST).take_while(|byte| **byte == b'\\');
                    let letter = at + run.count();
                    if !matches!(text.get(letter), Some(b'n' | b'r')) {
                        return at;
                    }
                    at = letter + 1;
                }
                _ => return at,
            }
        }
    }

    /// The end of the unquoted part of a word that begins here.
    fn bare_end(&self, text: &[u8], start: usize) -> usize {
        let rest = &text[start..];
        let is_end = |at: usize| match rest[at..] {
            // `-u bob,x`, and `curl -u bob:x, then`
            [b',', next, ..] => self.is_list || b" \t\r\n'\"\\".contains(&next),
            [b'\\', next, ..] => b"nrt'\"\\\r\n".contains(&next),
            [byte, ..] => ends_line(byte) || b" \t'\",\\".contains(&byte),
            [] => true,
        };
        start + (0..rest.len()).find(|at| is_end(*at)).unwrap_or(rest.len())
    }
}

/// Whether this byte ends a command line.
fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'|' | b';' | b']' | b')' | b'`')
}

/// The text in the quotes that open here, and their end.
fn quoted(text: &[u8], start: usize, quote: usize) -> Option<(Range<usize>, usize)> {
    let inner = quote + 1;
    let end = inner + text[inner..].iter().position(|byte| *byte == text[quote])?;
    // The backslashes show how deep this string is nested in others.
    let slashes = quote - start;
    Some((inner..inner.max(end.saturating_sub(slashes)), end + 1))
}

impl Iterator for Arguments<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let text = &self.text[..self.end];
        let start = self.behind_gap(text);
        if start == self.at || ends_line(*text.get(start)?) {
            return None;
        }
        let mut at = start;
        if let Some(quote) = quote_at(text, start) {
            let (inner, end) = quoted(text, start, quote)?;
            self.at = end;
            // `'bob':'x'` is one word.
            if self.is_list || text.get(end) != Some(&b':') {
                return Some(inner);
            }
            at = end;
        }
        loop {
            at = self.bare_end(text, at);
            let quote = quote_at(text, at).filter(|quote| {
                // `-p'x'`, rather than the end of the string that the command line is.
                !self.is_list && at > start && !closes_string(text, *quote)
            });
            match quote.and_then(|quote| quoted(text, at, quote)) {
                Some((_, end)) => at = end,
                None => break,
            }
        }
        self.at = at;
        (at > start).then_some(start..at)
    }
}

/// The quote at this position, possibly after backslashes.
fn quote_at(text: &[u8], at: usize) -> Option<usize> {
    let slashes = text.get(at..)?.iter().take_while(|byte| **byte == b'\\').count();
    matches!(text.get(at + slashes), Some(b'\'' | b'"')).then_some(at + slashes)
}
