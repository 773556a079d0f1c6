//! Rust.

/// Macros that panic or leave with an error, and nothing else.
pub(super) fn is_raise(text: &str) -> bool {
    let text = text.trim_start();
    let text = ["std::", "core::", "anyhow::", "eyre::"]
        .iter()
        .find_map(|path| text.strip_prefix(path))
        .unwrap_or(text);
    RAISING.iter().any(|name| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('!')))
}

const RAISING: [&str; 5] = ["panic", "unreachable", "todo", "unimplemented", "bail"];

/// The standard library and the crates that Cargo fetched.
pub(super) fn is_foreign(parts: &[&str]) -> bool {
    parts[0] == "rustc"
        || parts.windows(2).any(|pair| {
            matches!(pair, ["registry", "src"] | ["git", "checkouts"] | ["rustlib", "src"])
        })
        || parts.windows(3).any(|run| {
            matches!(run, ["rustc", _, "library"] | ["vendor", _, "src"] | ["cargo", "registry", _])
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed_path::is_foreign_folder;

    #[test]
    fn macros_that_panic_are_raises() {
        for text in ["panic!(\"x\")", "    unreachable!()", "anyhow::bail!(\"x\")", "todo!()"] {
            assert!(is_raise(text), "{text}");
        }
        for text in ["panic(x)", "assert!(a)", "order.expect(\"x\")", "bailout!()"] {
            assert!(!is_raise(text), "{text}");
        }
    }

    #[test]
    fn crates_and_the_standard_library_are_foreign() {
        for path in [
            "/rustc/59807616e1fa/library/core/src/panicking.rs",
            "/opt/cargo/registry/src/index.crates-io-1949cf8c6b5b557f/serde-1.0/src/lib.rs",
            "/root/.cargo/git/checkouts/x-1/ab/src/lib.rs",
            "/usr/lib/rustlib/src/rust/library/std/src/panic.rs",
            "/srv/app/vendor/serde/src/lib.rs",
            "/usr/share/cargo/registry/serde-1.0/src/lib.rs",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["/srv/app/src/pricing.rs", "src/main.rs", "/srv/rustc/src/lib.rs"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
