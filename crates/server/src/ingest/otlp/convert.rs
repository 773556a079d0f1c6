//! Converts an exception of OpenTelemetry into a report.
use std::collections::BTreeMap;

use flawless_base::hex::hex;
use flawless_core::{Context, Frame, Process, Report, WebRequest};
use flawless_protocol::otlp::{Attributes, Occurrence, Signal};
use flawless_protocol::text_traceback::{TextLanguage, TextTraceback, read_one, remote_traceback};
use sha2::{Digest, Sha256};

use crate::ingest::message_template::template;
use crate::ingest::text_report::report_from_text;

/// The report of an occurrence, bounded.
pub(in crate::ingest) fn converted(occurrence: Occurrence, signal: Signal) -> Report {
    let Occurrence { resource, span, trace_id, kind, message, stacktrace, .. } = occurrence;
    let mut attributes = Attributes::clone(&span);
    attributes.extend(occurrence.attributes);
    let name = occurrence.name.to_string();
    let mut resource = Attributes::clone(&resource);
    let language = take(&mut resource, ["telemetry.sdk.language"]);
    let mut report = match traceback(&stacktrace, &language) {
        Some(traceback) => report_from_text(traceback, None),
        None => Report { error_count: 1, ..Report::default() },
    };
    let code = code(&mut attributes);
    if report.traceback.is_empty() && report.chain.is_empty() {
        report.traceback.extend(code);
        if !stacktrace.is_empty() {
            report.additional_info.clone_from(&stacktrace);
        }
    }
    name_exception(&mut report, kind, message, &occurrence.logged);
    if !occurrence.logged.is_empty() && !report.exception_message.contains(&occurrence.logged) {
        report.notes.push(occurrence.logged);
    }
    let service = resource.get("service.name").map_or("", String::as_str);
    report.id = id(&trace_id, service, &report);
    report.trace_id = trace_id;
    report.mechanism = "opentelemetry".to_owned();
    report.handled = occurrence.is_fatal.then_some(false);
    match signal {
        Signal::Traces => report.transaction = name,
        Signal::Logs if !name.is_empty() => drop(report.tags.insert("logger".to_owned(), name)),
        Signal::Logs => {}
    }
    add_request(&mut report, &mut attributes);
    add_resource(&mut report, &mut resource);
    for (name, values) in [("attributes", attributes), ("resource", resource)] {
        if !values.is_empty() {
            report.contexts.push(Context { name: name.to_owned(), values });
        }
    }
    report.bounded()
}

/// Bytes of a stack trace that are read.
const MAX_STACKTRACE: usize = 256 * 1024;

/// The traceback in the text of an exception, which may have been cut anywhere.
fn traceback(text: &str, language: &str) -> Option<TextTraceback> {
    if text.trim().is_empty() {
        return None;
    }
    // Python prints what failed at the end, all others at the beginning.
    let is_python = matches!(language, "" | "python");
    let mut at = if is_python { text.len().saturating_sub(MAX_STACKTRACE) } else { 0 };
    at += (0..4).take_while(|more| !text.is_char_boundary(at + more)).count();
    let mut end = (at + MAX_STACKTRACE).min(text.len());
    end -= (0..4).take_while(|less| !text.is_char_boundary(end - less)).count();
    let text = &text[at..end];
    let named = TextLanguage::named(language);
    if named.is_none()
        && let Some(python) = remote_traceback(text)
    {
        return Some(python);
    }
    read_one(text, named).or_else(|| read_one(text, None))
}

/// Names the exception: exporters know its type better than its text does, but often only the last
/// part of it.
fn name_exception(report: &mut Report, kind: String, message: String, logged: &str) {
    let last = |name: &str| name.rsplit(['.', '\\', ':', '$']).next().unwrap_or(name).to_owned();
    let printed = std::mem::take(&mut report.exception_type);
    let is_same = last(&printed) == last(&kind);
    report.exception_type = match (kind.is_empty(), is_same && printed.len() > kind.len()) {
        (true, _) if printed.is_empty() => {
            template(if message.is_empty() { logged } else { &message })
        }
        (true, _) | (_, true) => printed,
        _ => kind,
    };
    if !message.is_empty() {
        report.exception_message = message;
    }
    if report.exception_message.is_empty() {
        logged.clone_into(&mut report.exception_message);
    }
}

