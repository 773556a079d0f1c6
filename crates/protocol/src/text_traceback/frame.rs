//! Reads a line that names a place in the stack, in the forms in which programs print it.
use super::words::{header, ident_end};

/// A frame found in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FramePlace<'a> {
    /// Its start in the line.
    pub(super) at: usize,
    pub(super) path: &'a str,
    /// `None` in Django's older layout, where the line number precedes the source line.
    pub(super) line: Option<u32>,
    /// Empty when nothing follows `in`; `None` for a place without a function: a `SyntaxError`'s.
    pub(super) function: Option<&'a str>,
    /// The text after the function on the same line.
    pub(super) rest: &'a str,
    /// It begins with `File`. Other forms also occur in messages that are not tracebacks.
    pub(super) is_certain: bool,
}

/// The first frame of a line.
pub(super) fn find_frame(line: &str) -> Option<FramePlace<'_>> {
    files(line).take(MAX_TRIES).find_map(|at| file_frame(line, at)).or_else(|| path_frame(line))
}

/// How many possible starts of a frame are tried in a line before giving up.
const MAX_TRIES: usize = 1_000;

/// The positions of the word `File` that can begin a frame.
pub(super) fn files(line: &str) -> impl Iterator<Item = usize> {
    let in_word = |at: usize| line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let goes_on = |at: usize| line[at + 4..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices("File").map(|(at, _)| at).filter(move |at| !in_word(*at) && !goes_on(*at))
}

const QUOTES: [char; 9] = ['"', '\'', '`', '“', '”', '„', '«', '»', '″'];

/// `File "PATH", line N, in FUNCTION`, also with changed quotes and commas.
pub(super) fn file_frame(line: &str, at: usize) -> Option<FramePlace<'_>> {
    let rest = line[at + "File".len()..].trim_start();
    let (path, rest) = match rest.strip_prefix(QUOTES) {
        Some(rest) => {
            let end = first_bytes(rest, MAX_PATH).find(QUOTES)?;
            let (path, quote) = rest.split_at(end);
            (path, &quote[quote.chars().next().map_or(0, char::len_utf8)..])
        }
        None => bare_path(rest)?,
    };
    if path.is_empty() {
        return None;
    }
    let rest = rest.trim_start_matches([',', ':']).trim_start();
    let (line, rest) = match rest.strip_prefix("line") {
        Some(rest) => {
            let (number, rest) = number(rest.trim_start())?;
            (Some(number), rest)
        }
        None => match number(rest) {
            Some((number, rest)) => (Some(number), rest),
            None => (None, rest),
        },
    };
    let rest = rest.trim_start_matches(',').trim_start();
    let (function, rest) = match rest.strip_prefix("in") {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
            let (function, rest) = function(rest.trim_start());
            (Some(function), rest)
        }
        _ => (None, rest),
    };
    if line.is_none() && function.is_none_or(str::is_empty) {
        return None;
    }
    let is_certain = line.is_some() && function.is_some();
    let (function, rest) = match function {
        Some(whole) if rest.is_empty() && path.ends_with(".py") => {
            let (name, rest) = name_and_source(whole);
            (Some(name), rest)
        }
        _ => (function, rest),
    };
    Some(FramePlace { at, path, line, function, rest, is_certain })
}

/// The name of a function in a Python file, and a source line written after it. Only Cython's
/// initialisers and templates have names with spaces.
fn name_and_source(text: &str) -> (&str, &str) {
    let (name, rest) = text.split_at(ident_end(text));
    match rest.chars().next() {
        Some(' ') if name != "init" && !name.is_empty() => (name, rest.trim_start()),
        // Some programs print the arguments after it.
        Some('(' | ':') if !name.is_empty() => (name, ""),
        _ => (text, ""),
    }
}

