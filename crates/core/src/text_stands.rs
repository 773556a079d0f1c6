//! Compares the lines that frames quote with the content of files.
use std::collections::HashSet;

use crate::quoted_text::QuotedText;
use crate::text::fold_white_space;

/// The informative lines of one deployed file that the frames of a report quote.
#[derive(Debug)]
pub struct QuotedLines<'a>(Vec<(u32, QuotedText<'a>)>);

impl<'a> QuotedLines<'a> {
    /// Takes line numbers (from 1) and texts.
    pub fn new(quoted: impl IntoIterator<Item = (u32, &'a str)>) -> Self {
        let texts = quoted.into_iter().map(|(line, text)| (line, QuotedText::of(text)));
        Self(texts.filter(|(_, text)| text.is_informative() && !text.is_blank()).collect())
    }

    /// Whether none of them is informative.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a file contains all of them at exactly their numbers.
    pub fn all_stand_at_their_numbers(&self, file: &FileLines) -> bool {
        self.0.iter().all(|quoted| file.reads_at_number(quoted))
    }

    /// Whether a file contains one of them at exactly its number.
    pub fn any_stands_at_its_number(&self, file: &FileLines) -> bool {
        self.0.iter().any(|quoted| file.reads_at_number(quoted))
    }

    /// Whether a file contains one of them, at any number.
    pub fn any_stands(&self, file: &FileLines) -> bool {
        self.0.iter().any(|(_, text)| file.has(text))
    }

    /// The one of `files` that contains all of them, and the most of them at exactly their numbers.
    /// `None` when there is none, or two files are as good, or no line is informative.
    pub fn file_of(&self, files: &[FileLines]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let at_their_number = |file: &FileLines| {
            let all_stand = self.0.iter().all(|(_, text)| file.has(text));
            all_stand.then(|| self.0.iter().filter(|quoted| file.reads_at_number(quoted)).count())
        };
        let standing: Vec<Option<usize>> = files.iter().map(at_their_number).collect();
        let best = standing.iter().flatten().max()?;
        only((0..files.len()).filter(|&at| standing[at].as_ref() == Some(best)))
    }

    /// The only one of `files` that contains all of them at exactly their numbers.
    pub fn file_by_numbers(&self, files: &[FileLines]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        only((0..files.len()).filter(|&at| self.all_stand_at_their_numbers(&files[at])))
    }
}

fn only(mut found: impl Iterator<Item = usize>) -> Option<usize> {
    let first = found.next();
    first.filter(|_| found.next().is_none())
}

/// The lines of a file, white space folded, to be compared with many frames.
#[derive(Debug)]
pub struct FileLines {
    lines: Vec<String>,
    known: HashSet<String>,
}

impl FileLines {
    /// Splits `content` into lines.
    pub fn of(content: &str) -> Self {
        let lines: Vec<String> =
            content.lines().map(|line| fold_white_space(line).into_owned()).collect();
        Self { known: lines.iter().cloned().collect(), lines }
    }

    fn has(&self, text: &QuotedText<'_>) -> bool {
        self.known.contains(text.as_str())
            || (!text.is_plain() && self.lines.iter().any(|line| text.reads_folded(line)))
    }

    fn reads_at_number(&self, (line, text): &(u32, QuotedText<'_>)) -> bool {
        let line = (*line as usize).checked_sub(1).and_then(|at| self.lines.get(at));
        line.is_some_and(|line| text.reads_folded(line))
    }
}

#[cfg(test)]
mod tests {
    use super::{FileLines, QuotedLines};

    fn files() -> [FileLines; 3] {
        [
            "import os\nreturn  sum(prices)\n",
            "return sum(prices)\n",
            "return x\nreturn max(prices)\n",
        ]
        .map(FileLines::of)
    }

    #[test]
    fn file_is_the_one_with_the_line_nearest_to_its_number() {
        let find =
            |quoted: &[(u32, &str)]| QuotedLines::new(quoted.iter().copied()).file_of(&files());
        assert_eq!(find(&[(2, "    return sum(prices)")]), Some(0));
        assert_eq!(find(&[(1, "return sum(prices)")]), Some(1));
        assert_eq!(find(&[(9, "return sum(prices)")]), None, "two files have it");
        assert_eq!(find(&[(9, "return max(prices)")]), Some(2));
        assert_eq!(find(&[(9, "return sum(prices)"), (1, "import os, sys")]), None);
        assert_eq!(find(&[(2, "return sum(prices)"), (1, "from os import path")]), None);
        assert_eq!(find(&[(2, "return max(prices)"), (1, "return x")]), Some(2));
        assert_eq!(find(&[(1, "return x")]), None, "too short to tell anything");
        assert_eq!(find(&[(1, "")]), None);
        assert_eq!(find(&[(9, "return max(**scrubbed**)")]), Some(2));
        assert_eq!(find(&[(3, "\"**scrubbed**\"")]), None, "any line reads so");
        assert_eq!(QuotedLines::new([(1, "return sum(prices)")]).file_of(&[]), None);
    }

    #[test]
    fn file_by_numbers_is_the_only_one_with_those_lines() {
        let find = |quoted: &[(u32, &str)]| {
            QuotedLines::new(quoted.iter().copied()).file_by_numbers(&files())
        };
        assert_eq!(find(&[(2, "return sum(prices)")]), Some(0));
        assert_eq!(find(&[(2, "return sum(prices)"), (1, "import os, sys")]), None);
        assert_eq!(find(&[(9, "return max(prices)")]), None, "stands elsewhere");
        assert_eq!(find(&[(1, "return x")]), None, "too short to tell anything");
    }

    #[test]
    fn line_missing_from_the_file_is_not_found() {
        let stands = |text| {
            QuotedLines::new([(1, text)])
                .any_stands(&FileLines::of("import os\nreturn  sum(prices)\n"))
        };
        assert!(stands("    return sum(prices)\n"));
        assert!(!stands("return max(prices)"));
        assert!(stands("return sum(**scrubbed**)"), "a redacted part stands for any text");
        assert!(!stands("return max(**scrubbed**)"));
        assert!(QuotedLines::new([(1, "return x"), (2, ""), (3, "**scrubbed**")]).is_empty());
    }
}
