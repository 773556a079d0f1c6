//! The source around a line, with the values of the variables that the lines name.
use std::collections::BTreeSet;

use flawless_core::{CommitId, Frame, QuotedText};
use flawless_git::{Mirror, source_text};

use super::frame::{ShownFrame, ShownValue, SourceLine};

/// Lines before and after the failing one that are read where the client sent none.
const AROUND: usize = 4;

/// A source line with the variables that it names, unless a line nearer to the failing one names
/// them too.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeLine {
    /// The source line.
    pub source: SourceLine,
    /// The variables shown with it.
    pub values: Vec<ShownValue>,
}

/// Fills in the lines around `frame` from the repository, where its file is `path` at `revision`.
/// Does nothing when the client sent lines, or when the line's text differs from the reported one.
pub async fn read_around(mirror: &Mirror, revision: &CommitId, path: &str, frame: &mut Frame) {
    if !frame.before.is_empty() || !frame.after.is_empty() || frame.line == 0 {
        return;
    }
    let Ok(Some(content)) = mirror.file(revision, path).await else { return };
    let content = source_text(&content);
    let at = frame.line as usize - 1;
    let lines: Vec<&str> = content.lines().skip(at.saturating_sub(AROUND)).take(9).collect();
    let own = at.min(AROUND);
    let Some(line) = lines.get(own) else { return };
    let wanted = QuotedText::of(&frame.text);
    if wanted.is_blank() {
        frame.text = (*line).to_owned();
    } else if !wanted.reads(line) {
        return;
    }
    let texts = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    frame.before = texts(&lines[..own]);
    frame.after = texts(&lines[own + 1..]);
}

/// The lines of `frame` with their values.
pub fn code_lines(frame: ShownFrame) -> Vec<CodeLine> {
    let mut source = frame.source;
    if source.is_empty() && !frame.text.is_empty() {
        source.push(SourceLine { number: frame.line, text: frame.text, is_own: true });
    }
    let locals = frame.locals.unwrap_or_default();
    let own = source.iter().position(|line| line.is_own).unwrap_or_default();
    let mut lines: Vec<CodeLine> =
        source.into_iter().map(|source| CodeLine { source, values: Vec::new() }).collect();
    let mut nearest_first: Vec<usize> = (0..lines.len()).collect();
    nearest_first.sort_by_key(|at| at.abs_diff(own));
    let mut shown = BTreeSet::new();
    for at in nearest_first {
        let named = names_in(&lines[at].source.text);
        let values = locals.iter().filter(|local| named.contains(local.name.as_str()));
        let values: Vec<ShownValue> =
            values.filter(|local| shown.insert(local.name.clone())).cloned().collect();
        lines[at].values = values;
    }
    lines
}

/// The names in a source line, except those after a dot, which are attributes.
fn names_in(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let end = rest[start..].find(|c| !is_name(c)).map_or(rest.len(), |length| start + length);
        if !rest[..start].ends_with('.') {
            names.insert(&rest[start..end]);
        }
        // The character before the next name must stay visible, because it may be a dot.
        rest = &rest[end..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_is_shown_at_the_nearest_line_that_names_it() {
        let line = |number, text: &str, is_own| SourceLine { number, text: text.into(), is_own };
        let local = |name: &str| ShownValue {
            name: name.into(),
            value: format!("<{name}>"),
            is_cut: false,
        };
        let frame = ShownFrame {
            source: vec![
                line(3, "def total(prices, tax):", false),
                line(4, "    total = sum(prices) * tax", false),
                line(5, "    return total / len(prices.all)", true),
                line(6, "    tax = 3", false),
            ],
            locals: Some(["all", "prices", "tax", "total", "other"].map(local).into()),
            ..ShownFrame::default()
        };
        let beside: Vec<Vec<String>> = code_lines(frame)
            .into_iter()
            .map(|line| line.values.into_iter().map(|value| value.name).collect())
            .collect();
        assert_eq!(beside, [vec![], vec!["tax"], vec!["prices", "total"], vec![]]);
    }

    #[test]
    fn line_itself_is_shown_without_surrounding_lines() {
        let frame = ShownFrame { line: 5, text: "boom()".into(), ..ShownFrame::default() };
        let lines = code_lines(frame);
        assert_eq!(lines[0].source, SourceLine { number: 5, text: "boom()".into(), is_own: true });
        assert_eq!(code_lines(ShownFrame::default()), []);
    }
}
