//! Numbers the lines of the version that a walk has reached; equal lines have equal numbers. Of
//! each older version only the changed lines are processed.
use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use gix_hash::ObjectId;
use gix_imara_diff::{Hunk, Token};

use super::diff::hunks;
use super::ends::Ends;
use super::line_map::LineMap;
use super::lines::{self, LineHash, WhiteSpace};
use super::objects::Object;

/// How many lines further on a line of the older version is searched in the newer one.
const LOOK_AHEAD: usize = 8;

/// Computed when a diff first needs them, and carried along from then on.
pub(super) struct LineNames {
    known: HashMap<u64, Token, FixedState>,
    hash: LineHash,
    /// The version, and the names of its lines.
    of: Option<(ObjectId, Vec<Token>)>,
    /// The names of the possibly changed lines in the version of the last diff.
    older: Option<(ObjectId, Vec<Token>)>,
}

impl LineNames {
    pub(super) fn new(white_space: WhiteSpace) -> Self {
        let hash = LineHash::new(white_space);
        Self { known: HashMap::default(), hash, of: None, older: None }
    }

    /// The complete diff of two versions, computed when first needed. `new` is the content of
    /// `blob`.
    pub(super) fn hunks_in<'map>(
        &mut self,
        map: &'map mut LineMap,
        ends: &Ends<'_>,
        (blob, older): (ObjectId, ObjectId),
        new: &Object,
    ) -> &'map [Hunk] {
        if map.hunks.is_none() {
            let names = match self.of.take().filter(|(known, _)| *known == blob) {
                Some((_, names)) => names,
                None => self.of_text(&new.data),
            };
            let changed = self.of_older(ends, &names);
            map.hunks = Some(hunks(ends, &changed, &names).into());
            self.older = Some((older, changed));
            self.of = Some((blob, names));
        }
        map.hunks.as_deref().unwrap_or_default()
    }

    /// Moves from the version `blob` to the version `older`.
    pub(super) fn follow(&mut self, blob: ObjectId, older: ObjectId, ends: &Ends<'_>) {
        let made = self.older.take().filter(|(of, _)| *of == older);
        let Some((_, mut names)) = self.of.take().filter(|(known, _)| *known == blob) else {
            return;
        };
        let changed = match made {
            Some((_, made)) => made,
            None => self.of_older(ends, &names),
        };
        let from = ends.head_lines as usize;
        names.splice(from..from + ends.changed[1] as usize, changed);
        self.of = Some((older, names));
    }

    pub(super) fn of_text(&mut self, text: &[u8]) -> Vec<Token> {
        lines::each(text).map(|line| self.name(line)).collect()
    }

    /// The names of the older version's lines that may have changed. Most of them are in the newer
    /// version too, a little further up or down: their names are taken from there.
    pub(super) fn of_older(&mut self, ends: &Ends<'_>, newer: &[Token]) -> Vec<Token> {
        let [old, new] = ends.middles();
        let mut ahead = lines::each(new).zip(newer[ends.head_lines as usize..].iter().copied());
        let mut near: VecDeque<(&[u8], Token)> = ahead.by_ref().take(LOOK_AHEAD).collect();
        let mut names = Vec::with_capacity(ends.changed[0] as usize);
        for line in lines::each(old) {
            let Some(at) = near.iter().position(|(other, _)| *other == line) else {
                names.push(self.name(line));
                continue;
            };
            names.push(near[at].1);
            near.drain(..=at);
            near.extend(ahead.by_ref().take(at + 1));
        }
        names
    }

    fn name(&mut self, line: &[u8]) -> Token {
        let next = Token(self.known.len() as u32);
        *self.known.entry(self.hash.of(line)).or_insert(next)
    }
}
