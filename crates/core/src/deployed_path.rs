//! Splits the path of a deployed file, and knows the folders that contain other people's code.

use crate::language::Language;

/// Folders that package managers fill with packages, each in a folder of its name.
const PACKAGE_FOLDERS: [&str; 3] = ["site-packages", "dist-packages", "node_modules"];
/// Files and folders that contain packages like a package folder.
const ARCHIVES: [&str; 6] = [".egg", ".zip", ".whl", ".pyz", ".pex", ".par"];

/// The parts of a deployed path, `.` and `..` resolved; `None` when it cannot be a file's path:
/// `<string>`, an empty text, control characters. Windows paths lose their drive.
pub(crate) fn parts_of(path: &str) -> Option<Vec<&str>> {
    if path.starts_with('<') || path.chars().any(char::is_control) {
        return None;
    }
    let has_drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    let windows = has_drive || (path.contains('\\') && !path.contains('/'));
    let path = if has_drive { &path[2..] } else { path };
    let mut parts = Vec::new();
    for part in path.split(|c: char| c == '/' || (windows && c == '\\')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then_some(parts)
}

/// Whether a deployed path is where package managers or the interpreter keep code.
pub fn is_foreign_folder(deployed: &str) -> bool {
    parts_of(deployed)
        .is_none_or(|parts| is_in_interpreter(&parts) || within_packages(&parts).is_some())
}

/// The part of `path` after the last of `package_folders` in it, for rules about code outside the
/// repository.
pub(crate) fn after_package_folder(path: &str, package_folders: &[String]) -> Option<String> {
    let parts = parts_of(path)?;
    let is_folder = |part: &str| {
        PACKAGE_FOLDERS.contains(&part) || package_folders.iter().any(|folder| folder == part)
    };
    after_last(&parts, is_folder).map(|rest| rest.join("/"))
}

/// The parts below a folder of packages, an egg, a wheel or a zip file; the package comes first.
pub(crate) fn within_packages<'a, 'b>(parts: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let is_archive = |part: &str| {
        let end = part.rfind('.').map_or("", |dot| &part[dot..]);
        ARCHIVES.iter().any(|archive| archive.eq_ignore_ascii_case(end))
    };
    after_last(parts, |part| PACKAGE_FOLDERS.contains(&part) || is_archive(part))
}

pub(crate) fn after_last<'a, 'b>(
    parts: &'b [&'a str],
    found: impl Fn(&str) -> bool,
) -> Option<&'b [&'a str]> {
    let at = parts.iter().rposition(|part| found(part))?;
    let rest = &parts[at + 1..];
    (!rest.is_empty()).then_some(rest)
}

/// `…/lib/python3.11/…`, `…/lib/ruby/…`, `…\Python311\Lib\…`, `node:internal/…`, and where the file's
/// language keeps packages and its own library.
pub(crate) fn is_in_interpreter(parts: &[&str]) -> bool {
    parts[0].starts_with("node:")
        || parts.last().is_some_and(|name| Language::of_path(name).is_foreign(parts))
        || parts.windows(2).any(|pair| match pair {
            ["lib" | "lib64", inner] => *inner == "ruby" || is_python(inner),
            [outer, "Lib" | "lib"] => is_python(outer),
            _ => false,
        })
}

/// A folder that is named after an interpreter: `python3.11`, `Python311`, `pypy3.10`.
fn is_python(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let version = part.strip_prefix("python").or_else(|| part.strip_prefix("pypy"));
    version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_split_whatever_system_wrote_it() {
        for (path, expected) in [
            ("/srv/app/cart.py", "srv/app/cart.py"),
            ("./app//cart.py", "app/cart.py"),
            ("/srv/bin/../lib/cart.py", "srv/lib/cart.py"),
            ("../../cart.py", "cart.py"),
            (r"C:\srv\cart.py", "srv/cart.py"),
            (r"C:\srv/app\cart.py", "srv/app/cart.py"),
            (r"\\host\share\cart.py", "host/share/cart.py"),
            (r"/srv/odd\name.py", r"srv/odd\name.py"),
        ] {
            let parts = parts_of(path).unwrap_or_default();
            assert_eq!(parts.join("/"), expected, "{path}");
        }
        for path in ["", "/", "<string>", "<frozen os>", "cart.py\0", "..", "C:"] {
            assert_eq!(parts_of(path), None, "{path:?}");
        }
    }

    #[test]
    fn foreign_folders_belong_to_packages_and_the_interpreter() {
        for path in [
            "/usr/lib/python3.11/json/decoder.py",
            "/usr/lib64/python2.6/threading.py",
            r"C:\Python311\Lib\json\decoder.py",
            "/opt/venv/lib/python3.11/site-packages/redis/client.py",
            "/usr/lib/python3/dist-packages/redis/client.py",
            "/srv/app/node_modules/left/pad.js",
            "/srv/jobs/deps.zip/redis/client.py",
            "/opt/redis-1.0-py2.7.egg/redis/client.py",
            "node:internal/fs.js",
            "<string>",
        ] {
            assert!(is_foreign_folder(path), "{path}");
        }
        for path in ["/srv/app/lib/cart.py", "/srv/python/cart.py", "/usr/bin/shop"] {
            assert!(!is_foreign_folder(path), "{path}");
        }
    }
}
