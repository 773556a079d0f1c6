//! The hashes of the lines of the version where a walk is: of each older version only what changed
//! is looked at.
use gix_hash::ObjectId;
use gix_imara_diff::Hunk;

use super::diff::{follow, hunks, old_hashes};
use super::ends::Ends;
use super::line_map::LineMap;
use super::lines::{self, LineHash, WhiteSpace};
use super::objects::Object;

/// Made when a diff first needs them, and taken along from then on.
pub(super) struct Hashes {
    of: Option<(ObjectId, Vec<u64>)>,
    /// What was made of the last older version, and which one that was.
    older: Option<(ObjectId, Vec<u64>)>,
    hash: LineHash,
}

impl Hashes {
    pub(super) fn new(white_space: WhiteSpace) -> Self {
        Self { of: None, older: None, hash: LineHash::new(white_space) }
    }

    /// The whole diff, made when it is first needed.
    pub(super) fn hunks_in<'map>(
        &mut self,
        map: &'map mut LineMap,
        ends: &Ends<'_>,
        blob: ObjectId,
        new: &Object,
    ) -> &'map [Hunk] {
        map.hunks.get_or_insert_with(|| {
            let Self { of, hash, .. } = self;
            if of.as_ref().is_none_or(|(known, _)| *known != blob) {
                *of = Some((blob, lines::each(&new.data).map(|line| hash.of(line)).collect()));
            }
            let new_hashes = of.as_ref().map(|(_, hashes)| hashes.as_slice()).unwrap_or_default();
            let older = old_hashes(ends, new_hashes, hash);
            let hunks = hunks(ends, &older, new_hashes).into();
            self.older = Some((blob, older));
            hunks
        })
    }

    /// Goes on from the version `blob` to the version before.
    pub(super) fn follow(&mut self, blob: ObjectId, older: ObjectId, ends: &Ends<'_>) {
        let made = self
            .older
            .take()
            .filter(|(of, made)| *of == blob && made.len() == ends.changed[0] as usize);
        let Some((known, hashes)) = &mut self.of else { return };
        if *known != blob {
            return;
        }
        let changed = match made {
            Some((_, made)) => made,
            None => old_hashes(ends, hashes, &mut self.hash),
        };
        follow(ends, changed, hashes);
        *known = older;
    }
}
