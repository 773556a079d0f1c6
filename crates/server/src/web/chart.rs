//! A small chart of bars, drawn without a script.

/// Counts beside each other, for the macro `ui::chart`.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// In the units of the bars' places.
    pub(super) width: usize,
    /// What it says, for those who cannot see it.
    pub(super) title: String,
    /// The largest count.
    pub(super) most: i64,
}

/// One count.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: i64,
    pub(super) height: i64,
    /// When, and how many.
    pub(super) label: String,
}

/// Of the drawing; the style sheet says how large it is shown.
pub(super) const CHART_HEIGHT: i64 = 40;
/// Of a bar, with the gap behind it.
const STEP: usize = 6;

impl Chart {
    /// A bar for each `(when, count)`.
    pub(super) fn new(title: &str, counts: &[(String, i64)]) -> Self {
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let bar = |(at, (when, count)): (usize, &(String, i64))| {
            // Whatever occurred is seen.
            let least = i64::from(*count > 0) * 2;
            let height = (count.saturating_mul(CHART_HEIGHT) / most.max(1)).max(least);
            let label = format!("{when}: {count}");
            Bar { x: at * STEP, y: CHART_HEIGHT - height, height, label }
        };
        let bars = counts.iter().enumerate().map(bar).collect();
        Self { bars, width: (counts.len() * STEP).max(1), title: title.to_owned(), most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurred_once_is_seen_beside_what_occurred_a_million_times() {
        let counts = [("a".to_owned(), 0), ("b".to_owned(), 1), ("c".to_owned(), 1_000_000)];
        let heights: Vec<i64> = Chart::new("", &counts).bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 2, CHART_HEIGHT]);
        assert_eq!(Chart::new("", &[]).width, 1);
        assert_eq!(Chart::new("", &[("x".to_owned(), i64::MAX)]).bars[0].height, 1);
    }
}
