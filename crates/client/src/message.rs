//! Turns an event into the message that leaves the process: redacted, cut, in the protocol's terms.
use std::collections::BTreeMap;

use flawless_protocol::thrift::{
    self, ChainedException, Context, Process, RecordErrorRequest, StackLine, WebRequest,
};

use crate::around::{Around, Breadcrumb, Values};
use crate::endpoint::Endpoint;
use crate::event::{Chained, Exception, Frame, Relation, Request, Source};
use crate::printed::{MESSAGE, NOTE, VALUE, shown};
use crate::queue::Waiting;
use crate::settings::Program;
use flawless_redact::{OneReport, Redactor, SourceLines};

/// Only this many frames, nearest to the exception, are sent with the lines around them.
const FRAMES_WITH_CONTEXT: usize = 50;

/// Makes the message for this server, including the description of the process.
pub(crate) fn message(
    waiting: &Waiting,
    lost: u64,
    program: &Program,
    process: Process,
    redactor: &Redactor,
    endpoint: &Endpoint,
) -> RecordErrorRequest {
    let make = Make { redactor: redactor.one_report() };
    let event = &*waiting.event;
    let Exception { type_name, message, notes, frames } = &event.exception;
    let mut request = RecordErrorRequest {
        traceback: make.stack(frames),
        exception_message: Some(make.shown(message, MESSAGE)),
        hostname: Some(event.hostname.as_ref().unwrap_or(&program.hostname).clone()),
        error_threshold: event.error_threshold,
        error_count: Some(i64::try_from(waiting.count).unwrap_or(i64::MAX)),
        exception_type: Some(type_name.clone()),
        revision: program.revision.clone(),
        environment: program.environment.clone(),
        lost_count: (lost > 0).then(|| i64::try_from(lost).unwrap_or(i64::MAX)),
        chain: event.chain.iter().map(|chained| make.chained(chained)).collect(),
        notes: make.notes(notes),
        id: Some(waiting.id.clone()).filter(|id| !id.is_empty()),
        process: Some(Process { arguments: make.arguments(&program.arguments), ..process }),
        ..make.around(&event.around)
    };
    let mut info = make.text(&event.additional_info);
    let web = event.request.as_ref().map(|request| make.request(request));
    match endpoint {
        Endpoint::Http { key, .. } => {
            request.project_key = Some(key.clone());
            request.request = web;
        }
        // The server may be 0.4.5's, which knows only free text.
        Endpoint::Framed { .. } => {
            if let Some(web) = web {
                if !info.is_empty() {
                    info.push_str("\n\n");
                }
                info.push_str(&request_text(&web));
            }
        }
    }
    request.additional_info = (!info.is_empty()).then_some(info);
    request
}

struct Make<'a> {
    redactor: OneReport<'a>,
}

