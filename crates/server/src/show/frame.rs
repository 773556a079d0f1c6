//! A frame ready to be shown: its place, its variables, and the lines around it.
use flawless_base::text::{cut, one_line};
use flawless_core::{Frame, ResolvedFrame};
use serde::Serialize;
use utoipa::ToSchema;

use super::RenderLimits;

/// Longest path or function name, in characters.
pub(super) const NAME: usize = 300;

/// A frame ready to be shown.
#[derive(Debug, Default, Clone, Serialize, ToSchema)]
pub struct ShownFrame {
    /// Path as deployed.
    pub path: String,
    /// Line number.
    pub line: u32,
    /// The place in the generated file that the frame was mapped from, `PATH:LINE:COLUMN`; empty for
    /// a frame as the client sent it.
    pub generated_at: String,
    /// Function.
    pub function: String,
    /// Source line without its indent.
    pub text: String,
    /// The frame's line and the lines around it, with relative indent; empty when the client sent
    /// none.
    pub source: Vec<SourceLine>,
    /// Why the frame may be blamed or not, in words; empty for frames of the chain.
    pub kind: String,
    /// The frame is the blamed one.
    pub blamed: bool,
    /// The frame is in a file of the project, as far as is known.
    pub own: bool,
    /// Its variables; `None` when they were not captured.
    pub locals: Option<Vec<ShownValue>>,
    /// How many variables are not shown.
    pub locals_left_out: usize,
    /// Index in the traceback, 0 at the outermost frame.
    pub at: usize,
    /// How many frames are not shown here; if not 0, the other fields are empty.
    pub left_out: usize,
}

/// A variable ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownValue {
    /// Its name.
    pub name: String,
    /// As the client printed it, shortened to the render limits.
    pub value: String,
    /// The value is shortened.
    pub is_cut: bool,
}

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SourceLine {
    /// Its number.
    pub number: u32,
    /// Its text.
    pub text: String,
    /// The line is the frame's own, not one around it.
    pub is_own: bool,
}

/// A frame within the limits; `resolved` says whether it may be blamed.
pub fn shown_frame(
    frame: &Frame,
    resolved: Option<&ResolvedFrame>,
    limits: RenderLimits,
) -> ShownFrame {
    let shown = |(name, value): (&String, &String)| ShownValue {
        name: one_line(name, 200),
        value: cut(value, limits.value),
        is_cut: value.ends_with('…') || value.chars().nth(limits.value).is_some(),
    };
    let locals = frame.locals.as_ref();
    ShownFrame {
        path: one_line(&frame.path, NAME),
        line: frame.line,
        generated_at: one_line(&frame.generated_at, NAME),
        function: one_line(&frame.function, NAME),
        text: cut(frame.text.trim(), limits.value.max(200)),
        source: source_of(frame, limits),
        kind: resolved.map(|resolved| resolved.kind.to_string()).unwrap_or_default(),
        blamed: false,
        own: resolved.is_none_or(|resolved| resolved.kind.is_own()),
        locals: locals.map(|locals| locals.iter().take(limits.locals).map(shown).collect()),
        locals_left_out: locals.map_or(0, |locals| locals.len().saturating_sub(limits.locals)),
        at: 0,
        left_out: 0,
    }
}

pub(super) fn without_middle(
    mut frames: Vec<ShownFrame>,
    (outermost, innermost): (usize, usize),
) -> Vec<ShownFrame> {
    if frames.len() > outermost + innermost + 1 {
        let until = frames.len() - innermost;
        let cut = ShownFrame { left_out: until - outermost, ..ShownFrame::default() };
        frames.splice(outermost..until, [cut]);
    }
    frames
}

/// The frame's line and the lines around it, without the indent that they share.
fn source_of(frame: &Frame, limits: RenderLimits) -> Vec<SourceLine> {
    if frame.before.is_empty() && frame.after.is_empty() {
        return Vec::new();
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_text = |line: &&str| !line.trim().is_empty();
    // Clients send the line itself without indent. Most likely it has that of the line before it,
    // or a deeper one where that line opens a block.
    let mut own = frame.text.trim_end().to_owned();
    let nearest = frame.before.iter().rev().map(String::as_str).find(is_text);
    if let Some(nearest) = nearest.filter(|_| indent(&own) == 0) {
        let deeper = if nearest.trim_end().ends_with(':') { "    " } else { "" };
        own = format!("{}{deeper}{own}", &nearest[..indent(nearest)]);
    }
    let first = frame.line.saturating_sub(u32::try_from(frame.before.len()).unwrap_or(u32::MAX));
    let before = frame.before.iter().map(|line| (line.as_str(), false));
    let after = frame.after.iter().map(|line| (line.as_str(), false));
    let lines: Vec<(&str, bool)> = before.chain([(own.as_str(), true)]).chain(after).collect();
    let texts = lines.iter().map(|(line, _)| *line).filter(is_text);
    let shared = texts.map(indent).min().unwrap_or(0);
    let source = lines.into_iter().zip(first..).map(|((line, is_own), number)| SourceLine {
        number,
        text: cut(
            line.get(shared..).unwrap_or(line.trim_start()).trim_end(),
            limits.value.clamp(60, 500),
        ),
        is_own,
    });
    source.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrounding_lines_keep_their_relative_indent() {
        let texts = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let frame = Frame {
            line: 12,
            text: "return  x".into(),
            before: texts(&["    def f(self):\n", "\n", "        if x:\n"]),
            after: texts(&["    def g(self):\n", "é\u{202e}"]),
            ..Frame::default()
        };
        let read = |frame: &Frame| -> Vec<(u32, String)> {
            source_of(frame, RenderLimits::PAGE)
                .into_iter()
                .map(|line| (line.number, line.text))
                .collect()
        };
        let line = |number, text: &str| (number, text.to_owned());
        let expected = [
            line(9, "    def f(self):"),
            line(10, ""),
            line(11, "        if x:"),
            line(12, "            return  x"),
            line(13, "    def g(self):"),
            line(14, "é\u{fffd}"),
        ];
        assert_eq!(read(&frame), expected);
        let shorter = Frame { after: Vec::new(), ..frame.clone() };
        assert_eq!(read(&shorter)[3], line(12, "        return  x"), "the shared indent goes");
        assert_eq!(read(&Frame { before: Vec::new(), after: Vec::new(), ..frame }), []);
        let odd = Frame { line: 0, before: texts(&["\u{3000}x", "  y"]), ..Frame::default() };
        assert_eq!(
            source_of(&odd, RenderLimits::PAGE).len(),
            3,
            "a cut within a character does not panic"
        );
    }
}
