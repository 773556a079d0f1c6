//! Rejoins long lines that a mail program, a terminal or a form broke, and splits lines that were
//! run together.
use super::containers::Line;
use super::exception::exception_line;
use super::frame::{FramePlace, file_frame, files, find_frame, split_joined};
use super::margin::Lead;
use super::open::is_of_log;
use super::words::{border, header, ident_end, indent, is_repeat, is_snip, link};

/// Largest number of pieces a line is broken into.
const MAX_PIECES: usize = 6;
/// The widths between which mail programs and commit messages break lines.
const MIN_MAIL_WIDTH: usize = 72;
const MAIL_WIDTH: usize = 80;
/// Terminal widths to try when nothing else shows the width.
const TERMINALS: [usize; 4] = [80, 100, 120, 132];
/// Shorter lines are never broken.
const MIN_WIDTH: usize = 40;

/// The lines as they were before they were broken or run together.
pub(super) fn rewrap(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let lines = split(lines);
    let lines = match hard_width(&lines) {
        Some(width) => join_hard(lines, width),
        None => lines,
    };
    let (lines, broken_at) = join_frames(lines);
    let most = lines.iter().map(|line| width(&line.text)).max().unwrap_or(0);
    // All frames may fit the width although longer source lines did not.
    match broken_at {
        Some(broken_at) => join_texts(lines, broken_at, false),
        None if most <= MAIL_WIDTH => join_texts(lines, MIN_MAIL_WIDTH, true),
        None => lines,
    }
}

fn split(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut all = Vec::with_capacity(lines.len());
    for line in lines {
        let pieces = split_joined(&line.text);
        if pieces.len() == 1 {
            all.push(line);
            continue;
        }
        for (at, piece) in pieces.iter().enumerate() {
            let begins = line.begins && at == 0;
            let text = piece.trim_end_matches(['^', '~', ' ']).to_owned();
            let pieces = split_exception(text, at + 1 == pieces.len());
            let lines = pieces.into_iter().map(|text| Line {
                number: line.number,
                text: text.into(),
                begins,
            });
            all.extend(lines);
        }
    }
    all
}

