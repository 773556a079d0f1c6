//! Defines the rows: their numbers and targets.
use super::Subject::{self, Older, Ours, Sentry};
use super::script::Numbers;
use crate::rows::Rows;
use crate::rows::Target::{self, AtLeast, AtMost, Below, Nothing};

/// Name in a script's numbers, title, and target for ours.
const ROWS: [(&str, &str, Target); 33] = [
    ("call_bare_ns", "call: bare, ns", Nothing),
    ("call_plain_ns", "call: plain Python wrapper, over bare, ns", Nothing),
    ("call_client_ns", "call: wrapped, over bare, ns", AtMost(60.0)),
    ("keywords_bare_ns", "call with a keyword: bare, ns", Nothing),
    ("keywords_plain_ns", "call with a keyword: plain Python wrapper, over bare, ns", Nothing),
    ("keywords_client_ns", "call with a keyword: wrapped, over bare, ns", AtMost(60.0)),
    ("method_bare_ns", "method: bare, ns", Nothing),
    ("method_plain_ns", "method: plain Python wrapper, over bare, ns", Nothing),
    ("method_client_ns", "method: wrapped, over bare, ns", AtMost(60.0)),
    ("wsgi_list_bare_us", "WSGI request, body a list: bare, µs", Nothing),
    ("wsgi_list_client_us", "WSGI request, body a list: middleware, over bare, µs", AtMost(2.0)),
    ("wsgi_generator_bare_us", "WSGI request, body a generator: bare, µs", Nothing),
    (
        "wsgi_generator_client_us",
        "WSGI request, body a generator: middleware, over bare, µs",
        AtMost(2.0),
    ),
    ("raise_us", "capture: the bare raise, µs", Nothing),
    ("floor_repr_us", "capture: bare repr of the 200 values, µs", Nothing),
    ("floor_repr_cut_us", "capture: bare repr of the 200 values, cut at 250, µs", Nothing),
    ("floor_walk_us", "capture: the stack walked in Python with all that, µs", Nothing),
    ("again_us", "capture: source known, over the raise, µs", Nothing),
    ("again_alone_us", "capture: source known, not sending, over the raise, µs", Nothing),
    ("first_us", "capture: source never read, over the raise, µs", Nothing),
    ("first_alone_us", "capture: source never read, not sending, over the raise, µs", Nothing),
    ("again_cpu_us", "capture: source known, CPU of all threads, µs", Nothing),
    ("report_kb", "capture: a report, kB", Nothing),
    ("repeat_us", "a repeat that is not sent, over the raise, µs", AtMost(10.0)),
    ("breadcrumb_us", "a breadcrumb, µs", AtMost(1.0)),
    ("breadcrumb_data_us", "a breadcrumb with data, µs", AtMost(1.0)),
    ("request_bare_us", "failing request through a server: bare, p50, µs", Nothing),
    ("request_client_us", "failing request through a server: middleware, p50, µs", Nothing),
    ("request_ratio", "failing request through a server: middleware ÷ bare", AtMost(1.1)),
    ("import_ms", "import: a process over one without, ms", Below(15.0)),
    ("import_kib", "import: memory, resident, KiB", Nothing),
    ("idle_kib", "idle: memory over the import, resident, KiB", Below(1_024.0)),
    ("idle_anonymous_kib", "idle: memory over the import, anonymous, KiB", Nothing),
];

/// A client and one of its numbers.
type Number = (Subject, &'static str);

/// Title, target, dividend, divisor.
const RATIOS: [(&str, Target, Number, Number); 14] = [
    (
        "call: ours ÷ plain Python wrapper",
        Nothing,
        (Ours, "call_client_ns"),
        (Ours, "call_plain_ns"),
    ),
    ("call: 0.4.5 ÷ ours", Nothing, (Older, "call_client_ns"), (Ours, "call_client_ns")),
    (
        "WSGI request, body a list: sentry-sdk ÷ ours",
        Nothing,
        (Sentry, "wsgi_list_client_us"),
        (Ours, "wsgi_list_client_us"),
    ),
    (
        "WSGI request, body a generator: sentry-sdk ÷ ours",
        Nothing,
        (Sentry, "wsgi_generator_client_us"),
        (Ours, "wsgi_generator_client_us"),
    ),
    ("capture: sentry-sdk ÷ ours", AtLeast(25.0), (Sentry, "again_us"), (Ours, "again_us")),
    ("capture: 0.4.5 ÷ ours", AtLeast(5.0), (Older, "again_us"), (Ours, "again_us")),
    (
        "capture: 0.4.5, not sending ÷ ours",
        AtLeast(1.5),
        (Older, "again_alone_us"),
        (Ours, "again_us"),
    ),
    ("capture: ours ÷ bare repr", AtMost(2.5), (Ours, "again_us"), (Ours, "floor_repr_us")),
    ("source never read: sentry-sdk ÷ ours", Nothing, (Sentry, "first_us"), (Ours, "first_us")),
    ("source never read: 0.4.5 ÷ ours", Nothing, (Older, "first_us"), (Ours, "first_us")),
    (
        "source never read: 0.4.5, not sending ÷ ours",
        Nothing,
        (Older, "first_alone_us"),
        (Ours, "first_us"),
    ),
    ("source never read: ours ÷ bare repr", Nothing, (Ours, "first_us"), (Ours, "floor_repr_us")),
    ("a repeat that is not sent: 0.4.5 ÷ ours", Nothing, (Older, "repeat_us"), (Ours, "repeat_us")),
    ("import: sentry-sdk ÷ ours", Nothing, (Sentry, "import_ms"), (Ours, "import_ms")),
];

/// The numbers of all runs.
#[derive(Debug)]
pub(super) struct Figures {
    measured: Rows,
    ratios: Rows,
}

impl Default for Figures {
    fn default() -> Self {
        let mut this = Self { measured: Rows::default(), ratios: Rows::default() };
        for name in ["ours", "0.4.5", "sentry-sdk"] {
            this.measured.name_column(name);
        }
        this.measured.judge_first_only();
        this.ratios.name_column("ratio");
        this
    }
}

impl Figures {
    /// Adds the measurements of one run. A ratio compares two numbers of the same run.
    pub(super) fn add_run(&mut self, numbers: &[(Subject, Numbers)]) {
        let find = |(subject, name): Number| {
            let mut of_subject = numbers.iter().filter(|(of, _)| *of == subject);
            of_subject.find_map(|(_, numbers)| numbers.get(name).copied())
        };
        for (name, what, target) in ROWS {
            for (column, subject) in Subject::ALL.into_iter().enumerate() {
                self.measured.add(what, target, column, find((subject, name)));
            }
        }
        for (what, target, divided, by) in RATIOS {
            let both = find(divided).zip(find(by));
            self.ratios.add(what, target, 0, both.map(|(divided, by)| divided / by));
        }
    }

    /// Both tables as Markdown.
    pub(super) fn print(&self, runs: u32) {
        self.measured.print(runs);
        println!();
        self.ratios.print(runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_title_and_a_number_of_its_own() {
        let mut titles: Vec<&str> = ROWS.iter().map(|(_, title, _)| *title).collect();
        titles.extend(RATIOS.iter().map(|(title, ..)| *title));
        let mut names: Vec<&str> = ROWS.iter().map(|(name, ..)| *name).collect();
        for list in [&mut titles, &mut names] {
            let count = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), count);
        }
        for (title, _, divided, by) in RATIOS {
            assert!(names.contains(&divided.1) && names.contains(&by.1), "{title}");
        }
    }
}
