//! Reads a Python source file without running any Python, so that no signal handler of the program
//! runs in between and no exception from one is lost here.
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::raw;
use crate::statics::name;

const MOST_BYTES: u64 = 8 * 1024 * 1024;
/// The first lines, which may declare the encoding.
const LINES_OF_ENCODING: usize = 2;

/// The text with `\n` as line end; `None` when there is no such file.
pub(crate) fn read(file: &Bound<'_, PyString>) -> Option<String> {
    let py = file.py();
    let path = PathBuf::from(&*file.to_string_lossy());
    let bytes = py.detach(|| {
        // Opening anything else may block, and consume data meant for the program.
        if !path.metadata().is_ok_and(|file| file.is_file()) {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok().map(|_| bytes)
    })?;
    let text = decode(py, &bytes)?;
    Some(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

fn decode(py: Python<'_>, bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let encoding = encoding(bytes).unwrap_or_else(|| "utf-8".to_owned());
    if matches!(
        encoding.to_ascii_lowercase().replace('_', "-").as_str(),
        "utf-8" | "utf8" | "ascii"
    ) {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    let decode = PyBytes::new(py, bytes).getattr(name!(py, "decode")).ok()?;
    let text = raw::call(&decode, &PyTuple::new(py, [encoding.as_str(), "replace"]).ok()?).ok()?;
    Some(text.cast_into::<PyString>().ok()?.to_string_lossy().into_owned())
}

/// The encoding according to PEP 263: `coding:` or `coding=` in a comment on a line of its own.
fn encoding(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split(|&byte| byte == b'\n' || byte == b'\r').take(LINES_OF_ENCODING);
    for line in lines {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start().strip_prefix('#');
        let Some(comment) = comment else {
            // Only an empty line may come before it.
            if line.trim().is_empty() { continue } else { return None }
        };
        let said = comment.match_indices("coding").find_map(|(at, word)| {
            let rest = &comment[at + word.len()..];
            rest.strip_prefix([':', '=']).map(str::trim_start)
        });
        if let Some(said) = said {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let end = said.find(|c| !is_name(c)).unwrap_or(said.len());
            return Some(said[..end].to_owned());
        }
    }
    None
}
