//! JavaScript: V8's form (Node, Chrome), and that of Firefox and Safari.
use super::super::{TextFrame, TextRelation};
use super::section::{self, Header, Row, Section, header_before, indent, push};

pub(super) fn place(line: &str) -> Option<usize> {
    let of_v8 = line.find("at ").filter(|at| line[..*at].ends_with([' ', '\t']) || *at == 0);
    let of_v8 = of_v8.filter(|at| v8(&line[*at..]).is_some());
    of_v8.or_else(|| {
        let at = indent(line);
        firefox(&line[at..]).map(|_| at)
    })
}

fn frame(text: &str) -> Option<TextFrame> {
    v8(text).or_else(|| firefox(text))
}

/// `at [async] [new] F [as G] (P:L:C)`, `at P:L:C`
fn v8(text: &str) -> Option<TextFrame> {
    let text = text.trim().strip_prefix("at ")?;
    let text = text.strip_suffix(" {").unwrap_or(text).trim_end_matches(',');
    let text = text.strip_prefix("async ").unwrap_or(text);
    let (function, place) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", text),
    };
    let function = function.split(" [as ").next().unwrap_or(function);
    let function = function.strip_prefix("new ").unwrap_or(function);
    // `eval at F (P:L:C), <anonymous>:1:2`
    let is_eval = place.starts_with("eval at ");
    if is_eval || matches!(place, "<anonymous>" | "native" | "index 0") {
        let path = if is_eval { "<eval>" } else { "<anonymous>" };
        return Some(made((path, 0, 0), function));
    }
    let (path, line, column) = section::place(place).filter(|(.., column)| *column > 0)?;
    is_path(path).then(|| made((path, line, column), function))
}

/// `F@URL:L:C`
fn firefox(text: &str) -> Option<TextFrame> {
    let (function, place) = text.trim().split_once('@')?;
    let (path, line, column) = section::place(place).filter(|(.., column)| *column > 0)?;
    let is_url = path.contains("://") && !path.contains(' ');
    if !is_url || function.contains(' ') {
        return None;
    }
    let function = function.trim_end_matches("/<").rsplit('/').next().unwrap_or(function);
    Some(made((path, line, column), function))
}

fn made((path, line, column): (&str, u32, u32), function: &str) -> TextFrame {
    let (path, function) = (path.into(), function.into());
    TextFrame { path, line, column, function, ..TextFrame::default() }
}

fn is_path(path: &str) -> bool {
    let is_windows = path.get(1..3).is_some_and(|drive| drive == ":\\" || drive == ":/");
    let is_other =
        path.contains('/') || path.starts_with("node:") || path.starts_with("<") || is_windows;
    // Rust prints `at src/main.rs:1:2` too.
    is_other && !path.ends_with(".rs")
        || path.ends_with(".js")
        || path.ends_with(".ts")
        || path.ends_with(".mjs")
}

fn header(line: &str) -> Option<Header<'_>> {
    let text = line.trim_start();
    // A group that was never thrown.
    let text = text.strip_prefix('[').map_or(text, |it| it.split("] {").next().unwrap_or(it));
    let text = text.strip_prefix("Uncaught ").unwrap_or(text);
    let text = text.strip_prefix("(in promise) ").unwrap_or(text);
    // `TypeError [ERR_X]: message`
    match text.split_once(" [") {
        Some((kind, rest)) if Header::of(kind).is_some() => {
            let message = rest.split_once("]: ")?.1;
            Some(Header { kind, message: message.trim() })
        }
        _ => Header::of(text),
    }
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    // A group that was never thrown has members, but no frames of its own.
    let is_list = |at: &usize| rows[*at].text.ends_with("[errors]: [");
    let list = (0..first).rev().take(4).find(is_list);
    let from = list.unwrap_or(first);
    let (mut root, begin) = header_before(rows, from, header);
    root.indent = rows.get(begin).map_or(0, |row| indent(&row.text));
    let mut sections = vec![root];
    let mut lists: Vec<usize> = Vec::new();
    let mut after = first;
    for (at, row) in rows.iter().enumerate().skip(from) {
        let last = sections.len() - 1;
        let text = row.text.trim();
        if let Some(frame) = frame(text) {
            sections[last].add(frame);
            after = at + 1;
        } else if let Some(cause) = cause(text) {
            let indent = indent(&row.text);
            let parent = sections.iter().rposition(|it| it.indent < indent).unwrap_or(last);
            let of = Some((TextRelation::Cause, parent));
            push(&mut sections, Section { of, indent, ..Section::new(cause) });
        } else if text.ends_with("[errors]: [") {
            lists.push(last);
        } else if let (Some(list), Some(header)) = (lists.last().copied(), member(&row.text)) {
            let of = Some((TextRelation::Member, list));
            let indent = indent(&row.text);
            push(&mut sections, Section { of, indent, ..Section::new(header) });
        } else if text.starts_with(']') {
            lists.pop();
        } else if sections[last].frames.is_empty() && last > 0 {
            sections[last].add_line(row.text.trim_end());
        } else if text.ends_with("lines matching cause stack trace ...") {
            after = at + 1;
        } else if !text.starts_with(['}', '{', '[']) && !is_property(&row.text) {
            return (sections, after);
        }
    }
    (sections, after)
}

/// The exception behind another one, as Node, Deno and loggers print it.
fn cause(text: &str) -> Option<Header<'_>> {
    let starts = ["[cause]: ", "Caused by: ", "caused by: "];
    starts.iter().find_map(|start| text.strip_prefix(start)).and_then(header)
}

/// An exception of a list, which is indented.
fn member(line: &str) -> Option<Header<'_>> {
    if indent(line) > 0 { header(line) } else { None }
}

/// `  code: 'ENOENT',`
fn is_property(line: &str) -> bool {
    let name = line.trim_start().split(':').next().unwrap_or_default();
    indent(line) > 0 && line.contains(": ") && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
