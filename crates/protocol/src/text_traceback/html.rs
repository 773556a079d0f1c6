//! Tracebacks in HTML: pages, mails and tickets whose source was copied.
use std::borrow::Cow;

/// Tags that appear around and in tracebacks. No others are removed: `<module>` is a function.
const TAGS: [&str; 28] = [
    "a",
    "b",
    "blockquote",
    "body",
    "br",
    "code",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "html",
    "i",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "samp",
    "small",
    "span",
    "strong",
    "table",
    "td",
    "tr",
    "tt",
    "ul",
];
/// Those of them that end a line.
const BREAKS: [&str; 8] = ["blockquote", "br", "div", "h1", "h2", "li", "p", "tr"];
const ENTITIES: [(&str, &str); 9] = [
    ("quot", "\""),
    ("apos", "'"),
    ("lt", "<"),
    ("gt", ">"),
    ("amp", "&"),
    ("nbsp", " "),
    ("hellip", "…"),
    ("ldquo", "\""),
    ("rdquo", "\""),
];

/// Whether a line is escaped as HTML; `None` if the line does not show it.
pub(super) fn is_escaped(line: &str) -> Option<bool> {
    if line.contains("in &lt;") {
        return Some(true);
    }
    let after_file = line.split("File").skip(1).find_map(|after| {
        let after = after.trim_start().trim_start_matches("&nbsp;");
        ["&quot;", "&#34;", "&#x22;", "&ldquo;"]
            .iter()
            .any(|quote| after.starts_with(quote))
            .then_some(true)
            .or_else(|| after.starts_with(['"', '“']).then_some(false))
    });
    let in_tags =
        || (line.contains("(most recent call last)") && line.contains("<br")).then_some(true);
    after_file.or_else(in_tags)
}

/// `line` without tags and entities; a tag that ends a line becomes a line break.
pub(super) fn without(line: Cow<'_, str>) -> Cow<'_, str> {
    if !line.contains(['<', '&']) {
        return line;
    }
    let mut kept = String::with_capacity(line.len());
    let mut rest = &*line;
    while let Some(at) = rest.find(['<', '&']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match tag(rest).or_else(|| entity(rest)) {
            Some((text, after)) => {
                kept.push_str(&text);
                after
            }
            None => {
                kept.push_str(&rest[..1]);
                &rest[1..]
            }
        };
    }
    kept.push_str(rest);
    kept.into()
}

fn tag(text: &str) -> Option<(Cow<'static, str>, &str)> {
    let inner = text.strip_prefix('<')?;
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = name[..length].to_ascii_lowercase();
    if !TAGS.contains(&name.as_str()) {
        return None;
    }
    // A longer tag was cut off.
    let end = inner.bytes().take(1_000).position(|byte| byte == b'>')?;
    let is_break = BREAKS.contains(&name.as_str());
    Some((if is_break { "\n" } else { "" }.into(), &inner[end + 1..]))
}

fn entity(text: &str) -> Option<(Cow<'static, str>, &str)> {
    let inner = text.strip_prefix('&')?;
    let end = inner.bytes().take(10).position(|byte| byte == b';')?;
    let (name, rest) = (&inner[..end], &inner[end + 1..]);
    if let Some((_, plain)) = ENTITIES.iter().find(|(known, _)| *known == name) {
        return Some(((*plain).into(), rest));
    }
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((char::from_u32(code)?.to_string().into(), rest))
}
