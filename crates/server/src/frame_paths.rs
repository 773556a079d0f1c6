//! The files of a report's frames in one revision of the repository. Where the paths alone do not
//! tell, the texts of the frames do.
use std::collections::HashMap;

use flawless_core::{
    CommitId, FramePath, PathIndex, PathMatch, PathRule, PathSettings, QuotedLine, Report,
    where_text_stands,
};
use flawless_git::{GitError, Repository};

/// So many files are read for one report; the innermost frames come first.
const MAX_FILES_READ: usize = 8;

/// The file of each frame of `report`, `None` for a foreign one. `files` are those of `commit`.
///
/// # Errors
/// git cannot be run.
pub async fn frame_paths(
    report: &Report,
    files: &PathIndex,
    repository: &Repository,
    commit: &CommitId,
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
        let file = match files.find(deployed, settings) {
            PathMatch::Certain(path, rule) => Some(FramePath { path: path.to_owned(), rule }),
            PathMatch::IfTextStands(candidates) if candidates.len() <= may_read => {
                may_read -= candidates.len();
                let quoted = quoted_lines(report, deployed);
                let path = by_text(&candidates, &quoted, repository, commit).await?;
                path.map(|path| FramePath { path: path.to_owned(), rule: PathRule::SameText })
            }
            PathMatch::IfTextStands(_) | PathMatch::Foreign => None,
        };
        found.insert(deployed, file);
    }
    let file_of = |path: &str| found.get(path).cloned().flatten();
    Ok(report.traceback.iter().map(|frame| file_of(&frame.path)).collect())
}

fn quoted_lines<'a>(report: &'a Report, deployed: &str) -> Vec<QuotedLine<'a>> {
    let frames = report.traceback.iter().filter(|frame| frame.path == deployed);
    frames.map(|frame| (frame.line, frame.text.as_str())).collect()
}

async fn by_text<'a>(
    candidates: &[&'a str],
    quoted: &[QuotedLine<'_>],
    repository: &Repository,
    commit: &CommitId,
) -> Result<Option<&'a str>, GitError> {
    if quoted.iter().all(|(_, text)| text.trim().is_empty()) {
        return Ok(None);
    }
    let mut contents = Vec::with_capacity(candidates.len());
    for path in candidates {
        // A file that is too large to be source is one in which nothing stands.
        let content = match repository.file(commit, path).await {
            Err(GitError::TooLarge { .. }) => None,
            read => read?,
        };
        contents.push(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned());
    }
    Ok(where_text_stands(&contents, quoted).map(|at| candidates[at]))
}
