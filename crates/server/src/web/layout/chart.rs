//! A small chart of bars, drawn without a script.
use std::fmt::Write;

/// Counts beside each other, for the macro `ui::chart`.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    pub(crate) bars: Vec<Bar>,
    /// In the units of the bars' places.
    pub(crate) width: usize,
    /// What it says, for those who cannot see it.
    pub(crate) title: String,
    /// The largest count.
    pub(crate) most: i64,
}

/// One count.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: i64,
    pub(crate) height: i64,
    /// When, and how many.
    pub(crate) label: String,
}

/// Of the drawing; the style sheet says how large it is shown.
pub(crate) const CHART_HEIGHT: i64 = 40;
/// Of a bar, with the gap behind it.
const STEP: usize = 6;

impl Chart {
    /// A bar for each `(when, count)`.
    pub(crate) fn new(title: &str, counts: &[(String, i64)]) -> Self {
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let bar = |(at, (when, count)): (usize, &(String, i64))| {
            let height = height_of(*count, most);
            let label = format!("{when}: {count}");
            Bar { x: at * STEP, y: CHART_HEIGHT - height, height, label }
        };
        let bars = counts.iter().enumerate().map(bar).collect();
        Self { bars, width: (counts.len() * STEP).max(1), title: title.to_owned(), most }
    }
}

/// Of a bar beside the largest one.
fn height_of(count: i64, most: i64) -> i64 {
    let part = i128::from(count) * i128::from(CHART_HEIGHT) / i128::from(most.max(1));
    // Whatever occurred is seen.
    let least = i64::from(count > 0) * 2;
    i64::try_from(part).unwrap_or(CHART_HEIGHT).clamp(least, CHART_HEIGHT)
}

/// A chart for a line of a table: one path, drawn in a few letters.
#[derive(Debug, Clone)]
pub(crate) struct Spark {
    pub(crate) path: String,
    /// In the units of the path.
    pub(crate) width: usize,
    /// What it says, for those who cannot see it.
    pub(crate) label: String,
}

impl Spark {
    /// A bar for each count; `what` they are stands before them.
    pub(crate) fn new(what: &str, counts: &[i64]) -> Self {
        let most = counts.iter().copied().max().unwrap_or(0);
        let (mut path, mut label) = (String::new(), format!("{what}:"));
        for (at, count) in counts.iter().enumerate() {
            let height = height_of(*count, most);
            // Writing to a String cannot fail.
            let _ = write!(label, "{} {count}", if at == 0 { "" } else { "," });
            if height > 0 {
                let _ = write!(path, "M{} {CHART_HEIGHT}v-{height}h5v{height}z", at * STEP);
            }
        }
        Self { path, width: (counts.len() * STEP).max(1), label }
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
        assert_eq!(Chart::new("", &[("x".to_owned(), i64::MAX)]).bars[0].height, CHART_HEIGHT);
    }

    #[test]
    fn a_small_chart_says_its_counts_and_draws_those_that_are_any() {
        let spark = Spark::new("by day", &[0, 1, 1_000_000]);
        assert_eq!(spark.label, "by day: 0, 1, 1000000");
        assert_eq!(spark.path, "M6 40v-2h5v2zM12 40v-40h5v40z");
        assert_eq!(Spark::new("", &[i64::MAX]).path, "M0 40v-40h5v40z");
    }
}
