//! .NET and Mono, in any language of the system.
use super::super::{TextFrame, TextRelation};
use super::section::{Header, Row, Section, header_before, indent, push};

/// `   at NS.Class.Method(Type a) in P:line 5`
pub(super) fn place(line: &str) -> Option<usize> {
    let inner = line.find("at ").filter(|at| line[..*at].ends_with([' ', '\t']));
    let inner = inner.filter(|at| frame(&line[*at..]).is_some());
    inner.or_else(|| {
        let at = indent(line);
        (at > 0 && frame(&line[at..]).is_some()).then_some(at)
    })
}

fn frame(text: &str) -> Option<TextFrame> {
    // The words for "at", "in" and "line" are those of the system's language.
    let (word, rest) = text.trim().split_once(' ')?;
    let is_word = !word.is_empty() && word.chars().all(char::is_alphabetic) && word.len() <= 12;
    let open = rest.find('(').filter(|_| is_word)?;
    let called = rest[..open].trim_end();
    let is_name = |c: char| c.is_alphanumeric() || "_.`+<>|[],=:-$@".contains(c);
    let (class, method) = called.rsplit_once('.')?;
    if class.is_empty() || !called.chars().all(is_name) {
        return None;
    }
    let close = closing(&rest[open..])?;
    let after = rest[open + close + 1..].trim();
    let (path, line) = file(after)?;
    let (class, function) = readable(class, method);
    Some(TextFrame {
        path: path.to_owned(),
        line,
        function: format!("{class}.{function}"),
        ..TextFrame::default()
    })
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Nothing, `in P:line 5`, or Mono's `[0x00030] in P:5`; the file is empty when it is not known.
fn file(after: &str) -> Option<(&str, u32)> {
    let after = match after.strip_prefix("[0x") {
        Some(rest) => rest.split_once(']')?.1.trim(),
        None => after,
    };
    if after.is_empty() {
        return Some(("", 0));
    }
    let after = after.trim_end_matches("<---").trim_end_matches('.');
    let (word, place) = after.split_once(' ')?;
    let (path, line) = place.rsplit_once(':')?;
    let line = line.rsplit(' ').next()?.parse().ok()?;
    let is_word = word.chars().all(char::is_alphabetic);
    let is_unknown = path.starts_with('<');
    is_word.then_some(if is_unknown { ("", 0) } else { (path, line) })
}

/// The method behind what the compiler makes of iterators, of `async` and of closures.
fn readable<'a>(class: &'a str, method: &'a str) -> (&'a str, &'a str) {
    let of_method = |name: &'a str| name.strip_prefix('<')?.split_once('>').map(|(inner, _)| inner);
    if let Some((outer, inner)) = class.rsplit_once(['.', '+'])
        && let Some(method) = of_method(inner).filter(|method| !method.is_empty())
    {
        return (outer, method);
    }
    // A class of closures stands within that of the method.
    let closures = [".<>", "+<>"].iter().filter_map(|mark| class.find(mark)).min();
    let class = closures.map_or(class, |at| &class[..at]);
    (class, of_method(method).filter(|method| !method.is_empty()).unwrap_or(method))
}

const ARROW: &str = "---> ";

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    let of_line = |line| {
        let text: &str = line;
        let text = text.trim_start().trim_start_matches("Unhandled exception. ");
        Header::of(text.strip_prefix("Unhandled Exception: ").unwrap_or(text))
    };
    let (mut root, begin) = header_before(rows, first, of_line);
    let mut sections: Vec<Section> = Vec::new();
    begin_all(&mut sections, &format!("{}: {}", root.kind, root.message), None);
    if begin == first {
        sections = vec![std::mem::take(&mut root)];
        sections[0].of = None;
    }
    let mut current = sections.len() - 1;
    let mut after = first;
    for (at, row) in rows.iter().enumerate().skip(first) {
        let text = row.text.trim();
        if let Some(frame) = frame(text) {
            sections[current].add(frame);
            after = at + 1;
        } else if text.starts_with("---") && !text.starts_with(ARROW) {
            // `--- End of inner exception stack trace ---`; another line marks an `await`.
            if text.contains("inner") || is_localized_end(text, current) {
                current = sections[current].of.map_or(0, |(_, outer)| outer);
            }
            after = at + 1;
        } else if let Some(inner) = text.strip_prefix(ARROW) {
            // `---> (Inner Exception #1) Type: message`, of a group that was printed before.
            let member =
                inner.strip_prefix("(Inner Exception #").and_then(|it| it.split_once(") "));
            let (of, inner) = match member {
                Some((_, member)) => ((TextRelation::Member, 0), member),
                None => (inner_of(&sections, current), inner),
            };
            if Header::of(inner.split(ARROW).next().unwrap_or(inner)).is_none() {
                break;
            }
            begin_all(&mut sections, inner, Some(of));
            current = sections.len() - 1;
            after = at + 1;
        } else if sections[current].frames.is_empty() && current > 0 {
            sections[current].add_line(row.text.trim_end());
        } else if !text.is_empty() && text != "<---" {
            break;
        }
    }
    // A group repeats its first member.
    for at in (1..sections.len()).rev() {
        if sections[at].kind.is_empty() {
            sections.remove(at);
            let later = sections[at..].iter_mut().filter_map(|section| section.of.as_mut());
            later.filter(|(_, outer)| *outer >= at).for_each(|(_, outer)| *outer -= 1);
        }
    }
    (sections, after)
}

/// Begins the exceptions of `Outer: message ---> Inner: message`; the frames of the last one come
/// first. Those that were printed already get no name.
fn begin_all(sections: &mut Vec<Section>, text: &str, of_first: Option<(TextRelation, usize)>) {
    let begin = sections.len();
    for part in text.split(ARROW).take(32) {
        let header = Header::of(part);
        match (header, sections.get_mut(begin..).and_then(|new| new.last_mut())) {
            // The message has an arrow of its own.
            (None, Some(before)) => before.add_text(&format!(" {ARROW}{}", part.trim())),
            _ => {
                let header = header.unwrap_or(Header { kind: "", message: part.trim() });
                let is_first = sections.len() == begin;
                let outer = sections.len().saturating_sub(1);
                let of = if is_first { of_first } else { Some(inner_of(sections, outer)) };
                let is_repeat = begin > 0 && is_known(sections, header);
                let section = if is_repeat { Section::default() } else { Section::new(header) };
                push(sections, Section { of, ..section });
            }
        }
    }
}

/// How an exception that is printed inside another one belongs to it.
fn inner_of(sections: &[Section], outer: usize) -> (TextRelation, usize) {
    let is_group = sections.get(outer).is_some_and(|it| it.kind.ends_with("AggregateException"));
    (if is_group { TextRelation::Member } else { TextRelation::Cause }, outer)
}

/// A member that was printed as the inner exception already.
fn is_known(sections: &[Section], header: Header<'_>) -> bool {
    sections.iter().skip(1).any(|section| {
        let first = section.message.lines().next().unwrap_or_default();
        section.kind == header.kind && first == header.message
    })
}

/// In other languages of the system only the depth tells the end of an inner exception's stack.
fn is_localized_end(text: &str, current: usize) -> bool {
    let is_await = text.contains("previous location") || text.contains("previous");
    current > 0 && !is_await && !text.is_ascii()
}