/// The same exception is recorded on every span that it passes through, and often in a log record
/// too: within a trace it counts once for each service.
fn id(trace_id: &str, service: &str, report: &Report) -> Option<String> {
    if trace_id.is_empty() {
        return None;
    }
    let place = report.traceback.last();
    let kind = report.exception_type.rsplit('.').next().unwrap_or_default();
    let mut hash = Sha256::new();
    // Python counts the members of a group in one form and not in the other.
    let message = report.exception_message.as_str();
    let is_counted = message.ends_with(" sub-exceptions)") || message.ends_with(" sub-exception)");
    let message = message.rsplit_once(" (").filter(|_| is_counted).map_or(message, |it| it.0);
    for part in [trace_id, service, kind, message, place.map_or("", |it| &it.path)] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(place.map_or(0, |frame| frame.line).to_le_bytes());
    Some(format!("otlp-{}", hex(&hash.finalize()[..16])))
}

/// The first of these attributes that says something; all of them are removed.
fn take<const N: usize>(attributes: &mut Attributes, names: [&str; N]) -> String {
    let values = names.map(|name| attributes.remove(name).unwrap_or_default());
    values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

/// The place in the code, in the names of today and of before.
fn code(attributes: &mut Attributes) -> Option<Frame> {
    let path = take(attributes, ["code.file.path", "code.filepath"]);
    let line = take(attributes, ["code.line.number", "code.lineno"]);
    let function = take(attributes, ["code.function.name", "code.function"]);
    take(attributes, ["code.namespace", "code.column.number", "code.stacktrace"]);
    let line = line.parse().unwrap_or(0);
    (!path.is_empty()).then(|| Frame { path, line, function, ..Frame::default() })
}

fn add_request(report: &mut Report, attributes: &mut Attributes) {
    let method = take(attributes, ["http.request.method", "http.method"]);
    let query = take(attributes, ["url.query"]);
    let path = take(attributes, ["http.target", "url.path", "url.full", "http.url"]);
    let agent = take(attributes, ["user_agent.original", "http.user_agent"]);
    let client_address = take(attributes, ["client.address", "http.client_ip"]);
    if !method.is_empty() || !path.is_empty() {
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let headers = if agent.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([("User-Agent".to_owned(), agent)])
        };
        report.request =
            Some(WebRequest { method, path, headers, client_address, ..WebRequest::default() });
    }
    for (name, known) in
        [("id", ["user.id", "enduser.id"]), ("email", ["user.email", "enduser.email"])]
    {
        let value = take(attributes, known);
        if !value.is_empty() {
            report.user.insert(name.to_owned(), value);
        }
    }
}

