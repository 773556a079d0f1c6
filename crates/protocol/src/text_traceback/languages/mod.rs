//! Tracebacks of other languages than Python, in their own forms: one file for each language says
//! what its lines look like and how they belong together.
mod dot_net;
mod go;
mod java;
mod javascript;
mod php;
mod ruby;
mod rust;
mod section;

use super::colours::without_control;
use super::containers;
use super::margin::Lead;
use super::{MAX_FRAMES, Reading, TextTraceback};
use section::{Row, Section};

/// A language with tracebacks of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextLanguage {
    /// C#, F# and Visual Basic, on .NET and on Mono.
    DotNet,
    /// Go.
    Go,
    /// Java, Kotlin, Scala.
    Java,
    /// JavaScript, in Node and in browsers.
    JavaScript,
    /// PHP.
    Php,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
}

/// All of them, those with the most special lines first.
const ALL: [TextLanguage; 7] = [
    TextLanguage::Rust,
    TextLanguage::Go,
    TextLanguage::Php,
    TextLanguage::Ruby,
    TextLanguage::Java,
    TextLanguage::JavaScript,
    TextLanguage::DotNet,
];

/// Lines before the first frame that may be the exception and its message.
const BEFORE: usize = 60;
/// Lines without a frame in a traceback, such as those of a message.
const MAX_BETWEEN: usize = 60;
/// Further lines begin another traceback.
const MAX_LINES: usize = 60_000;
/// Lines after the first frame that are looked at, and then four times as many.
const WINDOW: usize = 200;
/// Tracebacks of one text that are read.
const MAX_TRACEBACKS: usize = 100_000;

impl TextLanguage {
    /// The language that OpenTelemetry's `telemetry.sdk.language` names.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "dotnet" => Self::DotNet,
            "go" => Self::Go,
            "java" => Self::Java,
            "nodejs" | "webjs" => Self::JavaScript,
            "php" => Self::Php,
            "ruby" => Self::Ruby,
            "rust" => Self::Rust,
            _ => return None,
        })
    }

    /// Where a frame, or another line that only tracebacks of this language have, begins in a line.
    fn place(self, line: &str) -> Option<usize> {
        match self {
            Self::DotNet => dot_net::place(line),
            Self::Go => go::place(line),
            Self::Java => java::place(line),
            Self::JavaScript => javascript::place(line),
            Self::Php => php::place(line),
            Self::Ruby => ruby::place(line),
            Self::Rust => rust::place(line),
        }
    }

    /// The exceptions of a traceback, the one that left the program first, and the row after it.
    fn sections(self, rows: &[Row<'_>], first: usize) -> (Vec<Section>, usize) {
        match self {
            Self::DotNet => dot_net::sections(rows, first),
            Self::Go => go::sections(rows, first),
            Self::Java => java::sections(rows, first),
            Self::JavaScript => javascript::sections(rows, first),
            Self::Php => php::sections(rows, first),
            Self::Ruby => ruby::sections(rows, first),
            Self::Rust => rust::sections(rows, first),
        }
    }
}

/// The traceback in the text of one exception. Without a `language` the lines say which it is.
pub fn read_one(text: &str, language: Option<TextLanguage>) -> Option<TextTraceback> {
    let only = language.map(|language| [language]);
    let languages = only.as_ref().map_or(&ALL[..], |only| &only[..]);
    read_in(text, languages).tracebacks.into_iter().next()
}

/// Reads the tracebacks of all these languages in a text.
pub(super) fn read_all(text: &str) -> Reading {
    read_in(text, &ALL)
}

fn read_in(text: &str, languages: &[TextLanguage]) -> Reading {
    let mut reading = Reading::default();
    let mut block = Block::default();
    for mut line in containers::lines(text) {
        if let std::borrow::Cow::Owned(cleaned) = without_control(&line.text) {
            line.text = cleaned.into();
        }
        let found = match block.language {
            Some(language) => language.place(&line.text).map(|_| language),
            None => languages.iter().copied().find(|it| it.place(&line.text).is_some()),
        };
        if found.is_some() {
            reading.mentioned_at = reading.mentioned_at.or(Some(line.number));
        }
        if block.add(Row { number: line.number, text: line.text }, found) {
            block.read(&mut reading.tracebacks);
            if reading.tracebacks.len() >= MAX_TRACEBACKS {
                return reading;
            }
        }
    }
    block.read(&mut reading.tracebacks);
    reading
}

