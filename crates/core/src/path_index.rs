//! Brings the path of a deployed file to the path it has in the repository.
use std::collections::HashMap;

/// The files of one revision of the repository, found by their deployed paths.
#[derive(Debug, Default)]
pub struct PathIndex {
    files: Vec<Box<str>>,
    by_name: HashMap<Box<str>, Vec<u32>>,
}

/// Folders that package managers fill: what lies below one is the project's only when the
/// whole rest of the path is.
const PACKAGE_FOLDERS: [&str; 3] = ["site-packages", "dist-packages", "node_modules"];

impl PathIndex {
    /// An index of `files`, paths from the repository's root with `/` between the parts.
    pub fn new<S: Into<Box<str>>>(files: impl IntoIterator<Item = S>) -> Self {
        let files: Vec<Box<str>> = files.into_iter().map(Into::into).collect();
        let mut by_name: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (at, file) in (0u32..).zip(&files) {
            by_name.entry(file_name(file).into()).or_default().push(at);
        }
        Self { files, by_name }
    }

    /// How many files the revision has.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the revision has no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether `path` is a file of the revision.
    pub fn contains(&self, path: &str) -> bool {
        self.candidates(path).any(|file| file == path)
    }

    /// The file of the repository that was deployed as `deployed`, or `None` for a foreign one:
    ///
    /// 1. the part after one of `package_folders` when that is a file of the repository;
    /// 2. below site-packages, dist-packages and node_modules, the one file whose path ends in
    ///    the whole rest (`src/` before it is not deployed); nothing of the interpreter's library;
    /// 3. elsewhere the longest suffix that is a file of the repository;
    /// 4. else the one file that agrees in the most trailing parts, at least two.
    pub fn resolve(&self, deployed: &str, package_folders: &[String]) -> Option<&str> {
        let parts = parts_of(deployed)?;
        for folder in package_folders {
            if let Some(rest) = after_last(&parts, |part| part == folder)
                && let Some(file) = self.file(&rest.join("/"))
            {
                return Some(file);
            }
        }
        if let Some(rest) = after_last(&parts, |part| PACKAGE_FOLDERS.contains(&part)) {
            let rest = match rest {
                [egg, inner @ ..] if egg.ends_with(".egg") => inner,
                rest => rest,
            };
            return self.unique_by_tail(rest, rest.len().max(2));
        }
        if is_in_interpreter(&parts) {
            return None;
        }
        (0..parts.len())
            .find_map(|from| self.file(&parts[from..].join("/")))
            .or_else(|| self.unique_by_tail(&parts, 2))
    }

    fn file(&self, path: &str) -> Option<&str> {
        self.candidates(path).find(|file| *file == path)
    }

    fn candidates<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> {
        let found = self.by_name.get(file_name(path)).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|&at| &*self.files[at as usize])
    }

    /// The file that agrees with `parts` in the most trailing parts, when these are at least
    /// `at_least` and no other file agrees in as many.
    fn unique_by_tail(&self, parts: &[&str], at_least: usize) -> Option<&str> {
        let agreeing = |file: &str| {
            file.rsplit('/').zip(parts.iter().rev()).take_while(|(a, b)| a == *b).count()
        };
        let scored: Vec<(usize, &str)> =
            self.candidates(parts.last()?).map(|file| (agreeing(file), file)).collect();
        let best = scored.iter().map(|(count, _)| *count).max()?;
        let mut at_best = scored.iter().filter(|(count, _)| *count == best);
        match (at_best.next(), at_best.next()) {
            (Some((_, file)), None) if best >= at_least => Some(file),
            _ => None,
        }
    }
}

/// Whether a deployed path lies where package managers or the interpreter keep code.
pub fn is_foreign_folder(deployed: &str) -> bool {
    parts_of(deployed).is_none_or(|parts| {
        is_in_interpreter(&parts) || parts.iter().any(|part| PACKAGE_FOLDERS.contains(part))
    })
}