fn add_resource(report: &mut Report, resource: &mut Attributes) {
    let commit = take(resource, ["vcs.ref.head.revision", "vcs.repository.ref.revision"]);
    let version = take(resource, ["service.version"]);
    let revision = if commit.is_empty() { version.clone() } else { commit };
    report.revision = Some(revision).filter(|revision| !revision.is_empty());
    if !version.is_empty() {
        // Source maps are found by it.
        report.tags.insert("service.version".to_owned(), version);
    }
    report.environment = take(resource, ["deployment.environment.name", "deployment.environment"]);
    report.hostname = take(resource, ["host.name", "k8s.pod.name", "container.id"]);
    let service = take(resource, ["service.name"]);
    if !service.is_empty() {
        report.tags.insert("service".to_owned(), service);
    }
    let (name, version) =
        (take(resource, ["process.runtime.name"]), take(resource, ["process.runtime.version"]));
    let runtime = format!("{name} {version}");
    if !runtime.trim().is_empty() {
        report.process = Some(Process { runtime: runtime.trim().to_owned(), ..Process::default() });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn occurrence(language: &str, kind: &str, stacktrace: &str) -> Occurrence {
        Occurrence {
            resource: Arc::new(attributes(&[
                ("telemetry.sdk.language", language),
                ("service.name", "shop"),
                ("service.version", "1.4.2"),
                ("vcs.ref.head.revision", "abc1234"),
                ("deployment.environment.name", "production"),
                ("host.name", "web-01"),
            ])),
            attributes: attributes(&[("http.method", "GET"), ("http.target", "/orders/7")]),
            name: "GET /orders/<n>".into(),
            trace_id: "10a9c69f1dc83bde420f5385f50c7bd9".into(),
            kind: kind.into(),
            message: "division by zero".into(),
            stacktrace: stacktrace.into(),
            ..Occurrence::default()
        }
    }

    const PYTHON: &str = "Traceback (most recent call last):\n  File \"/srv/app/shop/cart.py\", line \
        5, in total\n    return 1 / 0\nshop.errors.Empty: division by zero\n";

    #[test]
    fn exception_of_a_span_becomes_a_report() {
        let report = converted(occurrence("python", "Empty", PYTHON), Signal::Traces);
        assert_eq!(report.exception_type, "shop.errors.Empty");
        assert_eq!((report.traceback.len(), report.traceback[0].line), (1, 5));
        assert_eq!(report.revision.as_deref(), Some("abc1234"));
        assert_eq!((&*report.environment, &*report.hostname), ("production", "web-01"));
        assert_eq!(report.transaction, "GET /orders/<n>");
        assert_eq!(report.request.map(|request| request.path).as_deref(), Some("/orders/7"));
        assert_eq!(report.tags["service"], "shop");
    }

    #[test]
    fn same_exception_on_other_spans_and_in_a_log_has_the_same_id() {
        let on_a_span =
            converted(occurrence("python", "shop.errors.Empty", PYTHON), Signal::Traces);
        let outer = PYTHON.replacen("  File", "  File \"/lib/site-packages/opentelemetry/trace.py\", line 602, in use_span\n    yield span\n  File", 1);
        let in_a_log = converted(occurrence("python", "Empty", &outer), Signal::Logs);
        assert!(on_a_span.id.is_some());
        assert_eq!(on_a_span.id, in_a_log.id);
        let other = Occurrence { trace_id: String::new(), ..occurrence("python", "Empty", PYTHON) };
        assert_eq!(converted(other, Signal::Logs).id, None);
    }

    #[test]
    fn languages_are_read_and_texts_that_are_not_are_kept() {
        let java =
            "java.lang.ArithmeticException: / by zero\n\tat com.acme.Cart.total(Cart.java:5)\n";
        for language in ["java", "", "unknown"] {
            let report = converted(occurrence(language, "ArithmeticException", java), Signal::Logs);
            assert_eq!(report.exception_type, "java.lang.ArithmeticException", "{language}");
            assert_eq!(report.traceback[0].path, "com/acme/Cart.java", "{language}");
        }
        let erlang = "{badarith,[{shop,total,1,[{file,\"src/shop.erl\"},{line,5}]}]}";
        let report = converted(occurrence("erlang", "badarith", erlang), Signal::Logs);
        assert_eq!((report.traceback.len(), &*report.additional_info), (0, erlang));
    }

    #[test]
    fn logged_error_without_an_exception_has_the_place_that_logged_it() {
        let mut occurrence = occurrence("python", "", "");
        occurrence.message = String::new();
        occurrence.logged = "could not price 1007".into();
        occurrence.attributes = attributes(&[
            ("code.file.path", "/srv/app/shop/cart.py"),
            ("code.line.number", "12"),
            ("code.function.name", "total"),
            ("order", "7"),
        ]);
        let report = converted(occurrence, Signal::Logs);
        assert_eq!(report.exception_type, "could not price #");
        assert_eq!(report.exception_message, "could not price 1007");
        let frame = &report.traceback[0];
        assert_eq!(
            (&*frame.path, frame.line, &*frame.function),
            ("/srv/app/shop/cart.py", 12, "total")
        );
        assert_eq!(report.contexts[0].values, attributes(&[("order", "7")]));
    }
}
