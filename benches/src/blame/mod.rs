//! Measures how fast the origin of a line is found, compared with one git process for each line, in
//! repositories on this machine. Every answer is compared with git's.
mod git;
mod in_turn;
mod memory;
mod places;
mod repository;
mod through_mirror;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use flawless_git::tracer::WhiteSpace;

pub(crate) use memory::print_growth;

use self::in_turn::{Answers, in_turn};
use self::memory::growth;
use self::places::{Line, Sampler};
use self::repository::Bare;
use self::through_mirror::{cached, tracebacks};
use crate::rows::{Rows, Target};
use crate::stats::{median, percentile};

/// Number of lines in the repository without a commit-graph, where git is slow.
const WITHOUT_GRAPH: usize = 40;
/// Number of files with several lines asked about, and number of lines in each.
const FILES: usize = 20;
const LINES_OF_A_FILE: usize = 15;
/// Number of tracebacks to locate, and of their own frames.
const TRACEBACKS: usize = 20;
const OWN_FRAMES: usize = 10;

/// Prints the table; fails when an answer was not git's.
pub(crate) async fn measure_blame(folders: &[PathBuf], lines: usize, runs: u32) -> Result<()> {
    let mut rows = Rows::default();
    let mut differences = Vec::new();
    for (column, folder) in folders.iter().enumerate() {
        let bare = Bare::with_graph(folder)?;
        let plain = Bare::without_graph(folder)?;
        rows.name_column(&bare.name);
        let mut sampler = Sampler::new(&bare)?;
        let sample = Sample {
            lines: sampler.lines(lines)?,
            of_files: sampler.of_files(FILES, LINES_OF_A_FILE)?,
            without_graph: sampler.lines(WITHOUT_GRAPH)?,
            frames: sampler.lines(TRACEBACKS * OWN_FRAMES)?,
        };
        bare.warm(&sample.lines)?;
        plain.warm(&sample.without_graph)?;
        for run in 0..runs {
            eprintln!("{}: run {} of {runs}", bare.name, run + 1);
            let mut cells = Cells { rows: &mut rows, column };
            differences.extend(measure_run(&bare, &plain, &sample, run, &mut cells).await?);
        }
    }
    rows.print(runs);
    differences.sort();
    differences.dedup();
    println!();
    for difference in &differences {
        println!("{difference}");
    }
    ensure!(differences.is_empty(), "{} answers are not git's", differences.len());
    println!("All answers are git's: commit, path and line.");
    Ok(())
}

/// The lines to ask about, the same in every run.
struct Sample {
    lines: Vec<Line>,
    of_files: Vec<Line>,
    without_graph: Vec<Line>,
    frames: Vec<Line>,
}

/// Collects the numbers of a repository.
struct Cells<'a> {
    rows: &'a mut Rows,
    column: usize,
}

impl Cells<'_> {
    fn add(&mut self, what: &str, target: Target, number: Option<f64>) {
        self.rows.add(what, target, self.column, number);
    }
}

async fn measure_run(
    bare: &Bare,
    plain: &Bare,
    sample: &Sample,
    run: u32,
    cells: &mut Cells<'_>,
) -> Result<Vec<String>> {
    use Target::{AtLeast, Below, Nothing};
    use WhiteSpace::{Counts, Ignored};
    let mut differences = Vec::new();
    for (white_space, name, least) in [(Ignored, "-w", 10.0), (Counts, "no -w", 12.0)] {
        let answers = in_turn(bare, &sample.lines, white_space, run).await?;
        add_first_touch(&answers, name, least, cells);
        differences.extend(answers.differences);
    }
    let answers = in_turn(bare, &sample.of_files, Ignored, run).await?;
    let name = format!("{LINES_OF_A_FILE} lines of each of {FILES} files, -w");
    cells.add(&format!("{name}: git, all, ms"), Nothing, Some(answers.git_sum()));
    cells.add(&format!("{name}: tracer, all, ms"), Nothing, Some(answers.tracer_sum()));
    cells.add(&format!("{name}: git ÷ tracer, all"), AtLeast(20.0), Some(answers.ratio_of_sums()));
    differences.extend(answers.differences);

    let answers = in_turn(plain, &sample.without_graph, Ignored, run).await?;
    let name = "no commit-graph, -w";
    let ratio = median(&answers.ratios());
    cells.add(&format!("{name}: git p50, ms"), Nothing, median(&answers.git));
    cells.add(&format!("{name}: tracer p50, ms"), Nothing, median(&answers.tracer));
    cells.add(&format!("{name}: git ÷ tracer, p50 of the lines"), AtLeast(1.0), ratio);
    cells.add(&format!("{name}: git ÷ tracer, all"), AtLeast(1.0), Some(answers.ratio_of_sums()));
    differences.extend(answers.differences);

    let again = cached(bare, &sample.lines).await?;
    cells.add("the same line again: p50, µs", Below(50.0), median(&again));
    let located = tracebacks(bare, &sample.frames, OWN_FRAMES).await?;
    let name = format!("a traceback of 30 frames, {OWN_FRAMES} own, first time");
    cells.add(&format!("{name}: p50, ms"), Below(60.0), median(&located));
    cells.add(&format!("{name}: p95, ms"), Nothing, percentile(&located, 95));

    let grown = growth(bare, &sample.lines, &sample.of_files)?;
    let name = "memory, anonymous, more than before";
    cells.add(&format!("{name}: tracer open, MB"), Nothing, Some(grown.open));
    let after = format!("{name}: after {} lines, MB", grown.asked);
    cells.add(&after, Below(30.0), Some(grown.after));
    cells.add(&format!("{name}: the most on the way, MB"), Nothing, Some(grown.most));
    Ok(differences)
}

fn add_first_touch(answers: &Answers, name: &str, least: f64, cells: &mut Cells<'_>) {
    use Target::{AtLeast, Below, Nothing};
    let mut add = |what: &str, target, number| {
        cells.add(&format!("one line, {name}: {what}"), target, number);
    };
    let ratios = answers.ratios();
    add("git p50, ms", Nothing, median(&answers.git));
    add("git p95, ms", Nothing, percentile(&answers.git, 95));
    add("git, all, ms", Nothing, Some(answers.git_sum()));
    add("tracer p50, ms", Nothing, median(&answers.tracer));
    add("tracer p95, ms", Below(40.0), percentile(&answers.tracer, 95));
    add("tracer max, ms", Nothing, percentile(&answers.tracer, 100));
    add("tracer, all, ms", Nothing, Some(answers.tracer_sum()));
    add("tracer, to open, ms", Nothing, Some(answers.open));
    add("git ÷ tracer, p50 of the lines", AtLeast(least), median(&ratios));
    add("git ÷ tracer, all", AtLeast(4.0), Some(answers.ratio_of_sums()));
    add("lines ten times as fast, %", Nothing, Some(answers.share_of_tenfold()));
}
