//! The text of a source file, shared by all frames in it.
use std::ops::Range;

/// A source file as the program read it, or some lines of it.
#[derive(Debug, Default)]
pub struct SourceFile {
    text: String,
    /// Lines of the file before those in `text`.
    skipped: u32,
    /// The end of each line, without its line break.
    ends: Vec<u32>,
}

/// Lines shown before and after the one that ran.
pub(crate) const CONTEXT: usize = 5;

/// Larger files are cut: their later lines have no text.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Longer lines, as in minified code, are cut.
const MAX_LINE: usize = 1_000;

impl SourceFile {
    /// Wraps the whole text of a file.
    #[must_use]
    pub fn new(mut text: String) -> Self {
        if text.len() > MAX_BYTES {
            let end = (0..=MAX_BYTES).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text.truncate(end);
            text.shrink_to_fit();
        }
        // A file has at most 4 MiB, so a u32 holds every position.
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let mut ends: Vec<u32> = breaks.map(|(at, _)| u32::try_from(at).unwrap_or(0)).collect();
        if !text.is_empty() && !text.ends_with('\n') {
            ends.push(u32::try_from(text.len()).unwrap_or(0));
        }
        Self { text, skipped: 0, ends }
    }

    /// Keeps only lines `first` to `last` of the file; the others are unknown.
    #[must_use]
    pub fn part(&self, first: u32, last: u32) -> Self {
        let lines = (first.max(1)..=last).map_while(|number| self.line(number));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        Self { skipped: first.saturating_sub(1), ..Self::new(text) }
    }

    /// The known text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Size of the known text in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether no text is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Line `number` (from 1) without its line break, or `None` beyond the end.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        let number = number.checked_sub(self.skipped)?;
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends[before] as usize + 1,
            None => 0,
        };
        let line = self.text.get(start..end)?.trim_end_matches('\r');
        Some(match line.char_indices().nth(MAX_LINE) {
            Some((cut, _)) => &line[..cut],
            None => line,
        })
    }

    /// The line numbers before and after a line, as far as their text is known.
    pub(crate) fn around(&self, number: u32) -> (Range<u32>, Range<u32>) {
        let context = u32::try_from(CONTEXT).unwrap_or(0);
        let first = self.skipped.saturating_add(1);
        let lines = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        let end = first.saturating_add(lines);
        let within = |number: u32| number.clamp(first, end);
        let after = number.saturating_add(1);
        (
            within(number.saturating_sub(context))..within(number),
            within(after)..within(after.saturating_add(context)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one_and_end_with_the_file() {
        let file = SourceFile::new("a\r\n\nc".to_owned());
        let lines: Vec<_> = (0..5).map(|number| file.line(number)).collect();
        assert_eq!(lines, [None, Some("a"), Some(""), Some("c"), None]);
        assert_eq!(SourceFile::new(String::new()).line(1), None);
    }

    #[test]
    fn surrounding_lines_stay_within_the_file() {
        let file = SourceFile::new("x\n".repeat(10));
        assert_eq!(file.around(1), (1..1, 2..7));
        assert_eq!(file.around(7), (2..7, 8..11));
        assert_eq!(file.around(10), (5..10, 11..11));
        let (before, after) = file.around(u32::MAX);
        assert!(before.is_empty() && after.is_empty());
    }

    #[test]
    fn unknown_file_has_no_surrounding_lines() {
        let (before, after) = SourceFile::default().around(10);
        assert!(before.is_empty() && after.is_empty());
    }

    #[test]
    fn file_part_knows_its_lines_by_their_numbers_in_the_file() {
        let file = SourceFile::new((1..=20).map(|number| format!("{number}\n")).collect());
        let part = file.part(9, 12);
        let lines: Vec<_> = [8, 9, 12, 13].into_iter().map(|number| part.line(number)).collect();
        assert_eq!(lines, [None, Some("9"), Some("12"), None]);
        assert_eq!(part.around(11), (9..11, 12..13));
        assert!(file.part(21, 25).is_empty());
    }
}
