//! The lines of a block without their prefixes, each classified by itself.
use super::containers::Line;
use super::exception::exception_line;
use super::frame::{FramePlace, find_frame};
use super::margin::Lead;
use super::words::{Border, Header, border, header, indent, link};
use super::{TextFrame, TextRelation};

/// A line of a block.
#[derive(Debug)]
pub(super) struct Row {
    /// The line of the input that contains it.
    pub(super) number: u32,
    /// Its text without the prefix of the frames around it.
    pub(super) text: String,
    pub(super) indent: usize,
    /// It begins a message of its own.
    pub(super) begins: bool,
    /// Its prefix differs from that of the frames around it.
    pub(super) is_foreign: bool,
    pub(super) kind: RowKind,
}

/// The kind of a line.
#[derive(Debug)]
pub(super) enum RowKind {
    Header(Header),
    Frame(RowFrame),
    Link { relation: TextRelation, said: Option<String> },
    Border(Border),
    Other,
}

/// A frame, and the parts it lacks.
#[derive(Debug)]
pub(super) struct RowFrame {
    pub(super) frame: TextFrame,
    pub(super) has_line: bool,
    pub(super) has_function: bool,
    pub(super) is_certain: bool,
}

/// How far around a line its prefix is searched for.
const REACH: usize = 60;

pub(super) fn rows(lines: &[Line<'_>]) -> Vec<Row> {
    let places: Vec<Option<FramePlace<'_>>> = places(lines);
    let leads: Vec<Option<Lead>> = (0..lines.len())
        .map(|at| {
            let lead = Lead::of(&lines[at].text[..places[at]?.at]);
            let is_shared = lead.is_marks() || is_shared(&lead, &lines[at + 1..]);
            Some(if is_shared { lead } else { Lead::default() })
        })
        .collect();
    let next = next_leads(&leads);
    let mut before: [Option<(usize, &Lead)>; 2] = [None, None];
    let mut rows = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        if let (Some(place), Some(lead)) = (&places[at], &leads[at]) {
            rows.push(frame_row(line, place, lead));
            if before[0].is_none_or(|(_, known)| known != lead) {
                before[1] = before[0];
            }
            before[0] = Some((at, lead));
            continue;
        }
        let near = before.iter().flatten().filter(|(known, _)| at - known < REACH);
        let ahead = next[at].filter(|ahead| ahead - at < REACH).and_then(|at| leads[at].as_ref());
        let leads: Vec<&Lead> = near.map(|(_, lead)| *lead).chain(ahead).collect();
        rows.push(other_row(line, &leads));
    }
    rows
}

/// Whether the lines below have the lead too. If not, it belongs only to the frame's line, like the
/// prefix of a multi-line message.
fn is_shared(lead: &Lead, below: &[Line<'_>]) -> bool {
    let mut below = below.iter().filter(|line| !line.text.trim().is_empty()).take(4).peekable();
    below.peek().is_none() || below.any(|line| lead.strip_margin(&line.text).is_some())
}

/// The frame of each line. A message may quote one, as in `LookupError: not in File "a", line 3`.
fn places<'a>(lines: &'a [Line<'_>]) -> Vec<Option<FramePlace<'a>>> {
    let place = |line: &'a Line<'_>| {
        let place = find_frame(&line.text)?;
        let before = &line.text[..place.at];
        let is_quoted = exception_line(before).is_some_and(|exception| {
            exception.is_certain
                && (!exception.message.is_empty() || before.trim_end().ends_with(':'))
        });
        // So may a source line.
        let in_quotes = before.ends_with(['\'', '"', '`', '(']);
        let is_quoted = is_quoted || (in_quotes && before.contains(char::is_alphanumeric));
        // Django's page repeats where it happened.
        let is_repeated = before.trim_end().ends_with("Exception Location:");
        (!is_quoted && !is_repeated).then_some(place)
    };
    lines.iter().map(place).collect()
}

/// For each line the next one that has a lead.
fn next_leads(leads: &[Option<Lead>]) -> Vec<Option<usize>> {
    let mut next = vec![None; leads.len()];
    let mut found = None;
    for at in (0..leads.len()).rev() {
        next[at] = found;
        if leads[at].is_some() {
            found = Some(at);
        }
    }
    next
}

fn frame_row(line: &Line<'_>, place: &FramePlace<'_>, lead: &Lead) -> Row {
    let before = &line.text[..place.at];
    let frame = TextFrame {
        path: place.path.trim().to_owned(),
        line: place.line.unwrap_or(0),
        function: without_right_border(place.function.unwrap_or_default()).trim().to_owned(),
        text: without_right_border(place.rest).trim().to_owned(),
        ..TextFrame::default()
    };
    Row {
        number: line.number,
        text: line.text[place.at..].to_owned(),
        indent: indent(lead.strip(before).unwrap_or(before)),
        begins: line.begins,
        is_foreign: false,
        kind: RowKind::Frame(RowFrame {
            has_line: place.line.is_some(),
            has_function: place.function.is_some(),
            is_certain: place.is_certain,
            frame,
        }),
    }
}

fn other_row(line: &Line<'_>, leads: &[&Lead]) -> Row {
    let text = without_right_border(&line.text);
    let kind = if let Some(header) = header(text) {
        RowKind::Header(header)
    } else if let Some(link) = link(text) {
        RowKind::Link { relation: link.relation, said: link.said.map(str::to_owned) }
    } else if let Some(border) = leads
        .iter()
        .filter(|lead| !lead.is_marks())
        .find_map(|lead| lead.strip_margin(text))
        .map_or_else(|| border(text), border)
    {
        RowKind::Border(border)
    } else {
        RowKind::Other
    };
    let stripped = leads.iter().filter(|lead| !lead.is_plain()).find_map(|lead| lead.strip(text));
    // Some lines may lack the marks: loguru's `>` and the bars of a group.
    let may_be_bare = leads.is_empty() || leads.iter().any(|lead| lead.is_marks());
    let rest = stripped.or(may_be_bare.then_some(text));
    let text = rest.unwrap_or(text);
    let kind = match kind {
        RowKind::Header(_) => header(text).map_or(kind, RowKind::Header),
        kind => kind,
    };
    Row {
        number: line.number,
        text: text.to_owned(),
        indent: indent(text),
        begins: line.begins,
        is_foreign: rest.is_none() && !text.trim().is_empty(),
        kind,
    }
}

/// `text` without the right border of the box around it.
fn without_right_border(text: &str) -> &str {
    let trimmed = text.trim_end();
    match trimmed.strip_suffix(['│', '┃', '║', '├', '┤', '╮', '╯']) {
        Some(inner) => inner.trim_end(),
        None => match trimmed.strip_suffix("  |") {
            Some(inner) => inner.trim_end(),
            None => text,
        },
    }
}
