//! The files of a report's frames in one revision of the repository. Where the paths alone do not
//! tell, the texts of the frames do.
use std::collections::HashMap;

use flawless_core::{
    CommitId, FileLines, Frame, FramePath, PathIndex, PathMatch, PathRule, PathSettings,
    QuotedLine, QuotedText, Report, is_foreign_folder, where_text_stands,
};
use flawless_git::{GitError, Mirror, Revision, Tip};

/// So many files are read for one report; the innermost frames come first.
const MAX_FILES_READ: usize = 8;
/// So many frames of one file are looked for in it; a recursion has many more.
const MAX_QUOTED: usize = 20;

/// The revision whose files are meant.
struct FilesAt<'a> {
    /// Where files are read.
    mirror: &'a Mirror,
    /// The revision.
    commit: &'a CommitId,
    /// Whether it is known to be the one that ran: then its files have the texts of the frames.
    is_running: bool,
    /// Its files.
    files: &'a PathIndex,
}

/// The file of each frame of `report` in `revision`, `None` for a foreign one.
///
/// # Errors
/// git cannot be run.
pub async fn frame_paths(
    report: &Report,
    mirror: &Mirror,
    revision: &Revision,
    settings: &PathSettings,
) -> Result<Vec<Option<FramePath>>, GitError> {
    let commit = revision.commit();
    let files = mirror.files(commit).await?;
    let is_running = revision.running().is_some();
    let at = FilesAt { mirror, commit, is_running, files: &files };
    // Frames of one deployed file are one question.
    let mut found: HashMap<&str, Found> = HashMap::new();
    let mut may_read = MAX_FILES_READ;
    for frame in report.traceback.iter().rev() {
        let deployed = frame.path.as_str();
        if !found.contains_key(deployed) {
            let matched = at.files.find(deployed, settings);
            found.insert(deployed, at.look_at(matched, report, deployed, &mut may_read).await?);
        }
    }
    let file_of = |frame: &Frame| {
        let found = found.get(frame.path.as_str())?;
        let agrees = found.lines.as_ref().is_none_or(|lines| !lines.miss(&frame.text));
        found.file.clone().filter(|_| agrees)
    };
    Ok(report.traceback.iter().map(file_of).collect())
}

/// Where the tip lacks files that ran: the revision before the newest of them went, and the files
/// of the frames there, when the text of such a frame stands at its line. `paths` are those of the
/// tip.
///
/// # Errors
/// git cannot be run.
pub async fn before_they_went(
    report: &Report,
    mirror: &Mirror,
    tip: &Tip,
    paths: &[Option<FramePath>],
    settings: &PathSettings,
) -> Result<Option<(Revision, Vec<Option<FramePath>>)>, GitError> {
    let is_missing = |frame: &Frame, path: &Option<FramePath>| {
        path.is_none() && frame.line > 0 && !is_foreign_folder(&frame.path)
    };
    let frames = report.traceback.iter().zip(paths).rev();
    let missing: Vec<&Frame> =
        frames.filter(|(frame, path)| is_missing(frame, path)).map(|(frame, _)| frame).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let gone = mirror.lately_gone(tip).await;
    let index = PathIndex::new(gone.iter().map(|(path, _)| path.as_str()));
    for frame in missing.into_iter().take(MAX_FILES_READ) {
        let (PathMatch::Certain(path, _) | PathMatch::Likely(path, _)) =
            index.find(&frame.path, settings)
        else {
            continue;
        };
        let Some((_, last)) = gone.iter().find(|(gone, _)| gone == path) else { continue };
        let content = mirror.file(last, path).await?.unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let wanted = QuotedText::of(&frame.text);
        let line = content.lines().nth(frame.line as usize - 1);
        if !wanted.is_vague() && line.is_some_and(|line| wanted.reads(line)) {
            let revision = Revision::Before(last.clone());
            let paths = frame_paths(report, mirror, &revision, settings).await?;
            return Ok(Some((revision, paths)));
        }
    }
    Ok(None)
}

/// What a deployed file is.
#[derive(Debug, Default)]
struct Found {
    file: Option<FramePath>,
    /// Its lines, when a frame whose text is not among them is not of this file.
    lines: Option<FileLines>,
}

impl FilesAt<'_> {
    /// Settles what the path alone leaves open, as long as files may be read for it.
    async fn look_at(
        &self,
        matched: PathMatch<'_>,
        report: &Report,
        deployed: &str,
        may_read: &mut usize,
    ) -> Result<Found, GitError> {
        let file = |path: &str, rule| Some(FramePath { path: path.to_owned(), rule });
        Ok(match matched {
            PathMatch::Certain(path, rule) => Found { file: file(path, rule), lines: None },
            PathMatch::Likely(path, rule) => {
                let is_read = self.is_running && *may_read > 0;
                let mut lines = None;
                if is_read {
                    *may_read -= 1;
                    lines = Some(FileLines::of(&self.read(path).await?));
                }
                Found { file: file(path, rule), lines }
            }
            PathMatch::IfTextStands(candidates) if candidates.len() <= *may_read => {
                *may_read -= candidates.len();
                let mut contents = Vec::with_capacity(candidates.len());
                for path in &candidates {
                    contents.push(self.read(path).await?);
                }
                let frames = report.traceback.iter().filter(|frame| frame.path == deployed);
                let quoted: Vec<QuotedLine<'_>> =
                    frames.rev().take(MAX_QUOTED).map(|f| (f.line, f.text.as_str())).collect();
                let which = where_text_stands(&contents, &quoted);
                let file = which.and_then(|which| file(candidates[which], PathRule::SameText));
                Found { file, lines: None }
            }
            PathMatch::IfTextStands(_) | PathMatch::Foreign => Found::default(),
        })
    }

    async fn read(&self, path: &str) -> Result<String, GitError> {
        let content = match self.mirror.file(self.commit, path).await {
            // No source file is so large: nothing stands in it.
            Err(GitError::TooLarge { .. }) => None,
            read => read?,
        };
        Ok(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned())
    }
}
