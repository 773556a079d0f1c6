//! Small bar charts as SVG, drawn without a script.
use std::fmt::Write;

/// A bar chart, for the macro `ui::chart`.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    pub(crate) bars: Vec<Bar>,
    /// In the units of [`Bar::x`].
    pub(crate) width: usize,
    /// Also the text for screen readers.
    pub(crate) title: String,
    /// The largest count.
    pub(crate) most: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: i64,
    pub(crate) height: i64,
    /// The time and the count.
    pub(crate) label: String,
}

/// In units of the drawing; the style sheet sets the size on the page.
pub(crate) const CHART_HEIGHT: i64 = 40;
/// Width of a bar and the gap after it.
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

/// Height of a bar in proportion to the largest one.
fn height_of(count: i64, most: i64) -> i64 {
    let part = i128::from(count) * i128::from(CHART_HEIGHT) / i128::from(most.max(1));
    // A count above 0 is always visible.
    let least = i64::from(count > 0) * 2;
    i64::try_from(part).unwrap_or(CHART_HEIGHT).clamp(least, CHART_HEIGHT)
}

/// A chart for a row of a table: a single short path, since a page has hundreds.
#[derive(Debug, Clone)]
pub(crate) struct Spark {
    pub(crate) path: String,
    /// In the units of the path.
    pub(crate) width: usize,
    /// The text for screen readers.
    pub(crate) label: String,
}

impl Spark {
    /// A bar for each count; the label begins with `what`.
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
    fn single_occurrence_is_visible_next_to_a_million() {
        let counts = [("a".to_owned(), 0), ("b".to_owned(), 1), ("c".to_owned(), 1_000_000)];
        let heights: Vec<i64> = Chart::new("", &counts).bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 2, CHART_HEIGHT]);
        assert_eq!(Chart::new("", &[]).width, 1);
        assert_eq!(Chart::new("", &[("x".to_owned(), i64::MAX)]).bars[0].height, CHART_HEIGHT);
    }

    #[test]
    fn small_chart_labels_all_counts_and_draws_only_nonzero_ones() {
        let spark = Spark::new("by day", &[0, 1, 1_000_000]);
        assert_eq!(spark.label, "by day: 0, 1, 1000000");
        assert_eq!(spark.path, "M6 40v-2h5v2zM12 40v-40h5v40z");
        assert_eq!(Spark::new("", &[i64::MAX]).path, "M0 40v-40h5v40z");
    }
}
