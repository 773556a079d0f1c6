//! Items of Rollbar's notifiers.
use serde_json::Value;

use crate::airbrake::whole;
use crate::sentry::fields::{list, map, number, printed, text};
use crate::sentry::{Breadcrumb, Context, Event, Exception, Frame, Request, event_id};

/// The key in an item; notifiers send it in a header too.
pub fn access_token(item: &Value) -> Option<String> {
    text(item, "access_token").filter(|token| !token.is_empty())
}

/// Reads an item. It is described as an event of Sentry's, which says the same in other words.
pub fn read(item: &Value) -> Event {
    let data = item.get("data").unwrap_or(&Value::Null);
    let said = |name: &str| text(data, name).unwrap_or_default();
    let facts = |of: &Value, name: &str| of.get(name).map(map).unwrap_or_default();
    let body = data.get("body").unwrap_or(&Value::Null);
    let server = data.get("server").unwrap_or(&Value::Null);
    let of_server = |name: &str| text(server, name).unwrap_or_default();
    let language = said("language");
    let notifier = data.get("notifier").unwrap_or(&Value::Null);
    let name = text(notifier, "name").unwrap_or_default();
    // Node's notifier counts columns from 0.
    let first_column = u32::from(name != "node_rollbar");
    // The exception that was thrown comes first.
    let mut traces = list(body, "trace_chain");
    traces.extend(body.get("trace").filter(|_| traces.is_empty()));
    let traces = traces.into_iter().filter(|trace| trace.is_object()).take(MOST_EXCEPTIONS);
    let mut exceptions: Vec<Exception> = traces.map(|it| exception(it, first_column)).collect();
    exceptions.reverse();
    let message = body.get("message").and_then(|message| text(message, "body"));
    let raw = || body.get("crash_report").and_then(|report| text(report, "raw"));
    let runtime = language.split_once(' ').map(|(name, version)| {
        let values = [("name", name), ("version", version)];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Context { name: "runtime".to_owned(), values }
    });
    let release = [said("code_version"), of_server("code_version"), of_server("sha")];
    Event {
        id: event_id(&said("uuid")),
        level: if said("level") == "critical" { "fatal".to_owned() } else { said("level") },
        platform: language.split(' ').next().unwrap_or_default().to_lowercase(),
        exceptions,
        message: message.or_else(raw).unwrap_or_default(),
        release: release.into_iter().find(|release| !release.is_empty()).unwrap_or_default(),
        environment: said("environment"),
        server_name: of_server("host"),
        transaction: said("context"),
        request: data.get("request").filter(|it| it.is_object()).map(request),
        user: facts(data, "person"),
        contexts: runtime.into_iter().collect(),
        extra: facts(data, "custom"),
        breadcrumbs: breadcrumbs(body),
        fingerprint: data.get("fingerprint").map(printed).into_iter().collect(),
        client: format!("{name}/{}", text(notifier, "version").unwrap_or_default()),
        ..Event::default()
    }
}

/// Exceptions of one item that are read: the one that was thrown, and its causes.
const MOST_EXCEPTIONS: usize = 60;
const MOST_FRAMES: usize = 1_200;
const MOST_BREADCRUMBS: usize = 100;
const MOST_LINES: usize = 10;

fn exception(trace: &Value, first_column: u32) -> Exception {
    let exception = trace.get("exception").unwrap_or(&Value::Null);
    let frames = list(trace, "frames");
    let left_out = frames.len().saturating_sub(MOST_FRAMES);
    let frames = frames.into_iter().skip(left_out).filter(|frame| frame.is_object());
    Exception {
        kind: text(exception, "class").unwrap_or_default(),
        value: exception.get("message").map(printed).unwrap_or_default(),
        frames: frames.map(|it| frame(it, first_column)).collect(),
        ..Exception::default()
    }
}

fn frame(frame: &Value, first_column: u32) -> Frame {
    let said = |name: &str| text(frame, name).unwrap_or_default();
    let context = frame.get("context").unwrap_or(&Value::Null);
    let lines = |name: &str| list(context, name).into_iter().map(printed).collect::<Vec<_>>();
    let mut before = lines("pre");
    before.drain(..before.len().saturating_sub(MOST_LINES));
    let mut after = lines("post");
    after.truncate(MOST_LINES);
    let column = number(frame, "colno").map(|column| column + f64::from(1 - first_column));
    let (method, class) = (said("method"), said("class_name"));
    let function = if class.is_empty() { method } else { format!("{class}.{method}") };
    let unknown = ["<unknown>", "[anonymous]", "?"];
    Frame {
        filename: said("filename"),
        function: if unknown.contains(&&*function) { String::new() } else { function },
        line: whole(number(frame, "lineno")),
        column: whole(column),
        text: said("code"),
        before,
        after,
        locals: frame.get("locals").map(map).filter(|locals| !locals.is_empty()),
        ..Frame::default()
    }
}

