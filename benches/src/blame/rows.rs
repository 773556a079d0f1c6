//! The table: a column for each repository, and what each number should be.
use crate::stats::median;
use crate::table::{cell, text};

/// What a number should be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Nothing,
    AtLeast(f64),
    Below(f64),
}

/// All rows, in the order in which they were first measured.
#[derive(Debug, Default)]
pub(super) struct Rows {
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    target: Target,
    /// By column: a number of each run.
    numbers: Vec<Vec<f64>>,
}

impl Rows {
    /// Names the next column.
    pub(super) fn name_column(&mut self, name: &str) {
        self.columns.push(name.to_owned());
    }

    /// Adds one run's number to the row `what`.
    pub(super) fn add(&mut self, what: &str, target: Target, column: usize, number: Option<f64>) {
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

    /// The table as Markdown; what misses its target is bold.
    pub(super) fn print(&self, runs: u32) {
        let columns = self.columns.join(" | ");
        println!("| median of {runs} [lowest–highest] | {columns} | target |");
        println!("|---|{}---|", "---|".repeat(self.columns.len()));
        for row in &self.rows {
            let cells: Vec<String> = row.numbers.iter().map(|of| row.target.judge(of)).collect();
            println!("| {} | {} | {} |", row.what, cells.join(" | "), row.target.in_words());
        }
    }
}

impl Target {
    fn judge(self, numbers: &[f64]) -> String {
        let is_met = median(numbers).is_none_or(|number| match self {
            Self::Nothing => true,
            Self::AtLeast(least) => number >= least,
            Self::Below(limit) => number < limit,
        });
        if is_met { cell(numbers) } else { format!("**{}**", cell(numbers)) }
    }

    fn in_words(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::AtLeast(least) => format!("≥ {}", text(least)),
            Self::Below(limit) => format!("< {}", text(limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misses_its_target_is_bold() {
        assert_eq!(Target::AtLeast(10.0).judge(&[9.0, 11.0, 12.0]), "11.0 [9.00–12.0]");
        assert_eq!(Target::AtLeast(10.0).judge(&[9.5]), "**9.50**");
        assert_eq!(Target::Below(40.0).judge(&[40.0]), "**40.0**");
        assert_eq!(Target::Nothing.judge(&[1.0]), "1.00");
        assert_eq!(Target::Below(50.0).in_words(), "< 50.0");
    }
}
