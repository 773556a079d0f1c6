//! Habits of languages: what a statement that raises looks like, how their clients name files, and
//! where other people's code lies.
mod dot_net;
pub mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod rust;

/// A language, or a family with the same habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python, and any file whose name does not say what it is.
    Python,
    /// JavaScript, TypeScript, and what is compiled to them.
    JavaScript,
    /// Java, Kotlin, Scala and Groovy.
    Java,
    /// Go.
    Go,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Rust.
    Rust,
    /// C#, F# and Visual Basic.
    DotNet,
    /// C, C++, Dart, Swift and others in which `throw` raises.
    Throwing,
}

impl Language {
    /// The language of a file, by the end of its name.
    pub fn of_path(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let name = name.split(['?', '#']).next().unwrap_or(name);
        let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
        match end.as_deref().unwrap_or_default() {
            "js" | "cjs" | "mjs" | "jsx" | "ts" | "cts" | "mts" | "tsx" | "vue" | "svelte"
            | "astro" | "coffee" | "jsbundle" | "bundle" => Self::JavaScript,
            "java" | "kt" | "kts" | "scala" | "groovy" | "clj" => Self::Java,
            "go" => Self::Go,
            "rb" | "rake" | "erb" | "haml" | "slim" | "ru" | "gemspec" => Self::Ruby,
            "php" | "phtml" | "inc" => Self::Php,
            "rs" => Self::Rust,
            "cs" | "cshtml" | "razor" | "fs" | "vb" => Self::DotNet,
            "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" | "m" | "mm" | "dart" | "swift" => {
                Self::Throwing
            }
            _ => Self::Python,
        }
    }

    /// Whether a source line only raises an exception: its caller is likelier to be at fault.
    pub fn is_raise(self, text: &str) -> bool {
        match self {
            Self::Python => python::is_raise(text),
            Self::Go => go::is_raise(text),
            Self::Ruby => ruby::is_raise(text),
            Self::Rust => rust::is_raise(text),
            Self::JavaScript | Self::Java | Self::Php | Self::DotNet | Self::Throwing => {
                is_throw(text)
            }
        }
    }

    /// Whether a deployed path, in its parts, is where the language or its package manager keeps
    /// code.
    pub(crate) fn is_foreign(self, parts: &[&str]) -> bool {
        match self {
            Self::Python | Self::Throwing => false,
            Self::JavaScript => javascript::is_foreign(parts),
            Self::Java => java::is_foreign(parts),
            Self::Go => go::is_foreign(parts),
            Self::Ruby => ruby::is_foreign(parts),
            Self::Php => php::is_foreign(parts),
            Self::Rust => rust::is_foreign(parts),
            Self::DotNet => dot_net::is_foreign(parts),
        }
    }
}

/// Whether a deployed path begins with a package, as those of Java and its relatives do.
pub(crate) fn is_package_path(deployed: &str) -> bool {
    Language::of_path(deployed) == Language::Java
        && deployed.contains('/')
        && java::is_package_path(deployed)
}

pub(crate) use java::is_source_root;
pub use javascript::is_built;

/// How a client names the file of a frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct NamedFile<'a> {
    /// A path, a part of one, a URL or a mere name.
    pub filename: &'a str,
    /// The whole path or URL.
    pub abs_path: &'a str,
    /// The module, package or class.
    pub module: &'a str,
}

/// The path of a file as deployed, made of what a client says. Empty when it says nothing.
pub fn deployed_path(file: NamedFile<'_>) -> String {
    let NamedFile { filename, abs_path, .. } = file;
    let is_name = !filename.is_empty() && !filename.contains(['/', '\\']);
    match Language::of_path(if filename.is_empty() { abs_path } else { filename }) {
        Language::Java if is_name => java::path_of(filename, file.module),
        Language::JavaScript => {
            javascript::path_of(if abs_path.is_empty() { filename } else { abs_path })
        }
        // Code that was never in a file: a client may put the working folder before it.
        _ if filename.starts_with(['<', '[', '(']) => filename.to_owned(),
        _ if abs_path.is_empty() => filename.to_owned(),
        _ => abs_path.to_owned(),
    }
}

