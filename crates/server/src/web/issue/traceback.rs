//! A sample as an issue's page shows it: its frames, the exceptions that led to it, and the plain
//! text that Python prints for them.
use std::fmt::Write;

use flawless_base::plural::counted;
use flawless_base::text::{cut, one_line};
use flawless_core::{Relation, is_foreign_folder};
use flawless_store::Sample;

use crate::show::RenderLimits;
use crate::show::code::{CodeLine, code_lines};
use crate::show::frame::{ShownFrame, ShownValue};
use crate::show::report::{ShownReport, ShownRequest};
use crate::show::work::ShownWork;

/// Characters of a value that is shown next to the code.
const BESIDE: usize = 120;
/// Values with more characters than this are collapsed.
const LONG: usize = 400;
/// Characters of a message in the plain text.
const PLAIN_TEXT: usize = 2_000;

/// A sample ready to be shown.
pub(crate) struct Traceback {
    pub(crate) exceptions: Vec<ExceptionPart>,
    /// How many exceptions of the chain are left out.
    pub(crate) left_out: usize,
    pub(crate) plain: String,
    pub(crate) hostname: String,
    pub(crate) environment: String,
    pub(crate) additional_info: String,
    pub(crate) request: Option<ShownRequest>,
    pub(crate) work: ShownWork,
}

/// An exception with its frames.
pub(crate) struct ExceptionPart {
    /// How it relates to the exception before it; empty for the reported one.
    pub(crate) heading: String,
    pub(crate) exception_type: String,
    pub(crate) message: String,
    pub(crate) notes: Vec<String>,
    pub(crate) parts: Vec<Part>,
}

/// A run of frames that are shown together.
pub(crate) struct Part {
    pub(crate) frames: Vec<FramePart>,
    /// The frames belong to other packages and are collapsed.
    pub(crate) is_foreign: bool,
    pub(crate) is_open: bool,
    /// How many frames are left out here.
    pub(crate) left_out: usize,
}

pub(crate) struct FramePart {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) generated_at: String,
    pub(crate) function: String,
    pub(crate) text: String,
    pub(crate) kind: String,
    pub(crate) blamed: bool,
    /// The line on the repository's web page.
    pub(crate) url: Option<String>,
    /// The line with its neighbours; empty when the source is not known.
    pub(crate) code: Vec<CodeLine>,
    pub(crate) locals: Option<Vec<LocalPart>>,
    pub(crate) locals_left_out: usize,
}

pub(crate) struct LocalPart {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The start of a long value, and its length in characters.
    pub(crate) long: Option<(String, usize)>,
}

impl Traceback {
    /// Prepares a sample; `url` maps a path in the repository and a line to a web page.
    pub(crate) fn of(sample: &Sample, url: impl Fn(&str, u32) -> Option<String>) -> Self {
        let mut report = ShownReport::of(sample, RenderLimits::PAGE);
        let plain = plain_text(sample, &report);
        let traceback = &sample.report.traceback;
        let own_path = |at: usize| {
            let resolved = sample.frames.get(at).filter(|resolved| resolved.kind.is_own());
            resolved.and_then(|resolved| resolved.path())
        };
        let main = |frame: ShownFrame| {
            let url = own_path(frame.at).and_then(|path| url(path, frame.line));
            frame_part(frame, url)
        };
        let frames = std::mem::take(&mut report.frames);
        let mut exceptions = vec![ExceptionPart {
            heading: String::new(),
            exception_type: report.exception_type,
            message: report.exception_message,
            notes: report.notes,
            parts: parts(frames, main),
        }];
        // Chained frames are not classified: files that the main traceback has too are known.
        let known = |path: &str| {
            let known = traceback.iter().position(|frame| frame.path == path);
            known.map(|at| (own_path(at), sample.frames.get(at).is_some_and(|c| c.kind.is_own())))
        };
        for exception in report.chain {
            let mut frames = exception.frames;
            for frame in &mut frames {
                frame.own = known(&frame.path)
                    .map_or_else(|| !is_foreign_folder(&frame.path), |(_, is_own)| is_own);
            }
            let chained = |frame: ShownFrame| {
                let path = known(&frame.path).and_then(|(path, _)| path);
                let url = path.and_then(|path| url(path, frame.line));
                frame_part(frame, url)
            };
            exceptions.push(ExceptionPart {
                heading: exception.heading,
                exception_type: exception.exception_type,
                message: exception.exception_message,
                notes: exception.notes,
                parts: parts(frames, chained),
            });
        }
        Self {
            exceptions,
            left_out: report.chain_left_out,
            plain,
            hostname: report.hostname,
            environment: report.environment,
            additional_info: report.additional_info,
            request: report.request,
            work: report.work,
        }
    }
}