fn request(request: &Value) -> Request {
    let said = |name: &str| text(request, name).unwrap_or_default();
    let body = ["body", "POST", "raw_body"].iter().find_map(|name| request.get(name));
    let address = said("user_ip");
    let env = (!address.is_empty()).then(|| ("REMOTE_ADDR".to_owned(), address));
    Request {
        method: said("method"),
        url: said("url"),
        query: said("query_string"),
        headers: request.get("headers").map(map).unwrap_or_default(),
        body: body.map(printed).unwrap_or_default(),
        env: env.into_iter().collect(),
        ..Request::default()
    }
}

fn breadcrumbs(body: &Value) -> Vec<Breadcrumb> {
    let telemetry = list(body, "telemetry");
    let left_out = telemetry.len().saturating_sub(MOST_BREADCRUMBS);
    let breadcrumb = |it: &Value| {
        let said = |name: &str| text(it, name).unwrap_or_default();
        let body = it.get("body").unwrap_or(&Value::Null);
        #[expect(clippy::cast_possible_truncation, reason = "it fits")]
        let at =
            number(it, "timestamp_ms").filter(|at| (0.0..1e15).contains(at)).map(|at| at as i64);
        let message = text(body, "message").unwrap_or_default();
        let mut data = map(body);
        data.remove("message");
        Breadcrumb { at, category: said("type"), level: said("level"), message, data }
    };
    telemetry.into_iter().skip(left_out).map(breadcrumb).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn item_is_read() {
        let trace = |class: &str, column: u32| {
            json!({"exception": {"class": class, "message": "m"}, "frames": [
                {"filename": "/srv/app/app.py", "lineno": 9, "method": "<unknown>"}, null,
                {"filename": "/srv/app/cart.py", "lineno": 2, "colno": column, "method": "total",
                 "code": "b", "context": {"pre": ["a"], "post": ["c"]}, "locals": {"n": 7}},
            ]})
        };
        let item = |notifier: &str, body: Value| {
            json!({"access_token": "k", "data": {"uuid": "8defb6ff-01e4-4446-9cef-879efa1fba1f",
                "level": "critical", "language": "python 3.11.7", "code_version": "abc",
                "notifier": {"name": notifier, "version": "1"}, "server": {"host": "web-01"},
                "person": {"id": "7"}, "context": "carts#show", "custom": {"a": 1}, "body": body}})
        };
        let chain = json!({"trace_chain": [trace("ZeroDivisionError", 4), trace("KeyError", 4)],
            "telemetry": [{"type": "log", "level": "info", "timestamp_ms": 7, "body": {"message": "x"}}]});
        let event = read(&item("pyrollbar", chain));
        assert_eq!(access_token(&item("x", json!(null))).as_deref(), Some("k"));
        let kinds: Vec<_> = event.exceptions.iter().map(|exception| &*exception.kind).collect();
        assert_eq!(kinds, ["KeyError", "ZeroDivisionError"]);
        let frames = &event.exceptions[1].frames;
        assert_eq!((frames.len(), &*frames[0].function), (2, ""));
        assert_eq!((frames[1].column, &*frames[1].text, &*frames[1].before[0]), (4, "b", "a"));
        assert_eq!((&*event.level, &*event.platform), ("fatal", "python"));
        assert_eq!(event.id.as_deref(), Some("8defb6ff01e444469cef879efa1fba1f"));
        assert_eq!((event.breadcrumbs.len(), &*event.server_name), (1, "web-01"));
        let of_node = read(&item("node_rollbar", json!({"trace": trace("E", 4)})));
        assert_eq!(of_node.exceptions[0].frames[1].column, 5);
        assert_eq!(read(&item("x", json!({"message": {"body": "hi"}}))).message, "hi");
        for odd in [json!(null), json!({"data": {"body": {"trace": 7}}}), json!([])] {
            assert_eq!(read(&odd).exceptions, [], "{odd}");
        }
    }
}
