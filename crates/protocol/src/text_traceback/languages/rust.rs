//! Rust.
use super::super::TextFrame;
use super::section::{self, Row, Section};

const PANICKED: &str = "panicked at ";

/// `thread 'main' panicked at …`, or `at P:L:C` below the name of a function.
pub(super) fn place(line: &str) -> Option<usize> {
    if let Some(at) = line.find("thread '")
        && line[at..].contains(PANICKED)
    {
        return Some(at);
    }
    let at = line.find("at ").filter(|at| line[..*at].ends_with([' ', '\t']))?;
    file(&line[at..]).map(|_| at)
}

/// `at P:L:C` of a Rust file.
fn file(text: &str) -> Option<(&str, u32)> {
    let (path, line, _) = section::place(text.trim().strip_prefix("at ")?)?;
    path.ends_with(".rs").then_some((path, line))
}

/// `  12: shop::total::h0123456789abcdef`, with or without an address.
fn symbol(line: &str) -> Option<&str> {
    let (number, name) = line.trim().split_once(": ")?;
    if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let name = name.trim();
    let name = match name.strip_prefix("0x") {
        Some(rest) => rest.split_once(" - ")?.1,
        None => name,
    };
    // A hash of sixteen digits ends older names.
    let plain = name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16);
    Some(plain.map_or(name, |(plain, _)| plain))
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    let mut section = Section::default();
    let mut location = None;
    let mut at = first;
    if let Some((_, rest)) = rows[first].text.split_once(PANICKED) {
        section.kind = "panic".into();
        at += 1;
        // Up to 1.72: `panicked at 'message', P:L:C`
        if let Some((message, place)) = rest.strip_prefix('\'').and_then(|it| it.rsplit_once("', "))
        {
            message.clone_into(&mut section.message);
            location = section::place(place.trim());
        } else {
            location = section::place(rest.trim().trim_end_matches(':'));
            while let Some(row) = rows.get(at).filter(|row| !is_end_of_message(&row.text)) {
                section.add_line(row.text.trim_end());
                at += 1;
            }
            section.message = section.message.trim().to_owned();
        }
    } else {
        (section, _) = of_error(rows, first);
    }
    let mut name = at.checked_sub(1).and_then(|before| symbol(&rows[before].text));
    let mut frames: Vec<TextFrame> = Vec::new();
    while let Some(row) = rows.get(at) {
        if let Some((path, line)) = file(&row.text) {
            let function = name.take().unwrap_or_default();
            if frames.len() < super::MAX_FRAMES {
                let (path, function) = (path.to_owned(), function.to_owned());
                frames.push(TextFrame { path, line, function, ..TextFrame::default() });
            }
        } else if let Some(of_line) = symbol(&row.text) {
            name = Some(of_line);
        } else if !is_between(&row.text) {
            break;
        }
        at += 1;
    }
    // Everything up to the place that panicked is the standard library's way to print it.
    let is_it = |frame: &TextFrame| {
        location.is_some_and(|(path, line, _)| same_file(&frame.path, path) && frame.line == line)
    };
    let raised = frames.iter().position(is_it);
    let raised = raised.unwrap_or_else(|| {
        let is = |frame: &TextFrame, parts: &[&str]| {
            parts.iter().any(|part| frame.function.contains(part))
        };
        let panicking = ["core::panicking::", "rust_begin_unwind", "std::panicking::begin_panic"];
        let last = frames.iter().rposition(|frame| is(frame, &panicking)).map_or(0, |at| at + 1);
        // `unwrap` and `expect` are the library's too.
        let unwrapping = ["core::option::", "core::result::"];
        let rest = frames[last..].iter().take_while(|frame| last > 0 && is(frame, &unwrapping));
        last + rest.count()
    });
    if let (Some((path, line, _)), false) = (location, frames.iter().any(is_it)) {
        let path = path.to_owned();
        section.add(TextFrame { path, line, ..TextFrame::default() });
    }
    frames.into_iter().skip(raised).for_each(|frame| section.add(frame));
    (vec![section], at.max(first + 1))
}

fn same_file(one: &str, other: &str) -> bool {
    let plain = |path: &str| path.trim_start_matches("./").replace('\\', "/");
    let (one, other) = (plain(one), plain(other));
    one == other || one.ends_with(&format!("/{other}")) || other.ends_with(&format!("/{one}"))
}

fn is_end_of_message(line: &str) -> bool {
    let line = line.trim();
    ["stack backtrace:", "note: ", "thread '"].iter().any(|start| line.starts_with(start))
        || symbol(line).is_some()
}

fn is_between(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line == "stack backtrace:" || line.starts_with("note: ")
}

/// `Error: message`, causes, and `Stack backtrace:`, as `anyhow` prints an error that left `main`.
fn of_error(rows: &[Row<'_>], first: usize) -> (Section, usize) {
    let near = (0..first).rev().take(60);
    let stack =
        near.clone().find(|at| rows[*at].text.trim().eq_ignore_ascii_case("stack backtrace:"));
    let begin = near
        .filter(|at| stack.is_some_and(|stack| *at < stack))
        .find_map(|at| rows[at].text.trim().strip_prefix("Error: ").map(|message| (at, message)));
    let Some((at, message)) = begin else { return (Section::default(), first) };
    let section =
        Section { kind: "Error".into(), message: message.to_owned(), ..Section::default() };
    (section, at)
}
