//! Reads the line that names the exception at the end of a traceback.

/// The parts of an exception line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExceptionLine<'a> {
    /// As printed, e.g. `ZeroDivisionError` or `shop.errors.EmptyCart`.
    pub(super) kind: &'a str,
    pub(super) message: &'a str,
    /// The name is clearly that of an exception; other names may belong to other things.
    pub(super) is_certain: bool,
    /// The message is on a line of its own, as on Django's page.
    pub(super) is_labelled: bool,
}

/// Common endings of exception names.
const ENDINGS: [&str; 19] = [
    "Error",
    "Exception",
    "Warning",
    "Exit",
    "Interrupt",
    "Iteration",
    "Failure",
    "Failed",
    "Fault",
    "Timeout",
    "Expired",
    "Refused",
    "Denied",
    "NotFound",
    "DoesNotExist",
    "Cancelled",
    "Abort",
    "Group",
    "RemoteTraceback",
];
/// Words before a colon that begin a line of a log.
const LEVELS: [&str; 14] = [
    "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "critical", "fatal",
    "log", "note", "hint", "detail",
];

/// `pkg.Type: message`, or `Type` alone, at the start of `text`.
pub(super) fn exception_line(text: &str) -> Option<ExceptionLine<'_>> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("Exception Type:") {
        let kind = rest.trim_start();
        let kind = &kind[..name_end(kind)];
        return (!kind.is_empty()).then_some(ExceptionLine {
            kind,
            message: "",
            is_certain: true,
            is_labelled: true,
        });
    }
    if let Some(exception) = quoted_type(text) {
        return Some(exception);
    }
    // pytest marks exception lines like this.
    let text = text.strip_prefix("E  ").map_or(text, str::trim_start);
    let end = name_end(text);
    let (kind, rest) = text.split_at(end);
    let message = match rest.strip_prefix(':') {
        Some(message) if message.starts_with("//") => return None,
        // A Markdown fence may end on the same line as its text.
        Some(message) => message.trim().trim_end_matches("```"),
        None if rest.is_empty() => "",
        None => return None,
    };
    let is_name = kind.split('.').all(|part| !part.starts_with(|c: char| c.is_numeric()));
    if kind.is_empty() || is_level(kind) || kind.ends_with('.') || !is_name {
        return None;
    }
    Some(ExceptionLine { kind, message, is_certain: is_certain(kind), is_labelled: false })
}

/// `<class 'KeyError'>: message`, as written by programs that print the type themselves.
fn quoted_type(text: &str) -> Option<ExceptionLine<'_>> {
    let rest = text.strip_prefix("<class ").or_else(|| text.strip_prefix("<type "))?;
    let (kind, rest) = rest.split_once('>')?;
    let kind = kind.trim_matches(['\'', '"']);
    let message = match rest.trim_start().strip_prefix(':') {
        Some(message) => message.trim(),
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    let is_name = !kind.is_empty() && name_end(kind) == kind.len();
    is_name.then_some(ExceptionLine { kind, message, is_certain: true, is_labelled: false })
}

/// The exception in `text` that follows other text, and its position.
pub(super) fn exception_within(text: &str) -> Option<(usize, ExceptionLine<'_>)> {
    let starts = text.match_indices(char::is_whitespace).map(|(at, space)| at + space.len());
    let mut found = starts.filter_map(|at| {
        let rest = &text[at..];
        let end = name_end(rest);
        let after = &rest[end..];
        let is_end = after.is_empty() || after == ":" || after.starts_with(": ");
        let is_it = end > 0 && is_end && is_certain(&rest[..end]);
        is_it.then(|| exception_line(rest).map(|exception| (at, exception)))?
    });
    // A dotted name before a colon may be code, as in `if name in self.NAMES:`.
    let first = found.next()?;
    let ends_so = |(_, exception): &(usize, ExceptionLine<'_>)| ends_as_one(exception.kind);
    if ends_so(&first) { Some(first) } else { Some(found.find(ends_so).unwrap_or(first)) }
}

fn is_level(name: &str) -> bool {
    // `Error` and `Warning` are exceptions, `ERROR` and `error` are levels.
    // Python 2 prints `socket.error` as `error`.
    let is_word = name.chars().all(char::is_uppercase) || name.chars().all(char::is_lowercase);
    is_word && name != "error" && LEVELS.contains(&name.to_ascii_lowercase().as_str())
}

/// The end of a dotted name, which may contain `<locals>` and may be followed by a name in
/// brackets, as in `RayTaskError(KeyError)`.
fn name_end(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_numeric() || c == '.') {
        return 0;
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut end = 0;
    loop {
        let rest = &text[end..];
        end += rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        match text[end..].strip_prefix("<locals>") {
            Some(_) if end > 0 => end += "<locals>".len(),
            _ => break,
        }
    }
    if text[..end].ends_with("Error")
        && let Some(inner) = text[end..].strip_prefix('(')
    {
        let inner_end = inner.find(|c: char| !is_name(c)).unwrap_or(0);
        if inner_end > 0 && inner[inner_end..].starts_with(')') {
            return end + inner_end + 2;
        }
    }
    end
}

fn is_certain(kind: &str) -> bool {
    let name = kind.split('(').next().unwrap_or(kind);
    let (module, last) = name.rsplit_once('.').unwrap_or(("", name));
    let is_type = last.starts_with(char::is_uppercase) || last.starts_with('_');
    // Modules written in C have names such as `socket.gaierror`.
    let is_of_module = !module.is_empty() && (is_type || last.ends_with("error"));
    !is_level(kind) && (ends_as_one(kind) || is_of_module)
}

fn ends_as_one(kind: &str) -> bool {
    let name = kind.split('(').next().unwrap_or(kind);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether the code could not be compiled. The error's own place is then the innermost frame.
pub(super) fn is_syntax_error(kind: &str) -> bool {
    let last = kind.rsplit('.').next().unwrap_or(kind);
    ["SyntaxError", "IndentationError", "TabError"].iter().any(|name| last.ends_with(name))
}
