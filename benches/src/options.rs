//! The command line options of the benchmarks.
use std::path::PathBuf;

use clap::{Parser, ValueEnum, value_parser};

/// Compares this Flawless with Flawless 0.4.5, side by side on this machine.
#[derive(Debug, Clone, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Options {
    /// Number of runs of each measure; the table shows their medians.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=50))]
    pub(crate) runs: u32,
    /// Duration of each load in seconds.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..=60))]
    pub(crate) seconds: u64,
    /// Run only these measures.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Measure>,
    /// Run only these servers [default: ours,peer].
    #[arg(long, value_enum, value_delimiter = ',')]
    servers: Vec<Contender>,
    /// Use this program of ours instead of the one built here.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// Give each report an id, as our client does.
    #[arg(long)]
    pub(crate) ids: bool,
    /// The Python for the server of 0.4.5, at most 3.11 [default: python3], and for the measure
    /// client [default: python3.11].
    #[arg(long)]
    python: Option<String>,
    /// Our built Python package, for the measure client.
    #[arg(long, value_name = "FILE")]
    pub(crate) wheel: Option<PathBuf>,
    /// Tracebacks with a known fix, one JSON object per line, for the measures frames and texts.
    #[arg(long, value_name = "FILE")]
    pub(crate) records: Option<PathBuf>,
    /// A folder with the repositories of the records, each as OWNER+NAME/repo.
    #[arg(long, value_name = "DIR")]
    pub(crate) mirrors: Option<PathBuf>,
    /// Git repositories on this machine, for the measure blame.
    #[arg(long, value_name = "DIR", value_delimiter = ',')]
    pub(crate) repositories: Vec<PathBuf>,
    /// Number of lines for the measure blame.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) lines: u16,
    /// Used by the measure blame when it starts this program again.
    #[arg(long, hide = true)]
    pub(crate) trace_memory: Option<PathBuf>,
}

/// The available measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Reports accepted per second, whether all were counted, and memory.
    Load,
    /// The time from a report to its mail.
    Mail,
    /// The time from the start of the program to its first answer.
    Start,
    /// How often a frame's file and the frame to blame are right; needs --records.
    Frames,
    /// In which forms a traceback in text is read; needs --records.
    Texts,
    /// How fast the origin of a line is found, compared with git; needs --repositories.
    Blame,
    /// How long pages take with a large store; runs only on request.
    Pages,
    /// What two hundred projects cost; runs only on request.
    Projects,
    /// Envelopes of Sentry's protocol next to a bare HTTP server, and a frame through a source map;
    /// runs only on request.
    Protocols,
    /// The cost of the Python package for a program, next to 0.4.5 and sentry-sdk; takes --wheel.
    Client,
}

/// The compared servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The server of this repository.
    Ours,
    /// Flawless 0.4.5 with its blame fixed.
    Peer,
    /// The server of this repository on PostgreSQL; only on request.
    Postgres,
}

impl Options {
    /// Whether a measure is wanted.
    pub(crate) fn wants(&self, measure: Measure) -> bool {
        self.only.is_empty() || self.only.contains(&measure)
    }

    /// Whether a measure is requested by name.
    pub(crate) fn names(&self, measure: Measure) -> bool {
        self.only.contains(&measure)
    }

    /// Whether no server needs to run.
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

    /// The chosen Python, or `default`.
    pub(crate) fn python_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.python.as_deref().unwrap_or(default)
    }

    /// The servers to compare, in the order of this run: which one is first alternates.
    pub(crate) fn contenders(&self, run: u32) -> Vec<Contender> {
        let mut all = match self.servers.is_empty() {
            true => vec![Contender::Ours, Contender::Peer],
            false => self.servers.clone(),
        };
        if self.wants_no_contest() {
            all.retain(|contender| *contender != Contender::Peer);
        }
        if run % 2 == 1 {
            all.reverse();
        }
        all
    }
}
