//! Finds the files of a report's frames in one revision of the repository. Where the paths alone
//! are ambiguous, the texts of the frames decide.
use std::collections::HashMap;
use std::sync::Arc;

use flawless_core::{
    CommitId, FileLines, Frame, FramePath, PathIndex, PathMatch, PathRule, PathSettings,
    QuotedLines, QuotedText, Report, SuggestedFile, WrapperSource, is_foreign_folder,
    is_named_as_wrapper, is_wrapper, of_one_program,
};
use flawless_git::{GitError, Mirror, Revision, Tip, source_text};

/// Number of files that are read for one report, and again as many that share a name with one of
/// them; the innermost frames come first.
const MAX_FILES_READ: usize = 48;
/// Bytes of these files.
const MAX_BYTES_READ: usize = 64 * 1024 * 1024;
/// Number of files gone from the tip that are searched.
const MAX_GONE_READ: usize = 8;
/// Number of frames of one file that are compared with it; a recursion has many more.
const MAX_QUOTED: usize = 20;

/// The files of a report's frames, by deployed path.
#[derive(Debug, Default)]
pub struct FrameFiles(HashMap<String, FoundPath>);

/// The file in the repository that a deployed file comes from.
#[derive(Debug)]
struct FoundPath {
    path: String,
    rule: PathRule,
    /// Its content, when one of its frames is in a function that is named like a wrapper, or has no
    /// text though the revision is the one that ran.
    content: Option<Arc<str>>,
}

impl FrameFiles {
    /// The file of each frame, `None` for a foreign one.
    pub fn of(&self, traceback: &[Frame]) -> impl Iterator<Item = Option<FramePath>> {
        traceback.iter().map(|frame| self.file_of(frame))
    }

    /// Whether a client sent no text of a line that was read.
    pub fn has_texts_for(&self, report: &Report) -> bool {
        let is_read = |frame: &Frame| {
            is_without_text(frame) && self.0.get(&frame.path).is_some_and(|it| it.content.is_some())
        };
        report.tracebacks().flatten().any(is_read)
    }

    /// Adds the source lines that a client did not send: those of the revision that ran.
    pub fn add_texts(&self, report: &mut Report) {
        let mut files: HashMap<String, Vec<&str>> = HashMap::new();
        let chain = report.chain.iter_mut().flat_map(|exception| &mut exception.traceback);
        for frame in report.traceback.iter_mut().chain(chain).filter(|frame| is_without_text(frame))
        {
            let found = self.0.get(&frame.path).and_then(|found| found.content.as_ref());
            let Some(content) = found else { continue };
            let lines =
                files.entry(frame.path.clone()).or_insert_with(|| content.lines().collect());
            if let Some(line) = lines.get(frame.line as usize - 1) {
                (*line).clone_into(&mut frame.text);
                frame.is_text_read = true;
            }
        }
    }

    fn file_of(&self, frame: &Frame) -> Option<FramePath> {
        let FoundPath { path, rule, content } = self.0.get(&frame.path)?;
        let wraps = content.as_ref().and_then(|content| wraps(content, frame));
        Some(FramePath { path: path.clone(), rule: *rule, wraps })
    }
}

/// Whether a client sent the line of a frame, but not what it says.
fn is_without_text(frame: &Frame) -> bool {
    frame.line > 0 && frame.text.trim().is_empty()
}

/// Whether a frame's line only forwards a call, according to the source of its function.
fn wraps(content: &str, frame: &Frame) -> Option<bool> {
    if !is_named_as_wrapper(&frame.function) {
        return None;
    }
    let lines: Vec<&str> = content.lines().collect();
    let wanted = QuotedText::of(&frame.text);
    let reads_so = |at: &usize| wanted.is_blank() || wanted.reads(lines[*at]);
    let at = (0..lines.len())
        .filter(reads_so)
        .min_by_key(|at| (at + 1).abs_diff(frame.line as usize))?;
    let source = WrapperSource::read(&lines, &frame.function, u32::try_from(at + 1).ok()?)?;
    let text = if wanted.is_blank() { lines[at] } else { &frame.text };
    Some(is_wrapper(&frame.function, text, Some(&source)))
}

