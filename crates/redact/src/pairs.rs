//! Finds `name=value`, `'name': value`, `Name: value`, `('name', value)` and `<name>value<`, and
//! takes the values whose names are those of secrets.

use std::ops::Range;

use super::Names;
use super::bytes::ByteSet;
use super::fields;
use super::pair_value::{self, Context};
use super::rule::Rule;

static NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.%");
static SEPARATOR: ByteSet = ByteSet::of(b"=:,>");
const LONGEST_NAME: usize = 64;

/// Adds the values of all secrets named in the text.
pub(super) fn find(text: &str, names: &Names, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut tuples_from = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| SEPARATOR.has(*byte)) {
        let separator = at + offset;
        at = separator + 1;
        let Some(name) = name_before(bytes, separator) else { continue };
        if bytes[separator] == b',' && (separator < tuples_from || name.quote.is_none()) {
            continue;
        }
        let Some(pair) = pair_of(text, separator, &name, names) else {
            if let Some((value, end)) = field(text, separator, &name, names) {
                found.push(value);
                at = end;
            }
            continue;
        };
        let start = value_start(bytes, separator);
        let end = match bytes[separator] {
            b'>' => memchr::memchr(b'<', &bytes[start..]).map_or(bytes.len(), |n| start + n),
            b':' if name.quote.is_none() => {
                let end = pair_value::end(bytes, start, pair.context);
                // `def login(password: str = 'x')`
                match bytes[end..].starts_with(b" = ") {
                    true => pair_value::end(bytes, end + 3, pair.context),
                    false => end,
                }
            }
            _ => pair_value::end(bytes, start, pair.context),
        };
        let value = start..trimmed(bytes, start, end);
        if bytes[separator] == b',' && pair.two_only && !closes(bytes, end) {
            tuples_from = end;
            continue;
        }
        if !value.is_empty()
            && !pair_value::is_empty(&bytes[value.clone()])
            && !is_directory(bytes, &name, &value)
        {
            found.push(value);
        }
        at = end.max(at);
    }
}

/// The value of a field that gives its own name, which is a secret's, and where to go on.
fn field(
    text: &str,
    separator: usize,
    name: &Name,
    names: &Names,
) -> Option<(Range<usize>, usize)> {
    let bytes = text.as_bytes();
    if !matches!(bytes[separator], b'=' | b':') {
        return None;
    }
    let start = value_start(bytes, separator);
    let near = &bytes[..bytes.len().min(start + 80)];
    let context = Context { level: name.level, ..Context::default() };
    if !fields::is_key(&bytes[name.place.clone()]) {
        return None;
    }
    let given = start..pair_value::end(near, start.min(near.len()), context);
    let own = fields::given_name(bytes, &given)?;
    let is_secret = names.rule(&bytes[own.clone()]).is_some()
        || text.get(own).is_some_and(|own| names.own.matches(own));
    let value = is_secret.then(|| fields::value(bytes, given.end, name.level)).flatten()?;
    let end = value.end;
    (!value.is_empty() && !pair_value::is_empty(&bytes[value.clone()])).then_some((value, end))
}

/// A name that stands before a separator.
struct Name {
    place: Range<usize>,
    /// The quote after it, if it is quoted.
    quote: Option<u8>,
    level: usize,
}

struct Pair {
    context: Context,
    /// A tuple of a name and a value has nothing else in it.
    two_only: bool,
}

fn name_before(text: &[u8], separator: usize) -> Option<Name> {
    let mut end = separator;
    let mut back = |bytes: &[u8], most: usize| {
        let floor = end.saturating_sub(most);
        while end > floor && bytes.contains(&text[end - 1]) {
            end -= 1;
        }
        end
    };
    back(b" \t", 8);
    back(b"!", 1);
    back(b" ", 1);
    back(b"]", 1);
    let after_quote = back(b"'\"", 1);
    let quote = text.get(after_quote).copied().filter(|byte| matches!(byte, b'\'' | b'"'));
    let quote = quote.filter(|_| after_quote < separator);
    let end = if quote.is_some() { back(b"\\", 8) } else { after_quote };
    let level = after_quote - end;
    let length = text[..end].iter().rev().take(LONGEST_NAME).take_while(|b| NAME.has(**b)).count();
    let mut start = end - length;
    // The letter of an escape is no part of the name: `\nCookie: …`.
    if start > 0
        && text[start - 1] == b'\\'
        && length > 1
        && matches!(text[start], b'n' | b'r' | b't')
    {
        start += 1;
    }
    while start < end && matches!(text[start], b'.' | b'-') {
        start += 1;
    }
    (start < end).then_some(Name { place: start..end, quote, level })
}

