//! PHP.
use super::super::{TextFrame, TextRelation};
use super::section::{Header, Row, Section};

/// `#0 P(N): Class->method(args)`, `#1 [internal function]: f()`, `#2 {main}`
pub(super) fn place(line: &str) -> Option<usize> {
    let at = line.find('#')?;
    call(&line[at..]).map(|_| at)
}

/// Where something was called, and what.
struct Call<'a> {
    path: &'a str,
    line: u32,
    called: &'a str,
}

fn call(text: &str) -> Option<Call<'_>> {
    let rest = text.strip_prefix('#')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let rest = rest[digits..].strip_prefix(' ')?.trim_end();
    if rest == "{main}" {
        return Some(Call { path: "", line: 0, called: "{main}" });
    }
    if let Some(called) = rest.strip_prefix("[internal function]: ") {
        return Some(Call { path: "[internal]", line: 0, called: name(called) });
    }
    let (place, called) = rest.split_once("): ")?;
    let (path, line) = place.rsplit_once('(')?;
    let is_path = path.contains(['/', '\\']) || path.contains(".php");
    is_path.then_some(())?;
    Some(Call { path, line: line.parse().ok()?, called: name(called) })
}

fn name(called: &str) -> &str {
    called.split('(').next().unwrap_or(called)
}

/// `Type: message in P:N`, with what the log says before it.
fn header(text: &str) -> Option<(Header<'_>, &str, u32)> {
    let text = text.trim();
    // Laravel's log: `[object] (Type(code: 0): message at P:N)`.
    if let Some((_, object)) = text.split_once("[object] (") {
        let (kind, rest) = object.split_once("(code: ")?;
        let (message, place) = rest.split_once("): ")?.1.rsplit_once(" at ")?;
        let (path, line) = place.trim_end_matches(')').rsplit_once(':')?;
        return Some((Header { kind, message }, path, line.parse().ok()?));
    }
    let text = text.split_once("Uncaught ").map_or(text, |(_, rest)| rest);
    let text = text.strip_prefix("Next ").unwrap_or(text);
    let (said, place) = text.rsplit_once(" in ")?;
    let (path, line) = place.trim().rsplit_once(':')?;
    let header = Header::of(said).or_else(|| Header::within(said))?;
    Some((header, path, line.parse().ok()?))
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    // The cause is printed first, and each later one was raised because of it.
    let mut printed: Vec<Section> = Vec::new();
    let mut at = first;
    loop {
        let begin = at;
        let mut calls = Vec::new();
        while let Some(call) = rows.get(at).and_then(|row| call(row.text.trim())) {
            calls.push(call);
            at += 1;
        }
        if calls.is_empty() {
            break;
        }
        printed.push(section(rows, begin, &calls));
        // `Next Type: message in P:N` and `Stack trace:` come before the next calls.
        let near = rows[at..].iter().take(40);
        let next = near.clone().position(|row| row.text.trim().starts_with("Next "));
        let calls = near.clone().position(|row| call(row.text.trim()).is_some());
        match (next, calls) {
            (Some(next), Some(calls)) if next < calls => at += calls,
            _ => break,
        }
    }
    printed.reverse();
    for (at, section) in printed.iter_mut().enumerate().skip(1) {
        section.of = Some((TextRelation::Cause, at - 1));
    }
    (printed, at)
}

fn section(rows: &[Row<'_>], begin: usize, calls: &[Call<'_>]) -> Section {
    let near = (0..begin).rev().take(40).take_while(|at| call(rows[*at].text.trim()).is_none());
    let mut message: Vec<&str> = Vec::new();
    let mut section = Section::default();
    for at in near {
        let text = rows[at].text.trim_end();
        if matches!(text.trim(), "Stack trace:" | "[stacktrace]") {
            continue;
        }
        // A message of several lines ends with the place.
        let begins = text.contains("Uncaught ") || text.trim().starts_with("Next ");
        message.insert(0, text);
        let joined = message.join("\n");
        if let Some((header, path, line)) = header(&joined)
            && (begins || Header::of(text.trim()).is_some() || message.len() == 1)
        {
            section = Section::new(header);
            let function = calls.first().map_or("", |call| call.called).to_owned();
            section.add(TextFrame {
                path: path.to_owned(),
                line,
                function,
                ..TextFrame::default()
            });
            break;
        }
    }
    // Each line has the place of a call; the function around it is the one that the next line calls.
    for (call, next) in calls.iter().zip(calls.iter().skip(1)) {
        section.add(TextFrame {
            path: call.path.to_owned(),
            line: call.line,
            function: next.called.to_owned(),
            ..TextFrame::default()
        });
    }
    if let Some(call) = calls.last().filter(|call| call.called != "{main}") {
        let path = call.path.to_owned();
        section.add(TextFrame { path, line: call.line, ..TextFrame::default() });
    }
    section
}
