//! Layouts of frameworks and tools that print tracebacks in their own way.
use flawless_protocol::text_traceback::{TextException, TextRelation};

use super::{Entry, HEADER, Rendered, alone, chained, ending, frame_line};

pub(super) const FORMS: &[Entry] = &[
    ("loguru", |e, _| alone(loguru(e), e)),
    ("Django's page, to copy and paste", |e, _| alone(django(e, &frames(e), HEADER), e)),
    ("Django's page, older than 2.0", |e, _| {
        let frame = |f: &_| older_django_frame(f);
        alone(django(e, &e.frames.iter().map(frame).collect::<String>(), "Traceback:"), e)
    }),
    ("Django's page, as the browser copies it", |e, _| alone(django_page(e), e)),
    ("Django's mail", |e, _| {
        let head = format!(
            "Internal Server Error: /cart/\n\n{} at /cart/\n{}\n\n",
            e.exception_type, e.exception_message
        );
        alone(head + &django(e, &frames(e), HEADER), e)
    }),
    ("Django's page, an exception while another was handled", |e, other| {
        let sentence = format!(
            "During handling of the above exception ({}), another exception occurred:",
            other.exception_message
        );
        let text = django(e, &format!("{}\n{sentence}\n{}", frames(other), frames(e)), HEADER);
        let nameless = TextException { exception_type: String::new(), ..other.clone() };
        Rendered { chain: vec![chained(&nameless, TextRelation::Context, None)], ..alone(text, e) }
    }),
    ("rich", |e, _| alone(rich(e), e)),
    ("IPython", |e, _| {
        let frame = |f: &flawless_protocol::text_traceback::TextFrame| {
            let (path, line, function) = (&f.path, f.line, &f.function);
            format!(
                "File {path}:{line}, in {function}\n      1 def f():\n----> {line}     {}\n\n",
                f.text
            )
        };
        let text: String = e.frames.iter().map(frame).collect();
        alone(format!("{}       {HEADER}\n{text}{}\n", e.exception_type, ending(e)), e)
    }),
    ("pytest, short", |e, _| {
        let frame = |f: &flawless_protocol::text_traceback::TextFrame| {
            format!("{}:{}: in {}\n    {}\n", f.path, f.line, f.function, f.text)
        };
        let text: String = e.frames.iter().map(frame).collect();
        alone(format!("____ test_cart ____\n{text}E   {}\n", ending(e)), e)
    }),
    ("a type in angle brackets (`<class 'KeyError'>:`)", |e, _| {
        let kind = &e.exception_type;
        alone(format!("{HEADER}\n{}<class '{kind}'>: {}\n", frames(e), e.exception_message), e)
    }),
];

fn frames(exception: &TextException) -> String {
    let frame = |frame| frame_line(frame) + "\n";
    exception.frames.iter().map(|f| format!("{}    {}\n", frame(f), f.text)).collect()
}

fn loguru(exception: &TextException) -> String {
    let mut text =
        format!("2026-11-29 13:05:16.460 | ERROR    | __main__:<module>:4 - failed\n{HEADER}\n\n");
    for (at, frame) in exception.frames.iter().enumerate() {
        let line = frame_line(frame);
        let line = if at == 0 { line.replacen("  ", "> ", 1) } else { line };
        text +=
            &format!("{line}\n    {}\n    │       └ 0\n    └ <function f at 0x7f>\n\n", frame.text);
    }
    text + &ending(exception) + "\n"
}

fn django(exception: &TextException, frames: &str, header: &str) -> String {
    format!(
        "Environment:\n\nRequest Method: GET\nRequest URL: http://shop.example/cart/\n\nDjango \
         Version: 4.2\nInstalled Applications:\n['django.contrib.admin',\n 'shop']\n\n{header}\n\
         {frames}\nException Type: {} at /cart/\nException Value: {}\n",
        exception.exception_type, exception.exception_message
    )
}

fn older_django_frame(frame: &flawless_protocol::text_traceback::TextFrame) -> String {
    let (path, function) = (&frame.path, &frame.function);
    format!("File \"{path}\" in {function}\n  {}.     {}\n", frame.line, frame.text)
}

fn django_page(exception: &TextException) -> String {
    let frame = |frame: &flawless_protocol::text_traceback::TextFrame| {
        let (path, line, function) = (&frame.path, frame.line, &frame.function);
        format!("{path}, line {line}, in {function}\n            {} …\n Local vars\n", frame.text)
    };
    let frames: String = exception.frames.iter().map(frame).collect();
    format!(
        "{0} at /cart/\n{1}\nRequest Method:\tGET\nException Type:\t{0}\nException Value:\t\n{1}\n\
         Exception Location:\t/srv/x.py, line 3, in x\nPython Version:\t3.11.2\nTraceback Switch to \
         copy-and-paste view\n{frames}Request information\nUSER\nAnonymousUser\n",
        exception.exception_type, exception.exception_message
    )
}

fn rich(exception: &TextException) -> String {
    let row = |text: &str| format!("│ {text:<76} │\n");
    let mut text = format!("╭{0} Traceback (most recent call last) {0}╮\n", "─".repeat(20));
    for frame in &exception.frames {
        text += &row(&format!("{}:{} in {}", frame.path, frame.line, frame.function));
        text += &row("");
        text += &row(&format!("  {} │   other = 1", frame.line.saturating_sub(1)));
        text += &row(&format!("❱ {} │   {}", frame.line, frame.text));
        text += &row(&format!("  {} │   other = 2", frame.line + 1));
    }
    text + &format!("╰{}╯\n{}\n", "─".repeat(78), ending(exception))
}
