//! Java, Kotlin and Scala.
use super::super::{TextFrame, TextRelation};
use super::section::{Header, Row, Section, header_before, indent, push};

pub(super) fn place(line: &str) -> Option<usize> {
    let at = line.find("at ").filter(|at| line[..*at].ends_with([' ', '\t']) || *at == 0)?;
    frame(&line[at..]).map(|_| at)
}

/// `at [LOADER/][MODULE/]pkg.Class.method(File.java:5)`, and what a logger adds behind it.
fn frame(text: &str) -> Option<TextFrame> {
    let text = text.trim_start().strip_prefix("at ")?;
    let (called, rest) = text.split_once('(')?;
    let (file, _) = rest.split_once(')')?;
    let called = called.rsplit('/').next().unwrap_or(called);
    let is_name = |c: char| c.is_alphanumeric() || "_.$<>-`".contains(c);
    let (class, function) = called.rsplit_once('.')?;
    if class.is_empty() || !called.chars().all(is_name) {
        return None;
    }
    let (path, line) = match file.rsplit_once(':') {
        Some((path, line)) => (path, line.parse().ok()?),
        None if matches!(file, "Native Method" | "Unknown Source" | "<generated>") => ("", 0),
        None if is_file(file) => (file, 0),
        None => return None,
    };
    if !path.is_empty() && !is_file(path) {
        return None;
    }
    Some(TextFrame {
        path: path.to_owned(),
        module: class.to_owned(),
        line,
        function: function.to_owned(),
        ..TextFrame::default()
    })
}

/// The name of a file, without a folder.
fn is_file(text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_-.$".contains(c);
    text.contains('.') && text.chars().all(is_name)
}

fn header(line: &str) -> Option<Header<'_>> {
    let text = line.trim_start();
    let text = match text.strip_prefix("Exception in thread \"") {
        Some(rest) => rest.split_once("\" ")?.1,
        None => text,
    };
    Header::of(text)
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    let (mut root, begin) = header_before(rows, first, header);
    root.indent = rows.get(begin).map_or(0, |row| indent(&row.text));
    let mut sections = vec![root];
    for (at, row) in rows.iter().enumerate().skip(first) {
        let last = sections.len() - 1;
        let text = row.text.trim();
        if let Some(frame) = frame(text) {
            sections[last].add(frame);
        } else if let Some(more) = more(text) {
            let Some((_, parent)) = sections[last].of else { continue };
            let frames = &sections[parent].frames;
            let same: Vec<_> = frames[frames.len().saturating_sub(more)..].to_vec();
            same.into_iter().for_each(|frame| sections[last].add(frame));
        } else if text.contains("[CIRCULAR REFERENCE:") {
            // It was printed above.
        } else if let Some((relation, header)) = nested(text) {
            let indent = indent(&row.text);
            let is_outer = |section: &Section| match relation {
                TextRelation::Cause => section.indent <= indent,
                _ => section.indent < indent,
            };
            let parent = sections.iter().rposition(is_outer).unwrap_or(last);
            // A cause within a suppressed one is printed as deep as that.
            let of = Some((relation, parent));
            push(&mut sections, Section { of, indent, ..Section::new(header) });
        } else if sections[last].frames.is_empty() && last > 0 {
            sections[last].add_line(row.text.trim_end());
        } else {
            return (sections, at);
        }
    }
    (sections, rows.len())
}

/// `... 5 more`
fn more(text: &str) -> Option<usize> {
    let count = text.strip_prefix("... ")?;
    let count =
        count.strip_suffix(" more").or_else(|| count.strip_suffix(" common frames omitted"))?;
    count.parse().ok()
}

fn nested(text: &str) -> Option<(TextRelation, Header<'_>)> {
    let (relation, rest) =
        match (text.strip_prefix("Caused by: "), text.strip_prefix("Suppressed: ")) {
            (Some(rest), _) => (TextRelation::Cause, rest),
            (_, Some(rest)) => (TextRelation::Context, rest),
            _ => return None,
        };
    let unnamed = Header { kind: rest.split(':').next().unwrap_or(rest), message: "" };
    Some((relation, Header::of(rest).unwrap_or(unnamed)))
}
