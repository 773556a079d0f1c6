//! What the server asks: through a mirror, which remembers answers, and with all that it wants
//! to know about a frame.
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flawless_core::CommitId;
use flawless_git::process::GitProgram;
use flawless_git::tracer::WhiteSpace;
use flawless_git::{Mirror, MirrorSettings, ReportedLine, Source};

use super::in_turn::milliseconds;
use super::places::Line;
use super::repository::Bare;
use crate::setting::target_folder;

/// How long it takes to ask lines a second time, in microseconds.
pub(super) async fn cached(bare: &Bare, lines: &[Line]) -> Result<Vec<f64>> {
    let scratch = target_folder()?.join("bench-mirrors");
    let (mirror, head) = (open(bare, &scratch).await?, commit(bare)?);
    let tip = mirror.tip().context("a tip")?;
    let mut times = Vec::with_capacity(lines.len());
    for is_second in [false, true] {
        for line in lines {
            let start = Instant::now();
            mirror.trace(&tip, &head, &line.path, line.number, WhiteSpace::Ignored).await?;
            if is_second {
                times.push(milliseconds(start) * 1_000.0);
            }
        }
    }
    Ok(times)
}

/// How long it takes to locate the own frames of a traceback one after the other, in ms: for
/// each `own_frames` of the lines, with a mirror that was just opened.
pub(super) async fn tracebacks(bare: &Bare, lines: &[Line], own_frames: usize) -> Result<Vec<f64>> {
    let scratch = target_folder()?.join("bench-mirrors");
    let head = commit(bare)?;
    let mut times = Vec::new();
    for frames in lines.chunks_exact(own_frames) {
        let mirror = open(bare, &scratch).await?;
        let tip = mirror.tip().context("a tip")?;
        let start = Instant::now();
        for Line { path, number, text } in frames {
            let reported = ReportedLine { path, line: *number, function: "", text };
            let located = mirror
                .locate(&tip, &flawless_git::Revision::Running(head.clone()), reported, &[])
                .await?;
            ensure!(located.is_ok(), "{path}:{number} was not located: {located:?}");
        }
        times.push(milliseconds(start));
    }
    Ok(times)
}

/// A mirror whose tip has been read.
async fn open(bare: &Bare, scratch: &Path) -> Result<Mirror> {
    let source = Source::Folder(bare.folder.clone());
    let settings = MirrorSettings::new(GitProgram::new("git"), source, scratch.to_owned());
    Ok(Mirror::open(settings).await?)
}

fn commit(bare: &Bare) -> Result<CommitId> {
    CommitId::parse(&bare.head.to_string()).context("a commit")
}
