//! Draws the lines to ask about from the source files at `HEAD`, the same ones every time.
use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};
use flawless_git::tracer::Tracer;

use super::git::git;
use super::repository::Bare;

/// Endings of source files.
const ENDINGS: [&str; 16] = [
    "c", "cc", "cpp", "go", "h", "java", "js", "kt", "php", "py", "rb", "rs", "sh", "ts", "yaml",
    "yml",
];
/// A language counts as a main one if at least one source file in this many uses it.
const MAIN_LANGUAGE: usize = 10;
const SEED: u64 = 0x5eed;

/// A line at `HEAD`.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) number: u32,
    pub(super) text: String,
}

/// Draws lines of one repository without repetition.
#[derive(Debug)]
pub(super) struct Sampler {
    files: Vec<SourceFile>,
    /// Cumulative number of lines up to and including each file.
    sums: Vec<usize>,
    drawn: HashSet<(usize, u32)>,
    random: Random,
}

/// A file and its lines that are not blank.
#[derive(Debug)]
struct SourceFile {
    path: String,
    lines: Vec<(u32, String)>,
}

impl Sampler {
    /// Reads the source files of the main languages.
    pub(super) fn new(bare: &Bare) -> Result<Self> {
        let listed = git(&bare.folder, &["ls-tree", "-r", "-z", "--name-only", "HEAD"])?;
        let paths =
            listed.split(|byte| *byte == 0).filter_map(|path| std::str::from_utf8(path).ok());
        let mut by_ending: HashMap<&str, Vec<&str>> = HashMap::new();
        for path in paths {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            if ENDINGS.contains(&ending) {
                by_ending.entry(ending).or_default().push(path);
            }
        }
        let all: usize = by_ending.values().map(Vec::len).sum();
        by_ending.retain(|_, paths| paths.len() * MAIN_LANGUAGE >= all);
        let mut paths: Vec<&str> = by_ending.into_values().flatten().collect();
        paths.sort_unstable();
        let tracer = Tracer::open(&bare.objects())?;
        let mut files = Vec::new();
        for path in paths {
            let content = tracer.content(bare.head, path.as_bytes())?.unwrap_or_default();
            let file = SourceFile { path: path.to_owned(), lines: lines(&content) };
            if !file.lines.is_empty() {
                files.push(file);
            }
        }
        ensure!(!files.is_empty(), "no source files in {}", bare.folder.display());
        let lines = files.iter().scan(0, |sum, file| {
            *sum += file.lines.len();
            Some(*sum)
        });
        let sums = lines.collect();
        Ok(Self { files, sums, drawn: HashSet::new(), random: Random(SEED) })
    }

    /// Draws lines. For every second one the file is drawn uniformly, for the others in proportion
    /// to its length.
    pub(super) fn lines(&mut self, count: usize) -> Result<Vec<Line>> {
        let mut lines = Vec::with_capacity(count);
        for tries in 0.. {
            if lines.len() == count {
                break;
            }
            ensure!(tries < count * 100, "too few lines");
            let file = self.file(tries % 2 == 0);
            lines.extend(self.line_of(file));
        }
        Ok(lines)
    }

    /// Draws several lines from each of several files, which are drawn in the same two ways.
    pub(super) fn of_files(&mut self, files: usize, lines: usize) -> Result<Vec<Line>> {
        let (mut taken, mut of_files) = (HashSet::new(), Vec::with_capacity(files * lines));
        for tries in 0.. {
            if taken.len() == files {
                break;
            }
            ensure!(tries < files * 100, "too few files of {lines} lines");
            let file = self.file(tries % 2 == 0);
            let fresh: Vec<Line> =
                (0..lines * 100).filter_map(|_| self.line_of(file)).take(lines).collect();
            if fresh.len() == lines && taken.insert(file) {
                of_files.extend(fresh);
            }
        }
        Ok(of_files)
    }

    fn file(&mut self, among_files: bool) -> usize {
        if among_files {
            return self.random.below(self.files.len());
        }
        let line = self.random.below(self.sums.last().copied().unwrap_or(1));
        self.sums.partition_point(|sum| *sum <= line)
    }

    /// A line of this file, unless it was drawn before.
    fn line_of(&mut self, file: usize) -> Option<Line> {
        let SourceFile { path, lines } = &self.files[file];
        let (number, text) = &lines[self.random.below(lines.len())];
        let is_new = self.drawn.insert((file, *number));
        is_new.then(|| Line { path: path.clone(), number: *number, text: text.clone() })
    }
}

fn lines(content: &[u8]) -> Vec<(u32, String)> {
    if content.contains(&0) {
        return Vec::new();
    }
    let lines = (1..).zip(content.split(|byte| *byte == b'\n'));
    let full = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    full.map(|(number, line)| (number, String::from_utf8_lossy(line).into_owned())).collect()
}

/// SplitMix64: good enough to draw lines, and the same everywhere.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number from 0 up to but excluding `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // There are far fewer lines than 2^64, so the bias of the remainder is negligible.
        usize::try_from(mixed % (end.max(1) as u64)).unwrap_or_default()
    }
}
