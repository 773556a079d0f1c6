//! Related exceptions: chains, groups, and those of another process.
use flawless_protocol::text_traceback::{TextException, TextFrame, TextRelation};

use super::{Entry, Rendered, alone, chained, ending, plain_lines, plain_text};

const CAUSE: &str = "The above exception was the direct cause of the following exception:";
const CONTEXT: &str = "During handling of the above exception, another exception occurred:";

pub(super) const FORMS: &[Entry] = &[
    ("an exception with its cause", |e, other| {
        after(
            other,
            TextRelation::Cause,
            e,
            format!("{}\n{CAUSE}\n\n{}", plain_text(other), plain_text(e)),
        )
    }),
    ("an exception while another was handled", |e, other| {
        after(other, TextRelation::Context, e, joined(e, other))
    }),
    ("the same, with stamps", |e, other| {
        let text = lines_changed(&joined(e, other), |at, line| {
            format!("2026-11-29T10:00:00.{at}Z {line}")
        });
        after(other, TextRelation::Context, e, text)
    }),
    ("the same, in JSON", |e, other| {
        let text = serde_json::json!({ "level": "error", "exc": joined(e, other), "n": 1 });
        after(other, TextRelation::Context, e, text.to_string())
    }),
    ("the same, quoted", |e, other| {
        let text = lines_changed(&joined(e, other), |_, line| format!("> {line}"));
        after(other, TextRelation::Context, e, text)
    }),
    ("the same, syslog's `#012`", |e, other| {
        let text = joined(e, other).replace('\n', "#012");
        after(other, TextRelation::Context, e, format!("Nov 29 web app[1]: {text}\n"))
    }),
    ("the same, no headers", |e, other| {
        let text = joined(e, other).replace("Traceback (most recent call last):\n", "");
        after(other, TextRelation::Context, e, text)
    }),
    ("the same, HTML escapes", |e, other| {
        let text = joined(e, other).replace('&', "&amp;").replace('<', "&lt;");
        after(other, TextRelation::Context, e, text.replace('"', "&quot;"))
    }),
    ("a cause that was never raised", |e, other| {
        let never = TextException { frames: Vec::new(), ..other.clone() };
        let text = format!("{}\n\n{CAUSE}\n\n{}", ending(other), plain_text(e));
        after(&never, TextRelation::Cause, e, text)
    }),
    ("a group", |e, other| group(e, other, |text| text)),
    ("a group, with a container's name", |e, other| {
        group(e, other, |text| lines_changed(&text, |_, line| format!("web-1  | {line}")))
    }),
    ("a group, with stamps", |e, other| {
        group(e, other, |text| {
            lines_changed(&text, |at, line| format!("2026-11-29T10:00:00.{at}Z {line}"))
        })
    }),
    ("a group in JSON", |e, other| {
        group(e, other, |text| serde_json::json!({ "exc": text }).to_string())
    }),
    ("a group that has a cause and groups in it", nested_groups),
    ("multiprocessing's RemoteTraceback", |e, other| {
        remote(e, other, "multiprocessing.pool.RemoteTraceback")
    }),
    ("concurrent.futures' _RemoteTraceback", |e, other| {
        remote(e, other, "concurrent.futures.process._RemoteTraceback")
    }),
    ("joblib's _RemoteTraceback", |e, other| {
        remote(e, other, "joblib.externals.loky.process_executor._RemoteTraceback")
    }),
    ("billiard's RemoteTraceback", |e, other| remote(e, other, "billiard.pool.RemoteTraceback")),
    ("Ray's RayTaskError", ray),
    ("PyTorch's worker (`Original Traceback`)", |e, other| {
        let kind = &other.exception_type;
        let message = format!("Caught {kind} in DataLoader worker process 0.");
        let outer = TextException { exception_message: message, ..e.clone() };
        let inner = plain_text(other).replacen("Traceback", "Original Traceback", 1);
        carried(other, &outer, format!("{}{inner}", plain_text(&outer)))
    }),
    ("Spark's PythonException", |e, other| {
        let outer = TextException {
            exception_type: "pyspark.errors.PythonException".to_owned(),
            exception_message: String::new(),
            ..e.clone()
        };
        carried(other, &outer, plain_text(&outer) + &plain_text(other))
    }),
    ("a traceback as the message", |e, other| {
        let outer = TextException { exception_message: String::new(), ..e.clone() };
        carried(other, &outer, plain_text(&outer).trim_end().to_owned() + " " + &plain_text(other))
    }),
    ("a SyntaxError with its own place", |e, _| {
        let mut frames = e.frames.clone();
        let place = TextFrame { function: String::new(), ..frames[0].clone() };
        frames.push(place.clone());
        let exception = TextException {
            frames,
            exception_type: "SyntaxError".to_owned(),
            exception_message: "expected ':'".to_owned(),
        };
        let mut lines = plain_lines(&exception);
        lines.insert(lines.len() - 1, "        ^".to_owned());
        alone(lines.join("\n").replace(", in \n", "\n"), &exception)
    }),
];

