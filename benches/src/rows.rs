//! A table with a column for each compared subject and a target for each number.
use crate::stats::median;
use crate::table::{cell, text};

/// The target of a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Nothing,
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

/// All rows, in the order of their first measurement.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<String>,
    /// The only column that must meet the targets; `None` for all.
    judged: Option<usize>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    target: Target,
    /// By column: one number per run.
    numbers: Vec<Vec<f64>>,
}

impl Rows {
    /// Names the next column.
    pub(crate) fn name_column(&mut self, name: &str) {
        self.columns.push(name.to_owned());
    }

    /// Applies the targets only to the first column.
    pub(crate) fn judge_first_only(&mut self) {
        self.judged = Some(0);
    }

    /// Adds one run's number to the row `what`.
    pub(crate) fn add(&mut self, what: &str, target: Target, column: usize, number: Option<f64>) {
        let at = self.rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.rows.push(Row { what: what.to_owned(), target, numbers: Vec::new() });
            self.rows.len() - 1
        });
        let numbers = &mut self.rows[at].numbers;
        if numbers.len() <= column {
            numbers.resize(column + 1, Vec::new());
        }
        numbers[column].extend(number);
    }

    /// Prints the table as Markdown, with missed targets in bold.
    pub(crate) fn print(&self, runs: u32) {
        let columns = self.columns.join(" | ");
        println!("| median of {runs} [lowest–highest] | {columns} | target |");
        println!("|---|{}---|", "---|".repeat(self.columns.len()));
        for row in &self.rows {
            println!("| {} | {} | {} |", row.what, self.cells(row), row.target.in_words());
        }
    }

    fn cells(&self, row: &Row) -> String {
        let cell = |column| {
            let numbers = row.numbers.get(column).map_or(&[][..], Vec::as_slice);
            let is_judged = self.judged.is_none_or(|judged| judged == column);
            if is_judged { row.target.judge(numbers) } else { cell(numbers) }
        };
        (0..self.columns.len()).map(cell).collect::<Vec<_>>().join(" | ")
    }
}

impl Target {
    fn judge(self, numbers: &[f64]) -> String {
        let is_met = median(numbers).is_none_or(|number| match self {
            Self::Nothing => true,
            Self::AtLeast(least) => number >= least,
            Self::AtMost(most) => number <= most,
            Self::Below(limit) => number < limit,
        });
        if is_met { cell(numbers) } else { format!("**{}**", cell(numbers)) }
    }

    fn in_words(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::AtLeast(least) => format!("≥ {}", text(least)),
            Self::AtMost(most) => format!("≤ {}", text(most)),
            Self::Below(limit) => format!("< {}", text(limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_target_is_bold() {
        assert_eq!(Target::AtLeast(10.0).judge(&[9.0, 11.0, 12.0]), "11.0 [9.00–12.0]");
        assert_eq!(Target::AtLeast(10.0).judge(&[9.5]), "**9.50**");
        assert_eq!(Target::Below(40.0).judge(&[40.0]), "**40.0**");
        assert_eq!(Target::AtMost(10.0).judge(&[10.0]), "10.0");
        assert_eq!(Target::AtMost(10.0).judge(&[10.5]), "**10.5**");
        assert_eq!(Target::Nothing.judge(&[1.0]), "1.00");
        assert_eq!(Target::Below(50.0).in_words(), "< 50.0");
    }

    #[test]
    fn peer_is_not_judged_and_missing_number_is_a_dash() {
        let mut rows = Rows::default();
        for name in ["ours", "peer", "other"] {
            rows.name_column(name);
        }
        rows.judge_first_only();
        rows.add("call", Target::AtMost(60.0), 0, Some(61.0));
        rows.add("call", Target::AtMost(60.0), 1, Some(300.0));
        assert_eq!(rows.cells(&rows.rows[0]), "**61.0** | 300 | –");
    }
}