/// The part of `path` after the last of `package_folders` in it, for rules about code that is
/// not the repository's.
pub(crate) fn after_package_folder(path: &str, package_folders: &[String]) -> Option<String> {
    let parts = parts_of(path)?;
    after_last(&parts, |part| {
        PACKAGE_FOLDERS.contains(&part) || package_folders.iter().any(|folder| folder == part)
    })
    .map(|rest| rest.join("/"))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The parts of a deployed path; `None` when it cannot be a file's path: `<string>`, a parent
/// folder in it, control characters.
fn parts_of(path: &str) -> Option<Vec<&str>> {
    if path.starts_with('<') || path.chars().any(char::is_control) {
        return None;
    }
    let windows = path.contains('\\') && !path.contains('/');
    let is_separator = |c: char| c == '/' || (windows && c == '\\');
    let parts: Vec<&str> =
        path.split(is_separator).filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then_some(parts)
}

fn after_last<'a>(parts: &'a [&'a str], found: impl Fn(&str) -> bool) -> Option<&'a [&'a str]> {
    let at = parts.iter().rposition(|part| found(part))?;
    let rest = &parts[at + 1..];
    (!rest.is_empty()).then_some(rest)
}

/// `…/lib/python3.11/…`, `…/lib/ruby/…`, `node:internal/…`.
fn is_in_interpreter(parts: &[&str]) -> bool {
    let versioned_python = |part: &str| {
        let version = part.strip_prefix("python").or_else(|| part.strip_prefix("pypy"));
        version.is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
    };
    parts[0].starts_with("node:")
        || parts.windows(2).any(|pair| {
            matches!(pair[0], "lib" | "lib64") && (versioned_python(pair[1]) || pair[1] == "ruby")
        })
}

#[cfg(test)]
mod tests {
    use super::PathIndex;

    fn resolve(deployed: &str) -> Option<String> {
        let files = [
            "setup.py",
            "manage.py",
            "shop/cart.py",
            "shop/util/text.py",
            "api/util/text.py",
            "src/pay/card.py",
            "src/pay/__init__.py",
            "json/decoder.py",
        ];
        let index = PathIndex::new(files);
        index.resolve(deployed, &["site-packages".to_owned()]).map(str::to_owned)
    }

    #[test]
    fn deployed_paths_find_their_file() {
        for (deployed, expected) in [
            // the older option: what follows the package folder
            ("/opt/py/site-packages/shop/cart.py", Some("shop/cart.py")),
            // no configuration: the longest suffix that is a file
            ("/srv/releases/2026-11-01/shop/cart.py", Some("shop/cart.py")),
            ("shop/cart.py", Some("shop/cart.py")),
            ("./shop//cart.py", Some("shop/cart.py")),
            ("/srv/app/manage.py", Some("manage.py")),
            (r"C:\inetpub\shop\cart.py", Some("shop/cart.py")),
            ("/srv/app/api/util/text.py", Some("api/util/text.py")),
            // two agreeing parts name one file
            ("/srv/other/pay/card.py", Some("src/pay/card.py")),
            ("/opt/venv/lib/python3.11/site-packages/pay/card.py", Some("src/pay/card.py")),
            ("/x/site-packages/shop-1.0-py2.7.egg/shop/cart.py", Some("shop/cart.py")),
            // one part, or a tie, is not enough
            ("/srv/cart.py", None),
            ("/srv/else/util/text.py", None),
            // foreign
            ("/opt/venv/lib/python3.11/site-packages/setup.py", Some("setup.py")),
            ("/opt/venv/lib/python3.11/site-packages/other/json/decoder.py", None),
            ("/usr/lib/python3/dist-packages/setup.py", None),
            ("/opt/python/lib/python3.11/json/decoder.py", None),
            ("/srv/app/node_modules/other/shop/cart.py", None),
            // no path at all
            ("<string>", None),
            ("<frozen importlib._bootstrap>", None),
            ("", None),
            ("/", None),
            ("../../etc/passwd", None),
            ("/srv/x/../shop/cart.py", None),
            ("shop/cart.py\0", None),
            ("--output=x", None),
        ] {
            assert_eq!(resolve(deployed).as_deref(), expected, "{deployed}");
        }
    }
}
