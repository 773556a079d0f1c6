//! What the user of the benchmarks may choose.
use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};

/// Compares this Flawless with Flawless 0.4.5, side by side on this machine.
#[derive(Debug, Clone, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Options {
    /// Runs of each measure; the table shows their medians.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=50))]
    pub(crate) runs: u32,
    /// Seconds of each load.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=60))]
    pub(crate) seconds: u64,
    /// Only these measures.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measure>,
    /// Only these servers.
    #[arg(long, value_enum, value_delimiter = ',')]
    servers: Vec<Contender>,
    /// Another program of ours than the one that is built here.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// Each report has an id, as those of our client do.
    #[arg(long)]
    pub(crate) ids: bool,
    /// The Python that is used: of the server of 0.4.5, 3.11 or older [default: python3], and of
    /// the measure client [default: python3.11].
    #[arg(long)]
    python: Option<String>,
    /// The built Python package of ours, for the measure client.
    #[arg(long, value_name = "FILE")]
    pub(crate) wheel: Option<PathBuf>,
    /// Tracebacks whose fix is known, one JSON object a line, for the measures frames and texts.
    #[arg(long, value_name = "FILE")]
    pub(crate) records: Option<PathBuf>,
    /// A folder with the repositories of the records, each as OWNER+NAME/repo.
    #[arg(long, value_name = "DIR")]
    pub(crate) mirrors: Option<PathBuf>,
    /// The git repositories for the measure blame, on this machine.
    #[arg(long, value_name = "DIR", value_delimiter = ',')]
    pub(crate) repositories: Vec<PathBuf>,
    /// Lines that the measure blame asks once.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) lines: u16,
    /// How the measure blame starts this program again.
    #[arg(long, hide = true)]
    pub(crate) trace_memory: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Reports accepted a second, whether all were counted, and memory.
    Load,
    /// From a report to its mail.
    Mail,
    /// From the start of the program to its first answer.
    Start,
    /// How often a frame's file and the frame to blame are right; needs --records.
    Frames,
    /// In which forms a traceback in a text is read; needs --records.
    Texts,
    /// How fast the origin of a line is found, against git; needs --repositories.
    Blame,
    /// How long pages take with a large store; only when it is asked for.
    Pages,
    /// What the Python package costs the program, beside 0.4.5's and sentry-sdk; takes --wheel.
    Client,
}

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The server of this repository.
    Ours,
    /// Flawless 0.4.5, its blame resolved.
    Peer,
}

impl Options {
    /// Whether a measure is wanted.
    pub(crate) fn wants(&self, measure: Measure) -> bool {
        self.only.is_empty() || self.only.contains(&measure)
    }

    /// Whether a measure is asked for by its name.
    pub(crate) fn names(&self, measure: Measure) -> bool {
        self.only.contains(&measure)
    }

    /// Whether no server has to run.
    pub(crate) fn wants_no_server(&self) -> bool {
        use Measure::{Blame, Client, Frames, Texts};
        let is_without = |measure: &Measure| matches!(measure, Frames | Texts | Blame | Client);
        !self.only.is_empty() && self.only.iter().all(is_without)
    }

    /// Whether no servers are compared.
    pub(crate) fn wants_no_contest(&self) -> bool {
        use Measure::{Load, Mail, Start};
        !self.only.is_empty() && ![Load, Mail, Start].iter().any(|measure| self.names(*measure))
    }

    /// The Python that was chosen, or this one.
    pub(crate) fn python_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.python.as_deref().unwrap_or(default)
    }

    /// The servers to compare, in the order of this run: who comes first takes turns.
    pub(crate) fn contenders(&self, run: u32) -> Vec<Contender> {
        let mut all = vec![Contender::Ours, Contender::Peer];
        all.retain(|contender| self.servers.is_empty() || self.servers.contains(contender));
        if self.wants_no_contest() {
            all.retain(|contender| *contender == Contender::Ours);
        }
        if run % 2 == 1 {
            all.reverse();
        }
        all
    }
}
