//! An event: an exception or a message with everything that a client says about it.
use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{as_text, boolean, list, map, number, printed, text};
use super::frames::{Frame, frames};
use super::timestamp::milliseconds;

/// An event. Texts are empty where the client said nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// 32 hexadecimal digits; `None` when the client sent none.
    pub id: Option<String>,
    /// Its type: `error`, `default`, or what only looks like an event.
    pub kind: String,
    /// Such as `error` or `info`; empty stands for an error.
    pub level: String,
    /// The language, such as `python`.
    pub platform: String,
    /// The exceptions, the oldest cause first: the last one was thrown.
    pub exceptions: Vec<Exception>,
    /// The threads that were running.
    pub threads: Vec<Thread>,
    /// The stack of a message.
    pub stack: Vec<Frame>,
    /// What was logged.
    pub message: String,
    /// The logger.
    pub logger: String,
    /// The release.
    pub release: String,
    /// The variant of the release.
    pub dist: String,
    /// The environment.
    pub environment: String,
    /// The host.
    pub server_name: String,
    /// The endpoint, task or command.
    pub transaction: String,
    /// The web request.
    pub request: Option<Request>,
    /// The user.
    pub user: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The contexts, by name.
    pub contexts: Vec<Context>,
    /// Further values.
    pub extra: BTreeMap<String, String>,
    /// What happened before, oldest first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// Packages with their versions.
    pub modules: BTreeMap<String, String>,
    /// The debug ids of generated files, by their paths or URLs.
    pub debug_ids: BTreeMap<String, String>,
    /// By what the program groups its events.
    pub fingerprint: Vec<String>,
    /// The client.
    pub client: String,
}

/// An exception of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// The type without its module.
    pub kind: String,
    /// The message.
    pub value: String,
    /// The module or package of the type.
    pub module: String,
    /// The frames, outermost first.
    pub frames: Vec<Frame>,
    /// What caught it, and its place among the others.
    pub mechanism: Mechanism,
}

/// What caught an exception, and its place among the others of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mechanism {
    /// Such as `excepthook`.
    pub kind: String,
    /// Whether the program went on.
    pub handled: Option<bool>,
    /// The client made the exception up, to report something else.
    pub is_synthetic: bool,
    /// Its number within the event.
    pub id: Option<u32>,
    /// The number of the exception that it belongs to.
    pub parent: Option<u32>,
    /// Where it stands in that one, such as `__cause__` or `exceptions[0]`.
    pub source: String,
    /// It is a group of others.
    pub is_group: bool,
}

/// A thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its name.
    pub name: String,
    /// It crashed.
    pub is_crashed: bool,
    /// It reported the event.
    pub is_current: bool,
    /// Its frames, outermost first.
    pub frames: Vec<Frame>,
}

/// Facts of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Its name, such as `runtime`.
    pub name: String,
    /// Its facts by name.
    pub values: BTreeMap<String, String>,
}

/// Something that happened before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breadcrumb {
    /// When, in milliseconds since 1970.
    pub at: Option<i64>,
    /// What kind of thing.
    pub category: String,
    /// How bad it was.
    pub level: String,
    /// In words.
    pub message: String,
    /// Facts about it.
    pub data: BTreeMap<String, String>,
}

/// A web request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The query, if the URL does not have it.
    pub query: String,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// The cookies, as the client printed them.
    pub cookies: String,
    /// The body, as the client printed it.
    pub body: String,
    /// Variables of the server.
    pub env: BTreeMap<String, String>,
}