/// Lines that may hold tracebacks of one language.
#[derive(Default)]
struct Block<'a> {
    language: Option<TextLanguage>,
    rows: Vec<Row<'a>>,
    /// The first and the last row with a frame.
    frames: Option<(usize, usize)>,
}

impl<'a> Block<'a> {
    /// Adds a row; whether the block is complete.
    fn add(&mut self, row: Row<'a>, language: Option<TextLanguage>) -> bool {
        if self.frames.is_none() && self.rows.len() > BEFORE {
            self.rows.remove(0);
        }
        self.rows.push(row);
        let at = self.rows.len() - 1;
        if let Some(language) = language {
            self.language = Some(language);
            self.frames = Some((self.frames.map_or(at, |(first, _)| first), at));
        }
        let is_over = self.frames.is_some_and(|(_, last)| at - last >= MAX_BETWEEN);
        is_over || self.rows.len() >= MAX_LINES
    }

    /// Reads its tracebacks and begins a new block with the rows after the last frame.
    fn read(&mut self, tracebacks: &mut Vec<TextTraceback>) {
        let Self { language: Some(language), rows, frames: Some((mut first, last)) } =
            std::mem::take(self)
        else {
            return;
        };
        let mut begin = 0;
        while first <= last {
            let at = language.place(&rows[first].text).unwrap_or_default();
            let lead = Lead::of(&rows[first].text[..at]);
            let strip = |row: &Row<'a>| Row {
                number: row.number,
                text: lead.strip(&row.text).unwrap_or(&row.text).to_owned().into(),
            };
            // Most tracebacks are short, and a log has many.
            let mut window = WINDOW;
            let (sections, end) = loop {
                let until = rows.len().min(first + window);
                let stripped: Vec<Row<'_>> = rows[begin..until].iter().map(strip).collect();
                let (sections, end) = language.sections(&stripped, first - begin);
                // What a parser looks ahead for must not be cut off.
                if begin + end + MAX_BETWEEN < until || until == rows.len() {
                    break (sections, end);
                }
                window *= 4;
            };
            let end = (begin + end).max(first + 1);
            let line = rows[first].number;
            let is_rest = is_rest_of(&sections, &rows[begin..first]) && begin > 0;
            if let Some(traceback) = section::assembled(sections, line) {
                match tracebacks.last_mut().filter(|_| is_rest) {
                    Some(before) => before.go_on(traceback.exception.frames),
                    None => tracebacks.push(traceback),
                }
            }
            begin = end;
            let next = |at: &usize| language.place(&rows[*at].text).is_some();
            match (begin..=last).find(next) {
                Some(next) => first = next,
                None => break,
            }
        }
        self.rows = rows.into_iter().skip(begin.max(last + 1)).collect();
    }
}

/// Whether an exception without a name is the rest of the one before: a line of another form was
/// between their frames.
fn is_rest_of(sections: &[Section], between: &[Row<'_>]) -> bool {
    let is_nameless = |section: &Section| section.kind.is_empty() && section.message.is_empty();
    let is_of_a_stack = |row: &Row<'_>| {
        let text = row.text.trim();
        ["...", "- ", "at "].iter().any(|start| text.starts_with(start)) || text.contains('@')
    };
    matches!(sections, [only] if is_nameless(only))
        && between.len() <= 3
        && between.iter().all(is_of_a_stack)
}

