//! What the lines that frames quote say about the file they are of.
use std::collections::HashSet;

use crate::quoted_text::QuotedText;
use crate::text::fold_white_space;

/// A line of a frame: its number from 1, and its text.
pub type QuotedLine<'a> = (u32, &'a str);

/// The quoted lines that tell something.
fn telling<'a>(quoted: &[QuotedLine<'a>]) -> Vec<(u32, QuotedText<'a>)> {
    let texts = quoted.iter().map(|(line, text)| (*line, QuotedText::of(text)));
    texts.filter(|(_, text)| text.is_telling() && !text.is_blank()).collect()
}

/// The lines of a file, to ask for many frames whether they can be of it.
#[derive(Debug)]
pub struct FileLines(HashSet<String>);

impl FileLines {
    /// The lines of `content`.
    pub fn of(content: &str) -> Self {
        Self(content.lines().map(|line| fold_white_space(line).into_owned()).collect())
    }

    /// Whether a line that tells something does not stand in the file.
    pub fn miss(&self, text: &str) -> bool {
        let text = QuotedText::of(text);
        if !text.is_telling() || text.is_blank() {
            return false;
        }
        let stands = match text.is_redacted() {
            true => self.0.iter().any(|line| text.reads_folded(line)),
            false => self.0.contains(text.as_str()),
        };
        !stands
    }
}

/// The one of `contents` in which all the lines stand, white space folded, and the most of them
/// at their very number. `None` when there is none, or two files are as good.
pub fn where_text_stands(contents: &[String], quoted: &[QuotedLine<'_>]) -> Option<usize> {
    let wanted = telling(quoted);
    if wanted.is_empty() {
        return None;
    }
    let at_their_number = |content: &String| {
        let lines: Vec<_> = content.lines().map(fold_white_space).collect();
        let is_there = |(line, text): &&(u32, QuotedText<'_>)| {
            let line = (*line as usize).checked_sub(1).and_then(|at| lines.get(at));
            line.is_some_and(|line| text.reads_folded(line))
        };
        let stands = |text: &QuotedText<'_>| lines.iter().any(|line| text.reads_folded(line));
        let all_stand = wanted.iter().all(|(_, text)| stands(text));
        all_stand.then(|| wanted.iter().filter(is_there).count())
    };
    let standing: Vec<Option<usize>> = contents.iter().map(at_their_number).collect();
    let best = standing.iter().flatten().max()?;
    let mut at_best = (0..contents.len()).filter(|&at| standing[at].as_ref() == Some(best));
    match (at_best.next(), at_best.next()) {
        (Some(at), None) => Some(at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FileLines, where_text_stands};

    #[test]
    fn the_file_is_the_one_that_holds_the_line_best_at_its_number() {
        let contents = [
            "import os\nreturn  sum(prices)\n".to_owned(),
            "return sum(prices)\n".to_owned(),
            "return x\nreturn max(prices)\n".to_owned(),
        ];
        let find = |quoted: &[(u32, &str)]| where_text_stands(&contents, quoted);
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
        assert_eq!(where_text_stands(&[], &[(1, "return sum(prices)")]), None);
    }

    #[test]
    fn a_line_that_is_not_in_the_file_is_missed() {
        let lines = FileLines::of("import os\nreturn  sum(prices)\n");
        assert!(!lines.miss("    return sum(prices)\n"));
        assert!(lines.miss("return max(prices)"));
        assert!(!lines.miss("return x"), "too short to tell anything");
        assert!(!lines.miss(""));
        assert!(!lines.miss("return sum(**scrubbed**)"), "a redacted part stands for any text");
        assert!(lines.miss("return max(**scrubbed**)"));
        assert!(!lines.miss("**scrubbed**"), "tells nothing");
    }
}
