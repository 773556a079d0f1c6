//! Finds where a line was before an ignored commit, such as one that reformatted: the most similar
//! line of the parent, paired as git does.
//!
//! Lines are compared by the pairs of neighbouring characters they have in common. Within a hunk
//! the pair of lines with the best and least ambiguous match is taken first; it splits the hunk,
//! because lines keep their order. A line without a partner in its hunk is searched in the whole
//! file.
use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;
use gix_imara_diff::Hunk;

use super::error::TraceError;
use super::lines;

/// How far a partner within a hunk may be from its expected place, in lines.
const REACH: usize = 10;
/// Minimum of common pairs with a partner elsewhere in the file.
const MIN_IN_FILE: u32 = 10;
/// Equally similar partners are distinguished by their distance.
const DISTANCE_UNIT: i64 = 1_000;

/// The line of `old` that became line `line` of `new`, both from 0; `None` when no line is similar.
pub(super) fn old_line(
    old: &[u8],
    new: &[u8],
    hunks: &[Hunk],
    line: u32,
    check: &dyn Fn() -> Result<(), TraceError>,
) -> Result<Option<u32>, TraceError> {
    let mut looks_old: Vec<Looks> = lines::each(old).map(Looks::of).collect();
    let looks_new: Vec<Looks> = lines::each(new).map(Looks::of).collect();
    for hunk in hunks {
        if hunk.after.is_empty() {
            continue;
        }
        // Character pairs that earlier hunks took from lines of the old version stay taken.
        let partners = pair_up(&mut looks_old, &looks_new, hunk, check)?;
        if hunk.after.contains(&line) {
            let at = (line - hunk.after.start) as usize;
            return Ok(match partners.get(at).copied().flatten() {
                Some(partner) => Some(partner as u32),
                None => most_alike(&looks_old, &looks_new[line as usize], line),
            });
        }
    }
    Ok(None)
}

/// The appearance of a line: its pairs of neighbouring characters, with white space as one
/// character and letters in lower case, and how often each occurs.
#[derive(Debug, Default)]
struct Looks(HashMap<u16, u32, FixedState>);

impl Looks {
    fn of(line: &[u8]) -> Self {
        let mut pairs: HashMap<u16, u32, FixedState> = HashMap::default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut before = 0;
        for byte in line.iter().copied().chain([b' ']) {
            let byte = if lines::is_space(byte) { 0 } else { byte.to_ascii_lowercase() };
            let pair = u16::from(before) | u16::from(byte) << 8;
            before = byte;
            if pair != 0 {
                *pairs.entry(pair).or_default() += 1;
            }
        }
        Self(pairs)
    }

    fn in_common(&self, other: &Self) -> u32 {
        let (few, many) =
            if self.0.len() <= other.0.len() { (&self.0, &other.0) } else { (&other.0, &self.0) };
        few.iter().map(|(pair, times)| *times.min(many.get(pair).unwrap_or(&0))).sum()
    }

    /// Removes the pairs of `other`: a part of a line is the origin of one line only.
    fn take(&mut self, other: &Self) {
        for (pair, times) in &other.0 {
            if let Some(left) = self.0.get_mut(pair) {
                *left = left.saturating_sub(*times);
                if *left == 0 {
                    self.0.remove(pair);
                }
            }
        }
    }
}

fn most_alike(old: &[Looks], looks: &Looks, line: u32) -> Option<u32> {
    let mut best: Option<(u32, u32)> = None;
    for (at, other) in (0u32..).zip(old) {
        let common = other.in_common(looks);
        let is_better = match best {
            None => common >= MIN_IN_FILE,
            Some((most, best_at)) => {
                common > most || common == most && at.abs_diff(line) <= best_at.abs_diff(line)
            }
        };
        if is_better {
            best = Some((common, at));
        }
    }
    best.map(|(_, at)| at)
}

/// What is known about the partner of a line of the new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partner {
    /// Not computed yet.
    Open,
    /// There is none.
    None,
    /// The best and the second-best one, and how certain the best one is.
    Found { best: usize, second: usize, certainty: i64 },
}

/// Pairs the lines of one hunk.
struct Pairing<'a> {
    old: &'a mut [Looks],
    new: &'a [Looks],
    hunk: &'a Hunk,
    /// How far a partner may be, seen from the new side and from the old one.
    reach_old: usize,
    reach_new: usize,
    partners: Vec<Partner>,
    /// How similar a new line and an old one within reach are; `None` when not computed.
    alike: Vec<Option<i64>>,
}

