//! Git's deltas: an object as a sequence of copies from another one and insertions.
//!
//! Format: git's pack-format documentation, "Deltified representation".

/// Applies `delta` to `base`; `None` when the delta is broken, or its result would be larger than
/// `max` bytes.
pub(super) fn apply(base: &[u8], delta: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut rest = delta;
    let base_size = size(&mut rest)?;
    let result_size = size(&mut rest)?;
    if base_size != base.len() as u64 || result_size > max as u64 {
        return None;
    }
    let result_size = usize::try_from(result_size).ok()?;
    let mut result = Vec::with_capacity(result_size);
    while let Some(command) = byte(&mut rest) {
        let copied = if command & 0x80 == 0 {
            let (inserted, behind) = rest.split_at_checked(usize::from(command))?;
            rest = behind;
            inserted
        } else {
            let mut number = |flags: u8, count: u8| {
                (0..count).filter(|nth| flags >> nth & 1 != 0).try_fold(0usize, |number, nth| {
                    Some(number | usize::from(byte(&mut rest)?) << (8 * nth))
                })
            };
            let from = number(command & 0x0f, 4)?;
            let length = number(command >> 4 & 0x07, 3)?;
            let length = if length == 0 { 0x1_0000 } else { length };
            base.get(from..from + length)?
        };
        if copied.is_empty() || result.len() + copied.len() > result_size {
            return None;
        }
        result.extend_from_slice(copied);
    }
    (result.len() == result_size).then_some(result)
}

/// The size of the delta's result, from the delta's first bytes.
pub(super) fn result_size(delta: &[u8]) -> Option<u64> {
    let mut rest = delta;
    size(&mut rest)?;
    size(&mut rest)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (&first, behind) = rest.split_first()?;
    *rest = behind;
    Some(first)
}

fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let next = byte(rest)?;
        size |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn delta_rebuilds_the_object_and_a_broken_one_nothing() {
        let base = b"hello world";
        // 11 bytes become 8: copy 5 from 6, insert "abc".
        let delta = [11, 8, 0x91, 6, 5, 3, b'a', b'b', b'c'];
        assert_eq!(apply(base, &delta, 100).as_deref(), Some(&b"worldabc"[..]));
        assert_eq!(apply(base, &delta, 7), None, "more than allowed");
        assert_eq!(apply(b"other", &delta, 100), None, "another base");
        for cut in 0..delta.len() {
            assert_eq!(apply(base, &delta[..cut], 100), None, "cut at {cut}");
        }
        assert_eq!(apply(base, &[11, 5, 0x91, 9, 5], 100), None, "a copy beyond the base");
        assert_eq!(apply(base, &[11, 1, 0], 100), None, "the reserved command");
    }
}
