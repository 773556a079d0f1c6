//! Asks git and the tracer about the same lines in turn.
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Result;
use flawless_git::tracer::{Place, TraceError, Tracer, WhiteSpace};

use super::git::blame;
use super::places::Line;
use super::repository::{Bare, trace_options};

/// The time that each answer took, in ms.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) git: Vec<f64>,
    pub(super) tracer: Vec<f64>,
    /// The time to open the tracer.
    pub(super) open: f64,
    /// The lines on which the two disagree, in words.
    pub(super) differences: Vec<String>,
}

/// Asks about every line once, a newly opened tracer and a new git process. Which one is first
/// alternates between lines and between runs.
pub(super) async fn in_turn(
    bare: &Bare,
    lines: &[Line],
    white_space: WhiteSpace,
    run: u32,
) -> Result<Answers> {
    let (options, stop) = (trace_options(white_space), AtomicBool::new(false));
    let head = bare.head.to_string();
    let mut answers = Answers::default();
    let start = Instant::now();
    let tracer = Tracer::open(&bare.objects())?;
    answers.open = milliseconds(start);
    let mut git_is_first = run.is_multiple_of(2);
    for line in lines {
        let mut ask_git = || -> Result<Place> {
            let start = Instant::now();
            let place = blame(&bare.folder, &head, line, white_space)?;
            answers.git.push(milliseconds(start));
            Ok(place)
        };
        let mut ask_tracer = || -> Result<Place, TraceError> {
            let start = Instant::now();
            let origin =
                tracer.trace(bare.head, line.path.as_bytes(), line.number, &options, &stop);
            answers.tracer.push(milliseconds(start));
            Ok(origin?.place)
        };
        let (by_git, by_tracer) = if git_is_first {
            let by_git = ask_git()?;
            (by_git, ask_tracer())
        } else {
            let by_tracer = ask_tracer();
            (ask_git()?, by_tracer)
        };
        git_is_first = !git_is_first;
        let by_tracer = by_tracer.map_or_else(|error| error.to_string(), |place| in_words(&place));
        let by_git = in_words(&by_git);
        if by_git != by_tracer {
            let Line { path, number, .. } = line;
            let asked = format!("{}: {path}:{number}, white space {white_space:?}", bare.name);
            answers.differences.push(format!("{asked}: {by_tracer}, but git says {by_git}"));
        }
        // Lets a signal stop the program.
        tokio::task::yield_now().await;
    }
    Ok(answers)
}

fn in_words(place: &Place) -> String {
    format!("{} {:?}:{}", place.commit, place.path.escape_ascii().to_string(), place.line)
}

/// Milliseconds since `start`.
pub(super) fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1_000.0
}

impl Answers {
    pub(super) fn git_sum(&self) -> f64 {
        self.git.iter().sum()
    }

    pub(super) fn tracer_sum(&self) -> f64 {
        self.tracer.iter().sum()
    }

    pub(super) fn ratio_of_sums(&self) -> f64 {
        self.git_sum() / self.tracer_sum()
    }

    /// How many times as fast the tracer was, line by line.
    pub(super) fn ratios(&self) -> Vec<f64> {
        self.git.iter().zip(&self.tracer).map(|(git, tracer)| git / tracer).collect()
    }

    /// The percentage of lines for which it was at least ten times as fast.
    pub(super) fn share_of_tenfold(&self) -> f64 {
        let (mut tenfold, mut all) = (0.0, 0.0);
        for ratio in self.ratios() {
            all += 1.0;
            tenfold += if ratio >= 10.0 { 1.0 } else { 0.0 };
        }
        100.0 * tenfold / all
    }
}
