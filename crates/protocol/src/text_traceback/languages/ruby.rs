//! Ruby.
use super::super::{TextFrame, TextRelation};
use super::section::{Header, Row, Section, push};

/// `from P:N:in 'F'`, or the first line, which has the message too.
pub(super) fn place(line: &str) -> Option<usize> {
    if let Some(at) = line.find("from ")
        && frame(&line[at + "from ".len()..]).is_some()
    {
        // Its number belongs to it.
        let number = line[..at]
            .strip_suffix(": ")
            .map(|it| it.trim_end_matches(|c: char| c.is_ascii_digit()));
        return Some(number.map_or(at, str::len));
    }
    let at = line.find(":in ")?;
    let at = line[..at].rfind([' ', '\t', '"']).map_or(0, |space| space + 1);
    frame(&line[at..]).map(|_| at)
}

/// A frame at the start of a text, and what follows it.
fn frame(text: &str) -> Option<(TextFrame, &str)> {
    let (place, rest) = text.split_once(":in ")?;
    let (path, line) = place.rsplit_once(':')?;
    let line: u32 = line.parse().ok()?;
    let rest = rest.strip_prefix(['`', '\''])?;
    let (function, rest) = rest.split_once('\'')?;
    let is_path = !path.is_empty() && !path.contains('"');
    is_path.then(|| {
        let frame = TextFrame {
            path: path.to_owned(),
            line,
            function: function.to_owned(),
            ..TextFrame::default()
        };
        (frame, rest)
    })
}

/// The message and the type of `: message (Type)`, perhaps over several lines.
fn said<'a>(rest: &'a str, further: &[&'a str]) -> Option<(String, String)> {
    let first = rest.strip_prefix(": ")?;
    let lines: Vec<&str> = std::iter::once(first).chain(further.iter().copied()).collect();
    // The type follows the first line of the message.
    let at = lines.iter().position(|line| of_type(line).is_some());
    let Some(at) = at else { return Some((String::new(), lines.join("\n").trim_end().to_owned())) };
    let (message, kind) = of_type(lines[at])?;
    let mut all = lines[..at].to_vec();
    all.push(message);
    all.extend(&lines[at + 1..]);
    let message = all.join("\n").trim_end().to_owned();
    Some((kind.to_owned(), if message == "unhandled exception" { String::new() } else { message }))
}

/// `message (Type)`
fn of_type(line: &str) -> Option<(&str, &str)> {
    let (message, kind) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let is_type = kind.starts_with(char::is_uppercase) && kind.chars().all(is_name);
    is_type.then(|| (message.trim_end(), kind))
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    if let Some(found) = outermost_first(rows, first) {
        return found;
    }
    let mut sections: Vec<Section> = Vec::new();
    let mut at = first;
    while let Some(row) = rows.get(at) {
        let text = row.text.trim();
        let is_further = text.starts_with("from ");
        let text = text.strip_prefix("from ").unwrap_or(text);
        let Some((frame, rest)) = frame(text) else { break };
        let lines = rows[at + 1..].iter().map(|row| row.text.trim_end());
        let further: Vec<&str> =
            lines.take_while(|line| frame_of(line).is_none()).take(20).collect();
        match said(rest, if is_from(rows, at + 1 + further.len()) { &further } else { &[] }) {
            Some((kind, message)) if !is_further => {
                let of = sections.len().checked_sub(1).map(|of| (TextRelation::Cause, of));
                let mut section = Section { kind, message, of, ..Section::default() };
                section.add(frame);
                push(&mut sections, section);
                at += 1;
                while rows.get(at).is_some_and(|row| frame_of(&row.text).is_none())
                    && is_from(rows, at + 1)
                {
                    at += 1;
                }
                at = next_frame(rows, at);
            }
            _ => {
                // A bare list of frames.
                if sections.is_empty() {
                    push(&mut sections, named_before(rows, first));
                }
                if let Some(section) = sections.last_mut() {
                    section.add(frame);
                }
                at += 1;
            }
        }
    }
    (sections, at)
}

/// The exception above a bare list of frames: `Type (message):` of Rails, or `Type: message`.
fn named_before(rows: &[Row<'_>], first: usize) -> Section {
    let near = (0..first).rev().take(3).map(|at| rows[at].text.trim());
    let header = near.filter(|text| !text.is_empty()).find_map(|text| {
        let of_rails = text.strip_suffix("):").and_then(|text| text.split_once(" ("));
        let of_rails = of_rails.map(|(kind, message)| Header { kind, message });
        let is_type = |header: &Header<'_>| {
            header.kind.starts_with(char::is_uppercase) && !header.kind.contains(' ')
        };
        of_rails.filter(is_type).or_else(|| Header::within(text)).or_else(|| Header::of(text))
    });
    header.map(Section::new).unwrap_or_default()
}

/// The next row with a frame, if only lines of a message are between.
fn next_frame(rows: &[Row<'_>], from: usize) -> usize {
    let near = rows[from.min(rows.len())..].iter().take(20);
    let next = near.map(|row| frame_of(&row.text)).position(|frame| frame.is_some());
    match next {
        Some(next) if is_from(rows, from + next) => from + next,
        _ => from,
    }
}

fn is_from(rows: &[Row<'_>], at: usize) -> bool {
    rows.get(at).is_some_and(|row| row.text.trim_start().starts_with("from "))
}

fn frame_of(line: &str) -> Option<TextFrame> {
    let text = line.trim();
    frame(text.strip_prefix("from ").unwrap_or(text)).map(|(frame, _)| frame)
}

/// The older form for terminals: numbered frames, and the exception last; causes come first.
fn outermost_first(rows: &[Row<'_>], first: usize) -> Option<(Vec<Section>, usize)> {
    numbered(&rows[first].text)?;
    let (mut printed, mut frames): (Vec<Section>, Vec<TextFrame>) = (Vec::new(), Vec::new());
    let mut end = first;
    for (at, row) in rows.iter().enumerate().skip(first) {
        if let Some(text) = numbered(&row.text) {
            let Some((frame, _)) = frame(text) else { break };
            frames.push(frame);
            continue;
        }
        let Some((frame, rest)) = frame(row.text.trim()).filter(|_| !frames.is_empty()) else {
            break;
        };
        let Some((kind, message)) = said(rest, &[]) else { break };
        frames.push(frame);
        frames.reverse();
        printed.push(Section {
            kind,
            message,
            frames: std::mem::take(&mut frames),
            ..Section::default()
        });
        end = at + 1;
    }
    printed.reverse();
    for (at, section) in printed.iter_mut().enumerate().skip(1) {
        section.of = Some((TextRelation::Cause, at - 1));
    }
    (!printed.is_empty()).then_some((printed, end))
}

/// What follows `5: from `.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.trim().split_once(": from ")?;
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(rest)
}