/// Is this the name of a secret, in a place where a value follows?
fn pair_of(text: &str, separator: usize, name: &Name, names: &Names) -> Option<Pair> {
    let bytes = text.as_bytes();
    let start = name.place.start;
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let mut two_only = false;
    match bytes[separator] {
        b'>' if before != Some(b'<') || name.quote.is_some() => return None,
        b',' => two_only = tuple_position(bytes, name)?,
        _ => {}
    }
    let rule = rule_at(text, name, names)?;
    let opened = before.filter(|byte| matches!(byte, b'\'' | b'"') && name.quote.is_none());
    let header = bytes[separator] == b':'
        && name.quote.is_none()
        && (rule == Some(Rule::Cookie)
            || rule == Some(Rule::Authorization)
                && bytes[name.place.clone()].to_ascii_lowercase().ends_with(b"authorization"));
    let level = match opened {
        Some(_) => bytes[..start - 1].iter().rev().take(8).take_while(|b| **b == b'\\').count(),
        None => name.level,
    };
    let query = bytes[separator] == b'=' && matches!(before, Some(b'?' | b'&'));
    Some(Pair { context: Context { level, query, line: header, opened }, two_only })
}

/// Is this quoted name the first of a tuple or of a list within a list, or an option of a command
/// line? Answers whether the tuple must end with the value.
fn tuple_position(text: &[u8], name: &Name) -> Option<bool> {
    let mut at = name.place.start;
    let dashed = at >= 2 && &text[at - 2..at] == b"--";
    if dashed {
        return Some(false);
    }
    let mut before = || {
        at = at.checked_sub(1)?;
        Some(text[at])
    };
    let mut byte = before().filter(|byte| matches!(byte, b'\'' | b'"'));
    byte?;
    byte = before();
    while byte == Some(b'\\') {
        byte = before();
    }
    if matches!(byte, Some(b'b' | b'u')) {
        byte = before();
    }
    match byte? {
        b'(' => Some(true),
        b'[' => {
            let mut outer = before();
            while outer == Some(b' ') {
                outer = before();
            }
            matches!(outer, Some(b'[' | b',' | b'(')).then_some(true)
        }
        _ => None,
    }
}

/// The rule by which the name is a secret's; the inner `None` stands for the user's own patterns.
#[expect(clippy::option_option, reason = "a user's pattern has no rule")]
fn rule_at(text: &str, name: &Name, names: &Names) -> Option<Option<Rule>> {
    let bytes = text.as_bytes();
    let mut own = &bytes[name.place.clone()];
    if own.contains(&b'%') {
        own = form_key(own);
    }
    let start = name.place.start;
    let spaced = start > 0 && matches!(bytes[start - 1], b' ' | b'[');
    if let Some(rule) = names.rule(own) {
        let said = spaced && rule == Rule::Token && is_parsers(word_before(bytes, start));
        return (!said).then_some(Some(rule));
    }
    if !names.own.is_empty() {
        let text = String::from_utf8_lossy(own);
        let last = text.rsplit('.').next().unwrap_or_default();
        if names.own.matches(&text) || names.own.matches(last) {
            return Some(None);
        }
    }
    // `API key: …`, `card[number]=…`
    if spaced {
        let first = word_before(bytes, start);
        if !first.is_empty() {
            let both = &bytes[start - 1 - first.len()..name.place.end];
            return names.rule(both).map(Some);
        }
    }
    None
}

/// `user%5Bpassword%5D` is the key `user[password]`: its inner name.
fn form_key(name: &[u8]) -> &[u8] {
    let [inner @ .., b'%', b'5', b'D' | b'd'] = name else { return name };
    let open = inner.iter().rposition(|byte| *byte == b'%');
    &inner[open.map_or(0, |at| (at + 3).min(inner.len()))..]
}

fn word_before(text: &[u8], start: usize) -> &[u8] {
    let end = start - 1;
    let length =
        text[..end].iter().rev().take(32).take_while(|b| b.is_ascii_alphanumeric()).count();
    &text[end - length..end]
}

/// A parser's message: `Unexpected token: }`.
fn is_parsers(word: &[u8]) -> bool {
    [b"unexpected" as &[u8], b"expected", b"next", b"previous", b"illegal"]
        .iter()
        .any(|said| said.eq_ignore_ascii_case(word))
}

fn value_start(text: &[u8], separator: usize) -> usize {
    let mut at = separator + 1;
    // `==`, `:=`, `=>`
    while at < separator + 3 && text[separator] != b'>' && matches!(text.get(at), Some(b'=' | b'>'))
    {
        at += 1;
    }
    while at < text.len() && matches!(text[at], b' ' | b'\t') {
        at += 1;
    }
    at
}

fn trimmed(text: &[u8], start: usize, end: usize) -> usize {
    text[start..end]
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(start, |at| start + at + 1)
}

/// Does the tuple end behind its second value?
fn closes(text: &[u8], end: usize) -> bool {
    let rest = &text[end..];
    let next = rest.iter().take(4).find(|byte| **byte != b' ');
    matches!(next, None | Some(b')' | b']'))
}

/// The working directory is called `PWD`, as are passwords elsewhere.
fn is_directory(text: &[u8], name: &Name, value: &Range<usize>) -> bool {
    let value = &text[value.clone()];
    let inner = value.strip_prefix(b"'").or(value.strip_prefix(b"\"")).unwrap_or(value);
    inner.starts_with(b"/") && text[name.place.clone()].ends_with(b"PWD")
}