/// A `throw` statement, also behind a condition on the same line.
fn is_throw(text: &str) -> bool {
    let is_statement = |text: &str| {
        let rest = text.strip_prefix("throw");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '(', ';']))
    };
    let text = text.trim().trim_start_matches("} ");
    let behind_condition = || {
        let text = text.strip_prefix("else").map_or(text, str::trim_start);
        let condition = text.strip_prefix("if")?.trim_start();
        let rest = after_parenthesis(condition)?.trim_start();
        Some(rest.strip_prefix('{').map_or(rest, str::trim_start))
    };
    let in_else = || text.strip_prefix("else").map(str::trim_start);
    is_statement(text)
        || behind_condition().is_some_and(is_statement)
        || in_else().is_some_and(is_statement)
}

/// What follows the parenthesis with which a text begins.
fn after_parenthesis(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[at + 1..]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_that_of_the_file() {
        for (path, expected) in [
            ("/srv/app/cart.py", Language::Python),
            ("/srv/app/manage", Language::Python),
            ("http://x.org/a/app.min.js?v=1.2", Language::JavaScript),
            (r"C:\src\Cart.CS", Language::DotNet),
            ("com/acme/Cart.kt", Language::Java),
            ("app/views/cart.html.erb", Language::Ruby),
            ("", Language::Python),
        ] {
            assert_eq!(Language::of_path(path), expected, "{path}");
        }
    }

    #[test]
    fn throw_statements_are_recognised_and_nothing_else_is() {
        for text in [
            "throw new Error('x');",
            "    throw e;",
            "throw",
            "throw(e)",
            "if (!order) throw new Error(`no order ${id}`);",
            "if (a(b) && c) { throw new IllegalStateException(); }",
            "} else throw e;",
            "} else if (x) throw e;",
        ] {
            assert!(is_throw(text), "{text}");
        }
        for text in [
            "throwError(x)",
            "throws = 1",
            "total(order); // throw",
            "if (x) total(order);",
            "if (x",
            "if throw",
            "return a ?? b;",
            "",
        ] {
            assert!(!is_throw(text), "{text}");
        }
    }

    #[test]
    fn files_are_named_as_their_clients_do() {
        for (filename, abs_path, module, expected) in [
            ("shop/orders.py", "/srv/app/shop/orders.py", "shop.orders", "/srv/app/shop/orders.py"),
            ("<string>", "/srv/app/<string>", "", "<string>"),
            ("[internal]", "", "", "[internal]"),
            ("Pricing.java", "", "com.acme.shop.Pricing$Lines", "com/acme/shop/Pricing.java"),
            ("Main.kt", "", "MainKt", "Main.kt"),
            ("/pricing.php", "/srv/app/php/pricing.php", "", "/srv/app/php/pricing.php"),
            ("acme.example/shop/main.go", "", "main", "acme.example/shop/main.go"),
            ("hub.rs", "/opt/cargo/registry/src/x/hub.rs", "", "/opt/cargo/registry/src/x/hub.rs"),
            ("webpack://shop/./src/cart.ts?ab12", "", "", "shop/src/cart.ts"),
            ("webpack:///./src/cart.ts", "", "", "src/cart.ts"),
            ("http://x.org/assets/app.min.js?v=2", "", "", "http://x.org/assets/app.min.js"),
            ("app:///lib/pricing.js", "", "", "lib/pricing.js"),
            ("file:///srv/app/lib/pricing.mjs", "", "", "/srv/app/lib/pricing.mjs"),
            ("node:internal/fs", "", "", "node:internal/fs"),
            ("", "", "shop", ""),
        ] {
            let file = NamedFile { filename, abs_path, module };
            assert_eq!(deployed_path(file), expected, "{filename} {abs_path}");
        }
    }
}
