//! Elements of XML and HTML: the content of `<password>` and of `<entry key="password">`, and the
//! value next to `<key>password</key>`.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem};

use super::bytes::{ByteSet, DOTTED};
use super::nothing::hides_nothing;
use super::pair_value::{self, Context};
use super::report::Names;

/// Length limits of a tag, and from it to the end of its element.
const LONGEST_TAG: usize = 512;
const FAR: usize = 4_096;
static NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.:");

/// An opening tag.
struct Tag<'a> {
    name: &'a [u8],
    attributes: Vec<(&'a [u8], Range<usize>)>,
    end: usize,
    is_empty: bool,
}

/// Adds the content of elements that are named like secrets.
pub(super) fn find(text: &[u8], names: Names<'_>, found: &mut Vec<Range<usize>>) {
    // An element that names the value in the next one: its tag and its end.
    let mut named: Option<(&[u8], usize)> = None;
    let mut from = 0;
    for open in memchr_iter(b'<', text) {
        if open < from {
            continue;
        }
        let Some(tag) = Tag::at(text, open) else { continue };
        from = tag.end;
        let local = tag.name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        let is_named = names.is_secret(local);
        let given = tag.given_name(text).is_some_and(|name| names.is_secret(name))
            || tag.is_password_field(text);
        if is_named || given {
            let values = tag.attributes.iter().filter(|(name, _)| holds_value(name));
            found.extend(
                values.map(|(_, value)| value.clone()).filter(|v| !hides_nothing(&text[v.clone()])),
            );
        }
        if tag.is_empty {
            continue;
        }
        let beside = named.take().is_some_and(|(name, end)| {
            // Line ends may be escaped.
            text[end..open].iter().all(|byte| b" \t\r\n\\rnt".contains(byte))
                && is_value_of(name, local)
        });
        if is_named || given && holds_given(local) || beside {
            if let Some(value) = content(text, &tag) {
                from = value.end;
                if !hides_nothing(&text[value.clone()]) {
                    found.push(value);
                }
            }
        } else if is_name_tag(local)
            && let Some(end) = closing(text, tag.end)
            && names.is_secret(text[tag.end..end].trim_ascii())
        {
            let behind = text[end..].iter().take(64).position(|byte| *byte == b'>');
            named = behind.map(|length| (local, end + length + 1));
        }
    }
}

impl<'a> Tag<'a> {
    /// The opening tag that begins here.
    fn at(text: &'a [u8], open: usize) -> Option<Self> {
        let near = &text[..text.len().min(open + LONGEST_TAG)];
        let name_end = NAME.run(near, open + 1);
        let name = &text[open + 1..name_end];
        if !name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            return None;
        }
        let mut attributes = Vec::new();
        let mut at = name_end;
        loop {
            match *near.get(at)? {
                b'>' => {
                    let is_empty = at > name_end && near[at - 1] == b'/';
                    return Some(Self { name, attributes, end: at + 1, is_empty });
                }
                b'<' => return None,
                b'=' => {
                    let name_start =
                        at - near[..at].iter().rev().take_while(|b| DOTTED.has(**b)).count();
                    let value = at + 1..pair_value::end(near, at + 1, Context::default());
                    at = value.end.max(at + 1);
                    attributes.push((&text[name_start..value.start - 1], value));
                }
                b'\'' | b'"' if at == name_end => return None,
                _ => at += 1,
            }
        }
    }

    fn attribute(&self, text: &'a [u8], names: &[&[u8]]) -> Option<&'a [u8]> {
        let is_one = |name: &[u8]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let (_, value) = self.attributes.iter().find(|(name, _)| is_one(name))?;
        let is_edge = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\');
        let value = &text[value.clone()];
        let start = value.iter().position(|byte| !is_edge(byte))?;
        let end = value.iter().rposition(|byte| !is_edge(byte))? + 1;
        Some(&value[start..end])
    }

    /// The name that the element gives itself.
    fn given_name(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        self.attribute(text, &[b"name", b"key", b"field", b"property"])
    }

    fn is_password_field(&self, text: &[u8]) -> bool {
        self.attribute(text, &[b"type"]) == Some(b"password")
    }
}

fn holds_value(name: &[u8]) -> bool {
    [b"value" as &[u8], b"val", b"content"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Elements that hold the value named by an attribute. Others only refer to it: a label, a button,
/// a section of a page.
fn holds_given(tag: &[u8]) -> bool {
    let tags: [&[u8]; 22] = [
        b"add",
        b"arg",
        b"argument",
        b"attribute",
        b"constant",
        b"data",
        b"entry",
        b"env",
        b"field",
        b"header",
        b"int",
        b"item",
        b"param",
        b"parameter",
        b"preference",
        b"property",
        b"setting",
        b"string",
        b"textarea",
        b"value",
        b"var",
        b"variable",
    ];
    tags.iter().any(|known| known.eq_ignore_ascii_case(tag))
}

/// Elements that hold a name.
fn is_name_tag(tag: &[u8]) -> bool {
    matches!(tag, b"key" | b"name" | b"Name" | b"Key" | b"dt" | b"th" | b"td" | b"field")
}

/// Whether this element holds the value for an element that holds a name.
fn is_value_of(name: &[u8], tag: &[u8]) -> bool {
    match name {
        b"dt" => tag == b"dd",
        b"th" | b"td" => tag == b"td",
        _ => matches!(tag, b"value" | b"Value" | b"string" | b"integer" | b"data" | b"val"),
    }
}

/// The end of the content that begins here, if it is only text.
fn closing(text: &[u8], from: usize) -> Option<usize> {
    let end = from + memchr(b'<', &text[from..])?;
    (text[end..].starts_with(b"</") || text[end..].starts_with(br"<\/")).then_some(end)
}

/// The content of the element, up to its end or the end of a cut text.
fn content(text: &[u8], tag: &Tag<'_>) -> Option<Range<usize>> {
    let start = tag.end;
    if let Some(data) = text[start..].strip_prefix(b"<![CDATA[") {
        let from = text.len() - data.len();
        return Some(from..memmem::find(data, b"]]>").map_or(text.len(), |length| from + length));
    }
    if let Some(end) = closing(text, start) {
        return Some(trimmed(text, start..end));
    }
    let far = &text[start..text.len().min(start + FAR)];
    let ends = memmem::find_iter(far, b"</").map(|at| start + at);
    let mut ends = ends.filter(|end| text[end + 2..].starts_with(tag.name));
    if let Some(end) = ends.next() {
        return Some(trimmed(text, start..end));
    }
    // `[<Token>, <Token>]` and `usage: login <user> <password>` are not elements.
    let is_cut = memchr(b'<', &text[start..]).is_none()
        && text.get(start).is_some_and(|byte| byte.is_ascii_alphanumeric());
    is_cut.then(|| trimmed(text, start..text.len()))
}

fn trimmed(text: &[u8], content: Range<usize>) -> Range<usize> {
    let inner = &text[content.clone()];
    let start = content.start + (inner.len() - inner.trim_ascii_start().len());
    start..(start + inner.trim_ascii().len())
}
