//! Measures the server's own lookups: through a mirror, which caches answers, and with everything
//! it needs about a frame.
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use flawless_core::{ChoiceSettings, CommitId, Frame, Report, Rules, Verdict};
use flawless_git::Located;
use flawless_git::process::GitProgram;
use flawless_git::tracer::WhiteSpace;
use flawless_git::{Mirror, MirrorSettings, Source};
use flawless_server::attribution::{
    Fault, HotFunctions, blame_line, choose_line, find_faults, other_suspects,
};

use super::in_turn::milliseconds;
use super::places::Line;
use super::repository::Bare;
use crate::setting::target_folder;

/// The time to ask about lines a second time, in microseconds.
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

/// Number of frames of the interpreter and of packages around the project's own.
const FOREIGN_FRAMES: usize = 20;

/// The time the server needs for a new traceback, in ms: the files of all frames, the line to
/// blame, its author, and the authors of the other suspects. `own_frames` lines form one traceback;
/// the mirror is newly opened for each.
pub(super) async fn tracebacks(bare: &Bare, lines: &[Line], own_frames: usize) -> Result<Vec<f64>> {
    let scratch = target_folder()?.join("bench-mirrors");
    let settings = ChoiceSettings::default();
    let mut times = Vec::new();
    for lines in lines.chunks_exact(own_frames) {
        let mirror = Arc::new(open(bare, &scratch).await?);
        let report = report(bare, lines);
        let start = Instant::now();
        let rules = Rules::default();
        let faults = find_faults(&report, Some(&mirror), &settings, &rules).await?;
        let Some(Fault { report, files, .. }) = faults.into_iter().next() else { bail!("none") };
        let choice = choose_line(&report, &files.frames, &settings, &HotFunctions::new(), &rules);
        let Verdict::Blamed(line) = &choice.verdict else { bail!("nobody: {:?}", choice.verdict) };
        let located = blame_line(&report, &files, line).await?;
        let suspects = other_suspects(&report, &files, &choice).await;
        times.push(milliseconds(start));
        ensure!(
            matches!(located, Located::Line(_)) && suspects.len() == 2,
            "{located:?}, {suspects:?}"
        );
    }
    Ok(times)
}

fn report(bare: &Bare, lines: &[Line]) -> Report {
    let own = lines.iter().map(|Line { path, number, text }| Frame {
        path: format!("/srv/app/{path}"),
        line: *number,
        text: text.clone(),
        ..Frame::default()
    });
    let foreign = (1u32..).take(FOREIGN_FRAMES).map(|line| Frame {
        path: format!("/usr/lib/python3.11/asyncio/events_{line}.py"),
        line,
        ..Frame::default()
    });
    Report {
        traceback: foreign.chain(own).collect(),
        revision: Some(bare.head.to_string()),
        error_count: 1,
        ..Report::default()
    }
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
