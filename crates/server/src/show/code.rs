//! The source around a line, with the values of the variables that it names beside it.
use std::collections::BTreeSet;

use flawless_core::{CommitId, Frame, QuotedText};
use flawless_git::{Mirror, source_text};

use super::report::{ShownFrame, ShownValue, SourceLine};

/// Lines before and after the failing one that are read where the client sent none.
const AROUND: usize = 4;

/// A line of source, and the variables that are named in it and on no line nearer to the failing
/// one.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeLine {
    /// The line.
    pub source: SourceLine,
    /// The variables.
    pub values: Vec<ShownValue>,
}

/// Fills in the lines around `frame`, whose file is `path` at `revision`, from the repository
/// when the client sent none. Only where the line reads as reported, or the client sent no text of
/// it either.
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

/// The lines of `frame` with the values beside them.
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

/// The names in a line of source. What follows a dot is an attribute and no variable.
fn names_in(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let end = rest[start..].find(|c| !is_name(c)).map_or(rest.len(), |length| start + length);
        if !rest[..start].ends_with('.') {
            names.insert(&rest[start..end]);
        }
        // The mark before the next name has to be seen.
        rest = &rest[end..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_stands_beside_the_line_nearest_to_the_failing_one_that_names_it() {
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
    fn without_lines_around_the_line_itself_is_shown() {
        let frame = ShownFrame { line: 5, text: "boom()".into(), ..ShownFrame::default() };
        let lines = code_lines(frame);
        assert_eq!(lines[0].source, SourceLine { number: 5, text: "boom()".into(), is_own: true });
        assert_eq!(code_lines(ShownFrame::default()), []);
    }
}