impl TextTraceback {
    /// Adds further frames to the exception that was printed last: they are its callers.
    fn go_on(&mut self, frames: Vec<super::TextFrame>) {
        let last = self.chain.last_mut().map(|chained| &mut chained.exception);
        let last = last.unwrap_or(&mut self.exception);
        if last.frames.len() + frames.len() <= MAX_FRAMES {
            last.frames.splice(0..0, frames);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TextException, TextRelation};
    use super::*;

    /// A traceback as text: each exception with its frames, outermost first.
    pub(super) fn shown(traceback: &TextTraceback) -> String {
        let mut text = shown_one(&traceback.exception);
        for chained in &traceback.chain {
            let how = match chained.relation {
                TextRelation::Cause => "cause",
                TextRelation::Context => "context",
                TextRelation::Member => "member",
                TextRelation::Remote => "remote",
            };
            let of = chained.parent.map_or(String::new(), |parent| format!(" of {parent}"));
            text += &format!("{how}{of}: {}", shown_one(&chained.exception));
        }
        text
    }

    fn shown_one(exception: &TextException) -> String {
        let TextException { frames, exception_type, exception_message } = exception;
        let mut text = format!("{exception_type}: {exception_message}\n");
        for frame in frames {
            let module = match &*frame.module {
                "" => String::new(),
                module => format!("{module} "),
            };
            let column =
                if frame.column > 0 { format!(":{}", frame.column) } else { String::new() };
            text +=
                &format!("  {module}{}:{}{column} {}\n", frame.path, frame.line, frame.function);
        }
        text
    }

    /// All tracebacks of a text.
    pub(super) fn read(text: &str) -> String {
        let reading = read_all(text);
        reading.tracebacks.iter().map(shown).collect::<Vec<_>>().join("---\n")
    }

    #[test]
    fn prefixes_of_logs_and_escapes_are_removed() {
        let java = "java.lang.IllegalStateException: no quantity\n\tat com.acme.T.unit(T.java:5)\n\tat \
                    com.acme.T.main(T.java:9)\n";
        let expected = read(java);
        assert!(expected.contains("com.acme.T T.java:5 unit"), "{expected}");
        let prefixed =
            |prefix: &str| java.lines().map(|line| format!("{prefix}{line}\n")).collect();
        let texts: [String; 6] = [
            prefixed("web-1  | "),
            prefixed("2026-11-22T10:00:00.123Z stderr F "),
            prefixed("Nov 22 10:00:00 web app[12]: "),
            prefixed("> "),
            format!("10:00:00 ERROR [main] c.a.Shop - failed\n{java}10:00:01 INFO next\n"),
            format!("{{\"level\":\"error\",\"stack\":{:?}}}\n", java.trim_end()),
        ];
        for text in texts {
            assert_eq!(read(&text), expected, "{text}");
        }
    }

    #[test]
    fn each_language_is_read() {
        for (name, text) in [
            ("browser", include_str!("samples/browser.txt")),
            ("dot_net", include_str!("samples/dot_net.txt")),
            ("go", include_str!("samples/go.txt")),
            ("java", include_str!("samples/java.txt")),
            ("node", include_str!("samples/node.txt")),
            ("php", include_str!("samples/php.txt")),
            ("ruby", include_str!("samples/ruby.txt")),
            ("rust", include_str!("samples/rust.txt")),
        ] {
            insta::assert_snapshot!(name, read(text));
        }
    }

    #[test]
    fn lines_of_another_form_do_not_end_a_stack() {
        for text in [
            "E.A: x\n\tat a.B.f(B.java:1)\n\t... 2 frames excluded\n\tat a.C.g(C.java:2)\n",
            "/srv/a.rb:1:in `f': x (A)\n\tfrom /srv/b.rb:2:in `g'\n\t ... 3 levels...\n\tfrom /srv/c.rb:3:in \
             `<main>'\n",
            "f@https://x.org/a.js:1:2\npromise callback*@https://x.org/a.js:3:4\ng@https://x.org/a.js:5:6\n",
        ] {
            let found = read_all(text).tracebacks;
            assert_eq!(found.len(), 1, "{text}\n{}", read(text));
            assert!(found[0].exception.frames.len() >= 2, "{text}\n{}", read(text));
        }
        let zap = "2026-01-01T00:00:00Z\tERROR\tshop/svc.go:3\tfailed\nmain.F3\n\t/srv/x/svc.go:3\nmain.main\n\
                   \t/srv/x/main.go:9\n";
        assert_eq!(read(zap), "panic: \n  /srv/x/main.go:9 main.main\n  /srv/x/svc.go:3 main.F3\n");
        let long: String = (0..198).map(|at| format!("#{at} /srv/f.php({at}): f()\n")).collect();
        let php = format!(
            "A: x in /srv/a.php:1\nStack trace:\n{long}#198 {{main}}\n\nNext B: y in \
            /srv/b.php:2\nStack trace:\n#0 {{main}}\n"
        );
        assert_eq!(read_all(&php).tracebacks.len(), 1);
    }

    #[test]
    fn members_of_a_group_keep_their_causes_and_messages_their_arrows() {
        let group = "System.AggregateException: Two errors ---> A.NoQuantity: none ---> A.Empty: cart\n   at \
                     A.Cart.F() in /src/A.cs:line 1\n   --- End of inner exception stack trace ---\n   at \
                     A.Cart.G() in /src/A.cs:line 2\n   --- End of inner exception stack trace ---\n   at \
                     A.Shop.Main() in /src/P.cs:line 3\n---> (Inner Exception #0) A.NoQuantity: none ---> \
                     A.Empty: cart\n   at A.Cart.F() in /src/A.cs:line 1\n---> (Inner Exception #1) A.NoPrice: \
                     of (b) c\n ---> A.Closed: (d) e\n   at B.Db.H() in /src/B.cs:line 4\n   --- End of inner \
                     exception stack trace ---\n   at B.Price.I() in /src/B.cs:line 5<---\n";
        let expected = "System.AggregateException: Two errors\n  /src/P.cs:3 A.Shop.Main\n\
                        member: A.NoQuantity: none\n  /src/A.cs:2 A.Cart.G\n\
                        cause of 0: A.Empty: cart\n  /src/A.cs:1 A.Cart.F\n\
                        member: A.NoPrice: of (b) c\n  /src/B.cs:5 B.Price.I\n\
                        cause of 2: A.Closed: (d) e\n  /src/B.cs:4 B.Db.H\n";
        assert_eq!(read(group), expected);
        let arrow = "A.Failed: state 1 ---> 2\n   at A.B.F() in /src/A.cs:line 1\n";
        assert_eq!(read(arrow), "A.Failed: state 1 ---> 2\n  /src/A.cs:1 A.B.F\n");
    }

    #[test]
    fn hostile_lines_take_little_time() {
        let spaces = format!("- x{}y\n\tat a.B.c(B.java:1)\n", " ".repeat(400_000));
        assert_eq!(read_all(&spaces).tracebacks.len(), 1);
        let mut copies = "java.lang.A: x\n".to_owned() + &"\tat a.B.f(B.java:1)\n".repeat(3_000);
        for _ in 0..2_000 {
            copies += "Caused by: B\n\tat a.B.f(B.java:1)\n\t... 3000 more\n";
        }
        let found = read_all(&copies).tracebacks;
        let frames = |it: &TextTraceback| {
            it.chain.iter().map(|chained| chained.exception.frames.len()).sum::<usize>()
        };
        assert!(found.iter().map(frames).sum::<usize>() <= 64 * 2_000 * found.len());
    }

    #[test]
    fn several_tracebacks_of_a_log_are_told_apart() {
        let one = |kind: &str, n: usize| {
            format!(
                "{kind}: x\n    at total (/srv/app/cart.js:{n}:3)\n    at /srv/app/app.js:9:1\n"
            )
        };
        let text =
            format!("{}ok\n{}{}", one("TypeError", 1), one("RangeError", 2), one("Error", 3));
        let found = read_all(&text);
        let kinds: Vec<_> =
            found.tracebacks.iter().map(|it| &*it.exception.exception_type).collect();
        assert_eq!(kinds, ["TypeError", "RangeError", "Error"]);
        assert_eq!(found.mentioned_at, Some(2));
    }

    #[test]
    fn text_without_a_traceback_has_none_and_takes_no_memory() {
        for text in
            ["", "all is well", "at home (with: friends)", "see file.go:12", "#1 first (2): x"]
        {
            assert_eq!(read_all(text).tracebacks, [], "{text}");
        }
        let endless = "    at f (/a.js:1:1)\n".repeat(MAX_FRAMES * 3);
        let found = read_all(&endless);
        assert!(found.tracebacks.iter().all(|it| it.exception.frames.len() <= MAX_FRAMES));
    }
}
