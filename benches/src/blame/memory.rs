//! Measures the memory of the tracer, in a process of its own that does nothing else.
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, ensure};
use flawless_git::tracer::{Tracer, WhiteSpace};
use gix_hash::ObjectId;

use super::places::Line;
use super::repository::{Bare, trace_options};
use crate::process::anonymous_megabytes;

/// Growth of anonymous resident memory in MB since before the tracer was opened.
#[derive(Debug)]
pub(super) struct Growth {
    /// Number of lines asked about.
    pub(super) asked: usize,
    /// Right after opening.
    pub(super) open: f64,
    /// After the last line.
    pub(super) after: f64,
    /// The maximum after any line.
    pub(super) most: f64,
}

/// Starts this program again to trace `lines` with and without white space, then `of_files`.
pub(super) fn growth(bare: &Bare, lines: &[Line], of_files: &[Line]) -> Result<Growth> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--only", "blame", "--trace-memory"])
        .arg(bare.objects())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("this program cannot be started again")?;
    let mut asked = format!("{}\n", bare.head);
    for (name, lines) in [("w", lines), ("-", lines), ("w", of_files)] {
        for Line { path, number, .. } in lines {
            asked += &format!("{name} {number} {path}\n");
        }
    }
    // The child reads all input before it prints anything.
    child.stdin.take().context("a pipe")?.write_all(asked.as_bytes())?;
    let done = child.wait_with_output()?;
    ensure!(done.status.success(), "the process that traces failed");
    let answer = String::from_utf8(done.stdout)?;
    let mut numbers = answer.split_whitespace().map(str::parse::<f64>);
    let mut number = || numbers.next().context("a number").and_then(|number| Ok(number?));
    let asked = 2 * lines.len() + of_files.len();
    Ok(Growth { asked, open: number()?, after: number()?, most: number()? })
}

/// The child's side: reads a commit and lines, traces them and prints the growth of memory.
pub(crate) fn print_growth(objects: &Path) -> Result<()> {
    let input = std::io::stdin().lock().lines().collect::<std::io::Result<Vec<String>>>()?;
    let (head, lines) = input.split_first().context("no commit")?;
    let head = ObjectId::from_hex(head.as_bytes())?;
    let stop = AtomicBool::new(false);
    let (with, without) = (trace_options(WhiteSpace::Counts), trace_options(WhiteSpace::Ignored));
    let before = anonymous_megabytes();
    let tracer = Tracer::open(objects)?;
    let open = anonymous_megabytes();
    let (mut after, mut most) = (open, open);
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().context("a line is cut");
        let options = if word()? == "w" { &without } else { &with };
        let (number, path) = (word()?.parse()?, word()?);
        tracer.trace(head, path.as_bytes(), number, options, &stop)?;
        after = anonymous_megabytes();
        most = after.max(most);
    }
    println!("{} {} {}", open - before, after - before, most - before);
    Ok(())
}
