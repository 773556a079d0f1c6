//! Python's printed tracebacks, 2.7 to 3.14.
//!
//! Of a chain ("During handling of …", "The above exception was …") the last exception is the
//! one that left the program, as a client would report it; exception groups yield the group.
use super::{TextFrame, TextTraceback};

const HEADER: &str = "Traceback (most recent call last):";
const CHAIN: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];
/// A traceback in a log is short; this bounds what a hostile text can make us hold.
const MAX_FRAMES: usize = 10_000;

/// All tracebacks in `text`, in their order. What stands before a header (a log prefix, a quote
/// mark, an indent) is expected before the lines that follow it too, and ignored where missing.
pub fn parse_python(text: &str) -> Vec<TextTraceback> {
    let mut found: Vec<TextTraceback> = Vec::new();
    let mut chained = false;
    let mut lines = Lines { rest: text.lines().peekable() };
    while let Some(line) = lines.rest.next() {
        if let Some(prefix) = line.find(HEADER).map(|at| &line[..at]) {
            let margin = lines.margin_of(prefix);
            let traceback = lines.traceback(margin);
            if traceback.frames.is_empty() {
                continue;
            }
            if std::mem::take(&mut chained) {
                found.pop();
            }
            found.push(traceback);
        } else if CHAIN.iter().any(|sentence| line.trim_end().ends_with(sentence)) {
            chained = !found.is_empty();
        }
    }
    found
}

/// What stands before each line of a traceback and is no part of it.
#[derive(Clone, Copy)]
enum Margin<'a> {
    /// White space and quote marks, the same before each line.
    Text(&'a str),
    /// A logger's prefix of so many bytes; the time in it may change.
    Width(usize),
}

struct Lines<'a> {
    rest: std::iter::Peekable<std::str::Lines<'a>>,
}