fn joined(exception: &TextException, other: &TextException) -> String {
    format!("{}\n{CONTEXT}\n\n{}", plain_text(other), plain_text(exception))
}

fn lines_changed(text: &str, change: impl Fn(usize, &str) -> String) -> String {
    text.lines().enumerate().map(|(at, line)| change(at, line) + "\n").collect()
}

/// `text`, in which `other` comes before `exception`.
fn after(
    other: &TextException,
    relation: TextRelation,
    exception: &TextException,
    text: String,
) -> Rendered {
    Rendered { chain: vec![chained(other, relation, None)], ..alone(text, exception) }
}

/// `text`, in which the message of `exception` contains `other`.
fn carried(other: &TextException, exception: &TextException, text: String) -> Rendered {
    after(other, TextRelation::Remote, exception, text)
}

fn group_of(exception: &TextException) -> TextException {
    TextException {
        exception_type: "ExceptionGroup".to_owned(),
        exception_message: "two (2 sub-exceptions)".to_owned(),
        ..exception.clone()
    }
}

fn with_bars(lines: &[String], indent: usize) -> String {
    lines.iter().map(|line| format!("{}| {line}\n", " ".repeat(indent))).collect()
}

fn border(indent: usize, first: bool, number: &str) -> String {
    let corner = if first { "+-+" } else { "  +" };
    format!("{}{corner}---------------- {number} ----------------\n", " ".repeat(indent))
}

fn group(
    exception: &TextException,
    other: &TextException,
    change: impl Fn(String) -> String,
) -> Rendered {
    let group = group_of(exception);
    let mut text = with_bars(&plain_lines(&group), 2);
    text = text.replacen("| Traceback", "+ Exception Group Traceback", 1);
    text += &border(2, true, "1");
    text += &with_bars(&plain_lines(other), 4);
    text += &border(2, false, "2");
    text += &with_bars(&[ending(exception)], 4);
    text += "    +------------------------------------\n";
    let bare = TextException { frames: Vec::new(), ..exception.clone() };
    let members = [other, &bare].map(|member| chained(member, TextRelation::Member, None));
    Rendered { chain: members.to_vec(), ..alone(change(text), &group) }
}

/// A group that contains a group and an exception with a cause, and has a cause itself.
fn nested_groups(exception: &TextException, other: &TextException) -> Rendered {
    let group = group_of(exception);
    let head = |indent| {
        with_bars(&plain_lines(&group), indent).replacen(
            "| Traceback",
            "+ Exception Group Traceback",
            1,
        )
    };
    let mut text = format!("{}\n{CAUSE}\n\n", plain_text(other));
    text += &head(2);
    text += &border(2, true, "1");
    text += &head(4).replacen("+ Exception", "| Exception", 1);
    text += &border(4, true, "1");
    text += &with_bars(&plain_lines(other), 6);
    text += "      +------------------------------------\n";
    text += &border(2, false, "2");
    text += &with_bars(&plain_lines(other), 4);
    text += &with_bars(&[String::new(), CAUSE.to_owned(), String::new()], 4);
    text += &with_bars(&plain_lines(exception), 4);
    text += "    +------------------------------------\n";
    let chain = vec![
        chained(other, TextRelation::Cause, None),
        chained(&group, TextRelation::Member, None),
        chained(other, TextRelation::Member, Some(1)),
        chained(exception, TextRelation::Member, None),
        chained(other, TextRelation::Cause, Some(3)),
    ];
    Rendered { chain, ..alone(text, &group) }
}

fn remote(exception: &TextException, other: &TextException, kind: &str) -> Rendered {
    let text = format!(
        "{kind}: \n\"\"\"\n{}\"\"\"\n\n{CAUSE}\n\n{}",
        plain_text(other),
        plain_text(exception)
    );
    let carrier = TextException { exception_type: kind.to_owned(), ..TextException::default() };
    let chain = vec![
        chained(&carrier, TextRelation::Cause, None),
        chained(other, TextRelation::Remote, Some(0)),
    ];
    Rendered { chain, ..alone(text, exception) }
}

/// A task that waits for another task, whose error is in the message of its own.
fn ray(exception: &TextException, other: &TextException) -> Rendered {
    let kind = format!("ray.exceptions.RayTaskError({})", other.exception_type);
    let carrier = |name: &str, frames: &TextException| TextException {
        frames: frames.frames.clone(),
        exception_type: kind.clone(),
        exception_message: format!("ray::{name}() (pid=77, ip=10.0.0.7)"),
    };
    let (outer, middle) = (carrier("outer", exception), carrier("inner", other));
    let headless = |e: &TextException| plain_lines(e)[1..].join("\n") + "\n";
    let text = plain_text(&outer) + &headless(&middle) + &headless(other);
    let chain = vec![
        chained(&middle, TextRelation::Remote, None),
        chained(other, TextRelation::Remote, Some(0)),
    ];
    Rendered { chain, ..alone(text, &outer) }
}
