//! Wrappings of a whole traceback: encodings, line ends, JSON, syslog, HTML.
use super::{Entry, alone, each_line, plain_lines, plain_text};

pub(super) const FORMS: &[Entry] = &[
    ("UTF-8 with a byte order mark", |e, _| alone(format!("\u{feff}{}", plain_text(e)), e)),
    ("UTF-16, little end first", |e, _| alone(utf16(b"\xff\xfe", &plain_text(e), false), e)),
    ("UTF-16, big end first", |e, _| alone(utf16(b"\xfe\xff", &plain_text(e), true), e)),
    ("UTF-16 without a mark", |e, _| alone(utf16(b"", &plain_text(e), false), e)),
    ("`\\r\\n`", |e, _| alone(plain_text(e).replace('\n', "\r\n"), e)),
    ("`\\r` alone", |e, _| alone(plain_text(e).replace('\n', "\r"), e)),
    ("line separators of Unicode", |e, _| alone(plain_text(e).replace('\n', "\u{2028}"), e)),
    ("`\\r\\r\\n`", |e, _| alone(plain_text(e).replace('\n', "\r\r\n"), e)),
    ("`#012` of syslog", |e, _| {
        let text = plain_text(e).replace('\n', "#012");
        alone(format!("Nov 29 10:00:00 web app[12]: cart failed#012{text}\n"), e)
    }),
    ("a string in a line of JSON", |e, _| alone(json_line(&plain_text(e)) + "\n", e)),
    ("JSON in JSON", |e, _| {
        let inner = json_line(&plain_text(e)) + "\n";
        alone(format!("{{\"log\":{},\"stream\":\"stderr\"}}\n", quoted(&inner)), e)
    }),
    ("JSON in JSON in JSON", |e, _| {
        let inner = format!("{{\"log\":{}}}", quoted(&json_line(&plain_text(e))));
        alone(format!("{{\"message\":{},\"n\":1}}\n", quoted(&inner)), e)
    }),
    ("JSON behind a prefix", |e, _| {
        alone(format!("web-1  | 10:00:00 {}\n", json_line(&plain_text(e))), e)
    }),
    ("JSON that was cut off behind the traceback", |e, _| {
        let line = json_line(&plain_text(e));
        alone(line[..line.len() - "\", \"pid\": 77}".len()].to_owned() + "\n", e)
    }),
    ("JSON, a list of lines", |e, _| {
        let lines: Vec<String> = plain_lines(e).iter().map(|line| quoted(line)).collect();
        alone(format!("{{\"level\": \"error\", \"exc\": [{}], \"n\": 1}}\n", lines.join(", ")), e)
    }),
    ("JSON, a list with an item a line", |e, _| {
        let lines: Vec<String> = plain_lines(e).iter().map(|line| quoted(line)).collect();
        alone(format!("{{\n  \"exc\": [\n    {}\n  ]\n}}\n", lines.join(",\n    ")), e)
    }),
    ("JSON, a line of it for each line", |e, _| {
        let line = |at: usize, line: &str| {
            format!("{{\"log\":{},\"time\":{at}}}", quoted(&format!("{line}\n")))
        };
        alone(each_line(e, line), e)
    }),
    ("a cell of a CSV file", |e, _| {
        let text = plain_text(e).replace('"', "\"\"");
        alone(format!("1,error,\"{}\",x\n", text.trim_end()), e)
    }),
    ("key=\"value\"", |e, _| {
        alone(format!("ts=10:00 level=error exc={} n=1\n", quoted(&plain_text(e))), e)
    }),
    ("key=value, not quoted", |e, _| alone(format!("ts=10:00 exc={}\n", repr(&plain_text(e))), e)),
    ("Python's repr", |e, _| alone(format!("{{'exc': '{}', 'n': 1}}\n", repr(&plain_text(e))), e)),
    ("Python's repr of bytes", |e, _| {
        let escaped = |c: char| match c {
            c if c.is_ascii() => c.to_string(),
            c => c.to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect(),
        };
        let bytes: String = repr(&plain_text(e)).chars().map(escaped).collect();
        alone(format!("stderr: b'{bytes}'\n"), e)
    }),
    ("HTML escapes", |e, _| alone(each_line(e, |_, line| html(line)), e)),
    ("HTML in one line", |e, _| {
        let lines: Vec<String> =
            plain_lines(e).iter().map(|l| html(l).replace(' ', "&nbsp;")).collect();
        let header = lines[0].replace("&nbsp;", " ");
        alone(format!("<p><b>{header}</b><br>{}</p>\n", lines[1..].join("<br/>")), e)
    }),
    ("HTML with coloured code", |e, _| {
        let line = |_: usize, line: &str| format!("<span class=\"k\">{}</span>", html(line));
        alone(format!("<pre>{}</pre>\n", each_line(e, line)), e)
    }),
    ("URL-encoded", |e, _| {
        let encode = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        let text: String = plain_text(e).bytes().map(encode).collect();
        alone(format!("level=error&exc={text}&n=1\n"), e)
    }),
];

fn utf16(mark: &[u8], text: &str, big: bool) -> Vec<u8> {
    let bytes = text
        .encode_utf16()
        .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    mark.iter().copied().chain(bytes).collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json_line(text: &str) -> String {
    let exception = quoted(text);
    format!(
        "{{\"level\": \"error\", \"msg\": \"it's bad\", \"exc_info\": {exception}, \"pid\": 77}}"
    )
}

fn repr(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\t', "\\t")
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#x27;")
}