/// For each line of the hunk's new side, the number of its partner in the old version.
fn pair_up(
    old: &mut [Looks],
    new: &[Looks],
    hunk: &Hunk,
    check: &dyn Fn() -> Result<(), TraceError>,
) -> Result<Vec<Option<usize>>, TraceError> {
    let (length_old, length_new) = (hunk.before.len(), hunk.after.len());
    if length_old == 0 {
        return Ok(vec![None; length_new]);
    }
    let reach_old = REACH.min(length_old - 1);
    let reach_new = ((2 * reach_old + 1) * length_new - 1) / length_old;
    let mut pairing = Pairing {
        old,
        new,
        hunk,
        reach_old,
        reach_new,
        partners: vec![Partner::Open; length_new],
        alike: vec![None; length_new * (2 * reach_old + 1)],
    };
    pairing.pair(0..length_old, 0..length_new, check)?;
    let best = |partner: &Partner| match *partner {
        Partner::Found { best, .. } => Some(hunk.before.start as usize + best),
        _ => None,
    };
    Ok(pairing.partners.iter().map(best).collect())
}

/// All lines are counted from the start of the hunk.
impl Pairing<'_> {
    fn pair(
        &mut self,
        old: Range<usize>,
        new: Range<usize>,
        check: &dyn Fn() -> Result<(), TraceError>,
    ) -> Result<(), TraceError> {
        // A stack instead of recursion: a hunk may have very many lines.
        let mut open = vec![(old, new)];
        while let Some((old, new)) = open.pop() {
            check()?;
            let mut surest: Option<(i64, usize, usize)> = None;
            for line in new.clone() {
                self.look_for_partner(line, &old);
                if let Partner::Found { best, certainty, .. } = self.partners[line]
                    && surest.is_none_or(|(most, ..)| certainty > most)
                {
                    surest = Some((certainty, line, best));
                }
            }
            let Some((_, line, partner)) = surest else { continue };
            self.settle(line, partner, &new);
            open.push((partner..old.end, line + 1..new.end));
            if line > new.start {
                open.push((old.start..partner + 1, new.start..line));
            }
        }
        Ok(())
    }

    /// Removes `partner` from all other lines, and resets results that this invalidates.
    fn settle(&mut self, line: usize, partner: usize, new: &Range<usize>) {
        let looks = &self.new[self.hunk.after.start as usize + line];
        self.old[self.hunk.before.start as usize + partner].take(looks);
        let from = line.saturating_sub(self.reach_new).max(new.start);
        let to = (line + self.reach_new + 1).min(new.end);
        for other in from..to {
            if let Some(slot) = self.slot(other, partner) {
                self.alike[slot] = None;
            }
        }
        for other in from..to {
            let Partner::Found { best, second, .. } = self.partners[other] else { continue };
            let contradicts = |old: usize| match other.cmp(&line) {
                std::cmp::Ordering::Less => old >= partner,
                std::cmp::Ordering::Equal => false,
                std::cmp::Ordering::Greater => old <= partner,
            };
            if contradicts(best) || contradicts(second) {
                self.partners[other] = Partner::Open;
            }
        }
    }

    fn look_for_partner(&mut self, line: usize, old: &Range<usize>) {
        if self.partners[line] != Partner::Open {
            return;
        }
        let closest = self.closest(line);
        let from = closest.saturating_sub(self.reach_old).max(old.start);
        let to = (closest + self.reach_old + 1).min(old.end);
        let (mut best, mut second) = ((0, old.start), (0, old.start));
        for at in from..to {
            let alike = self.alike(line, at);
            if alike > best.0 {
                second = best;
                best = (alike, at);
            } else if alike > second.0 {
                second = (alike, at);
            }
        }
        self.partners[line] = if best.0 == 0 {
            Partner::None
        } else {
            let certainty = best.0 * 2 - second.0;
            Partner::Found { best: best.1, second: second.1, certainty }
        };
    }

    fn alike(&mut self, line: usize, old: usize) -> i64 {
        let Some(slot) = self.slot(line, old) else { return 0 };
        if let Some(alike) = self.alike[slot] {
            return alike;
        }
        let looks_old = &self.old[self.hunk.before.start as usize + old];
        let looks_new = &self.new[self.hunk.after.start as usize + line];
        let distance = old.abs_diff(self.closest(line)) as i64;
        let alike = i64::from(looks_old.in_common(looks_new)) * (DISTANCE_UNIT - distance);
        self.alike[slot] = Some(alike);
        alike
    }

    /// The old line at the place of this new one if the hunk were stretched evenly.
    fn closest(&self, line: usize) -> usize {
        (line * 2 + 1) * self.hunk.before.len() / (self.hunk.after.len() * 2)
    }

    fn slot(&self, line: usize, old: usize) -> Option<usize> {
        let offset = (old + self.reach_old).checked_sub(self.closest(line))?;
        let width = 2 * self.reach_old + 1;
        (offset < width).then_some(line * width + offset)
    }
}
