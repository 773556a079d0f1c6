//! Prints paths, UUIDs and addresses of the standard library from their content, without running
//! the Python code that would make their texts.
use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::objects::short;
use super::{Printed, Printer};
use crate::kinds::{Kind, Parts, TypeInfo, type_info};
use crate::passive::{self, own_attribute};
use crate::statics::name;

/// The result of `str` for a value, if it is one of these types; the inner `None` means unknown.
pub(crate) fn standard_text(value: &Bound<'_, PyAny>) -> Option<Option<String>> {
    match type_info(value).kind {
        Kind::Parts(Parts::Path) => Some(path(value)),
        Kind::Parts(Parts::Uuid) => Some(uuid(value)),
        Kind::Parts(Parts::Address) => Some(address(value)),
        _ => None,
    }
}

impl Printer<'_, '_, '_> {
    /// `UUID('…')`.
    pub(super) fn standard(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let Some(mut text) = standard_text(value).flatten() else { return self.plain(value, info) };
        if is_of_windows(value) {
            text = text.replace('\\', "/");
        }
        self.write(short(&info.name))?;
        self.write("(")?;
        self.string(&PyString::new(value.py(), &text))?;
        self.write(")")
    }
}

fn uuid(value: &Bound<'_, PyAny>) -> Option<String> {
    let number: u128 = own_attribute(value, name!(value.py(), "int"))?.extract().ok()?;
    let digits = format!("{number:032x}");
    let (a, rest) = digits.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    Some(format!("{a}-{b}-{c}-{d}-{e}"))
}

fn address(value: &Bound<'_, PyAny>) -> Option<String> {
    let py = value.py();
    let (class, _) = passive::name_and_module(&value.get_type());
    let prefix = || own_attribute(value, name!(py, "_prefixlen"))?.extract::<u8>().ok();
    if class.ends_with("Network") {
        let of = own_attribute(value, name!(py, "network_address"))?;
        return Some(format!("{}/{}", standard_text(&of)??, prefix()?));
    }
    let number = own_attribute(value, name!(py, "_ip"))?;
    let mut text = if class.starts_with("IPv4") {
        Ipv4Addr::from(number.extract::<u32>().ok()?).to_string()
    } else {
        v6(number.extract().ok()?, py.version_info() >= (3, 13))
    };
    let scope = own_attribute(value, name!(py, "_scope_id"));
    if let Some(scope) = scope.and_then(|scope| scope.extract::<String>().ok()) {
        text = format!("{text}%{scope}");
    }
    if class.ends_with("Interface") {
        text = format!("{text}/{}", prefix()?);
    }
    Some(text)
}

/// Since 3.13 Python writes the end of a mapped address like IPv4.
fn v6(number: u128, with_v4: bool) -> String {
    let address = Ipv6Addr::from(number);
    match address.to_ipv4_mapped() {
        Some(_) if !with_v4 => {
            let [.., high, low] = address.segments();
            format!("::ffff:{high:x}:{low:x}")
        }
        _ => address.to_string(),
    }
}

fn is_of_windows(value: &Bound<'_, PyAny>) -> bool {
    passive::mro(&value.get_type())
        .iter()
        .any(|class| passive::name_and_module(class).0 == "PureWindowsPath")
}

fn path(value: &Bound<'_, PyAny>) -> Option<String> {
    let py = value.py();
    let text = |name| own_attribute(value, name)?.extract::<String>().ok();
    let texts = |name| {
        let all = own_attribute(value, name)?.cast_into_exact::<PyList>().ok()?;
        all.iter().map(|part| part.extract::<String>().ok()).collect::<Option<Vec<_>>>()
    };
    // Cached since the first use.
    if let Some(text) = text(name!(py, "_str")) {
        return Some(text);
    }
    let separator = if is_of_windows(value) { "\\" } else { "/" };
    let start = || Some(text(name!(py, "_drv"))? + &text(name!(py, "_root"))?);
    if let Some(start) = start() {
        // Before 3.12 the first of its parts is the anchor.
        let before = texts(name!(py, "_parts"));
        let skipped = usize::from(before.is_some() && !start.is_empty());
        let parts = before.or_else(|| texts(name!(py, "_tail_cached")))?;
        return Some(or_here(start + &parts.get(skipped..)?.join(separator)));
    }
    // Since 3.12: the original arguments, until the first use.
    let given = texts(name!(py, "_raw_paths"))?;
    if separator == "/" { Some(of_posix(&given)) } else { of_windows(&given) }
}

fn or_here(path: String) -> String {
    if path.is_empty() { ".".to_owned() } else { path }
}

fn joined(path: &str, separator: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join(separator)
}

fn of_posix(given: &[String]) -> String {
    // An absolute part replaces those before it.
    let from = given.iter().rposition(|part| part.starts_with('/')).unwrap_or(0);
    let path = given.get(from..).unwrap_or_default().join("/");
    let slashes = path.len() - path.trim_start_matches('/').len();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    or_here(format!("{root}{}", joined(&path, "/")))
}

/// `None` with several drives, or with network shares.
fn of_windows(given: &[String]) -> Option<String> {
    let path = given.join("/").replace('\\', "/");
    let begins_anew = |part: &String| part.starts_with(['/', '\\']);
    if given.iter().skip(1).any(begins_anew) || path.starts_with("//") {
        return None;
    }
    let (drive, rest) = match path.get(1..2) {
        Some(":") => path.split_at(2),
        _ => ("", &*path),
    };
    if rest.contains(':') {
        return None;
    }
    let root = if rest.starts_with('/') { "\\" } else { "" };
    Some(or_here(format!("{drive}{root}{}", joined(rest, "\\"))))
}
