//! Converts an event into a report.
use std::collections::{BTreeMap, HashMap};

use flawless_base::hex::hex;
use flawless_core::language::{Language, NamedFile, deployed_path, go};
use flawless_core::{
    Breadcrumb, ChainedException, Context, Frame, Process, REDACTED, Relation, Report, WebRequest,
};
use flawless_protocol::sentry::{self, Event, Exception, Mechanism, Request};

use crate::ingest::message_template::template;
use crate::ingest::text_report::add_remote;

/// What an event is.
#[derive(Debug)]
pub(in crate::ingest) enum Converted {
    Report(Box<Report>),
    /// Something else, by the name under which it is counted.
    NotAnError(&'static str),
}

/// The report of an event, bounded.
pub(in crate::ingest) fn converted(mut event: Event) -> Converted {
    if !event.is_error() {
        return Converted::NotAnError("events about something else");
    }
    let mut exceptions = std::mem::take(&mut event.exceptions);
    let is_logged = exceptions.iter().all(is_mere_message);
    if is_logged && matches!(&*event.level, "debug" | "info" | "warning" | "log") {
        return Converted::NotAnError("messages below the level of an error");
    }
    let stack = stack_of(&mut event);
    let mut report = Report { error_count: 1, ..Report::default() };
    match Order::of(&exceptions) {
        Some(order) => {
            name_built_in(&event, &mut exceptions);
            add_exceptions(&mut report, exceptions, &order);
        }
        None => {
            report.exception_type = template(&event.message);
            report.exception_message = std::mem::take(&mut event.message);
        }
    }
    if report.traceback.is_empty() {
        report.traceback = stack.into_iter().map(frame).collect();
    }
    drop_recovering(&mut report, &event);
    add_debug_ids(&mut report, &event.debug_ids);
    add_facts(&mut report, event);
    add_remote(&mut report);
    Converted::Report(Box::new(report.bounded()))
}

/// Whether a client made the exception for something that is none.
fn is_mere_message(exception: &Exception) -> bool {
    exception.mechanism.is_synthetic && exception.kind.is_empty()
}

/// The frames of the thread that crashed, else of the one that reported the event.
fn stack_of(event: &mut Event) -> Vec<sentry::Frame> {
    if !event.stack.is_empty() {
        return std::mem::take(&mut event.stack);
    }
    let threads = &mut event.threads;
    let at = threads.iter().position(|thread| thread.is_crashed);
    let at = at.or_else(|| threads.iter().position(|thread| thread.is_current));
    at.or((threads.len() == 1).then_some(0))
        .map(|at| std::mem::take(&mut threads[at].frames))
        .unwrap_or_default()
}

/// The exceptions of an event, from the one that was thrown to what led to it.
struct Order {
    thrown: usize,
    /// The others: each with its relation to its parent, which comes before it; `None` is the one
    /// that was thrown.
    others: Vec<(usize, Relation, Option<usize>)>,
}

impl Order {
    /// `None` without any exception.
    fn of(exceptions: &[Exception]) -> Option<Self> {
        let thrown = exceptions
            .iter()
            .rposition(|exception| exception.mechanism.id == Some(0))
            .or(exceptions.len().checked_sub(1))?;
        let mut places: HashMap<u32, Option<usize>> = HashMap::new();
        places.extend(exceptions[thrown].mechanism.id.map(|id| (id, None)));
        let mut others: Vec<(usize, Relation, Option<usize>)> = Vec::new();
        for (at, exception) in exceptions.iter().enumerate().rev().filter(|(at, _)| *at != thrown) {
            let mechanism = &exception.mechanism;
            let named = mechanism.parent.and_then(|parent| places.get(&parent).copied());
            // Without numbers each one led to the one before.
            let parent = named.unwrap_or_else(|| match mechanism.parent {
                Some(_) => None,
                None => others.len().checked_sub(1),
            });
            let of = parent.map_or(thrown, |parent| others[parent].0);
            places.extend(mechanism.id.map(|id| (id, Some(others.len()))));
            others.push((at, relation(mechanism, &exceptions[of].mechanism), parent));
        }
        Some(Self { thrown, others })
    }
}

fn relation(of: &Mechanism, parent: &Mechanism) -> Relation {
    let is_member = of.source.ends_with(']') || of.source.starts_with("errors");
    match &*of.source {
        "__context__" if !parent.is_group => Relation::Context,
        "__cause__" | "cause" | "InnerException" => Relation::Cause,
        _ if is_member || (parent.is_group && of.source != "cause") => Relation::Member,
        _ if of.kind == "suppressed" => Relation::Context,
        _ => Relation::Cause,
    }
}

fn add_exceptions(report: &mut Report, exceptions: Vec<Exception>, order: &Order) {
    let mut exceptions: Vec<Option<Exception>> = exceptions.into_iter().map(Some).collect();
    let mut take = |at: usize| exceptions[at].take().unwrap_or_default();
    let thrown = take(order.thrown);
    report.exception_type = type_of(&thrown);
    report.exception_message = message_of(&thrown);
    report.handled = thrown.mechanism.handled;
    report.mechanism = thrown.mechanism.kind;
    report.traceback = thrown.frames.into_iter().map(frame).collect();
    let chained = |(at, relation, parent): &(usize, Relation, Option<usize>)| {
        let exception = take(*at);
        ChainedException {
            exception_type: type_of(&exception),
            exception_message: message_of(&exception),
            relation: *relation,
            parent: *parent,
            traceback: exception.frames.into_iter().map(frame).collect(),
            notes: Vec::new(),
        }
    };
    report.chain = order.others.iter().map(chained).collect();
}

/// Names the module of Python's own exceptions, which its clients leave out: rules name it.
fn name_built_in(event: &Event, exceptions: &mut [Exception]) {
    for exception in exceptions.iter_mut().filter(|_| event.platform == "python") {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if exception.module.is_empty() && exception.kind.chars().all(is_plain) {
            exception.module = "builtins".to_owned();
        }
    }
}

/// The type with its module, unless it names that itself.
fn type_of(exception: &Exception) -> String {
    let Exception { kind, module, value, .. } = exception;
    let separator = if kind.contains("::") || kind.contains('\\') { "" } else { "." };
    if kind.is_empty() {
        return template(value);
    }
    match module.is_empty() || separator.is_empty() || kind.starts_with(&**module) {
        true => kind.clone(),
        false => format!("{module}{separator}{kind}"),
    }
}

/// The exception as its language prints it: the type and the message.
fn message_of(exception: &Exception) -> String {
    let Exception { kind, value, .. } = exception;
    match (kind.is_empty(), value.is_empty()) {
        (true, _) => value.clone(),
        (_, true) => kind.clone(),
        _ => format!("{kind}: {value}"),
    }
}

fn frame(frame: sentry::Frame) -> Frame {
    let (filename, abs_path, module) = (&*frame.filename, &*frame.abs_path, &*frame.module);
    let path = deployed_path(NamedFile { filename, abs_path, module });
    let (text, column) = match Language::of_path(&path) {
        Language::JavaScript => (without_snips(&frame.text), frame.column),
        _ => (frame.text, 0),
    };
    Frame {
        path,
        line: frame.line,
        function: if frame.function == "?" { String::new() } else { frame.function },
        text,
        locals: frame.locals,
        before: frame.before,
        after: frame.after,
        column,
        ..Frame::default()
    }
}

/// Adds the debug ids of generated files, by their paths or URLs.
fn add_debug_ids(report: &mut Report, of_files: &BTreeMap<String, String>) {
    let path = |file: &str| deployed_path(NamedFile { abs_path: file, ..NamedFile::default() });
    let ids: HashMap<String, &String> =
        of_files.iter().map(|(file, id)| (path(file), id)).collect();
    let chain = report.chain.iter_mut().flat_map(|exception| &mut exception.traceback);
    for frame in report.traceback.iter_mut().chain(chain).filter(|frame| frame.column > 0) {
        frame.debug_id = ids.get(&frame.path).map(|id| (*id).clone()).unwrap_or_default();
    }
}

/// A line in which clients of JavaScript cut off the rest of a long one. What they left out may have
/// been anything, and what is left has to agree.
fn without_snips(text: &str) -> String {
    text.replace(" {snip}", REDACTED).replace("{snip} ", REDACTED).replace("{snip}", REDACTED)
}

/// Removes the function of a Go program that only recovered from the panic: what stands for the
/// fault is the frame before it.
fn drop_recovering(report: &mut Report, event: &Event) {
    if event.platform != "go" || event.level != "fatal" {
        return;
    }
    let functions: Vec<&str> = report.traceback.iter().map(|frame| &*frame.function).collect();
    if go::only_recovers(&functions) {
        report.traceback.pop();
    }
}

fn add_facts(report: &mut Report, event: Event) {
    let said = |text: String| (!text.is_empty()).then_some(text);
    report.hostname = event.server_name;
    report.environment = event.environment;
    report.id = event.id;
    report.transaction = event.transaction;
    report.user = event.user;
    report.tags = event.tags;
    for (name, value) in
        [("logger", event.logger), ("dist", event.dist), ("level", event.level.clone())]
    {
        if !value.is_empty() && value != "error" {
            report.tags.entry(name.to_owned()).or_insert(value);
        }
    }
    if !event.fingerprint.iter().all(|part| part == "{{ default }}") {
        report.tags.insert("fingerprint".to_owned(), event.fingerprint.join(" "));
    }
    report.contexts = contexts(report, event.contexts, event.extra);
    report.breadcrumbs = event.breadcrumbs.into_iter().map(breadcrumb).collect();
    report.revision = said(event.release);
    report.request = event.request.map(web_request);
    if !event.message.is_empty() && !report.exception_message.contains(&event.message) {
        report.notes.push(event.message);
    }
    let thread = event.threads.into_iter().find(|thread| thread.is_crashed || thread.is_current);
    report.thread = thread.map(|thread| thread.name).unwrap_or_default();
    if !event.modules.is_empty() {
        let process = report.process.get_or_insert_default();
        process.modules_id = modules_id(&event.modules);
        process.modules = event.modules;
    }
}

/// Names a set of modules by its contents, so that it is stored once.
fn modules_id(modules: &BTreeMap<String, String>) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for (name, version) in modules {
        hash.update(name);
        hash.update([0]);
        hash.update(version);
        hash.update([0]);
    }
    hex(&hash.finalize()[..16])
}