/// The files of the frames of `report`, its chain included, in `revision`.
pub async fn frame_files(
    report: &Report,
    mirror: &Mirror,
    revision: &Revision,
    settings: &PathSettings,
) -> Result<FrameFiles, GitError> {
    let commit = revision.commit();
    let index = mirror.files(commit).await?;
    let mut reading = Reading {
        mirror,
        commit,
        contents: HashMap::new(),
        files_left: MAX_FILES_READ,
        rivals_left: MAX_FILES_READ,
        bytes_left: MAX_BYTES_READ,
    };
    let is_running = revision.running().is_some();
    let mut found = HashMap::new();
    // Frames of one deployed file are looked up together.
    let mut frames: HashMap<&str, Vec<&Frame>> = HashMap::new();
    let mut deployed = Vec::new();
    for frame in report.tracebacks().flat_map(|traceback| traceback.iter().rev()) {
        let path = frame.path.as_str();
        let of_file = frames.entry(path).or_insert_with(|| {
            deployed.push(path);
            Vec::new()
        });
        if of_file.len() < MAX_QUOTED {
            of_file.push(frame);
        }
    }
    for deployed in deployed.iter().copied() {
        let frames = &frames[deployed];
        let matched = index.find(deployed, settings);
        let quoted = QuotedLines::new(frames.iter().map(|f| (f.line, f.text.as_str())));
        let asked = Asked { deployed, quoted, is_running, index: &index };
        let Some((path, rule)) = reading.settle(matched, &asked).await? else { continue };
        let is_needed = |frame: &&Frame| {
            is_named_as_wrapper(&frame.function) || (is_running && is_without_text(frame))
        };
        let content = if frames.iter().any(is_needed) && rule != PathRule::Submodule {
            reading.content(&path).await?
        } else {
            None
        };
        found.insert(deployed.to_owned(), FoundPath { path, rule, content });
    }
    let suggested = |deployed| {
        let FoundPath { path, rule, .. } = found.get(deployed)?;
        let has_text = frames[deployed].iter().any(|frame| !frame.text.trim().is_empty());
        Some(SuggestedFile { deployed, path, rule: *rule, has_text })
    };
    let suggested: Vec<SuggestedFile<'_>> =
        deployed.iter().copied().filter_map(suggested).collect();
    let others = suggested.iter().zip(of_one_program(&suggested)).filter(|(_, is_own)| !is_own);
    let others: Vec<String> = others.map(|(file, _)| file.deployed.to_owned()).collect();
    for deployed in others {
        found.remove(&deployed);
    }
    Ok(FrameFiles(found))
}

/// When the tip lacks files that ran: the revision before the newest of them was deleted, and the
/// files of the frames there, if the text of such a frame is at its line. `files` are those of the
/// tip.
pub async fn before_they_went(
    report: &Report,
    mirror: &Mirror,
    tip: &Tip,
    files: &FrameFiles,
    settings: &PathSettings,
) -> Result<Option<(Revision, FrameFiles)>, GitError> {
    let is_missing = |frame: &&Frame| {
        !files.0.contains_key(&frame.path) && frame.line > 0 && !is_foreign_folder(&frame.path)
    };
    let frames = report.tracebacks().flat_map(|traceback| traceback.iter().rev());
    let missing: Vec<&Frame> = frames.filter(is_missing).take(MAX_GONE_READ).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let gone = mirror.lately_gone(tip).await;
    let index = PathIndex::new(gone.iter().map(|(path, _)| path.as_str()));
    for frame in missing {
        let (PathMatch::Certain(path, _) | PathMatch::Likely(path, _)) =
            index.find(&frame.path, settings)
        else {
            continue;
        };
        let Some((_, last)) = gone.iter().find(|(gone, _)| gone == path) else { continue };
        let content = match mirror.file(last, path).await {
            Err(GitError::TooLarge { .. }) => continue,
            read => read?.unwrap_or_default(),
        };
        let content = source_text(&content);
        let wanted = QuotedText::of(&frame.text);
        let line = content.lines().nth(frame.line as usize - 1);
        if !wanted.is_vague() && line.is_some_and(|line| wanted.reads(line)) {
            let revision = Revision::Before(last.clone());
            let files = frame_files(report, mirror, &revision, settings).await?;
            return Ok(Some((revision, files)));
        }
    }
    Ok(None)
}

/// A deployed file whose path in the repository is wanted.
struct Asked<'a> {
    deployed: &'a str,
    /// The lines that its frames quote.
    quoted: QuotedLines<'a>,
    /// Whether the revision is the one that ran: then its files contain the texts of the frames.
    is_running: bool,
    index: &'a PathIndex,
}

/// Reads a bounded number of files of one revision.
struct Reading<'a> {
    mirror: &'a Mirror,
    commit: &'a CommitId,
    contents: HashMap<String, Arc<str>>,
    files_left: usize,
    rivals_left: usize,
    bytes_left: usize,
}