/// Groups consecutive frames of other packages.
fn parts(frames: Vec<ShownFrame>, part: impl Fn(ShownFrame) -> FramePart) -> Vec<Part> {
    let is_any_own = frames.iter().any(|frame| frame.own && frame.left_out == 0);
    let mut parts: Vec<Part> = Vec::new();
    for frame in frames {
        let (left_out, is_foreign) = (frame.left_out, !frame.own && !frame.blamed);
        if left_out > 0 {
            parts.push(Part { frames: Vec::new(), is_foreign: false, is_open: false, left_out });
            continue;
        }
        match parts.last_mut() {
            Some(last) if last.left_out == 0 && last.is_foreign == is_foreign => {
                last.frames.push(part(frame));
            }
            _ => parts.push(Part {
                frames: vec![part(frame)],
                is_foreign,
                is_open: !is_any_own,
                left_out: 0,
            }),
        }
    }
    parts
}

fn frame_part(frame: ShownFrame, url: Option<String>) -> FramePart {
    let local = |local: &ShownValue| {
        let length = local.value.chars().count();
        let start = || local.value.chars().take(BESIDE).collect::<String>();
        LocalPart {
            name: local.name.clone(),
            long: (length > LONG).then(|| (start(), length)),
            value: local.value.clone(),
        }
    };
    let locals = frame.locals.as_ref().map(|locals| locals.iter().map(local).collect());
    let mut part = FramePart {
        path: frame.path.clone(),
        generated_at: frame.generated_at.clone(),
        line: frame.line,
        function: frame.function.clone(),
        text: frame.text.clone(),
        kind: frame.kind.clone(),
        blamed: frame.blamed,
        url,
        code: Vec::new(),
        locals,
        locals_left_out: frame.locals_left_out,
    };
    if !frame.source.is_empty() {
        part.code = code_lines(frame);
        let values = part.code.iter_mut().flat_map(|line| &mut line.values);
        values.for_each(|value| value.value = cut(&value.value, BESIDE));
    }
    part
}

/// The exception in one line: without the module of its type, and without the type when the
/// message starts with it.
pub(crate) fn exception_in_a_line(exception_type: &str, message: &str) -> String {
    let name = exception_type.rsplit('.').next().unwrap_or_default();
    match (name, message) {
        ("", "") => "an error without a name".to_owned(),
        (_, "") => name.to_owned(),
        ("", _) => message.to_owned(),
        _ if message.starts_with(name) => message.to_owned(),
        _ => format!("{name}: {message}"),
    }
}

/// The text as Python prints it: causes come first if the chain is a plain sequence.
fn plain_text(sample: &Sample, report: &ShownReport) -> String {
    let chain = &sample.report.chain;
    let is_line = report.chain_left_out == 0
        && chain.iter().enumerate().all(|(at, exception)| {
            exception.relation != Relation::Member && exception.parent == at.checked_sub(1)
        });
    let main = plain_exception(
        &report.frames,
        &report.exception_type,
        &report.exception_message,
        &report.notes,
    );
    let chained = report.chain.iter().map(|shown| {
        let (frames, notes) = (&shown.frames, &shown.notes);
        plain_exception(frames, &shown.exception_type, &shown.exception_message, notes)
    });
    let mut text = String::new();
    if is_line {
        let causes: Vec<String> = chained.collect();
        for (cause, exception) in causes.iter().zip(chain).rev() {
            let leads_to = match exception.relation {
                Relation::Cause => {
                    "The above exception was the direct cause of the following exception:"
                }
                _ => "During handling of the above exception, another exception occurred:",
            };
            let _ = write!(text, "{cause}\n{leads_to}\n\n");
        }
        return text + &main;
    }
    text += &main;
    for (exception, heading) in chained.zip(report.chain.iter().map(|shown| &shown.heading)) {
        let _ = write!(text, "\n{heading}:\n\n{exception}");
    }
    text
}