impl Event {
    /// Reads an event. Fields of an unexpected type are read as far as possible; the id of the
    /// envelope, if it has one, goes before that of the event.
    pub fn read(event: &Value, id_of_envelope: Option<&str>) -> Self {
        let exceptions = first_list(event, ["exception", "sentry.interfaces.Exception"]);
        let exceptions = exceptions.into_iter().filter(|exception| exception.is_object()).collect();
        let said = |name: &str| text(event, name).unwrap_or_default();
        let facts = |name: &str| event.get(name).map(map).unwrap_or_default();
        let id = id_of_envelope.and_then(event_id);
        let id = id.or_else(|| event_id(&text(event, "event_id")?));
        let client = event.get("sdk").map(|sdk| {
            let part = |name| text(sdk, name).unwrap_or_default();
            format!("{}/{}", part("name"), part("version"))
        });
        Self {
            id,
            kind: said("type"),
            level: level(event),
            platform: said("platform"),
            exceptions: last(MOST_EXCEPTIONS, exceptions).map(Exception::read).collect(),
            threads: last(MOST_THREADS, list(event, "threads")).map(Thread::read).collect(),
            stack: ["stacktrace", "sentry.interfaces.Stacktrace"]
                .into_iter()
                .find_map(|name| event.get(name))
                .map(frames)
                .unwrap_or_default(),
            message: message(event),
            logger: said("logger"),
            release: said("release"),
            dist: said("dist"),
            environment: said("environment"),
            server_name: said("server_name"),
            transaction: text(event, "transaction")
                .or_else(|| text(event, "culprit"))
                .unwrap_or_default(),
            request: ["request", "sentry.interfaces.Http"]
                .into_iter()
                .find_map(|name| event.get(name).filter(|request| request.is_object()))
                .map(Request::read),
            user: match event.get("user") {
                Some(user) => map(user),
                None => facts("sentry.interfaces.User"),
            },
            tags: facts("tags"),
            contexts: contexts(event),
            extra: facts("extra"),
            breadcrumbs: last(MOST_BREADCRUMBS, list(event, "breadcrumbs"))
                .map(Breadcrumb::read)
                .collect(),
            modules: facts("modules"),
            debug_ids: debug_ids(event),
            fingerprint: match event.get("fingerprint") {
                Some(Value::Array(parts)) => parts.iter().filter_map(as_text).collect(),
                Some(part) => as_text(part).into_iter().collect(),
                None => Vec::new(),
            },
            client: client.unwrap_or_default(),
        }
    }

    /// Whether it is about an error, and not a transaction or feedback in the form of an event.
    pub fn is_error(&self) -> bool {
        !NO_ERRORS.contains(&&*self.kind)
    }
}

impl Exception {
    fn read(exception: &Value) -> Self {
        let said = |name: &str| text(exception, name).unwrap_or_default();
        let value = exception.get("value").map(printed).unwrap_or_default();
        Self {
            kind: said("type"),
            value,
            module: said("module"),
            frames: exception.get("stacktrace").map(frames).unwrap_or_default(),
            mechanism: exception.get("mechanism").map(Mechanism::read).unwrap_or_default(),
        }
    }
}

impl Mechanism {
    fn read(mechanism: &Value) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits")]
        let whole = |name| {
            let number = number(mechanism, name)?;
            (0.0..=1e9).contains(&number).then_some(number as u32)
        };
        let is = |name| boolean(mechanism, name).unwrap_or(false);
        Self {
            kind: text(mechanism, "type").unwrap_or_default(),
            handled: boolean(mechanism, "handled"),
            is_synthetic: is("synthetic"),
            id: whole("exception_id"),
            parent: whole("parent_id"),
            source: text(mechanism, "source").unwrap_or_default(),
            is_group: is("is_exception_group"),
        }
    }
}

impl Thread {
    fn read(thread: &Value) -> Self {
        let is = |name| boolean(thread, name).unwrap_or(false);
        Self {
            name: text(thread, "name").unwrap_or_default(),
            is_crashed: is("crashed"),
            is_current: is("current"),
            frames: thread.get("stacktrace").map(frames).unwrap_or_default(),
        }
    }
}

