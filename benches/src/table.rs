//! Collects measurements and prints them as a Markdown table.
use crate::options::Contender;
use crate::stats::{median, spread};

/// All rows, in the order of their first measurement.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug, Default)]
struct Row {
    what: String,
    ours: Vec<f64>,
    peer: Vec<f64>,
    postgres: Vec<f64>,
}

impl Table {
    /// Adds one run's number to the row `what`.
    pub(crate) fn add(&mut self, what: &str, contender: Contender, number: f64) {
        let at = self.0.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.0.push(Row { what: what.to_owned(), ..Row::default() });
            self.0.len() - 1
        });
        match contender {
            Contender::Ours => self.0[at].ours.push(number),
            Contender::Peer => self.0[at].peer.push(number),
            Contender::Postgres => self.0[at].postgres.push(number),
        }
    }

    /// Prints the table as Markdown.
    pub(crate) fn print(&self) {
        let has_postgres = self.0.iter().any(|row| !row.postgres.is_empty());
        let heading = match has_postgres {
            true => "on PostgreSQL | on SQLite | PostgreSQL ÷ SQLite",
            false => "ours | 0.4.5 | ours ÷ 0.4.5",
        };
        println!("| median [lowest–highest] | {heading} |");
        println!("|---|---|---|---|");
        for row in &self.0 {
            let (one, other) = match has_postgres {
                true => (&row.postgres, &row.ours),
                false => (&row.ours, &row.peer),
            };
            let (what, ratio) = (&row.what, ratio(one, other));
            println!("| {what} | {} | {} | {ratio} |", cell(one), cell(other));
        }
    }
}

/// The median, and the range of the numbers.
pub(crate) fn cell(numbers: &[f64]) -> String {
    let (Some(median), Some((low, high))) = (median(numbers), spread(numbers)) else {
        return "–".to_owned();
    };
    if numbers.len() == 1 || low.to_bits() == high.to_bits() {
        return text(median);
    }
    format!("{} [{}–{}]", text(median), text(low), text(high))
}

fn ratio(ours: &[f64], peer: &[f64]) -> String {
    match (median(ours), median(peer)) {
        (Some(ours), Some(peer)) if peer > 0.0 => text(ours / peer),
        _ => "–".to_owned(),
    }
}

/// Three significant digits; thousands in groups.
pub(crate) fn text(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if size < 1.0 => format!("{number:.3}"),
        size if size < 10.0 => format!("{number:.2}"),
        size if size < 100.0 => format!("{number:.1}"),
        size if number < 0.0 => format!("-{}", grouped(&format!("{size:.0}"))),
        size => grouped(&format!("{size:.0}")),
    }
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_a_ratio_needs_both_sides() {
        assert_eq!(text(0.0456), "0.046");
        assert_eq!(text(12.34), "12.3");
        assert_eq!(text(1_234_567.0), "1,234,567");
        assert_eq!(text(-826.0), "-826");
        assert_eq!(cell(&[1.0, 3.0, 2.0]), "2.00 [1.00–3.00]");
        assert_eq!(cell(&[]), "–");
        assert_eq!(ratio(&[10.0], &[4.0]), "2.50");
        assert_eq!(ratio(&[10.0], &[]), "–");
    }
}
