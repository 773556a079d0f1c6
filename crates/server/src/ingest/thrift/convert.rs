//! Converts a `record_error` request into a report.
use flawless_core::{
    Breadcrumb, ChainedException, Context, Frame, Process, Relation, Report, WebRequest,
};
use flawless_protocol::thrift::{self, RecordErrorRequest, StackLine};

use crate::ingest::text_report::add_remote;

/// The report of a request, bounded, without the client's own frames, and with the exceptions that
/// it contains as text.
pub fn report_from(request: RecordErrorRequest) -> Report {
    let positive = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok());
    let mut report = Report {
        traceback: frames_from(request.traceback),
        exception_type: request.exception_type.unwrap_or_default(),
        exception_message: request.exception_message.unwrap_or_default(),
        hostname: request.hostname.unwrap_or_default(),
        error_threshold: positive(request.error_threshold).filter(|threshold| *threshold > 0),
        additional_info: request.additional_info.unwrap_or_default(),
        error_count: positive(request.error_count).unwrap_or(1),
        revision: request.revision.filter(|revision| !revision.is_empty()),
        environment: request.environment.unwrap_or_default(),
        chain: request.chain.into_iter().map(chained_from).collect(),
        notes: request.notes,
        request: request.request.map(web_request_from),
        id: request.id,
        handled: request.handled,
        mechanism: request.mechanism.unwrap_or_default(),
        transaction: request.transaction.unwrap_or_default(),
        user: request.user,
        tags: request.tags,
        contexts: request.contexts.into_iter().map(context_from).collect(),
        breadcrumbs: request.breadcrumbs.into_iter().map(breadcrumb_from).collect(),
        process: request.process.map(process_from),
        thread: request.thread.unwrap_or_default(),
        task: request.task.unwrap_or_default(),
        trace_id: request.trace_id.unwrap_or_default(),
    };
    add_remote(&mut report);
    report.bounded()
}

/// Occurrences that the client had to drop before they could be reported.
pub(in crate::ingest) fn lost_count(request: &RecordErrorRequest) -> u64 {
    let lost = request.lost_count.and_then(|lost| u64::try_from(lost).ok());
    lost.unwrap_or(0).min(MAX_LOST)
}

/// More than any client drops between two reports.
const MAX_LOST: u64 = 1_000_000_000;

fn chained_from(exception: thrift::ChainedException) -> ChainedException {
    ChainedException {
        exception_type: exception.exception_type.unwrap_or_default(),
        exception_message: exception.exception_message.unwrap_or_default(),
        relation: match exception.relation.as_deref() {
            Some("cause") => Relation::Cause,
            Some("member") => Relation::Member,
            // Of a relation that only a later client knows, one thing is certain: it came before.
            _ => Relation::Context,
        },
        parent: exception.parent.and_then(|parent| usize::try_from(parent).ok()),
        traceback: frames_from(exception.traceback),
        notes: exception.notes,
    }
}

fn web_request_from(request: thrift::WebRequest) -> WebRequest {
    WebRequest {
        method: request.method.unwrap_or_default(),
        path: request.path.unwrap_or_default(),
        protocol: request.protocol.unwrap_or_default(),
        headers: request.headers,
        body: request.body.unwrap_or_default(),
        client_address: request.client_address.unwrap_or_default(),
    }
}

fn context_from(context: thrift::Context) -> Context {
    Context { name: context.name.unwrap_or_default(), values: context.values }
}

fn breadcrumb_from(breadcrumb: thrift::Breadcrumb) -> Breadcrumb {
    Breadcrumb {
        at: breadcrumb.at,
        category: breadcrumb.category.unwrap_or_default(),
        level: breadcrumb.level.unwrap_or_default(),
        message: breadcrumb.message.unwrap_or_default(),
        data: breadcrumb.data,
    }
}

fn process_from(process: thrift::Process) -> Process {
    Process {
        runtime: process.runtime.unwrap_or_default(),
        arguments: process.arguments,
        modules_id: process.modules_id.unwrap_or_default(),
        modules: process.modules,
    }
}

fn frames_from(lines: Vec<StackLine>) -> Vec<Frame> {
    without_client_frames(lines.into_iter().map(frame_from).collect())
}

fn frame_from(line: StackLine) -> Frame {
    Frame {
        path: line.filename.unwrap_or_default(),
        line: line.line_number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        function: line.function_name.unwrap_or_default(),
        text: line.text.unwrap_or_default(),
        locals: line.frame_locals,
        before: line.before,
        after: line.after,
        ..Frame::default()
    }
}

