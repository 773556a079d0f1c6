//! Changes that people and terminals make to the lines of a traceback.
use flawless_protocol::text_traceback::{TextException, TextFrame};

use super::{
    Entry, HEADER, Rendered, alone, each_line, ending, frame_line, plain_lines, plain_text,
};

pub(super) const FORMS: &[Entry] = &[
    ("as the interpreter prints it", |e, _| alone(plain_text(e), e)),
    ("with marks below the source lines", |e, _| alone(marked(e), e)),
    ("colours of Python 3.13", |e, _| alone(coloured(e, "\u{1b}["), e)),
    ("colours without the escape character", |e, _| alone(coloured(e, "["), e)),
    ("colours spelt out (`^[[35m`)", |e, _| alone(coloured(e, "^[["), e)),
    ("other escapes: links, 256 colours, erasing", |e, _| alone(escapes(e), e)),
    ("no header", |e, _| alone(plain_lines(e)[1..].join("\n"), e)),
    ("header in another line's text", |e, _| {
        alone(format!("ERROR:root:job 7 failed {}", plain_text(e)), e)
    }),
    ("no source lines", |e, _| {
        let frames = e.frames.iter().map(|f| TextFrame { text: String::new(), ..f.clone() });
        let bare = TextException { frames: frames.collect(), ..e.clone() };
        alone(plain_text(&bare), &bare)
    }),
    ("`[...]` for frames that were left out", |e, _| left_out(e, "[...]")),
    ("`<snip>` for frames that were left out", |e, _| left_out(e, "  <snip>")),
    ("`...` for frames that were left out", |e, _| left_out(e, "...")),
    ("unindented source lines", |e, _| {
        alone(each_line(e, |_, line| line.strip_prefix("    ").unwrap_or(line).to_owned()), e)
    }),
    ("no indents at all", |e, _| alone(each_line(e, |_, line| line.trim_start().to_owned()), e)),
    ("indented as a whole", |e, _| alone(each_line(e, |_, line| format!("    {line}")), e)),
    ("indented by tabs", |e, _| {
        let by_tabs = |line: &str| match line.strip_prefix("    ") {
            Some(source) => format!("\t\t{source}"),
            None => line.replacen("  File", "\tFile", 1),
        };
        alone(each_line(e, |_, line| by_tabs(line)), e)
    }),
    ("blank lines between frames", |e, _| {
        let lines = plain_lines(e).join("\n").replace("\n  File", "\n\n  File");
        alone(lines + "\n", e)
    }),
    ("a blank line after every line", |e, _| alone(each_line(e, |_, line| format!("{line}\n")), e)),
    ("wrapped between words at 72", |e, _| alone(each_line(e, |_, line| wrapped(line, 72)), e)),
    ("wrapped by a terminal at 80", |e, _| alone(each_line(e, |_, line| broken(line, 80)), e)),
    ("line breaks became spaces", |e, _| alone(plain_lines(e).join(" "), e)),
    ("quoted (`> `)", |e, _| alone(each_line(e, |_, line| format!("> {line}")), e)),
    ("quoted twice (`> > `)", |e, _| alone(each_line(e, |_, line| format!("> > {line}")), e)),
    ("quoted twice (`>> `)", |e, _| alone(each_line(e, |_, line| format!(">> {line}")), e)),
    ("in a fence of Markdown", |e, _| alone(format!("It fails:\n```\n{}```\n", plain_text(e)), e)),
    ("in a box", |e, _| {
        let row = |_: usize, line: &str| format!("│ {line}{}│", " ".repeat(4));
        alone(each_line(e, row), e)
    }),
    ("`[Previous line repeated 996 more times]`", |e, _| {
        let mut lines = plain_lines(e);
        lines.insert(lines.len() - 1, "  [Previous line repeated 996 more times]".to_owned());
        alone(lines.join("\n"), e)
    }),
    ("typographic quotes", |e, _| alone(typographic(e), e)),
    ("innermost frame first (faulthandler, gdb)", |e, _| {
        let frames = e.frames.iter().rev().flat_map(|f| [frame_line(f), format!("    {}", f.text)]);
        let lines: Vec<String> = frames.collect();
        let header = HEADER.replace("last", "first");
        alone(format!("{header}\n{}\n{}\n", lines.join("\n"), ending(e)), e)
    }),
];

fn marked(exception: &TextException) -> String {
    each_line(exception, |_, line| match line.strip_prefix("    ") {
        Some(source) => {
            let width = source.chars().count();
            format!("{line}\n    {}{}", "~".repeat(width / 2), "^".repeat(width - width / 2))
        }
        None => line.to_owned(),
    })
}

fn coloured(exception: &TextException, escape: &str) -> String {
    let dye = |code: &str, text: &str| format!("{escape}{code}m{text}{escape}0m");
    let mut text = format!("{HEADER}\n");
    for frame in &exception.frames {
        let path = dye("35", &format!("\"{}\"", frame.path));
        let (line, function) = (dye("35", &frame.line.to_string()), dye("35", &frame.function));
        text += &format!("  File {path}, line {line}, in {function}\n");
        let middle = frame.text.char_indices().nth(frame.text.chars().count() / 2);
        let (left, right) = frame.text.split_at(middle.map_or(0, |(at, _)| at));
        text += &format!("    {}{}\n", dye("31", left), dye("1;31", right));
        text += &format!("    {}\n", dye("31", "~~~~^^"));
    }
    let kind = dye("1;35", &exception.exception_type);
    text + &format!("{kind}: {}\n", dye("35", &exception.exception_message))
}

fn escapes(exception: &TextException) -> String {
    let dye = |text: &str| format!("\u{1b}[38;5;208m{text}\u{1b}[m\u{1b}[K");
    each_line(exception, |_, line| match line.strip_prefix("  File ") {
        Some(rest) => format!("  \u{1b}]8;;file:///x\u{1b}\\File\u{1b}]8;;\u{7} {}", dye(rest)),
        None => format!("\u{1b}(B{}\u{200b}", dye(line)),
    })
}

/// Without the second frame, if there are more than two.
fn left_out(exception: &TextException, mark: &str) -> Rendered {
    let mut rest = exception.clone();
    if rest.frames.len() > 2 {
        rest.frames.remove(1);
    }
    let mut lines = plain_lines(&rest);
    let after_first = if rest.frames[0].text.is_empty() { 2 } else { 3 };
    lines.insert(after_first, mark.to_owned());
    alone(lines.join("\n"), &rest)
}

/// Breaks a line like a mail program: between words, the rest without an indent.
fn wrapped(line: &str, at_width: usize) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut text = line[..indent].to_owned();
    let mut width = indent;
    for (at, word) in line[indent..].split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && width + 1 + length > at_width {
            text.push('\n');
            width = length;
        } else {
            text.push_str(if at > 0 { " " } else { "" });
            width += length + usize::from(at > 0);
        }
        text.push_str(word);
    }
    text
}

/// Breaks a line like a terminal: anywhere; a space at the end of a line is not copied.
fn broken(line: &str, at_width: usize) -> String {
    let chars: Vec<char> = line.chars().collect();
    let pieces = chars.chunks(at_width).map(|piece| piece.iter().collect::<String>());
    pieces.map(|piece| piece.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn typographic(exception: &TextException) -> String {
    each_line(exception, |_, line| {
        let mut opens = true;
        let mut text = String::new();
        for c in line.chars() {
            match c {
                '"' if opens => text.push('“'),
                '"' => text.push('”'),
                '\'' => text.push('’'),
                c => text.push(c),
            }
            opens ^= c == '"';
        }
        text
    })
}
