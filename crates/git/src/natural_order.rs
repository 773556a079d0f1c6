//! Sorts names as people count: release-9 before release-10.
use std::cmp::Ordering;

/// Compares runs of digits as numbers and everything else letter by letter.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let mut left = Chunks(a);
    let mut right = Chunks(b);
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) if is_number(x) && is_number(y) => {
                let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
            (Some(x), Some(y)) => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn is_number(chunk: &str) -> bool {
    chunk.starts_with(|c: char| c.is_ascii_digit())
}

/// Alternating runs of digits and other characters.
struct Chunks<'a>(&'a str);

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let first = self.0.chars().next()?;
        let same = |c: char| c.is_ascii_digit() == first.is_ascii_digit();
        let end = self.0.find(|c| !same(c)).unwrap_or(self.0.len());
        let (chunk, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::natural_order;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["release-10", "release-9", "release-9.1", "release", "release-09", "a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "release", "release-09", "release-9", "release-9.1", "release-10"]);
    }
}