impl<'a> Lines<'a> {
    /// The margin of the lines below a header that has `prefix` before it.
    fn margin_of(&mut self, prefix: &'a str) -> Margin<'a> {
        let before_group = prefix.strip_suffix("Exception Group ").unwrap_or(prefix);
        let is_margin = |c: char| c.is_whitespace() || "|>+#*".contains(c);
        if before_group.chars().all(is_margin) {
            return Margin::Text(before_group);
        }
        let next = self.rest.peek().and_then(|line| line.get(prefix.len()..));
        match next.and_then(frame_line) {
            Some(_) => Margin::Width(prefix.len()),
            None => Margin::Text(""),
        }
    }

    fn traceback(&mut self, margin: Margin<'_>) -> TextTraceback {
        let mut traceback = TextTraceback::default();
        while let Some(line) = self.peek(margin) {
            if let Some(frame) = frame_line(line) {
                if traceback.frames.len() < MAX_FRAMES {
                    traceback.frames.push(frame);
                }
            } else if line.starts_with(char::is_whitespace) {
                let text = line.trim();
                let is_marker = text.chars().all(|c| "~^ ".contains(c));
                let is_note = text.starts_with("[Previous line repeated ");
                if let Some(frame) = traceback.frames.last_mut()
                    && frame.text.is_empty()
                    && !is_marker
                    && !is_note
                {
                    text.clone_into(&mut frame.text);
                }
            } else if line.trim().is_empty() && self.frame_follows(margin) {
                // An empty source line, or a blank line of the log between two frames.
            } else {
                if let Some((exception_type, message)) = exception_line(line) {
                    traceback.exception_type = exception_type.to_owned();
                    traceback.exception_message = message.to_owned();
                    self.rest.next();
                }
                break;
            }
            self.rest.next();
        }
        traceback
    }

    fn peek(&mut self, margin: Margin<'_>) -> Option<&'a str> {
        self.rest.peek().map(|line| without_margin(line, margin))
    }

    fn frame_follows(&self, margin: Margin<'_>) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next();
        ahead.next().is_some_and(|line| frame_line(without_margin(line, margin)).is_some())
    }
}

fn without_margin<'a>(line: &'a str, margin: Margin<'_>) -> &'a str {
    let rest = match margin {
        Margin::Width(width) => line.get(width..),
        Margin::Text(margin) => line
            .strip_prefix(margin)
            // In an exception group the header's `+` is a `|` on the lines below.
            .or_else(|| line.strip_prefix(&*margin.replace('+', "|"))),
    };
    rest.unwrap_or(line)
}

/// `  File "PATH", line N, in FUNCTION`; the function is missing for a SyntaxError's own line,
/// which is no frame.
fn frame_line(line: &str) -> Option<TextFrame> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (path, rest) = rest.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(", in ")?;
    Some(TextFrame {
        path: path.to_owned(),
        line: number.trim().parse().unwrap_or(0),
        function: function.trim().to_owned(),
        text: String::new(),
    })
}

/// `pkg.Type: message`, or `Type` alone.
fn exception_line(line: &str) -> Option<(&str, &str)> {
    let (name, message) = line.split_once(':').unwrap_or((line, ""));
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || "_.<>".contains(c))
        && !name.starts_with(|c: char| c.is_numeric());
    is_name.then_some((name, message.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> String {
        parse_python(text)
            .iter()
            .map(|traceback| {
                let frames = traceback.frames.iter().map(|frame| {
                    format!("{}:{} {} [{}]", frame.path, frame.line, frame.function, frame.text)
                });
                let end = format!("{}: {}", traceback.exception_type, traceback.exception_message);
                frames.chain([end]).collect::<Vec<_>>().join("\n")
            })
            .collect::<Vec<_>>()
            .join("\n--\n")
    }

    #[test]
    fn a_plain_traceback_with_markers_and_log_lines_around_it() {
        let text = "\
2026-01-01 ERROR failed Traceback (most recent call last):
  File \"/srv/app/web.py\", line 10, in handle
    return total(cart)
           ~~~~~^^^^^^
  File \"/srv/app/cart.py\", line 3, in total
    return sum / count
           ~~~~^~~~~~~
ZeroDivisionError: division by zero
2026-01-01 INFO next
";
        assert_eq!(
            summary(text),
            "/srv/app/web.py:10 handle [return total(cart)]\n\
             /srv/app/cart.py:3 total [return sum / count]\n\
             ZeroDivisionError: division by zero"
        );
    }

    #[test]
    fn of_a_chain_the_last_exception_counts_and_separate_ones_are_separate() {
        let one = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\nKeyError: 'k'\n";
        let two = one.replace("a.py", "b.py").replace("KeyError: 'k'", "shop.Empty");
        let chained = format!("{one}\n{}\n\n{two}", CHAIN[0]);
        assert_eq!(summary(&chained), "b.py:1 f [x()]\nshop.Empty: ");
        assert_eq!(parse_python(&format!("{one}\n{two}")).len(), 2);
    }

    #[test]
    fn exception_groups_and_lines_with_a_loggers_prefix() {
        let text = "
  + Exception Group Traceback (most recent call last):
  |   File \"/srv/app/jobs.py\", line 7, in run
  |     raise ExceptionGroup('two', errors)
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/srv/app/jobs.py\", line 3, in one
    |     1 / 0
    | ZeroDivisionError: division by zero
    +------------------------------------
";
        assert_eq!(
            summary(text),
            "/srv/app/jobs.py:7 run [raise ExceptionGroup('two', errors)]\n\
             ExceptionGroup: two (2 sub-exceptions)\n--\n\
             /srv/app/jobs.py:3 one [1 / 0]\nZeroDivisionError: division by zero"
        );
        let text = "\
Nov 22 10:00:01 web-01 app[12]: Traceback (most recent call last):
Nov 22 10:00:01 web-01 app[12]:   File \"a.py\", line 1, in f
Nov 22 10:00:02 web-01 app[12]:     x()
Nov 22 10:00:02 web-01 app[12]: KeyError: 'k'
";
        assert_eq!(summary(text), "a.py:1 f [x()]\nKeyError: 'k'");
    }

    #[test]
    fn quoted_repeated_textless_and_cut_off_tracebacks() {
        let text = "
    > Traceback (most recent call last):
    >   File \"/usr/bin/run\", line 9, in <module>
    >   File \"a, line 2.py\", line 3, in f
    >     f()
    >   [Previous line repeated 996 more times]
    > RecursionError: maximum recursion depth exceeded
";
        assert_eq!(
            summary(text),
            "/usr/bin/run:9 <module> []\na, line 2.py:3 f [f()]\n\
             RecursionError: maximum recursion depth exceeded"
        );
        assert_eq!(
            summary("Traceback (most recent call last):\n  File \"a.py\", line 1, in f"),
            "a.py:1 f []\n: "
        );
        assert_eq!(summary("Traceback (most recent call last):\nnothing\n"), "");
        assert_eq!(summary("no traceback here"), "");
    }
}
