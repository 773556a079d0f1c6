//! Notices of Airbrake's notifiers, version 3 of their API, which Errbit takes too.
use std::collections::BTreeMap;

use serde_json::Value;

use crate::sentry::fields::{as_text, list, map, number, printed, text};
use crate::sentry::{Context, Event, Exception, Frame, Request};

/// Reads a notice. It is described as an event of Sentry's, which says the same in other words.
pub fn read(notice: &Value) -> Event {
    let context = notice.get("context").unwrap_or(&Value::Null);
    let said = |name: &str| text(context, name).unwrap_or_default();
    let facts = |name: &str| notice.get(name).map(map).unwrap_or_default();
    let root = said("rootDirectory");
    // The exception that was thrown comes first.
    let errors = list(notice, "errors").into_iter().filter(|error| error.is_object());
    let exceptions = errors.take(MOST_ERRORS).map(|error| exception(error, &root));
    let mut exceptions: Vec<Exception> = exceptions.collect();
    exceptions.reverse();
    let component = [said("component"), said("action")];
    let component: Vec<String> = component.into_iter().filter(|part| !part.is_empty()).collect();
    let route = said("route");
    let language = said("language");
    Event {
        level: level(&said("severity")),
        platform: language.split(['/', ' ']).next().unwrap_or_default().to_lowercase(),
        exceptions,
        release: said("version"),
        environment: said("environment"),
        server_name: said("hostname"),
        transaction: if route.is_empty() { component.join("#") } else { route },
        request: request(context, notice),
        user: context.get("user").map(map).unwrap_or_default(),
        contexts: contexts(context, notice),
        extra: facts("params"),
        modules: context.get("versions").map(map).unwrap_or_default(),
        client: context.get("notifier").map(notifier).unwrap_or_default(),
        ..Event::default()
    }
}

/// Errors of one notice that are read: the one that was thrown, and its causes.
const MOST_ERRORS: usize = 60;
const MOST_FRAMES: usize = 1_200;

fn level(severity: &str) -> String {
    match severity {
        "notice" => "info",
        "critical" | "alert" | "emergency" => "fatal",
        other => other,
    }
    .to_owned()
}

fn notifier(notifier: &Value) -> String {
    let part = |name| text(notifier, name).unwrap_or_default();
    format!("{}/{}", part("name"), part("version"))
}

fn exception(error: &Value, root: &str) -> Exception {
    let mut frames: Vec<Frame> = list(error, "backtrace")
        .into_iter()
        .filter(|frame| frame.is_object())
        .take(MOST_FRAMES)
        .map(|it| frame(it, root))
        .collect();
    // The innermost one comes first.
    frames.reverse();
    Exception {
        kind: text(error, "type").unwrap_or_default(),
        value: error.get("message").map(printed).unwrap_or_default(),
        frames,
        ..Exception::default()
    }
}

fn frame(frame: &Value, root: &str) -> Frame {
    let file = text(frame, "file").unwrap_or_default();
    // Notifiers shorten the folder of the program to a word.
    let below = ["/PROJECT_ROOT", "[PROJECT_ROOT]"].iter().find_map(|word| file.strip_prefix(word));
    let filename = below.map_or_else(|| file.clone(), |below| format!("{root}{below}"));
    let place = |name: &str| whole(number(frame, name));
    let line = place("line");
    let code = frame.get("code").map(lines).unwrap_or_default();
    let (before, after) = (code.range(..line), code.range(line.saturating_add(1)..));
    Frame {
        filename,
        function: text(frame, "function").unwrap_or_default(),
        line,
        column: place("column"),
        text: code.get(&line).cloned().unwrap_or_default(),
        before: before.map(|(_, text)| text.clone()).collect(),
        after: after.map(|(_, text)| text.clone()).collect(),
        ..Frame::default()
    }
}