/// The contexts, less those that have a place of their own, and the further values.
fn contexts(
    report: &mut Report,
    contexts: Vec<sentry::Context>,
    extra: BTreeMap<String, String>,
) -> Vec<Context> {
    let mut kept = Vec::new();
    for sentry::Context { name, values } in contexts {
        match &*name {
            "trace" => {
                report.trace_id = values.get("trace_id").cloned().unwrap_or_default();
            }
            "runtime" => {
                let part = |part: &str| values.get(part).map(String::as_str).unwrap_or_default();
                let runtime = format!("{} {}", part("name"), part("version"));
                report.process.get_or_insert_with(Process::default).runtime =
                    runtime.trim().to_owned();
            }
            _ => kept.push(Context { name, values }),
        }
    }
    if !extra.is_empty() {
        kept.push(Context { name: "extra".to_owned(), values: extra });
    }
    kept
}

fn breadcrumb(breadcrumb: sentry::Breadcrumb) -> Breadcrumb {
    let sentry::Breadcrumb { at, category, level, message, data } = breadcrumb;
    Breadcrumb { at, category, level, message, data }
}

fn web_request(request: Request) -> WebRequest {
    let Request { method, url, query, mut headers, cookies, body, mut env } = request;
    let path = match query.is_empty() || url.contains('?') {
        true => url,
        false => format!("{url}?{}", query.trim_start_matches('?')),
    };
    if !cookies.is_empty() {
        headers.entry("Cookie".to_owned()).or_insert(cookies);
    }
    let client_address = env.remove("REMOTE_ADDR").unwrap_or_default();
    let protocol = env.remove("SERVER_PROTOCOL").unwrap_or_default();
    WebRequest { method, path, protocol, headers, body, client_address }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn report(event: &Value) -> Report {
        match converted(Event::read(event, None)) {
            Converted::Report(report) => *report,
            Converted::NotAnError(name) => panic!("{name}"),
        }
    }

    fn exception(kind: &str, path: &str, mechanism: &Value) -> Value {
        let frames = json!([{"filename": path, "lineno": 1}]);
        json!({"type": kind, "value": "x", "mechanism": mechanism, "stacktrace": {"frames": frames}})
    }

    /// The types of the chain, with their relations and parents.
    fn chain(report: &Report) -> Vec<(&str, Relation, Option<usize>)> {
        let part = |part: &ChainedException| (part.relation, part.parent);
        let parts = report.chain.iter().map(|it| (&*it.exception_type, part(it)));
        parts.map(|(kind, (relation, parent))| (kind, relation, parent)).collect()
    }

    #[test]
    fn generated_files_have_columns_and_debug_ids() {
        let id = "10a2d6aa-eabc-5c8c-9dcf-423da158b15d";
        let (url, other) = ("https://x.org/assets/app.js?v=2", "https://x.org/vendor.js");
        let frame = |file: &str, column| json!({"filename": file, "lineno": 1, "colno": column, "function": "r"});
        let frames = [frame(other, 4), frame(url, 7), frame("a.py", 9)];
        let images = [
            json!({"type": "sourcemap", "code_file": url, "debug_id": id}),
            json!({"type": "symbolic", "code_file": other, "debug_id": id}),
            json!({"type": "sourcemap", "code_file": other, "debug_id": "x"}),
            json!(null),
        ];
        let report = report(&json!({
            "exception": [{"type": "E", "stacktrace": {"frames": frames}}],
            "debug_meta": {"images": images},
        }));
        let places = report.traceback.iter().map(|it| (&*it.path, it.column, &*it.debug_id));
        let expected = [
            (other, 4, ""),
            ("https://x.org/assets/app.js", 7, &*id.replace('-', "")),
            ("a.py", 0, ""),
        ];
        assert_eq!(places.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn last_exception_was_thrown_and_those_before_led_to_it() {
        let values = ["A", "B", "C"].map(|kind| exception(kind, "a.py", &json!(null)));
        let report = report(&json!({"exception": {"values": values}}));
        assert_eq!((&*report.exception_type, &*report.exception_message), ("C", "C: x"));
        let expected = [("B", Relation::Cause, None), ("A", Relation::Cause, Some(0))];
        assert_eq!(chain(&report), expected);
    }

    #[test]
    fn numbers_make_a_tree_with_members_causes_and_contexts() {
        let of = |id: u32, parent: Option<u32>, source: &str, is_group: bool| {
            json!({"exception_id": id, "parent_id": parent, "source": source,
                   "is_exception_group": is_group})
        };
        let values = [
            exception("D", "a.py", &of(4, Some(2), "__context__", false)),
            exception("C", "a.py", &of(3, Some(2), "exceptions[0]", false)),
            exception("B", "a.py", &of(2, Some(0), "exceptions[0]", true)),
            exception("A", "a.py", &of(1, Some(0), "__cause__", false)),
            exception("G", "a.py", &of(0, None, "", true)),
        ];
        let report = report(&json!({"exception": {"values": values}}));
        let expected = [
            ("A", Relation::Cause, None),
            ("B", Relation::Member, None),
            ("C", Relation::Member, Some(1)),
            ("D", Relation::Member, Some(1)),
        ];
        assert_eq!((&*report.exception_type, chain(&report)), ("G", expected.into()));
    }

    #[test]
    fn types_are_named_in_full_and_messages_as_the_language_prints_them() {
        for (kind, module, value, full, said) in [
            ("OrderError", "shop.orders", "no", "shop.orders.OrderError", "OrderError: no"),
            ("Shop::OrderError", "Shop", "no", "Shop::OrderError", "Shop::OrderError: no"),
            (r"Acme\OrderError", "", "no", r"Acme\OrderError", r"Acme\OrderError: no"),
            (
                "StackOverflowError",
                "java.lang",
                "",
                "java.lang.StackOverflowError",
                "StackOverflowError",
            ),
            ("", "", "order 1007 failed", "order # failed", "order 1007 failed"),
        ] {
            let event = json!({"exception": [{"type": kind, "module": module, "value": value}]});
            let report = report(&event);
            assert_eq!((&*report.exception_type, &*report.exception_message), (full, said));
        }
    }

    #[test]
    fn messages_are_errors_by_their_level_and_have_the_stack_of_their_thread() {
        let frames = |path: &str| json!({"frames": [{"filename": path, "lineno": 1}]});
        let threads = json!({"values": [
            {"id": 1, "stacktrace": frames("other.py")},
            {"id": 2, "name": "worker", "current": true, "stacktrace": frames("a.py")},
        ]});
        let event = |level: &str| json!({"message": "no 7", "level": level, "threads": threads});
        let logged = report(&event("error"));
        assert_eq!((&*logged.traceback[0].path, &*logged.thread), ("a.py", "worker"));
        assert_eq!((&*logged.exception_type, &*logged.exception_message), ("no #", "no 7"));
        for level in ["info", "warning"] {
            let converted = converted(Event::read(&event(level), None));
            assert!(matches!(converted, Converted::NotAnError(_)), "{level}");
        }
        let synthetic = json!({"level": "info", "exception": [
            {"value": "hi", "mechanism": {"synthetic": true}},
        ]});
        let converted = converted(Event::read(&synthetic, None));
        assert!(matches!(converted, Converted::NotAnError(_)));
    }

    #[test]
    fn facts_find_their_places() {
        let report = report(&json!({
            "event_id": "7937ba37b0cb4b7587b78bf32f652b50", "release": "shop@1.4.2",
            "environment": "test", "server_name": "web-01", "transaction": "POST /x",
            "message": "while pricing", "level": "fatal", "logger": "shop",
            "exception": [{"type": "E", "value": "x", "mechanism": {"type": "wsgi", "handled": false}}],
            "request": {"url": "http://x/y", "query_string": "a=1", "method": "GET",
                        "cookies": {"s": "1"}, "env": {"REMOTE_ADDR": "192.0.2.7"}},
            "contexts": {"trace": {"trace_id": "ab"}, "order": {"id": 7},
                         "runtime": {"name": "CPython", "version": "3.13"}},
            "extra": {"n": 1}, "modules": {"django": "6.1"}, "user": {"id": 7, "email": null},
            "fingerprint": ["{{ default }}", "eu"],
            "breadcrumbs": [{"timestamp": 1_700_000_000, "type": "http", "message": "GET"}],
        }));
        assert_eq!(report.id.as_deref(), Some("7937ba37b0cb4b7587b78bf32f652b50"));
        assert_eq!(report.revision.as_deref(), Some("shop@1.4.2"));
        assert_eq!((report.handled, &*report.mechanism), (Some(false), "wsgi"));
        assert_eq!(report.notes, ["while pricing"]);
        let request = report.request.expect("a request");
        assert_eq!((&*request.path, &*request.client_address), ("http://x/y?a=1", "192.0.2.7"));
        assert_eq!(request.headers["Cookie"], "{\"s\":\"1\"}");
        let contexts: Vec<&str> = report.contexts.iter().map(|context| &*context.name).collect();
        assert_eq!((contexts, &*report.trace_id), (vec!["order", "extra"], "ab"));
        let process = report.process.expect("a process");
        assert_eq!((&*process.runtime, process.modules_id.len()), ("CPython 3.13", 32));
        assert_eq!(report.user, [("id".to_owned(), "7".to_owned())].into());
        let tags = ["fingerprint", "level", "logger"].map(|name| &*report.tags[name]);
        assert_eq!(tags, ["{{ default }} eu", "fatal", "shop"]);
        assert_eq!(report.breadcrumbs[0].category, "http");
    }

    #[test]
    fn function_that_recovered_and_cut_lines_do_not_stand_for_the_fault() {
        let frames = ["main", "func2", "divide", "main.func2.1"]
            .map(|function| json!({"abs_path": "/srv/main.go", "function": function, "lineno": 1}));
        let exception = json!([{"type": "runtime.errorString", "stacktrace": {"frames": frames}}]);
        let report = report(&json!({"platform": "go", "level": "fatal", "exception": exception}));
        assert_eq!(report.traceback.last().map(|frame| &*frame.function), Some("divide"));
        let text = |filename: &str| {
            let (filename, text) = (filename.into(), "{snip} total(a) {snip}".into());
            frame(sentry::Frame { filename, text, ..Default::default() }).text
        };
        assert_eq!(text("/srv/cart.js"), format!("{REDACTED}total(a){REDACTED}"));
        assert_eq!(text("/srv/cart.py"), "{snip} total(a) {snip}");
    }
}
