//! A report ready to be shown, in mails and on pages alike: the traceback, the chained exceptions
//! and the web request.
use flawless_core::{ChainedException, Frame, Relation, Report, WebRequest, is_foreign_folder};
use serde::Serialize;
use utoipa::ToSchema;

use super::frame::{NAME, ShownFrame, shown_frame, without_middle};
pub use super::render_limits::RenderLimits;
use super::work::ShownWork;
use flawless_base::text::{cut, one_line};
use flawless_store::Sample;

/// A report ready to be shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownReport {
    /// Full type path; may be empty.
    pub exception_type: String,
    /// As the client printed it.
    pub exception_message: String,
    /// Type and message, without repeating the type.
    #[serde(skip)]
    pub said: String,
    /// Notes that were added to the exception.
    pub notes: Vec<String>,
    /// The host that the program ran on.
    pub hostname: String,
    /// The environment, e.g. `production`; may be empty.
    pub environment: String,
    /// Free text from the client.
    pub additional_info: String,
    /// Outermost first; a frame with `left_out` stands for those that are not shown.
    pub frames: Vec<ShownFrame>,
    /// The exceptions that led to it, nearest first.
    pub chain: Vec<ShownException>,
    /// How many exceptions of the chain are not shown.
    pub chain_left_out: usize,
    /// The web request that the program was handling.
    pub request: Option<ShownRequest>,
    /// What the program was doing.
    #[serde(flatten)]
    pub work: ShownWork,
}

/// A chained exception ready to be shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownException {
    /// Its relation to the exception that it belongs to, in words.
    pub heading: String,
    /// Full type path; may be empty.
    pub exception_type: String,
    /// As the client printed it.
    pub exception_message: String,
    /// Type and message, without repeating the type.
    #[serde(skip)]
    pub said: String,
    /// Notes that were added to it.
    pub notes: Vec<String>,
    /// Outermost first; a frame with `left_out` stands for those that are not shown.
    pub frames: Vec<ShownFrame>,
}

/// A web request ready to be shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownRequest {
    /// Method, path and protocol.
    pub line: String,
    /// Names and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The start of the body.
    pub body: String,
    /// The address of the client; may be empty.
    pub client_address: String,
}

impl ShownReport {
    /// The report of `sample`, within the limits.
    pub fn of(sample: &Sample, limits: RenderLimits) -> Self {
        let report = &sample.report;
        let shown = |(at, frame): (usize, &Frame)| ShownFrame {
            blamed: sample.blamed_frame == Some(at),
            at,
            ..shown_frame(frame, sample.frames.get(at), limits)
        };
        let frames = report.traceback.iter().enumerate().map(shown).collect();
        let unrelated = unrelated(sample);
        let chain = report.chain.iter().enumerate().filter(|(at, _)| !unrelated[*at]);
        let chain = chain.take(limits.chain);
        Self {
            exception_type: one_line(&report.exception_type, NAME),
            exception_message: cut(&report.exception_message, limits.text),
            said: cut(&said(&report.exception_type, &report.exception_message), limits.text),
            notes: shown_notes(&report.notes, limits),
            hostname: one_line(&report.hostname, NAME),
            environment: one_line(&report.environment, 200),
            additional_info: cut(&report.additional_info, limits.text),
            frames: without_middle(frames, limits.frames),
            chain: chain
                .map(|(at, exception)| shown_exception(report, at, exception, limits))
                .collect(),
            chain_left_out: unrelated
                .iter()
                .filter(|is_unrelated| !**is_unrelated)
                .count()
                .saturating_sub(limits.chain),
            request: report.request.as_ref().map(|request| shown_request(request, limits)),
            work: ShownWork::of(report, limits),
        }
    }

    /// Frames of the project whose variables were captured; if there are none, all frames whose
    /// variables were captured.
    pub fn frames_with_locals(&self) -> impl Iterator<Item = &ShownFrame> {
        let captured = || self.frames.iter().filter(|frame| frame.locals.is_some());
        let any_own = captured().any(|frame| frame.own);
        captured().filter(move |frame| frame.own || !any_own)
    }
}

/// Which exceptions of the chain are unrelated to the reported one: a framework raised and caught
/// them itself, for example while it looked for a route, and called the project's code while it
/// handled them.
fn unrelated(sample: &Sample) -> Vec<bool> {
    let report = &sample.report;
    let raised_by_project = sample.frames.last().is_some_and(|frame| frame.kind.is_own());
    let mut found: Vec<bool> = Vec::with_capacity(report.chain.len());
    for exception in &report.chain {
        let is_context = exception.relation == Relation::Context;
        let is_frameworks = !exception.traceback.is_empty()
            && exception.traceback.iter().all(|frame| is_foreign_folder(&frame.path));
        found.push(match exception.parent {
            None => is_context && is_frameworks && raised_by_project,
            Some(parent) => found.get(parent).copied().unwrap_or_default(),
        });
    }
    found
}

