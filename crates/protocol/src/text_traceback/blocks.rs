//! Finds the parts of a text that may hold a traceback, so that a large log is never held as lines.
use super::colours::without_control;
use super::containers::{self, Line, Lines};

/// Lines that belong together, without colours.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// The first line that has words of a traceback.
    pub(super) mentioned_at: Option<u32>,
    /// The text continued after the block was full.
    pub(super) is_full: bool,
}

/// Every traceback has one of these in at least one of its lines.
const WORDS: [&str; 8] = [
    "File",
    "Traceback",
    "most recent call",
    "above exception",
    ".py",
    "+---",
    "Exception Type:",
    "\"\"\"",
];
/// How many lines without any such word a traceback may contain, such as values on a debug page.
const MAX_BETWEEN: usize = 200;
/// How many lines before the first such word are examined.
const BEFORE: usize = 4;
/// Further lines begin another block.
const MAX_LINES: usize = 60_000;

pub(super) fn blocks(text: &str) -> Blocks<'_> {
    Blocks { lines: containers::lines(text), recent: Vec::new() }
}

pub(super) struct Blocks<'a> {
    lines: Lines<'a>,
    /// The last lines, none of which has such a word.
    recent: Vec<Line<'a>>,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let mut lines: Vec<Line<'a>> = Vec::new();
        let mut last_word = None;
        let mut mentioned_at = None;
        for mut line in self.lines.by_ref() {
            if let std::borrow::Cow::Owned(cleaned) = without_control(&line.text) {
                line.text = cleaned.into();
            }
            let has_word = WORDS.iter().any(|word| line.text.contains(word));
            if has_word {
                if last_word.is_none() {
                    lines.append(&mut self.recent);
                }
                if mentioned_at.is_none() && mentions_traceback(&line.text) {
                    mentioned_at = Some(line.number);
                }
                last_word = Some(lines.len());
                lines.push(line);
            } else if let Some(last) = last_word {
                lines.push(line);
                if lines.len() - last > MAX_BETWEEN {
                    break;
                }
            } else {
                if self.recent.len() == BEFORE {
                    self.recent.remove(0);
                }
                self.recent.push(line);
            }
            if lines.len() == MAX_LINES {
                return Some(Block { lines, mentioned_at, is_full: true });
            }
        }
        last_word.map(|_| Block { lines, mentioned_at, is_full: false })
    }
}

fn mentions_traceback(text: &str) -> bool {
    text.contains("Traceback (")
        || text.contains("most recent call")
        || super::frame::find_frame(text).is_some()
}
