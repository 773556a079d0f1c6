//! Go.
use super::super::TextFrame;
use super::section::{Row, Section};

/// `\t/path/file.go:12 +0x1d`, or the line that begins a goroutine.
pub(super) fn place(line: &str) -> Option<usize> {
    if let Some(at) = line.find("goroutine ")
        && is_goroutine(&line[at..])
    {
        return Some(at);
    }
    let at = line.find(['\t', '/']).filter(|_| line.contains(".go:"))?;
    let at = line[..at].rfind(|c: char| !c.is_whitespace()).map_or(0, |last| last + 1);
    file(&line[at..]).map(|_| at)
}

/// `goroutine 1 [running]:`
fn is_goroutine(text: &str) -> bool {
    let rest = text.strip_prefix("goroutine ").unwrap_or_default();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.starts_with(" [") && rest.trim_end().ends_with("]:")
}

fn file(text: &str) -> Option<(&str, u32)> {
    let is_indented = text.starts_with(['\t', ' ']);
    let text = text.trim();
    let place = text.split(" +0x").next().unwrap_or(text);
    let (path, line) = place.rsplit_once(':')?;
    let is_path = path.ends_with(".go") && !path.contains([' ', '(', '"']);
    (is_path && (is_indented || text.contains(" +0x"))).then_some((path, line.parse().ok()?))
}

/// The name in `pkg.(*T).F(args)` and in `created by pkg.F in goroutine 1`.
fn function(line: &str) -> Option<&str> {
    let text = line.trim();
    if let Some(rest) = text.strip_prefix("created by ") {
        return rest.split(" in goroutine ").next();
    }
    let end = text.strip_suffix(')')?;
    let mut depth = 0;
    let open = end.char_indices().rev().find(|(_, c)| {
        match c {
            ')' => depth += 1,
            '(' if depth == 0 => return true,
            '(' => depth -= 1,
            _ => {}
        }
        false
    })?;
    (open.0 > 0).then(|| &end[..open.0])
}

/// `pkg.Name` alone, as loggers and error packages print it.
fn bare(line: &str) -> Option<&str> {
    let text = line.trim();
    let is_one = !text.contains(char::is_whitespace) && text.contains('.');
    is_one.then_some(text)
}

fn is_before_file(rows: &[Row<'_>], at: usize) -> bool {
    bare(&rows[at].text).is_some() && rows.get(at + 1).is_some_and(|row| file(&row.text).is_some())
}

pub(super) fn sections(rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
    let mut section = Section { kind: "panic".into(), ..Section::default() };
    let panic = (0..first).rev().take(20).find_map(|at| {
        let (_, message) = rows[at].text.split_once("panic: ")?;
        Some((at, message))
    });
    if let Some((_, message)) = panic {
        section.message = message.trim().trim_end_matches(" [recovered]").to_owned();
    }
    let fatal = (0..first)
        .rev()
        .take(5)
        .find_map(|at| rows[at].text.split_once("fatal error: ").map(|(_, message)| message));
    if let (None, Some(message)) = (panic, fatal) {
        section.kind = "fatal error".into();
        message.trim().clone_into(&mut section.message);
    }
    let mut end = rows.len();
    let mut frames: Vec<(TextFrame, bool)> = Vec::new();
    for (at, row) in rows.iter().enumerate().skip(first) {
        if is_goroutine(row.text.trim()) {
            if !frames.is_empty() {
                // The first one is at fault.
                end = skipped(rows, at);
                break;
            }
            continue;
        }
        if let Some((path, line)) = file(&row.text) {
            let before = at.checked_sub(1).map(|before| &*rows[before].text);
            let name = before.and_then(|it| function(it).or_else(|| bare(it))).unwrap_or_default();
            let is_creation = before.is_some_and(|it| it.trim().starts_with("created by "));
            let frame = TextFrame {
                path: path.to_owned(),
                line,
                function: name.to_owned(),
                ..TextFrame::default()
            };
            if frames.len() < super::MAX_FRAMES {
                frames.push((frame, is_creation));
            }
        } else if row.text.contains("additional frames elided") || is_before_file(rows, at) {
            // It goes on.
        } else if function(&row.text).is_none() && !frames.is_empty() {
            end = skipped(rows, at);
            break;
        }
    }
    // What recovered from a panic, and the runtime itself, come first.
    let is_panic = |frame: &TextFrame| {
        let name = frame.function.split('(').next().unwrap_or_default();
        name == "panic" || name == "runtime.gopanic"
    };
    let raised = frames.iter().rposition(|(frame, _)| is_panic(frame)).map_or(0, |at| at + 1);
    let frames = frames.into_iter().skip(raised);
    let is_runtime = |frame: &TextFrame| {
        frame.function.starts_with("runtime.") || frame.function.starts_with("runtime/debug.")
    };
    let frames = frames.skip_while(|(frame, _)| is_runtime(frame));
    let frames = frames.filter(|(_, is_creation)| !is_creation).map(|(frame, _)| frame);
    frames.for_each(|frame| section.add(frame));
    (vec![section], end)
}

/// The row after all goroutines that belong to a dump.
fn skipped(rows: &[Row<'_>], from: usize) -> usize {
    let belongs = |row: &Row<'_>| {
        let text = row.text.trim();
        text.is_empty()
            || is_goroutine(text)
            || file(&row.text).is_some()
            || function(text).is_some()
            || text.starts_with("exit status ")
    };
    let rest = rows[from..].iter().position(|row| !belongs(row));
    rest.map_or(rows.len(), |rest| from + rest)
}