impl Reading<'_> {
    /// Decides what the path alone leaves open.
    async fn settle(
        &mut self,
        matched: PathMatch<'_>,
        asked: &Asked<'_>,
    ) -> Result<Option<(String, PathRule)>, GitError> {
        let (path, rule, is_sure) = match matched {
            PathMatch::Certain(path, rule) => (path, rule, true),
            PathMatch::Likely(path, rule) => (path, rule, false),
            PathMatch::IfTextStands(candidates) => {
                let Some(files) = self.all_lines(&candidates).await? else { return Ok(None) };
                let found = asked.quoted.file_of(&files);
                return Ok(found.map(|at| (candidates[at].to_owned(), PathRule::SameText)));
            }
            PathMatch::IfLineStands(candidates) => {
                let Some(files) = self.all_lines(&candidates).await? else { return Ok(None) };
                let found = asked.quoted.file_by_numbers(&files);
                return Ok(found.map(|at| (candidates[at].to_owned(), PathRule::SameLine)));
            }
            PathMatch::Foreign => return Ok(None),
        };
        let own = || Some((path.to_owned(), rule));
        let is_by_parts = matches!(rule, PathRule::WholePath | PathRule::LongestSuffix);
        let rivals = if is_by_parts && !asked.quoted.is_empty() {
            asked.index.rivals(asked.deployed, path)
        } else {
            Vec::new()
        };
        let may_be_foreign = !is_sure && asked.is_running && !asked.quoted.is_empty();
        if rivals.is_empty() && !may_be_foreign {
            return Ok(own());
        }
        let Some(lines) = self.lines(path).await? else { return Ok(own()) };
        if asked.quoted.any_stands_at_its_number(&lines) {
            return Ok(own());
        }
        // In a monorepo the longer suffix can be another program's file. If the running revision is
        // unknown, the program's own file may have run in an earlier revision.
        if let Some(at) = self.rival(&rivals, &asked.quoted).await?
            && (asked.is_running || !self.ever_stood(path, &asked.quoted).await?)
        {
            return Ok(Some((rivals[at].to_owned(), PathRule::SameLine)));
        }
        // A file that contains none of the lines did not run. If it contains one, the others were
        // changed: they belong to the project, and possibly nobody can be blamed for them.
        Ok(own().filter(|_| !may_be_foreign || asked.quoted.any_stands(&lines)))
    }

    /// The only one of several files whose text agrees with the report; `None` also when too many
    /// were read.
    async fn rival(
        &mut self,
        paths: &[&str],
        quoted: &QuotedLines<'_>,
    ) -> Result<Option<usize>, GitError> {
        let Some(left) = self.rivals_left.checked_sub(paths.len()) else { return Ok(None) };
        self.rivals_left = left;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            if self.bytes_left == 0 {
                return Ok(None);
            }
            files.push(FileLines::of(&self.read(path).await?.unwrap_or_default()));
        }
        Ok(quoted.file_by_numbers(&files))
    }

    /// Whether the text of a file ever agreed with the report.
    async fn ever_stood(&self, path: &str, quoted: &QuotedLines<'_>) -> Result<bool, GitError> {
        let stands = |content: &str| quoted.any_stands_at_its_number(&FileLines::of(content));
        self.mirror.had_version(self.commit, path, &stands).await
    }

    async fn all_lines(&mut self, paths: &[&str]) -> Result<Option<Vec<FileLines>>, GitError> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            match self.lines(path).await? {
                Some(lines) => files.push(lines),
                None => return Ok(None),
            }
        }
        Ok(Some(files))
    }

    async fn lines(&mut self, path: &str) -> Result<Option<FileLines>, GitError> {
        Ok(self.content(path).await?.map(|content| FileLines::of(&content)))
    }

    /// The content of a file; `None` when no more files may be read.
    async fn content(&mut self, path: &str) -> Result<Option<Arc<str>>, GitError> {
        if let Some(known) = self.contents.get(path) {
            return Ok(Some(known.clone()));
        }
        if self.files_left == 0 || self.bytes_left == 0 {
            return Ok(None);
        }
        self.files_left -= 1;
        let Some(content) = self.read(path).await? else { return Ok(None) };
        self.contents.insert(path.to_owned(), content.clone());
        Ok(Some(content))
    }

    /// The content of a file; `None` when it is too large for a source file, and only its path is
    /// used.
    async fn read(&mut self, path: &str) -> Result<Option<Arc<str>>, GitError> {
        let content = match self.mirror.file(self.commit, path).await {
            Err(GitError::TooLarge { .. }) => return Ok(None),
            read => read?,
        };
        let content: Arc<str> = source_text(&content.unwrap_or_default()).into();
        self.bytes_left = self.bytes_left.saturating_sub(content.len());
        Ok(Some(content))
    }
}
