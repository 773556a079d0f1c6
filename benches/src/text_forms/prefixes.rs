//! Prefixes of loggers, containers and collectors, and other lines in between.
use super::{Entry, alone, each_line, plain_lines, plain_text};

pub(super) const FORMS: &[Entry] = &[
    ("stamps of one width", |e, _| {
        alone(each_line(e, |at, line| format!("2026-11-29T10:00:00.{at:09}Z {line}")), e)
    }),
    ("stamps of changing width", |e, _| {
        let stamp = |at: usize| match at % 4 {
            0 => "2026-11-29T10:00:00Z".to_owned(),
            1 => format!("2026-11-29T10:00:00.{at}Z"),
            2 => format!("2026-11-29T10:00:00.{at:06}Z"),
            _ => format!("2026-11-29T10:00:00.{at:09}Z"),
        };
        alone(each_line(e, |at, line| format!("{} {line}", stamp(at))), e)
    }),
    ("syslog's prefix", |e, _| {
        alone(each_line(e, |at, line| format!("Nov 29 10:00:{at:02} web-1 app[{at}]: {line}")), e)
    }),
    ("a logger's prefix with marks (`ERROR| `)", |e, _| {
        alone(each_line(e, |at, line| format!("07/05 13:11:{at:02} ERROR| job:0545| {line}")), e)
    }),
    ("a container's name", |e, _| alone(each_line(e, |_, line| format!("web-1  | {line}")), e)),
    ("a container's name and a stamp", |e, _| {
        let line = |at: usize, line: &str| format!("web-1  | 2026-11-29T10:00:{at:02}Z {line}");
        alone(each_line(e, line), e)
    }),
    ("a coloured worker's name", |e, _| {
        let line = |_: usize, line: &str| format!("\u{1b}[36m(price_of pid=77)\u{1b}[0m {line}");
        alone(each_line(e, line), e)
    }),
    ("a bracket (`] `)", |e, _| alone(each_line(e, |_, line| format!("] {line}")), e)),
    ("more before the first line", |e, _| {
        let line = |at: usize, line: &str| match at {
            0 => format!("web-1  | ERROR:shop.web:cart failed: {line}"),
            _ => format!("web-1  | {line}"),
        };
        alone(each_line(e, line), e)
    }),
    ("a prefix on the first line only", |e, _| {
        alone(format!("2026-11-29 10:00:00,123 [worker-3] ERROR shop.web - {}", plain_text(e)), e)
    }),
    ("a prefix on the first line only, no header", |e, _| {
        alone(format!("Nov 29 10:00:00 web app[12]: {}", plain_lines(e)[1..].join("\n")), e)
    }),
    ("lines of another container between", |e, _| {
        let other = "db-1   | LOG:  checkpoint starting: time\n";
        let line = |at: usize, line: &str| {
            format!("{}web-1  | {line}", if at % 3 == 2 { other } else { "" })
        };
        alone(each_line(e, line), e)
    }),
    ("lines of a log between", |e, _| {
        let other = "2026-11-29 10:00:00 INFO uvicorn: GET /health 200";
        alone(plain_text(e).replace("\n  File", &format!("\n{other}\n  File")), e)
    }),
    ("lines of an access log between", |e, _| {
        let other = "127.0.0.1 - - [29/Nov/2026 10:00:00] \"GET /cart HTTP/1.1\" 200 -";
        alone(plain_text(e).replace("\n  File", &format!("\n{other}\n  File")), e)
    }),
    ("another log's lines before the exception", |e, _| {
        let mut lines = plain_lines(e);
        lines.insert(lines.len() - 1, "INFO:     10.0.0.7:51234 - \"GET / HTTP/1.1\" 200".into());
        alone(lines.join("\n") + "\n", e)
    }),
];