impl Breadcrumb {
    fn read(breadcrumb: &Value) -> Self {
        let said = |name: &str| text(breadcrumb, name).unwrap_or_default();
        let category = text(breadcrumb, "category").or_else(|| text(breadcrumb, "type"));
        Self {
            at: breadcrumb.get("timestamp").and_then(milliseconds),
            category: category.unwrap_or_default(),
            level: said("level"),
            message: said("message"),
            data: breadcrumb.get("data").map(map).unwrap_or_default(),
        }
    }
}

impl Request {
    fn read(request: &Value) -> Self {
        let said = |name: &str| text(request, name).unwrap_or_default();
        let query = request.get("query_string").map(|query| match query {
            Value::Object(_) | Value::Array(_) => {
                let pairs = map(query).into_iter().map(|(name, value)| format!("{name}={value}"));
                pairs.collect::<Vec<_>>().join("&")
            }
            other => printed(other),
        });
        let body = request.get("data").map(printed).unwrap_or_default();
        Self {
            method: said("method"),
            url: said("url"),
            query: query.unwrap_or_default(),
            headers: request.get("headers").map(map).unwrap_or_default(),
            cookies: request.get("cookies").map(printed).unwrap_or_default(),
            body,
            env: request.get("env").map(map).unwrap_or_default(),
        }
    }
}

/// The exceptions, threads and breadcrumbs of an event that are read: the last ones.
const MOST_EXCEPTIONS: usize = 60;
const MOST_THREADS: usize = 500;
const MOST_BREADCRUMBS: usize = 100;

fn last(most: usize, values: Vec<&Value>) -> impl Iterator<Item = &Value> {
    let skipped = values.len().saturating_sub(most);
    values.into_iter().skip(skipped)
}

/// Types of what only has the form of an event.
const NO_ERRORS: [&str; 10] = [
    "transaction",
    "feedback",
    "replay_event",
    "profile",
    "check_in",
    "csp",
    "hpkp",
    "expectct",
    "expectstaple",
    "nel",
];

/// The list under the first of these names that is there.
fn first_list<'a>(event: &'a Value, names: [&str; 2]) -> Vec<&'a Value> {
    let there = names.into_iter().find(|name| event.get(name).is_some_and(|it| !it.is_null()));
    there.map(|name| list(event, name)).unwrap_or_default()
}

/// The text of a message, formatted where the client sent that.
fn message(event: &Value) -> String {
    let names = ["logentry", "message", "sentry.interfaces.Message"];
    let said = names.into_iter().filter_map(|name| event.get(name)).find_map(|said| match said {
        Value::Object(_) => text(said, "formatted").or_else(|| text(said, "message")),
        other => as_text(other).filter(|text| !text.is_empty()),
    });
    said.unwrap_or_default()
}

/// Generated files that are read.
const MOST_IMAGES: usize = 1_000;

/// The debug ids of generated files. Other images are those of native code.
fn debug_ids(event: &Value) -> BTreeMap<String, String> {
    let images = event.get("debug_meta").map(|meta| list(meta, "images")).unwrap_or_default();
    let of_source_map = |image: &&Value| text(image, "type").as_deref() == Some("sourcemap");
    let images = images.into_iter().filter(of_source_map).take(MOST_IMAGES);
    let named =
        |image: &Value| Some((text(image, "code_file")?, event_id(&text(image, "debug_id")?)?));
    images.filter_map(named).collect()
}

/// The level as a word.
fn level(event: &Value) -> String {
    let Some(level) = text(event, "level") else { return String::new() };
    let word = match &*level.to_ascii_lowercase() {
        "10" => "debug",
        "20" => "info",
        "30" | "warn" => "warning",
        "40" => "error",
        "50" | "critical" => "fatal",
        _ => return level.to_ascii_lowercase(),
    };
    word.to_owned()
}