pub(crate) fn whole(number: Option<f64>) -> u32 {
    let number = number.filter(|number| (1.0..=f64::from(u32::MAX)).contains(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits")]
    number.map_or(0, |number| number as u32)
}

/// The source lines by their numbers.
fn lines(code: &Value) -> BTreeMap<u32, String> {
    let lines = code.as_object().into_iter().flatten().take(MOST_LINES);
    let line = |(number, text): (&String, &Value)| Some((number.parse().ok()?, as_text(text)?));
    lines.filter_map(line).collect()
}

const MOST_LINES: usize = 21;

fn request(context: &Value, notice: &Value) -> Option<Request> {
    let said = |name: &str| text(context, name).unwrap_or_default();
    let (url, method) = (said("url"), said("httpMethod"));
    if url.is_empty() && method.is_empty() {
        return None;
    }
    let mut headers = BTreeMap::new();
    for (name, value) in [("User-Agent", said("userAgent")), ("Referer", said("referer"))] {
        if !value.is_empty() {
            headers.insert(name.to_owned(), value);
        }
    }
    let address = [said("userAddr"), said("remoteAddr")].into_iter().find(|it| !it.is_empty());
    let mut env = notice.get("environment").map(map).unwrap_or_default();
    env.extend(address.map(|address| ("REMOTE_ADDR".to_owned(), address)));
    Some(Request { method, url, headers, env, ..Request::default() })
}

fn contexts(context: &Value, notice: &Value) -> Vec<Context> {
    let mut contexts = Vec::new();
    for name in ["session", "environment"] {
        let values = notice.get(name).map(map).unwrap_or_default();
        if !values.is_empty() {
            contexts.push(Context { name: name.to_owned(), values });
        }
    }
    let language = text(context, "language").unwrap_or_default();
    if let Some((name, version)) = language.split_once(['/', ' ']) {
        let values = [("name", name), ("version", version)];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        contexts.push(Context { name: "runtime".to_owned(), values });
    }
    contexts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn notice_is_read() {
        let error = |kind: &str, line: u32| {
            json!({"type": kind, "message": "m", "backtrace": [
                {"file": "/PROJECT_ROOT/shop/cart.py", "line": line, "column": 4, "function": "total",
                 "code": {"1": "a", "2": "b", "3": "c", "x": "d"}},
                {"file": "/usr/lib/python3/run.py", "line": "x"}, null,
            ]})
        };
        let event = read(&json!({
            "errors": [error("ZeroDivisionError", 2), error("KeyError", 9)],
            "context": {"language": "Python/3.11.7", "rootDirectory": "/srv/app", "version": "abc",
                "severity": "critical", "environment": "production", "hostname": "web-01",
                "component": "carts", "action": "show", "url": "http://x.org/", "userAgent": "Firefox",
                "user": {"id": 7}, "notifier": {"name": "pybrake", "version": "1.10"}},
            "params": {"x": 1}, "session": {}, "environment": null,
        }));
        let kinds: Vec<_> = event.exceptions.iter().map(|exception| &*exception.kind).collect();
        assert_eq!(kinds, ["KeyError", "ZeroDivisionError"]);
        let frames = &event.exceptions[1].frames;
        assert_eq!(frames[0].filename, "/usr/lib/python3/run.py");
        assert_eq!((&*frames[1].filename, frames[1].line), ("/srv/app/shop/cart.py", 2));
        assert_eq!(
            (&*frames[1].text, &*frames[1].before, &*frames[1].after),
            ("b", &["a".to_owned()][..], &["c".to_owned()][..])
        );
        assert_eq!(
            (&*event.platform, &*event.level, &*event.transaction),
            ("python", "fatal", "carts#show")
        );
        assert_eq!((&*event.client, &*event.release), ("pybrake/1.10", "abc"));
        assert_eq!(event.request.map(|request| request.url).as_deref(), Some("http://x.org/"));
        for odd in [json!(null), json!({"errors": "x", "context": []}), json!([])] {
            assert_eq!(read(&odd).exceptions, [], "{odd}");
        }
    }
}
