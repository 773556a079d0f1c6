//! The files of a report's frames in one revision of the repository. Where the paths alone do not
//! tell, the texts of the frames do.
use std::collections::HashMap;

use flawless_core::{
    CommitId, FramePath, PathIndex, PathMatch, PathRule, PathSettings, QuotedLine, Report,
    text_is_missing, where_text_stands,
};
use flawless_git::{GitError, Repository};

/// So many files are read for one report; the innermost frames come first.
const MAX_FILES_READ: usize = 8;

/// The revision whose files are meant.
#[derive(Debug, Clone, Copy)]
pub struct FilesAt<'a> {
    /// Where files are read.
    pub repository: &'a Repository,
    /// The revision.
    pub commit: &'a CommitId,
    /// Whether it is known to be the one that ran: then its files have the texts of the frames.
    pub is_running: bool,
    /// Its files.
    pub files: &'a PathIndex,
}

/// The file of each frame of `report`, `None` for a foreign one.
///
/// # Errors
/// git cannot be run.
pub async fn frame_paths(
    report: &Report,
    at: FilesAt<'_>,
    settings: &PathSettings,
) -> Result<Vec<Option<FramePath>>, GitError> {
    // Frames of one deployed file are one question.
    let mut found: HashMap<&str, Option<FramePath>> = HashMap::new();
    let mut may_read = MAX_FILES_READ;
    for frame in report.traceback.iter().rev() {
        let deployed = frame.path.as_str();
        if found.contains_key(deployed) {
            continue;
        }
        let quoted = || quoted_lines(report, deployed);
        let file = match at.files.find(deployed, settings) {
            PathMatch::Certain(path, rule) => Some((path, rule)),
            PathMatch::Likely(path, rule) if at.is_running && may_read > 0 => {
                may_read -= 1;
                let content = at.read(path).await?;
                (!text_is_missing(&content, &quoted())).then_some((path, rule))
            }
            PathMatch::Likely(path, rule) => Some((path, rule)),
            PathMatch::IfTextStands(candidates) if candidates.len() <= may_read => {
                may_read -= candidates.len();
                let mut contents = Vec::with_capacity(candidates.len());
                for path in &candidates {
                    contents.push(at.read(path).await?);
                }
                let stands_in = where_text_stands(&contents, &quoted());
                stands_in.map(|which| (candidates[which], PathRule::SameText))
            }
            PathMatch::IfTextStands(_) | PathMatch::Foreign => None,
        };
        found.insert(deployed, file.map(|(path, rule)| FramePath { path: path.to_owned(), rule }));
    }
    let file_of = |path: &str| found.get(path).cloned().flatten();
    Ok(report.traceback.iter().map(|frame| file_of(&frame.path)).collect())
}

fn quoted_lines<'a>(report: &'a Report, deployed: &str) -> Vec<QuotedLine<'a>> {
    let frames = report.traceback.iter().filter(|frame| frame.path == deployed);
    frames.map(|frame| (frame.line, frame.text.as_str())).collect()
}

impl FilesAt<'_> {
    async fn read(&self, path: &str) -> Result<String, GitError> {
        let content = match self.repository.file(self.commit, path).await {
            // No source file is so large: nothing stands in it.
            Err(GitError::TooLarge { .. }) => None,
            read => read?,
        };
        Ok(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned())
    }
}