fn plain_exception(
    frames: &[ShownFrame],
    exception_type: &str,
    message: &str,
    notes: &[String],
) -> String {
    let mut text = String::new();
    if !frames.is_empty() {
        text += "Traceback (most recent call last):\n";
    }
    for frame in frames {
        let ShownFrame { path, line, function, left_out, .. } = frame;
        let _ = match left_out {
            0 if function.is_empty() => writeln!(text, "  File \"{path}\", line {line}"),
            0 => writeln!(text, "  File \"{path}\", line {line}, in {function}"),
            left_out => writeln!(text, "  [{} left out]", counted(left_out, "frame", "frames")),
        };
        if !frame.text.is_empty() {
            let _ = writeln!(text, "    {}", one_line(&frame.text, 500));
        }
    }
    text += &cut(&exception_in_a_line(exception_type, message), PLAIN_TEXT);
    text.push('\n');
    for note in notes.iter().take(10) {
        text += &cut(note, PLAIN_TEXT);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use flawless_core::{
        ChainedException, Frame, FrameKind, FramePath, PathRule, Report, ResolvedFrame,
    };

    use super::*;

    fn sample(kinds: &[FrameKind], chain: Vec<ChainedException>) -> Sample {
        let frame = |at: usize| Frame {
            path: format!("/srv/{at}.py"),
            line: 7,
            function: "f".into(),
            text: "x()".into(),
            ..Frame::default()
        };
        let resolved = |(at, kind): (usize, &FrameKind)| ResolvedFrame {
            file: Some(FramePath {
                path: format!("{at}.py"),
                rule: PathRule::WholePath,
                wraps: None,
            }),
            kind: *kind,
        };
        Sample {
            report: Report {
                traceback: (0..kinds.len()).map(frame).collect(),
                exception_type: "shop.Broken".into(),
                exception_message: "no money".into(),
                chain,
                ..Report::default()
            },
            frames: kinds.iter().enumerate().map(resolved).collect(),
            blamed_frame: None,
        }
    }

    #[test]
    fn foreign_frames_are_folded_unless_there_are_no_others() {
        let url = |path: &str, line: u32| Some(format!("{path}#{line}"));
        let (own, foreign) = (FrameKind::Candidate, FrameKind::Foreign);
        let shown = Traceback::of(&sample(&[foreign, foreign, own, foreign], vec![]), url);
        let parts = &shown.exceptions[0].parts;
        let sizes: Vec<(usize, bool, bool)> =
            parts.iter().map(|p| (p.frames.len(), p.is_foreign, p.is_open)).collect();
        assert_eq!(sizes, [(2, true, false), (1, false, false), (1, true, false)]);
        assert_eq!(parts[1].frames[0].url.as_deref(), Some("2.py#7"));
        assert_eq!(parts[0].frames[0].url, None, "only files of the project have a page");
        let shown = Traceback::of(&sample(&[foreign, foreign], vec![]), url);
        assert!(shown.exceptions[0].parts[0].is_open);
    }

    #[test]
    fn plain_text_reads_as_python_prints_it() {
        let cause = ChainedException {
            exception_type: "builtins.KeyError".into(),
            exception_message: "KeyError('price')".into(),
            relation: Relation::Cause,
            ..ChainedException::default()
        };
        let sample = sample(&[FrameKind::Candidate], vec![cause]);
        let shown = Traceback::of(&sample, |_, _| None);
        let expected = "KeyError('price')\n\n\
            The above exception was the direct cause of the following exception:\n\n\
            Traceback (most recent call last):\n  File \"/srv/0.py\", line 7, in f\n    x()\n\
            Broken: no money\n";
        assert_eq!(shown.plain, expected);
    }

    #[test]
    fn long_value_is_folded_with_its_size() {
        let value = |value: String| ShownValue { name: "v".into(), value, is_cut: false };
        let locals = vec![value("x".repeat(500)), value("[1]".into())];
        let frame = ShownFrame { locals: Some(locals), ..ShownFrame::default() };
        let locals = frame_part(frame, None).locals.expect("locals");
        assert_eq!(
            locals[0].long.as_ref().map(|(start, all)| (start.len(), *all)),
            Some((120, 500))
        );
        assert_eq!(locals[1].long, None);
    }
}
