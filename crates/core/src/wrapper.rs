//! Recognises lines that only forward a call, such as a wrapper's `return func(*args, **kwargs)`:
//! by the text of the line, and in functions that are named like wrappers by their source.
use std::collections::HashSet;

/// Whether a function is named like a wrapper, so that its source is worth reading. The name alone
/// proves nothing: `wrap_text` and `__call__` may contain any code.
pub fn is_named_as_wrapper(function: &str) -> bool {
    let name = plain_name(function);
    let plain = name.trim_start_matches('_').to_ascii_lowercase();
    matches!(name, "__call__" | "__getattr__")
        || plain == "inner"
        || plain.starts_with("wrap")
        || plain.starts_with("decorat")
        || ["wrap", "wrapper", "wrapped"].iter().any(|end| plain.ends_with(end))
}

/// Whether a line only forwards a call: it passes `*args` or `**kwargs`, or, in a function that is
/// named like a wrapper, it calls a name that the function closed over or passes the function's own
/// parameters to the wrapped object. `source` says which names these are; without it the usual
/// names are used.
pub fn is_wrapper(function: &str, text: &str, source: Option<&WrapperSource>) -> bool {
    if passes_all_arguments(text) {
        return true;
    }
    if !is_named_as_wrapper(function) {
        return false;
    }
    calls_in(text).any(|call| match (call.object, source) {
        (None, _) if call.name == "getattr" => plain_name(function) == "__getattr__",
        (None, Some(source)) => source.closed_over.contains(call.name),
        (None, None) => CALLABLES.contains(&call.name),
        (Some("self"), source) if plain_name(function).starts_with("__") => match source {
            Some(source) => source.passes_on(call.arguments),
            None => CALLABLES.contains(&call.name.trim_start_matches('_')),
        },
        (Some(_), _) => false,
    })
}

/// Usual names of wrapped functions.
const CALLABLES: [&str; 20] = [
    "app",
    "application",
    "call",
    "callback",
    "decorated",
    "f",
    "fn",
    "func",
    "function",
    "get_response",
    "handler",
    "meth",
    "method",
    "next",
    "orig",
    "original",
    "target",
    "view",
    "view_func",
    "wrapped",
];

fn plain_name(function: &str) -> &str {
    function.rsplit('.').next().unwrap_or(function)
}

/// `*args` or `**kwargs`, by their usual names, after a bracket or a comma; the frame has only one
/// line of a call over several lines, which may begin with them.
fn passes_all_arguments(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let before = text[..at].trim_end();
        let rest = text[at..].trim_start_matches('*');
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let name = rest[..end].trim_start_matches('_');
        (before.is_empty() || before.ends_with(['(', ',']))
            && matches!(
                name,
                "a" | "arg" | "args" | "k" | "kw" | "kws" | "kwds" | "kwarg" | "kwargs"
            )
    })
}

/// A call: `name(arguments` or `object.name(arguments`, with the arguments on this line.
#[derive(Debug, PartialEq, Eq)]
struct Call<'a> {
    object: Option<&'a str>,
    name: &'a str,
    arguments: &'a str,
}

