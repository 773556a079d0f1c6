//! Go.

/// `panic(…)`.
pub(super) fn is_raise(text: &str) -> bool {
    text.trim_start().starts_with("panic(")
}

/// The module cache, vendored modules, and the standard library: as an absolute path, or without
/// the root as programs name it that were built with `-trimpath`.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    let is_root = |part: &str| part == "go" || part.starts_with("go1") || part.starts_with("go-1");
    STANDARD.contains(&parts[0]) && parts.len() > 1
        || parts.iter().any(|part| part.contains("@v"))
        || parts
            .windows(3)
            .any(|run| matches!(run, ["pkg", "mod", _] | ["vendor", _, _] | ["gocode", "src", _]))
        || parts.windows(3).any(|run| {
            is_root(run[0]) && run[1] == "src" && (STANDARD.contains(&run[2]) || run[2] == "cmd")
        })
}

/// Whether the last of these functions only recovered from a panic: the frames between it and the
/// fault are gone, and it is a function literal within one that is on the stack.
pub fn only_recovers(functions: &[&str]) -> bool {
    let Some((last, outer)) = functions.split_last() else { return false };
    let Some((parent, number)) = last.rsplit_once(".") else { return false };
    let is_literal = number.strip_prefix("func").unwrap_or(number);
    let is_literal = !is_literal.is_empty() && is_literal.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |function: &str| function.rsplit_once('.').map(|(_, name)| name.to_owned());
    let parent_name = plain(parent).unwrap_or_else(|| parent.to_owned());
    is_literal
        && outer.len() > 1
        && outer[..outer.len() - 1].iter().any(|function| {
            *function == parent || plain(function).as_deref().unwrap_or(function) == parent_name
        })
}

/// The first folders of the standard library.
const STANDARD: [&str; 44] = [
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn modules_and_the_standard_library_are_foreign() {
        for path in [
            "/root/go/pkg/mod/github.com/getsentry/sentry-go@v0.47.0/hub.go",
            "github.com/getsentry/sentry-go@v0.47.0/hub.go",
            "/usr/local/go/src/runtime/panic.go",
            "/usr/lib/go-1.19/src/net/http/server.go",
            "runtime/panic.go",
            "/srv/app/vendor/github.com/x/y.go",
            "/usr/share/gocode/src/github.com/x/y.go",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in [
            "/srv/app/main.go",
            "acme.example/shop/internal/cart.go",
            "/home/ann/go/src/acme.example/shop/cart.go",
            "main.go",
            "/srv/app/vendor/cart.go",
        ] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }

    #[test]
    fn deferred_function_that_recovers_is_told_apart() {
        for (functions, expected) in [
            (&["main", "func2", "divide", "main.func2.1"][..], true),
            (&["main", "shop.Total", "shop.divide", "shop.Total.func1"], true),
            (&["main", "func2"], false),
            (&["main", "divide", "other.func1"], false),
            (&["main", "main.func1"], false),
            (&["divide"], false),
            (&[], false),
        ] {
            assert_eq!(only_recovers(functions), expected, "{functions:?}");
        }
    }

    #[test]
    fn panic_is_a_raise() {
        assert!(is_raise("\tpanic(fmt.Sprintf(\"no order %d\", id))"));
        assert!(!is_raise("\tpanicked(x)") && !is_raise("return errors.New(\"x\")"));
    }
}