/// Removes what the older client adds to a traceback: its wrapper around the user's function, and
/// the stack at the time the wrapper was made, which ends in the client's own function that makes
/// it. When nothing else is left, the wrapper stays: the exception was raised there.
fn without_client_frames(frames: Vec<Frame>) -> Vec<Frame> {
    let is_client = |frame: &Frame, function: &str| {
        let path = frame.path.replace('\\', "/");
        frame.function == function && path.ends_with("flawless/client/client.py")
    };
    let is_wrapper = |frame: &Frame| is_client(frame, "wrapped_func_with_error_reporting");
    let made_at = frames
        .iter()
        .rposition(|frame| is_client(frame, "_wrap_function_with_error_decorator"))
        .map_or(0, |at| at + 1);
    if frames[made_at..].iter().all(is_wrapper) {
        return frames;
    }
    frames.into_iter().skip(made_at).filter(|frame| !is_wrapper(frame)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(frames: &[(&str, &str)]) -> String {
        let frame = |(path, function): &(&str, &str)| Frame {
            path: (*path).into(),
            function: (*function).into(),
            ..Frame::default()
        };
        let frames = without_client_frames(frames.iter().map(frame).collect());
        frames.iter().map(|frame| frame.function.as_str()).collect::<Vec<_>>().join(" ")
    }

    const CLIENT: &str = "/opt/py/site-packages/flawless/client/client.py";

    #[test]
    fn wrapper_and_import_time_stack_are_left_out() {
        let wrapper = (CLIENT, "wrapped_func_with_error_reporting");
        let maker = (CLIENT, "_wrap_function_with_error_decorator");
        let imports = ("/srv/app.py", "<module>");
        let decorators = ("/opt/py/site-packages/flawless/client/decorators.py", "wrap_function");
        let (outer, inner) = (("/srv/app.py", "outer"), ("/srv/app.py", "inner"));
        assert_eq!(kept(&[imports, decorators, maker, wrapper, outer, inner]), "outer inner");
        assert_eq!(kept(&[imports, maker, wrapper, outer, wrapper, inner]), "outer inner");
        assert_eq!(kept(&[outer, wrapper, inner]), "outer inner", "a preceding stack stays");
        assert_eq!(kept(&[imports, maker, wrapper]).split(' ').count(), 3, "never nothing");
        assert_eq!(kept(&[("/srv/mine.py", wrapper.1)]), wrapper.1, "only the client's own");
        assert_eq!(kept(&[]), "");
    }

    #[test]
    fn hostile_numbers_become_harmless_ones() {
        let line = |number| StackLine { line_number: Some(number), ..StackLine::default() };
        let report = report_from(RecordErrorRequest {
            traceback: vec![line(-1), line(i64::MAX), line(7)],
            error_threshold: Some(-5),
            error_count: Some(i64::MIN),
            ..RecordErrorRequest::default()
        });
        let lost = |lost_count| {
            super::lost_count(&RecordErrorRequest { lost_count, ..RecordErrorRequest::default() })
        };
        assert_eq!([lost(None), lost(Some(-1)), lost(Some(7))], [0, 0, 7]);
        assert_eq!(lost(Some(i64::MAX)), MAX_LOST);
        let lines: Vec<u32> = report.traceback.iter().map(|frame| frame.line).collect();
        assert_eq!(lines, [0, 0, 7]);
        assert_eq!((report.error_threshold, report.error_count), (None, 1));
    }

    #[test]
    fn chain_keeps_its_shape_without_the_older_clients_frames() {
        let line = |path: &str, function: &str| StackLine {
            filename: Some(path.into()),
            function_name: Some(function.into()),
            ..StackLine::default()
        };
        let exception = |relation: &str, parent| thrift::ChainedException {
            relation: Some(relation.into()),
            parent,
            traceback: vec![
                line(CLIENT, "wrapped_func_with_error_reporting"),
                line("/srv/app.py", "inner"),
            ],
            ..thrift::ChainedException::default()
        };
        let report = report_from(RecordErrorRequest {
            chain: vec![
                exception("cause", None),
                exception("member", Some(0)),
                exception("a later word", Some(7)),
            ],
            ..RecordErrorRequest::default()
        });
        let shape: Vec<_> = report.chain.iter().map(|e| (e.relation, e.parent)).collect();
        let expected =
            [(Relation::Cause, None), (Relation::Member, Some(0)), (Relation::Context, None)];
        assert_eq!(shape, expected);
        for exception in &report.chain {
            let functions: Vec<_> = exception.traceback.iter().map(|f| &f.function).collect();
            assert_eq!(functions, ["inner"]);
        }
    }

    #[test]
    fn work_facts_are_converted_and_missing_ones_are_absent() {
        let facts = |name: &str| [(name.to_owned(), "'x'".to_owned())].into();
        let some = |text: &str| Some(text.to_owned());
        let report = report_from(RecordErrorRequest {
            id: some("0b1e"),
            handled: Some(false),
            mechanism: some("excepthook"),
            transaction: some("shop.pay"),
            user: facts("email"),
            tags: facts("region"),
            contexts: vec![thrift::Context { name: some("order"), values: facts("number") }],
            breadcrumbs: vec![thrift::Breadcrumb {
                at: Some(7),
                category: some("query"),
                level: some("info"),
                message: some("select"),
                data: facts("rows"),
            }],
            process: Some(thrift::Process {
                runtime: some("CPython 3.13"),
                arguments: vec!["manage.py".into()],
                modules_id: some("ab"),
                modules: facts("django"),
            }),
            thread: some("MainThread"),
            task: some("Task-1"),
            trace_id: some("0af7651916cd43dd8448eb211c80319c"),
            request: Some(thrift::WebRequest {
                client_address: some("192.0.2.7"),
                ..thrift::WebRequest::default()
            }),
            ..RecordErrorRequest::default()
        });
        let expected = Report {
            error_count: 1,
            id: some("0b1e"),
            handled: Some(false),
            mechanism: "excepthook".into(),
            transaction: "shop.pay".into(),
            user: facts("email"),
            tags: facts("region"),
            contexts: vec![Context { name: "order".into(), values: facts("number") }],
            breadcrumbs: vec![Breadcrumb {
                at: Some(7),
                category: "query".into(),
                level: "info".into(),
                message: "select".into(),
                data: facts("rows"),
            }],
            process: Some(Process {
                runtime: "CPython 3.13".into(),
                arguments: vec!["manage.py".into()],
                modules_id: "ab".into(),
                modules: facts("django"),
            }),
            thread: "MainThread".into(),
            task: "Task-1".into(),
            trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
            request: Some(WebRequest {
                client_address: "192.0.2.7".into(),
                ..WebRequest::default()
            }),
            ..Report::default()
        };
        assert_eq!(report, expected);
        let unsaid = report_from(RecordErrorRequest::default());
        assert_eq!(unsaid, Report { error_count: 1, ..Report::default() });
    }
}