/// Type and message. A message that is the exception's `repr` already begins with the type, or with
/// the last part of it.
fn said(exception_type: &str, message: &str) -> String {
    let name = exception_type.rsplit('.').next().unwrap_or(exception_type);
    let whole = exception_type.strip_prefix("builtins.").unwrap_or(exception_type);
    let whole = one_line(whole, NAME);
    if exception_type.is_empty() {
        return message.to_owned();
    }
    match message.strip_prefix(exception_type).or_else(|| message.strip_prefix(name)) {
        Some(rest) if rest.is_empty() || rest.starts_with(['(', ':']) => format!("{whole}{rest}"),
        _ if message.is_empty() => whole,
        _ => format!("{whole}: {message}"),
    }
}

fn shown_notes(notes: &[String], limits: RenderLimits) -> Vec<String> {
    notes.iter().take(limits.locals).map(|note| cut(note, limits.text.min(2_000))).collect()
}

fn shown_exception(
    report: &Report,
    at: usize,
    exception: &ChainedException,
    limits: RenderLimits,
) -> ShownException {
    let relation = match exception.relation {
        Relation::Cause => "Caused by",
        Relation::Context => "While handling",
        Relation::Member => "One of the group",
        Relation::Remote | Relation::Quoted => "In the other process",
        Relation::Carrier => "Carried here by",
    };
    // An exception that belongs to the one shown just before needs no name.
    let heading = match exception.parent {
        None if at == 0 => relation.to_owned(),
        Some(parent) if parent + 1 == at => relation.to_owned(),
        parent => {
            let parent = parent.and_then(|parent| report.chain.get(parent));
            let name = parent.map_or(&report.exception_type, |parent| &parent.exception_type);
            format!("{relation} (of {})", one_line(name, 200))
        }
    };
    let frames = exception.traceback.iter().enumerate();
    let frames = frames.map(|(at, frame)| ShownFrame { at, ..shown_frame(frame, None, limits) });
    let frames = frames.collect();
    ShownException {
        heading,
        exception_type: one_line(&exception.exception_type, NAME),
        exception_message: cut(&exception.exception_message, limits.text),
        said: cut(&said(&exception.exception_type, &exception.exception_message), limits.text),
        notes: shown_notes(&exception.notes, limits),
        frames: without_middle(frames, limits.chain_frames),
    }
}

fn shown_request(request: &WebRequest, limits: RenderLimits) -> ShownRequest {
    let WebRequest { method, path, protocol, headers, body, client_address } = request;
    // One line each, so that no value looks like another header.
    let header =
        |(name, value): (&String, &String)| (one_line(name, 200), one_line(value, limits.value));
    ShownRequest {
        line: one_line(&format!("{method} {path} {protocol}"), limits.text),
        headers: headers.iter().take(limits.locals).map(header).collect(),
        body: cut(body, limits.text),
        client_address: one_line(client_address, NAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(report: Report) -> Sample {
        Sample { report, frames: [].into(), blamed_frame: None }
    }

    #[test]
    fn long_traceback_is_cut_in_the_middle() {
        let report = Report { traceback: vec![Default::default(); 500], ..Report::default() };
        let shown = ShownReport::of(&sample(report), RenderLimits::PAGE);
        assert_eq!(shown.frames.len(), 71);
        assert_eq!(shown.frames[10].left_out, 430);
    }

    #[test]
    fn exception_is_shown_with_its_type_once() {
        for (name, message, expected) in [
            ("builtins.KeyError", "KeyError('x')", "KeyError('x')"),
            ("shop.errors.Empty", "Empty('x')", "shop.errors.Empty('x')"),
            ("shop.Empty", "shop.Empty: no", "shop.Empty: no"),
            ("KeyError", "'x'", "KeyError: 'x'"),
            ("shop.Empty", "", "shop.Empty"),
            ("shop.Empty", "Emptyish", "shop.Empty: Emptyish"),
            ("", "what", "what"),
        ] {
            assert_eq!(said(name, message), expected);
        }
    }

    #[test]
    fn chained_exception_names_its_relation_to_another() {
        let exception = |name: &str, relation, parent| ChainedException {
            exception_type: name.into(),
            relation,
            parent,
            ..ChainedException::default()
        };
        let report = Report {
            exception_type: "Main".into(),
            chain: vec![
                exception("A", Relation::Cause, None),
                exception("B", Relation::Context, Some(0)),
                exception("C", Relation::Member, Some(0)),
                exception("D", Relation::Member, None),
            ],
            ..Report::default()
        };
        let shown = ShownReport::of(&sample(report), RenderLimits::PAGE);
        let headings: Vec<&str> = shown.chain.iter().map(|e| e.heading.as_str()).collect();
        let expected = [
            "Caused by",
            "While handling",
            "One of the group (of A)",
            "One of the group (of Main)",
        ];
        assert_eq!(headings, expected);
    }
}
