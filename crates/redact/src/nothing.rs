//! Values that are not secret whatever their name: empty values, functions, plain objects,
//! messages. A developer needs to see that a password is missing, or is a function by mistake.

use super::message;

/// Nesting limit for `Wrapper(Wrapper(None))`.
const DEEPEST: usize = 4;
const LONGEST_NAME: usize = 200;

/// Whether this printed value reveals nothing.
pub(super) fn hides_nothing(value: &[u8]) -> bool {
    // Longer values count as secrets: of the harmless ones only objects print at some length.
    value.len() <= 1_000
        && std::str::from_utf8(value)
            .is_ok_and(|value| is_nothing(value, DEEPEST) || message::is_message(value))
}

fn is_nothing(value: &str, depth: usize) -> bool {
    let value = value.trim();
    match unquoted(value) {
        Some(inner) => is_word(inner) || is_template(inner),
        None => {
            is_word(value)
                || is_template(value)
                || is_plain_object(value)
                || is_empty_call(value, depth)
        }
    }
}

/// The text within the quotes: `b''`, `\'None\'`.
fn unquoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix(['b', 'u', 'r', 'B', 'U', 'R']).unwrap_or(value);
    let is_edge = |c| matches!(c, '\'' | '"' | '\\');
    let unescaped = inner.trim_start_matches('\\');
    // A single backslash is a line continuation.
    (unescaped.is_empty() || unescaped.starts_with(['\'', '"']))
        .then(|| inner.trim_matches(is_edge))
}

/// A word or number that is not worth hiding.
fn is_word(value: &str) -> bool {
    matches!(
        value,
        "" | "None"
            | "True"
            | "False"
            | "null"
            | "Null"
            | "NULL"
            | "true"
            | "false"
            | "nil"
            | "undefined"
            | "NotImplemented"
            | "Ellipsis"
            | "..."
            | "<unset>"
            | "<missing>"
            | ">"
            | "<lambda>"
            | "0"
            | "0.0"
            | "-1"
    )
}

/// `%s`, `%(password)s`, `{password}`, `$PASSWORD`, `?`: the secret is filled in elsewhere.
fn is_template(value: &str) -> bool {
    let is_name = |name: &str, is_part: fn(char) -> bool| name.chars().all(is_part);
    let lower = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.' | ' ');
    let upper = |c: char| c.is_ascii_uppercase() || c == '_';
    if let Some(name) = value.strip_prefix("%(").and_then(|rest| rest.strip_suffix(")s")) {
        return is_name(name, |c| c.is_ascii_alphanumeric() || c == '_');
    }
    if let Some(name) = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        return is_name(name, upper) || is_name(name, lower);
    }
    if let Some(name) = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let name = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(name);
        return is_name(name, lower);
    }
    match value.strip_prefix('$') {
        Some(name) => !name.is_empty() && (is_name(name, upper) || matches!(name.len(), 1)),
        None => matches!(value, "%s" | "%d" | "%r" | "?"),
    }
}

/// `set()`, `SimpleCookie({})`, `SecretStr('')`, `partial(<function f at 0x7f>)`.
fn is_empty_call(value: &str, depth: usize) -> bool {
    let Some(open) = value.find(['(', '[', '{']) else { return false };
    let (name, rest) = value.split_at(open);
    if !name.is_empty() && !is_name(name) {
        return false;
    }
    let Some(inner) = rest.get(1..rest.len() - 1) else { return false };
    let closed = matches!(
        (rest.as_bytes()[0], rest.as_bytes()[rest.len() - 1]),
        (b'(', b')') | (b'[', b']') | (b'{', b'}')
    );
    let is_wrapper = !name.is_empty() || rest.starts_with(['(', '[', '{']) && inner.is_empty();
    closed && is_wrapper && depth > 0 && (inner.trim().is_empty() || is_nothing(inner, depth - 1))
}

/// A function, a class, a module, or an object that shows only its address.
fn is_plain_object(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
        return false;
    };
    if let Some((name, why)) = inner.split_once(" object, not printed: ") {
        return is_name(name)
            && why.chars().all(|c| c.is_ascii_alphanumeric() || " ._'".contains(c));
    }
    // `<SecureCookieSession {}>`, `<SimpleLazyObject: None>`
    if let Some((name, held)) = inner.split_once([' ', '[', ':'])
        && is_name(name)
        && matches!(held.trim(), "" | "{}" | "[]" | "()" | "]" | "None" | "''")
    {
        return true;
    }
    if let Some(module) = inner.strip_prefix("module '") {
        return !module.contains(['=', '<', '>', '"']);
    }
    let inner: String = inner.chars().filter(|c| !matches!(c, '<' | '>')).collect();
    let words: Vec<&str> = inner.split(' ').collect();
    words.len() > 1 && (0..words.len()).all(|at| is_part(&words, at))
}

/// The word for a kind (`object`), an address, or the name that goes with one of these.
fn is_part(words: &[&str], at: usize) -> bool {
    let word = words[at].trim_end_matches([',', ';']);
    let around = |at: Option<usize>| at.and_then(|at| words.get(at)).copied().unwrap_or_default();
    let before = around(at.checked_sub(1));
    if let Some(address) = word.strip_prefix("0x") {
        return before == "at" && address.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let is_kind = |word: &str| {
        matches!(
            word,
            "function"
                | "cyfunction"
                | "method"
                | "method-wrapper"
                | "wrapper"
                | "class"
                | "module"
                | "object"
                | "objects"
                | "instance"
                | "coroutine"
                | "generator"
                | "async_generator"
        )
    };
    let is_join = |word: &str| matches!(word, "at" | "of" | "built-in" | "bound" | "slot");
    if is_kind(word) || is_join(word) {
        return true;
    }
    let named_by = match before {
        "object" => {
            matches!(around(at.checked_sub(2)), "coroutine" | "generator" | "async_generator")
        }
        "of" => true,
        before => is_kind(before),
    };
    let name = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(word);
    is_name(name) && (named_by || matches!(around(Some(at + 1)), "object" | "instance" | "objects"))
}

/// A name in code: `shop.cart.Cart`, `make.<locals>.inner`.
fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
}