impl Make<'_> {
    fn text(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }

    fn around(&self, around: &Around) -> RecordErrorRequest {
        let Around { handled, mechanism, transaction, user, tags, contexts, breadcrumbs, .. } =
            around;
        let some = |text: &str| (!text.is_empty()).then(|| self.shown(text, VALUE));
        let contexts = contexts
            .iter()
            .map(|(name, values)| Context { name: some(name), values: self.values(values) });
        RecordErrorRequest {
            handled: *handled,
            mechanism: some(mechanism),
            transaction: some(transaction),
            user: self.values(user),
            tags: self.values(tags),
            contexts: contexts.collect(),
            breadcrumbs: breadcrumbs.iter().map(|breadcrumb| self.breadcrumb(breadcrumb)).collect(),
            thread: some(&around.thread),
            task: some(&around.task),
            trace_id: some(&around.trace_id),
            ..RecordErrorRequest::default()
        }
    }

    fn arguments(&self, arguments: &[String]) -> Vec<String> {
        self.redactor.redact_arguments(arguments).unwrap_or_else(|| arguments.to_vec())
    }

    fn breadcrumb(&self, breadcrumb: &Breadcrumb) -> thrift::Breadcrumb {
        let Breadcrumb { at, category, level, message, data } = breadcrumb;
        thrift::Breadcrumb {
            at: Some(*at),
            category: Some(self.shown(category, VALUE)),
            level: Some(self.shown(level, VALUE)),
            message: Some(self.shown(message, NOTE)),
            data: self.values(data),
        }
    }

    fn values(&self, values: &Values) -> BTreeMap<String, String> {
        let shown = |(name, value): &(String, String)| {
            (name.clone(), shown(Some(name), value, VALUE, &self.redactor))
        };
        values.iter().map(shown).collect()
    }

    fn shown(&self, text: &str, characters: usize) -> String {
        shown(None, text, characters, &self.redactor)
    }

    fn notes(&self, notes: &[String]) -> Vec<String> {
        notes.iter().map(|note| self.shown(note, NOTE)).collect()
    }

    fn chained(&self, chained: &Chained) -> ChainedException {
        let Exception { type_name, message, notes, frames } = &chained.exception;
        ChainedException {
            exception_type: Some(type_name.clone()),
            exception_message: Some(self.shown(message, MESSAGE)),
            relation: Some(
                match chained.relation {
                    Relation::Cause => "cause",
                    Relation::Context => "context",
                    Relation::Member => "member",
                }
                .to_owned(),
            ),
            parent: chained.parent.and_then(|parent| i64::try_from(parent).ok()),
            traceback: self.stack(frames),
            notes: self.notes(notes),
        }
    }

    fn stack(&self, frames: &[Frame]) -> Vec<StackLine> {
        let far = frames.len().saturating_sub(FRAMES_WITH_CONTEXT);
        let lines = frames.iter().enumerate();
        lines.map(|(at, frame)| self.line(frame, at >= far)).collect()
    }

    fn line(&self, frame: &Frame, with_context: bool) -> StackLine {
        let (before, text, after) = self.source(frame, with_context);
        let locals = frame.locals.as_ref().map(|locals| {
            let printed = locals.iter().map(|(name, value)| {
                (name.to_string(), shown(Some(name), value, VALUE, &self.redactor))
            });
            printed.collect()
        });
        StackLine {
            filename: Some(frame.path.to_string()),
            line_number: Some(i64::from(frame.line)),
            function_name: Some(frame.function.to_string()),
            text: Some(text),
            frame_locals: locals,
            before,
            after,
        }
    }

    /// The lines before the frame's line, the line itself, and the lines after it.
    fn source(&self, frame: &Frame, with_context: bool) -> (Vec<String>, String, Vec<String>) {
        let file = match &frame.source {
            Source::Line(text) => {
                return (Vec::new(), self.redactor.redact_values(text).into_owned(), Vec::new());
            }
            Source::File(file) => file,
        };
        let (before, after) = match with_context {
            true => file.around(frame.line),
            false => (frame.line..frame.line, 0..0),
        };
        let numbers = before.clone().chain([frame.line]).chain(after);
        let lines: Vec<&str> = numbers.map(|number| file.line(number).unwrap_or("")).collect();
        let SourceLines { before, line, after } =
            self.redactor.redact_lines(&lines, before.len()).unwrap_or_else(|| {
                let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
                let at = before.len();
                SourceLines {
                    before: owned(&lines[..at]),
                    line: lines[at].to_owned(),
                    after: owned(&lines[at + 1..]),
                }
            });
        (before, line, after)
    }

    fn request(&self, request: &Request) -> WebRequest {
        let headers = request.headers.iter().map(|(name, value)| {
            (name.clone(), self.redactor.redact_named(name, value).into_owned())
        });
        WebRequest {
            method: Some(request.method.clone()),
            path: Some(self.text(&request.path)),
            protocol: Some(request.protocol.clone()),
            headers: headers.collect(),
            body: (!request.body.is_empty()).then(|| self.text(&request.body)),
            client_address: request.client_address.clone(),
        }
    }
}

/// The request as the mails of 0.4.5 show it.
fn request_text(web: &WebRequest) -> String {
    let first = [&web.method, &web.path, &web.protocol];
    let first: Vec<&str> = first.into_iter().flatten().map(String::as_str).collect();
    let mut lines = vec![first.join(" ")];
    lines.extend(web.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(web.body.iter().map(|body| format!("\n{body}")));
    lines.join("\n")
}
