//! Decides whether an issue is fixed: whether its line still exists in a later revision, or which
//! commit changed it.
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin};

use crate::blamer::Blamer;
use crate::blocking::blocking;
use crate::error::GitError;
use crate::git_blame::git_blame_reverse;
use crate::line_tracer::object_id;
use crate::source_text::{line_of, source_text};
use crate::tracer::{Place, WhiteSpace};

/// Number of similar lines that are traced back.
const MAX_ALIKE: usize = 16;
/// Number of files touched by a commit that are searched.
const MAX_FILES: usize = 100;
/// Bytes of these files.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Number of moves and reformatting commits that are followed for one line.
const MAX_STEPS: usize = 20;
/// From this share of common letter pairs on, two lines are similar.
const MIN_SHARE: f64 = 0.6;
/// A shorter part of a line proves nothing.
const MIN_PART: usize = 6;
const TRACER_LIMIT: Duration = Duration::from_secs(2);

/// The state of a line in a later revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It still exists.
    Stands {
        /// The path of its file.
        path: String,
        /// Its number, from 1.
        line: u32,
    },
    /// It was changed or removed.
    Gone {
        /// The commit that changed it; `None` when that is not certain.
        by: Option<CommitId>,
        /// The last place of the line.
        last: LineOrigin,
    },
    /// The revision's history does not contain the commit that introduced the line.
    NeverThere,
}

/// The state in `revision` of the line that was born at `origin`. A direct diff proves that it
/// still exists; to prove that it is gone, git follows renames and rewrites step by step. The
/// commit that git names may also have moved the line, or be an ignored one.
pub(crate) async fn standing(
    blamer: &Blamer,
    origin: &LineOrigin,
    revision: &CommitId,
) -> Result<Standing, GitError> {
    let repository = blamer.repository();
    if !repository.is_ancestor(&origin.commit, revision).await? {
        return Ok(Standing::NeverThere);
    }
    if let (Ok(tracer), Some(commit), Some(later)) =
        (repository.tracer().await, object_id(&origin.commit), object_id(revision))
    {
        let place = Place { commit, path: origin.path.clone().into_bytes(), line: origin.line };
        let found =
            blocking(TRACER_LIMIT, move |_| tracer.stands_in(&place, later, WhiteSpace::Ignored));
        if let Ok(Some(line)) = found.await {
            return Ok(Standing::Stands { path: origin.path.clone(), line });
        }
    }
    let mut at = origin.clone();
    for _ in 0..MAX_STEPS {
        if at.commit == *revision {
            return Ok(Standing::Stands { path: at.path, line: at.line });
        }
        let last = git_blame_reverse(repository, &at, revision).await?;
        if last.commit == *revision {
            return Ok(Standing::Stands { path: last.path, line: last.line });
        }
        let by = repository.next_change(&last.commit, revision, &last.path).await?;
        // A merge only brings the changes of another commit.
        let by = match by {
            Some(by) if repository.parents(&by).await?.len() > 1 => None,
            by => by,
        };
        let Some(by) = by else {
            let files = repository.changed_between(&last.commit, revision).await?;
            return Ok(match same_line(blamer, origin, &last, revision, &files).await? {
                Some(found) => Standing::Stands { path: found.path, line: found.line },
                None => Standing::Gone { by: None, last },
            });
        };
        let files = repository.changed_by(&by).await?;
        match same_line(blamer, origin, &last, &by, &files).await? {
            Some(found) => at = found,
            None => return Ok(Standing::Gone { by: Some(by), last }),
        }
    }
    Ok(Standing::Stands { path: at.path, line: at.line })
}

/// The line that `origin` has become in `revision`, in one of `files`: a similar one that was born
/// there too, considering moves and the ignore list. Moved or reformatted code can only be found
/// backwards, from its current place. `last` is its previous place.
async fn same_line(
    blamer: &Blamer,
    origin: &LineOrigin,
    last: &LineOrigin,
    revision: &CommitId,
    files: &[String],
) -> Result<Option<LineOrigin>, GitError> {
    let before = text_at(blamer, &last.commit, &last.path).await?;
    let Some(wanted) = line_of(&before, last.line) else { return Ok(None) };
    let wanted = Arc::new(Alike::new(&wanted));
    let here = [&origin.path, &last.path].into_iter();
    let elsewhere = files.iter().filter(|path| **path != origin.path && **path != last.path);
    let mut found: Vec<(f64, &str, u32)> = Vec::new();
    let mut left = MAX_BYTES;
    for path in here.chain(elsewhere).take(MAX_FILES) {
        let content = text_at(blamer, revision, path).await?;
        left = left.saturating_sub(content.len());
        if left == 0 {
            break;
        }
        let content = source_text(&content).into_owned();
        let wanted = wanted.clone();
        // The comparison takes a while, and must not block other work.
        let alike = tokio::task::spawn_blocking(move || {
            let lines = (1u32..).zip(content.split('\n'));
            lines.filter_map(|(line, text)| Some((wanted.share(text)?, line))).collect::<Vec<_>>()
        });
        let alike = alike.await.unwrap_or_default();
        found.extend(alike.into_iter().map(|(share, line)| (share, path.as_str(), line)));
    }
    // The most similar first; of equal ones those in the line's own file first.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, path, line) in found.into_iter().take(MAX_ALIKE) {
        let Ok(blame) = blamer.blame(revision, path, line).await else { continue };
        if blame.origin == *origin || blame.also_known.contains(origin) {
            return Ok(Some(LineOrigin { commit: revision.clone(), path: path.to_owned(), line }));
        }
    }
    Ok(None)
}

/// A file's content; empty when it does not exist, or is not written by people.
async fn text_at(blamer: &Blamer, commit: &CommitId, path: &str) -> Result<Vec<u8>, GitError> {
    match blamer.repository().file(commit, path).await {
        Err(GitError::TooLarge { .. }) => Ok(Vec::new()),
        content => Ok(content?.unwrap_or_default()),
    }
}

/// A line reduced to what survives reformatting: no white space, one kind of quotes, no trailing
/// comma.
struct Alike(String);

impl Alike {
    fn new(text: &str) -> Self {
        Self(bare(text))
    }

    /// How much of the two lines is the same, from 0 to 1; `None` when they are not similar. A part
    /// of the line that was moved to a line of its own is similar, too.
    fn share(&self, text: &str) -> Option<f64> {
        let text = bare(text);
        if text.len() < MIN_PART || self.0.is_empty() {
            return (text == self.0 && !text.is_empty()).then_some(1.0);
        }
        let share = strsim::sorensen_dice(&self.0, &text);
        let is_part = self.0.contains(&text) || text.contains(&self.0);
        (share >= MIN_SHARE || is_part).then_some(share)
    }
}

fn bare(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == '\'' { '"' } else { c })
        .collect();
    text.trim_end_matches(',').to_owned()
}

#[cfg(test)]
mod tests {
    use super::Alike;

    #[test]
    fn reformatted_lines_and_parts_match_and_others_do_not() {
        let line = Alike::new("    return total(prices, 'eur')");
        for text in [
            "return total( prices, \"eur\" )",
            "        prices, \"eur\"",
            "return total(",
            "x = total(prices, 'eur')",
        ] {
            assert!(line.share(text).is_some(), "{text}");
        }
        for text in ["import os", ")", "", "raise ValueError(text)", "return x"] {
            assert_eq!(line.share(text), None, "{text}");
        }
        assert!(Alike::new("x").share(" x ").is_some());
        assert_eq!(Alike::new("").share(""), None);
    }
}