/// Splits a source line that was run together with the exception line after it.
fn split_exception(text: String, is_last: bool) -> Vec<String> {
    let found = is_last.then(|| super::exception::exception_within(&text)).flatten();
    match found {
        Some((at, _)) if files(&text).next().is_none() => {
            // The marker line below it was run together with it as well.
            let source = text[..at].trim_end_matches(['^', '~', ' ']);
            vec![source.to_owned(), text[at..].to_owned()]
        }
        _ => vec![text],
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The width at which a terminal broke lines, even within words.
fn hard_width(lines: &[Line<'_>]) -> Option<usize> {
    let in_names = lines.windows(3).filter_map(broken_name).map(|width| (width, true));
    let broken: Vec<(usize, bool)> =
        lines.windows(2).filter_map(broken_frame).chain(in_names).collect();
    let most = broken.iter().map(|(width, _)| *width).max();
    if let Some(most) = most {
        // Between words the space at the end may be gone. A mail program breaks lines of any width.
        let is_hard = broken.iter().any(|(_, in_word)| *in_word)
            && broken
                .iter()
                .all(|(width, in_word)| *width == most || (!in_word && width + 1 == most));
        return is_hard.then_some(most).filter(|width| *width >= MIN_WIDTH);
    }
    // Otherwise several lines of the same greatest width, each followed by what can only be its
    // rest.
    let most = lines.iter().map(|line| width(&line.text)).max()?;
    let full: Vec<usize> = (0..lines.len()).filter(|at| width(&lines[*at].text) == most).collect();
    let goes_on = |at: &&usize| {
        let (line, next) = (&lines[**at].text, lines.get(**at + 1).map_or("", |next| &*next.text));
        let is_rest = match find_frame(line) {
            Some(_) => ident_end(next) == next.len(),
            None => !next.starts_with("  ") && !begins_something(next),
        };
        let is_whole = line.ends_with('…') || next.trim().is_empty();
        !is_whole && is_rest && is_plain(lines, **at)
    };
    let going_on = full.iter().filter(goes_on).count();
    let is_terminal = going_on > 1 || (going_on == 1 && TERMINALS.contains(&most));
    (most >= MIN_WIDTH && is_terminal && going_on == full.len()).then_some(most)
}

/// Whether the frame above a line has no prefix.
fn is_plain(lines: &[Line<'_>], at: usize) -> bool {
    let mut above = lines[..=at].iter().rev().take(MAX_PIECES);
    let lead =
        above.find_map(|line| find_frame(&line.text).map(|place| Lead::of(&line.text[..place.at])));
    lead.is_some_and(|lead| lead.is_plain())
}

/// The width at which the name at the end of a frame was broken: the next line has only its rest,
/// and the source line follows.
fn broken_name(lines: &[Line<'_>]) -> Option<usize> {
    let [frame, name, source] = lines else { return None };
    let place = find_frame(&frame.text).filter(|place| place.is_certain)?;
    let is_name = !name.text.is_empty() && ident_end(&name.text) == name.text.len();
    let is_source = indent(&source.text) > indent(&frame.text[..place.at])
        && !begins_something(&source.text)
        && Lead::of(&frame.text[..place.at]).is_plain();
    (is_name && is_source && place.function != Some("")).then(|| width(&frame.text))
}

/// The width at which the frame in the first of two lines was broken, and whether that was within
/// a word; `None` when the second is not its rest.
fn broken_frame(pair: &[Line<'_>]) -> Option<(usize, bool)> {
    let [first, second] = pair else { return None };
    let at = partial_frame(&first.text)?;
    let whole = |joint: &str| format!("{}{joint}{}", &first.text[at..], second.text.trim_start());
    let (joined, spaced) = (whole(""), whole(" "));
    let in_word =
        match (file_frame(&joined, 0).filter(has_name), file_frame(&spaced, 0).filter(has_name)) {
            (Some(joined), Some(spaced)) => joined.path != spaced.path || first.text.ends_with('<'),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return None,
        };
    // A line broken by a terminal continues without an indent.
    let in_word = in_word && !second.text.starts_with("  ");
    Some((width(&first.text), in_word))
}

fn begins_something(text: &str) -> bool {
    find_frame(text).is_some()
        || header(text).is_some()
        || link(text).is_some()
        || border(text).is_some()
        || exception_line(text).is_some_and(|exception| exception.is_certain)
}

fn join_hard(lines: Vec<Line<'_>>, at_width: usize) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = Vec::with_capacity(lines.len());
    let mut pieces = 0;
    for line in lines {
        let is_full = width(&line.text) == at_width;
        match all.last_mut() {
            Some(last) if pieces > 0 && !line.begins => {
                last.text.to_mut().push_str(&line.text);
                pieces = if is_full && pieces < MAX_PIECES { pieces + 1 } else { 0 };
            }
            _ => {
                pieces = usize::from(is_full);
                all.push(line);
            }
        }
    }
    all
}

/// The start of a frame in `text` that may continue on the next line.
fn partial_frame(text: &str) -> Option<usize> {
    let at = files(text).last()?;
    let tail = text[at + "File".len()..].trim();
    let is_whole = file_frame(text, at).is_some_and(|frame| has_name(&frame));
    (!is_whole && (tail.is_empty() || tail.starts_with(['"', '\'', '“']))).then_some(at)
}

/// Whether the frame has the complete name of its function.
fn has_name(frame: &FramePlace<'_>) -> bool {
    frame.function.is_some_and(|function| {
        !function.is_empty() && (!function.starts_with('<') || function.contains('>'))
    })
}

/// Joins the pieces of frames. Also returns the width at which they were broken between words, if
/// any.
fn join_frames(lines: Vec<Line<'_>>) -> (Vec<Line<'_>>, Option<usize>) {
    let mut all: Vec<Line<'_>> = Vec::with_capacity(lines.len());
    let mut broken_at = None;
    let mut at = 0;
    while at < lines.len() {
        let line = &lines[at];
        let joined = partial_frame(&line.text).and_then(|start| join_frame(&lines[at..], start));
        match joined {
            Some((text, used)) => {
                broken_at = broken_at.max(Some(width(&line.text)));
                all.push(Line { number: line.number, text: text.into(), begins: line.begins });
                at += used;
            }
            None => {
                all.push(line.clone());
                at += 1;
            }
        }
    }
    (all, broken_at)
}

/// The frame that begins at `start` in the first of `lines`, and the number of lines it spans.
fn join_frame(lines: &[Line<'_>], start: usize) -> Option<(String, usize)> {
    let first = &*lines.first()?.text;
    let lead = Lead::of(&first[..start]);
    let mut text = first.trim_end().to_owned();
    for (at, next) in lines.iter().enumerate().take(MAX_PIECES).skip(1) {
        if next.begins || next.text.trim().is_empty() || header(&next.text).is_some() {
            return None;
        }
        let piece = lead.strip(&next.text).unwrap_or(&next.text).trim();
        // Some viewers mark the lines they broke.
        let piece = piece.strip_prefix('+').unwrap_or(piece);
        if files(piece).next() == Some(0) {
            return None;
        }
        let frame = file_frame(&text, start);
        if let Some(frame) = frame {
            // A place without a function, or one whose function is on the next line.
            let goes_on = match frame.function {
                None => {
                    text.ends_with(',') || piece.starts_with("in ") || piece.starts_with(", in ")
                }
                Some(function) if function.starts_with('<') => true,
                Some(_) => {
                    let after = lines.get(at + 1).map(|after| &*after.text);
                    is_name(piece, &next.text, after.unwrap_or_default())
                }
            };
            if !goes_on {
                return None;
            }
        }
        let spaced = format!("{text} {piece}");
        let joined = format!("{text}{piece}");
        let in_word = text.ends_with(|c: char| c.is_alphanumeric() || "/\\-_.<".contains(c))
            && !["File", "line", "in"].iter().any(|word| text.ends_with(&format!(" {word}")));
        let (likelier, other) = if in_word { (joined, spaced) } else { (spaced, joined) };
        for text in [&likelier, &other] {
            if file_frame(text, start).is_some_and(|frame| has_name(&frame)) {
                return Some((text.clone(), at + 1));
            }
        }
        text = likelier;
    }
    None
}

/// Whether `piece`, in `line`, is a function name that was broken off after `in`, rather than the
/// source line of a frame whose name was lost.
fn is_name(piece: &str, line: &str, after: &str) -> bool {
    let (name, rest) = piece.split_at(ident_end(piece));
    if rest.is_empty() {
        return indent(after) > indent(line) || begins_something(after);
    }
    let is_keyword = KEYWORDS.contains(&name);
    let source = rest.strip_prefix(' ');
    source.is_some_and(|source| {
        !is_keyword && (name.starts_with('<') || source.starts_with(char::is_alphabetic))
    })
}

/// Keywords that begin a source line and are followed by another word.
const KEYWORDS: [&str; 22] = [
    "assert", "async", "await", "class", "def", "del", "elif", "except", "exec", "for", "from",
    "global", "if", "import", "lambda", "nonlocal", "not", "print", "raise", "return", "while",
    "with",
];

/// Joins source lines and messages that were broken between words at about `broken_at`.
fn join_texts(lines: Vec<Line<'_>>, broken_at: usize, is_guess: bool) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = Vec::with_capacity(lines.len());
    let mut lead: Option<Lead> = None;
    let mut frame_indent = 0;
    // Set below a frame, until a line that does not belong to it.
    let mut last_width = None;
    for line in lines {
        if let Some(frame) = find_frame(&line.text) {
            frame_indent = indent(&line.text[..frame.at]);
            lead = Some(Lead::of(&line.text[..frame.at]));
            last_width = None;
            all.push(line);
            continue;
        }
        let Some(lead) = &lead else {
            all.push(line);
            continue;
        };
        let rest = lead.strip(&line.text).unwrap_or(&line.text);
        let piece = rest.trim();
        let first_word = piece.split(' ').next().unwrap_or_default();
        let is_rest = last_width.is_some_and(|last| last + 1 + width(first_word) > broken_at)
            && indent(rest) <= frame_indent
            && piece.contains(char::is_alphanumeric)
            && !line.begins
            && (!is_guess || lead.is_plain())
            && !is_of_log(piece)
            && !is_repeat(piece)
            && !is_snip(piece)
            && !begins_something(piece);
        let this_width = width(&line.text);
        match all.last_mut() {
            Some(last) if is_rest => {
                let text = last.text.to_mut();
                text.truncate(text.trim_end().len());
                text.push(' ');
                text.push_str(piece);
                last_width = Some(this_width);
            }
            _ => {
                let is_text = indent(rest) > frame_indent || exception_line(rest).is_some();
                // A page ends a shortened line with `…`.
                let may_go_on = is_text && !piece.is_empty() && !piece.ends_with('…');
                last_width = may_go_on.then_some(this_width);
                all.push(line);
            }
        }
    }
    all
}
