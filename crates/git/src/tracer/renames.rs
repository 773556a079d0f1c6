//! Finds the previous path of a file that a commit added: renames as git detects them.
use gix_hash::ObjectId;
use gix_object::Kind;

use super::error::TraceError;
use super::objects::Reader;
use super::similarity::{MAX_SCORE, Pieces, highest_score};
use super::trees::{FileAt, deleted_files};

/// The minimum score of a rename, and of one that keeps the file's name.
const MIN_SCORE: u64 = MAX_SCORE / 2;
const MIN_SCORE_SAME_NAME: u64 = MAX_SCORE * 3 / 4;

/// The file gone since the tree `old` that became the file at `path` with `blob` in the tree `new`:
/// an equal one, one with the same name, else the most similar one.
pub(super) fn source_of(
    path: &[u8],
    blob: ObjectId,
    old: ObjectId,
    new: ObjectId,
    reader: &mut Reader<'_>,
    check: &dyn Fn() -> Result<(), TraceError>,
) -> Result<Option<FileAt>, TraceError> {
    let mut deleted = deleted_files(old, Some(new), reader)?;
    let name = file_name(path);
    let has_name = |file: &FileAt| file_name(&file.path) == name;
    let is_equal = |file: &&FileAt| file.blob == blob;
    let equal = deleted.iter().filter(is_equal).find(|file| has_name(file));
    if let Some(equal) = equal.or_else(|| deleted.iter().find(is_equal)) {
        return Ok(Some(equal.clone()));
    }
    if deleted.is_empty() {
        return Ok(None);
    }
    let target = reader.read(&blob, Kind::Blob)?;
    let pieces = Pieces::of(&target.data);
    let mut score = |file: &FileAt, at_least: u64| {
        check()?;
        let size = reader.size(&file.blob);
        if size.is_some_and(|size| highest_score(size, target.data.len() as u64) < at_least) {
            return Ok(0);
        }
        let content = reader.read(&file.blob, Kind::Blob)?;
        Ok::<_, TraceError>(Pieces::of(&content.data).score(&pieces))
    };
    let mut namesakes = (0..deleted.len()).filter(|&at| has_name(&deleted[at]));
    if let (Some(at), None) = (namesakes.next(), namesakes.next())
        && score(&deleted[at], MIN_SCORE_SAME_NAME)? >= MIN_SCORE_SAME_NAME
    {
        return Ok(Some(deleted.swap_remove(at)));
    }
    let mut best = Candidates::default();
    for file in deleted {
        let rank = (score(&file, MIN_SCORE)?, has_name(&file));
        if rank.0 >= MIN_SCORE {
            best.add(rank, file);
        }
    }
    Ok(best.first())
}

/// The most similar files so far. As many as git keeps, in the same slots: the choice among equally
/// similar ones depends on it.
#[derive(Default)]
struct Candidates([Option<((u64, bool), FileAt)>; 4]);

impl Candidates {
    fn add(&mut self, rank: (u64, bool), file: FileAt) {
        let rank_of = |place: &Option<((u64, bool), FileAt)>| place.as_ref().map(|(rank, _)| *rank);
        // Of several equally bad ones, the first.
        if let Some(worst) = self.0.iter_mut().min_by_key(|place| rank_of(place))
            && rank_of(worst) < Some(rank)
        {
            *worst = Some((rank, file));
        }
    }

    /// The best one; of several equal ones that in the first slot.
    fn first(self) -> Option<FileAt> {
        let best = self.0.into_iter().flatten().rev().max_by_key(|(rank, _)| *rank);
        best.map(|(_, file)| file)
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}
