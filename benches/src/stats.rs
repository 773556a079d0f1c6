//! Medians and percentiles.

/// The median; for an even count the mean of the two in the middle.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let sorted = sorted(numbers);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The smallest number that at least `percent` percent of them do not exceed.
pub(crate) fn percentile(numbers: &[f64], percent: usize) -> Option<f64> {
    let sorted = sorted(numbers);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The smallest and the largest number.
pub(crate) fn spread(numbers: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(numbers);
    Some((*sorted.first()?, *sorted.last()?))
}

fn sorted(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_and_percentiles_occurred() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 50), Some(50.0));
        assert_eq!(percentile(&hundred, 99), Some(99.0));
        assert_eq!(percentile(&[7.0], 99), Some(7.0));
        assert_eq!(spread(&[2.0, 9.0, 1.0]), Some((1.0, 9.0)));
    }
}
