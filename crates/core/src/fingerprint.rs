//! Short names for "the same traceback again" and "the same place again".
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::report::{Frame, Report};
use crate::text::fold_white_space;

/// 128 bits of SHA-256: enough that two tracebacks never share one by chance, or by a client that
/// cannot search 2⁶⁴ of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// Parses the output of `Display`.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let mut bytes = [0; 16];
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(NoFingerprint) };
        if pairs.len() != bytes.len() {
            return Err(NoFingerprint);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = digit(*high).zip(digit(*low)).ok_or(NoFingerprint)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

/// Identifies all reports that are certain to get the same verdict: same revision, exception types
/// and frames, including those of the chain, because one of them may carry the fault. Messages,
/// locals and hosts do not count.
pub fn trace_fingerprint(report: &Report) -> Fingerprint {
    let mut hash = Hash::default();
    hash.text(report.revision.as_deref().unwrap_or_default());
    hash.text(&report.exception_type);
    // A release may have several builds of generated code.
    let is_generated = |frame: &Frame| frame.column > 0 && frame.debug_id.is_empty();
    if report.tracebacks().flatten().any(is_generated) {
        hash.text(report.tags.get("dist").map_or("", String::as_str));
    }
    hash.frames(&report.traceback);
    for exception in &report.chain {
        hash.number(exception.relation as u32);
        let parent = exception.parent.and_then(|parent| u32::try_from(parent).ok());
        hash.number(parent.unwrap_or(u32::MAX));
        hash.text(&exception.exception_type);
        hash.frames(&exception.traceback);
    }
    hash.finish()
}

/// Identifies a place in running code: the revision that runs (empty when unknown), the path in the
/// repository, the line number, the function and the text, white space folded.
pub fn place_key(revision: &str, path: &str, line: u32, function: &str, text: &str) -> Fingerprint {
    let mut hash = Hash::default();
    hash.text(revision);
    hash.text(path);
    hash.number(line);
    hash.text(function);
    hash.text(&fold_white_space(text));
    hash.finish()
}

#[derive(Default)]
struct Hash(Sha256);

impl Hash {
    /// Each text is preceded by its length, so that two lists of texts never have the same bytes.
    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    fn frames(&mut self, frames: &[Frame]) {
        self.number(u32::try_from(frames.len()).unwrap_or(u32::MAX));
        for frame in frames {
            self.text(&frame.path);
            self.number(frame.line);
            self.text(&frame.function);
            self.text(&frame.text);
            // A minified file has all of its code on one line.
            if frame.column > 0 {
                self.number(frame.column);
                self.text(&frame.debug_id);
            }
        }
    }

    fn number(&mut self, number: u32) {
        self.0.update(number.to_le_bytes());
    }

    fn finish(self) -> Fingerprint {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0.finalize()[..16]);
        Fingerprint(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{ChainedException, Relation};

    #[test]
    fn fingerprint_depends_on_lines_not_on_messages_or_locals() {
        let report = |path: &str, line, message: &str| Report {
            traceback: vec![Frame { path: path.into(), line, ..Frame::default() }],
            exception_message: message.into(),
            ..Report::default()
        };
        let print = |path, line, message| trace_fingerprint(&report(path, line, message));
        assert_eq!(print("a.py", 1, "x"), print("a.py", 1, "y"));
        assert_ne!(print("a.py", 1, "x"), print("a.py", 2, "x"));
        assert_ne!(print("a.py", 1, "x"), print("b.py", 1, "x"));
        assert_eq!(print("a.py", 1, "").to_string().len(), 32);
        let minified = |column, debug_id: &str| {
            let mut report = report("a.js", 1, "");
            report.traceback[0].column = column;
            debug_id.clone_into(&mut report.traceback[0].debug_id);
            trace_fingerprint(&report)
        };
        assert_eq!(minified(7, ""), minified(7, ""));
        assert_ne!(minified(7, ""), minified(8, ""));
        assert_ne!(minified(7, "x"), minified(7, "y"), "another build");
    }

    #[test]
    fn fingerprint_depends_on_carried_exceptions() {
        let report = |relation, line| Report {
            chain: vec![ChainedException {
                relation,
                traceback: vec![Frame { line, ..Frame::default() }],
                ..ChainedException::default()
            }],
            ..Report::default()
        };
        let print = |relation, line| trace_fingerprint(&report(relation, line));
        assert_eq!(print(Relation::Member, 1), print(Relation::Member, 1));
        assert_ne!(print(Relation::Member, 1), print(Relation::Member, 2));
        assert_ne!(print(Relation::Member, 1), print(Relation::Cause, 1));
        assert_ne!(print(Relation::Member, 1), trace_fingerprint(&Report::default()));
    }

    #[test]
    fn fingerprint_is_read_as_it_was_written() {
        let fingerprint = trace_fingerprint(&Report::default());
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        for text in ["", "0", "zz", &"0".repeat(31), &"0".repeat(33), &"é".repeat(16)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint), "{text}");
        }
    }

    #[test]
    fn place_is_the_same_when_only_white_space_differs() {
        let key = |text| place_key("", "a.py", 3, "f", text);
        assert_eq!(key("  x =  1\n"), key("x = 1"));
        assert_ne!(key("x = 1"), key("x = 2"));
    }
}