fn contexts(event: &Value) -> Vec<Context> {
    let Some(Value::Object(contexts)) = event.get("contexts") else { return Vec::new() };
    let context = |(name, values): (&String, &Value)| {
        let mut values = map(values);
        values.remove("type");
        (!values.is_empty()).then(|| Context { name: name.clone(), values })
    };
    contexts.iter().filter_map(context).collect()
}

/// The id of an event as 32 digits in lower case. `None` when it is something else.
pub fn event_id(id: &str) -> Option<String> {
    let digits: String = id.trim().chars().filter(|c| *c != '-').collect();
    let is_id = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "7937ba37b0cb4b7587b78bf32f652b50";

    fn read(event: &Value) -> Event {
        Event::read(event, None)
    }

    #[test]
    fn id_of_the_envelope_goes_first() {
        let other = "0".repeat(32);
        let id = |of_envelope, of_event: &str| {
            Event::read(&json!({"event_id": of_event}), of_envelope).id
        };
        assert_eq!(id(Some("7937BA37-B0CB-4B75-87B7-8BF32F652B50"), &other).as_deref(), Some(ID));
        assert_eq!(id(None, ID).as_deref(), Some(ID));
        assert_eq!(id(Some("x"), ID).as_deref(), Some(ID));
        assert_eq!(id(None, "x"), None);
    }

    #[test]
    fn exceptions_of_every_form_are_read() {
        let one = json!({"type": "E", "value": 7, "stacktrace": {"frames": [{"lineno": 1}]}});
        for event in [
            json!({"exception": {"values": [one]}}),
            json!({"exception": [null, one]}),
            json!({"exception": one}),
            json!({"exception": null, "sentry.interfaces.Exception": {"values": [one]}}),
        ] {
            let exceptions = read(&event).exceptions;
            assert_eq!(exceptions.len(), 1, "{event}");
            let Exception { kind, value, frames, .. } = &exceptions[0];
            assert_eq!((&**kind, &**value, frames.len()), ("E", "7", 1), "{event}");
        }
        for event in [json!({"exception": {"values": null}}), json!({"exception": "x"}), json!([])]
        {
            assert_eq!(read(&event).exceptions, [], "{event}");
        }
    }

    #[test]
    fn messages_levels_and_facts_of_every_form_are_read() {
        for event in [
            json!({"message": "hi"}),
            json!({"message": {"message": "%s", "formatted": "hi"}}),
            json!({"message": "", "logentry": {"message": "hi", "formatted": null}}),
            json!({"sentry.interfaces.Message": {"message": "hi"}}),
        ] {
            assert_eq!(read(&event).message, "hi", "{event}");
        }
        for (level, expected) in [
            (json!(40), "error"),
            (json!("warn"), "warning"),
            (json!("FATAL"), "fatal"),
            (json!(null), ""),
        ] {
            assert_eq!(read(&json!({"level": level})).level, expected);
        }
        for tags in [json!({"a": 1, "b": null}), json!([["a", 1], ["b", null], "c"])] {
            assert_eq!(read(&json!({"tags": tags})).tags, [("a".into(), "1".into())].into());
        }
        let request = json!({"url": "/x", "query_string": [["a", "1"]], "data": {"k": [1]}});
        let request = read(&json!({"request": request})).request.expect("a request");
        assert_eq!((&*request.query, &*request.body), ("a=1", "{\"k\":[1]}"));
        let contexts = json!({"trace": {"type": "trace", "trace_id": "ab"}, "empty": {}, "odd": 1});
        let contexts = read(&json!({"contexts": contexts})).contexts;
        assert_eq!((contexts.len(), &*contexts[0].values["trace_id"]), (1, "ab"));
    }

    #[test]
    fn what_only_looks_like_an_event_is_told_apart() {
        for (kind, expected) in [
            (json!(null), true),
            (json!("error"), true),
            (json!("event"), true),
            (json!("transaction"), false),
            (json!("feedback"), false),
        ] {
            assert_eq!(read(&json!({"type": kind})).is_error(), expected, "{kind}");
        }
    }
}