fn calls_in(text: &str) -> impl Iterator<Item = Call<'_>> {
    text.match_indices('(').filter_map(|(at, _)| {
        let (before, arguments) = (&text[..at], &text[at + 1..]);
        let from = |text: &str| text.rfind(|c| !is_word(c)).map_or(0, |at| at + width(text, at));
        let name = &before[from(before)..];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let before = &before[..before.len() - name.len()];
        let object = before.strip_suffix('.').map(|owner| &owner[from(owner)..]);
        Some(Call { object, name, arguments })
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// The names in a Python function, according to its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrapperSource {
    /// Its parameters, without the first one of a method.
    parameters: Vec<String>,
    /// Parameters and variables of the enclosing functions.
    closed_over: HashSet<String>,
}

impl WrapperSource {
    /// Reads the function `function` around line `line` (from 1) of a file; `None` when no function
    /// of that name begins before it.
    pub fn read(lines: &[&str], function: &str, line: u32) -> Option<Self> {
        let name = plain_name(function);
        let end = (line as usize).min(lines.len());
        let start = (0..end).rev().find(|&at| defined(lines[at]) == Some(name))?;
        let mut parameters = parameters(lines, start);
        let mut closed_over = HashSet::new();
        let mut inner = indent(lines[start]);
        if inner > 0 && parameters.first().is_some_and(|first| first == "self" || first == "cls") {
            parameters.remove(0);
        }
        // Lines between a line and the definition around it are indented at least as deep as the
        // line.
        let mut assigned: Vec<&str> = Vec::new();
        for at in (0..start).rev() {
            let text = lines[at];
            // Comments, and the end of a definition over several lines, do not show blocks.
            if inner == 0 || text.trim().is_empty() || text.trim_start().starts_with(['#', ')']) {
                continue;
            }
            if indent(text) < inner {
                inner = indent(text);
                if defined(text).is_some() {
                    closed_over.extend(assigned.drain(..).map(str::to_owned));
                    closed_over.extend(self::parameters(lines, at));
                } else if text.trim_start().starts_with("class ") {
                    assigned.clear();
                }
            } else if indent(text) == inner {
                assigned.extend(defined(text).or_else(|| assigned_name(text)));
            }
        }
        Some(Self { parameters, closed_over })
    }

    /// Whether arguments are the function's own parameters, as far as they are on this line.
    fn passes_on(&self, arguments: &str) -> bool {
        let given = arguments.split(')').next().unwrap_or_default();
        let mut given = given.split(',').map(str::trim).filter(|name| !name.is_empty()).peekable();
        given.peek().is_some()
            && given.all(|name| {
                let name = name.rsplit('=').next().unwrap_or(name).trim();
                self.parameters.iter().any(|parameter| parameter == name)
            })
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name of the function that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    let text = line.trim_start();
    let rest = text.strip_prefix("async ").map_or(text, str::trim_start).strip_prefix("def ")?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty())
}

/// The variable that a line assigns.
fn assigned_name(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once('=')?;
    let name = name.split(':').next().unwrap_or(name).trim();
    (!rest.starts_with('=') && !name.is_empty() && name.chars().all(is_word)).then_some(name)
}

/// Nobody writes a longer definition.
const MAX_HEADER: usize = 50;

/// The names of the parameters of the function whose definition begins at line `start` (from 0).
fn parameters(lines: &[&str], start: usize) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut name, mut is_name) = (0usize, String::new(), true);
    let mut take = |name: &mut String| {
        let taken = std::mem::take(name);
        if !taken.is_empty() {
            names.push(taken);
        }
    };
    for line in lines.iter().skip(start).take(MAX_HEADER) {
        let code = line.split('#').next().unwrap_or(line);
        for c in code.chars() {
            match c {
                '(' | '[' | '{' => {
                    depth += 1;
                    is_name = depth == 1;
                    if is_name {
                        name.clear();
                    }
                }
                ')' | ']' | '}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        take(&mut name);
                        return names;
                    }
                }
                ',' if depth == 1 => {
                    take(&mut name);
                    is_name = true;
                }
                ':' | '=' if depth == 1 => is_name = false,
                c if depth == 1 && is_name && is_word(c) => name.push(c),
                _ => {}
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_that_passes_all_arguments_on_is_a_wrapper() {
        for text in [
            "return func(*args, **kwargs)",
            "return self.run(1, **kw)",
            "func( *args)",
            "    *args, **kwargs)",
        ] {
            assert!(is_wrapper("f", text, None), "{text}");
        }
        for text in [
            "return a * args",
            "area(width *args)",
            "print(*names)",
            "login(name, **scrubbed**)",
            "a = b ** kwargs",
            "",
        ] {
            assert!(!is_wrapper("f", text, None), "{text}");
        }
    }

    #[test]
    fn wrapper_name_alone_makes_no_wrapper() {
        for (function, text) in [
            ("__call__", "return self.total / self.count"),
            ("__call__", "rate = self.rates[country]"),
            ("wrap_text", "lines = split(text, width)"),
            ("Wrapped.total", "return price / count"),
            ("decorate_tree", "tree.add(star / 0)"),
            ("inner", "return sum(prices) / len(prices)"),
            ("__getattr__", "return self._values[name]"),
            ("total", "return func(x)"),
        ] {
            assert!(!is_wrapper(function, text, None), "{function}: {text}");
        }
        for (function, text) in [
            ("wrapper", "return func(request)"),
            ("cached.<locals>.inner", "result = fn(x, 1)"),
            ("decorated_function", "return f()"),
            ("__call__", "return self.app(environ, start_response)"),
            ("Proxy.__getattr__", "return getattr(self._wrapped, name)"),
        ] {
            assert!(is_wrapper(function, text, None), "{function}: {text}");
        }
    }

    const SOURCE: &str = "\
def split(text):
    return text.split()

def retry(times, *, on=(OSError, KeyError)):
    log = logger(__name__)
    def decorate(
        work,  # the function
    ):
        name = work.__name__
        @functools.wraps(work)
        def wrapper(first, second: dict[str, int] = None, *rest):
            log.info(name)
            pieces = split(first)
            return work(first, pieces)
        return wrapper
    return decorate

class Middleware:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start):
        path = clean(environ)
        answer = self.inner(environ, start)
        return self.count(answer)
";

    #[test]
    fn source_tells_closed_over_names_from_parameters() {
        let lines: Vec<&str> = SOURCE.lines().collect();
        let is_wrapper_at = |function, line: u32| {
            let source = WrapperSource::read(&lines, function, line);
            assert!(source.is_some(), "{function}");
            is_wrapper(function, lines[line as usize - 1], source.as_ref())
        };
        assert!(is_wrapper_at("retry.<locals>.decorate.<locals>.wrapper", 14), "closed over");
        assert!(!is_wrapper_at("wrapper", 13), "a function of the module");
        assert!(!is_wrapper_at("wrapper", 12), "a method of what is closed over");
        assert!(is_wrapper_at("__call__", 24), "hands its own parameters on");
        assert!(!is_wrapper_at("__call__", 23));
        assert!(!is_wrapper_at("__call__", 25));
        assert_eq!(WrapperSource::read(&lines, "gone", 14), None);
        let wrapper = WrapperSource::read(&lines, "wrapper", 14).expect("read");
        assert_eq!(wrapper.parameters, ["first", "second", "rest"]);
        for name in ["work", "name", "log", "times", "on"] {
            assert!(wrapper.closed_over.contains(name), "{name}: {:?}", wrapper.closed_over);
        }
        for name in ["split", "retry", "decorate", "OSError"] {
            assert!(!wrapper.closed_over.contains(name), "{name}");
        }
    }

    #[test]
    fn odd_sources_are_read_without_harm() {
        for source in
            ["def wrap(", "def wrap", "def wrap)(,", "", "\u{e9}def wrap(é, ü)", "  def wrap(:,=[("]
        {
            let lines: Vec<&str> = source.lines().collect();
            let _ = WrapperSource::read(&lines, "wrap", 1);
            let _ = is_wrapper("wrap", source, None);
        }
    }
}