/// A path without quotes, up to `, line 3`, or up to `:3, in` as IPython prints it.
fn bare_path(rest: &str) -> Option<(&str, &str)> {
    let near = first_bytes(rest, MAX_PATH);
    if let Some(end) = near.find(", line ") {
        return Some(rest.split_at(end));
    }
    let end = near.find(", in ").unwrap_or(near.trim_end().len());
    let path = near[..end].trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = path.len() < end && path.ends_with(':') && !path.contains(' ');
    is_numbered.then(|| (&path[..path.len() - 1], &rest[path.len() - 1..]))
}

/// `PATH, line N, in FUNCTION` of Django's page, `PATH:N in FUNCTION` of rich and IPython,
/// `PATH:N: in FUNCTION` of pytest.
fn path_frame(line: &str) -> Option<FramePlace<'_>> {
    line.match_indices(" in ").take(10).find_map(|(end, words)| {
        let before = line[..end].trim_end_matches([',', ':']);
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let (line_number, _) = number(&before[digits.len()..])?;
        let path = digits.strip_suffix(", line ").or_else(|| digits.strip_suffix(':'))?;
        let at = path
            .rfind(|c: char| c.is_whitespace() || c == '(')
            .map_or(0, |space| space + path[space..].chars().next().map_or(1, char::len_utf8));
        let path = &path[at..];
        let is_path = path.ends_with(".py") || path.contains(['/', '\\']);
        if !is_path || path.starts_with(QUOTES) || path.ends_with(QUOTES) {
            return None;
        }
        let (function, rest) = function(line[end + words.len()..].trim_start());
        let (function, _) = name_and_source(function);
        (!function.is_empty()).then_some(FramePlace {
            at,
            path,
            line: Some(line_number),
            function: Some(function),
            rest,
            is_certain: false,
        })
    })
}

/// A longer name or path is rejected. This keeps the searched text short, however often a hostile
/// line begins one.
const MAX_FUNCTION: usize = 2_048;
const MAX_PATH: usize = 4_096;

fn first_bytes(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].parse().unwrap_or(0), &text[end..]))
}

/// The name at the start of `text`, and the text after two or more spaces or a tab.
fn function(text: &str) -> (&str, &str) {
    let text = first_bytes(text, MAX_FUNCTION);
    let end = text.find("  ").into_iter().chain(text.find('\t')).min().unwrap_or(text.len());
    (text[..end].trim_end(), text[end..].trim_start())
}

/// Splits a line in which line breaks became spaces into frames, source lines, and the text around
/// them. An ordinary line is one piece.
pub(super) fn split_joined(line: &str) -> Vec<&str> {
    let header = header(line);
    let from = header.as_ref().map_or(0, |header| header.end);
    let mut frames = files(line)
        .take(super::MAX_FRAMES)
        .filter_map(|at| file_frame(line, at))
        .filter(|frame| frame.is_certain);
    let Some(first) = frames.next() else { return vec![line] };
    let starts: Vec<usize> = std::iter::once(first).chain(frames).map(|frame| frame.at).collect();
    if starts.len() == 1 && (from == 0 || starts[0] < from) {
        return vec![line];
    }
    let mut pieces = Vec::new();
    let mut done = 0;
    if from > 0 && starts[0] >= from {
        pieces.push(&line[..from]);
        done = from;
    }
    if starts[0] > done {
        let before = &line[done..starts[0]];
        // Text before the first frame is a prefix of all frames; white space is the indent.
        if !before.trim().is_empty() && done > 0 {
            pieces.push(before);
        }
        done = if done > 0 { starts[0] } else { 0 };
    }
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(line.len());
        let piece = &line[done.min(*start)..end];
        let place = file_frame(&line[..end], *start);
        let after = place.map_or(end, |place| match place.function {
            Some(function) if !function.is_empty() => {
                let from = function.as_ptr() as usize - line.as_ptr() as usize;
                from + ident_end(&line[from..end])
            }
            _ => end,
        });
        pieces.push(piece[..piece.len() - (end - after)].trim_end());
        let source = line[after..end].trim();
        if !source.is_empty() {
            pieces.push(&line[after..end]);
        }
        done = end;
    }
    pieces
}
