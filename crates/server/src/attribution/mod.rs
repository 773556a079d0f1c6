//! From a report to its blamed line and the line's author: shared by the pipeline's job and
//! `flawless blame`.
pub mod frame_paths;
pub mod source_maps;
pub mod unmapped;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use flawless_core::{
    BlamedLine, Choice, ChoiceSettings, ExceptionAt, Frame, PathRule, Report, ResolvedFrame, Rules,
    choose, dropped, faults, resolve_frames,
};
use flawless_git::process::GitProgram;
use flawless_git::{
    GitError, Located, Mirror, MirrorSettings, NotBlamed, ReportedLine, Revision, Source, Tip,
};
use flawless_store::issues::details::{Suspect, SuspectAuthor};
use frame_paths::{FrameFiles, before_they_went, frame_files};

use crate::config::Config;

/// The state of the repository.
#[derive(Debug, Clone)]
pub enum Repo {
    /// None is configured.
    None,
    /// It is being cloned or opened.
    Opening,
    /// It cannot be opened at the moment; the text says why.
    Failed(String),
    /// It can be read.
    Ready(Arc<Mirror>),
}

/// Functions that many of the project's issues went through: path in the repository, and name.
pub type HotFunctions = HashSet<(String, String)>;

/// The frames of a report with their files, and the revision in which these were found.
#[derive(Debug)]
pub struct FoundFrames {
    /// One for each frame of the traceback. Hot functions are not taken into account yet.
    pub frames: Vec<ResolvedFrame>,
    /// The mirror, its tip, and the revision; `None` without a repository.
    pub at: Option<At>,
}

/// Where the files of a report were found.
#[derive(Debug, Clone)]
pub struct At {
    pub mirror: Arc<Mirror>,
    pub tip: Arc<Tip>,
    /// The running revision, as far as it is known.
    pub revision: Revision,
    /// The revision that the report names, when the mirror does not have it.
    pub missing: Option<String>,
}

/// An exception of a report that carries a fault, as a report of its own.
#[derive(Debug)]
pub struct Fault {
    /// Its place in the report.
    pub exception: ExceptionAt,
    /// The report that it would be on its own.
    pub report: Report,
    /// Its frames with their files.
    pub files: FoundFrames,
}

/// Finds the exceptions of `report` that carry a fault, and the files of their frames in the
/// revision that ran, or the tip when that is unknown. Without a mirror every frame is foreign.
pub async fn find_faults(
    report: &Report,
    mirror: Option<&Arc<Mirror>>,
    settings: &ChoiceSettings,
    rules: &Rules,
) -> Result<Vec<Fault>, GitError> {
    let (files, at) = match mirror {
        Some(mirror) => {
            let (files, at) = look_for_files(report, mirror, settings).await?;
            (files, Some(at))
        }
        None => (FrameFiles::default(), None),
    };
    let mut report = Cow::Borrowed(report);
    if at.as_ref().is_some_and(|at| at.revision.running().is_some()) && files.has_texts_for(&report)
    {
        files.add_texts(report.to_mut());
    }
    let report = &*report;
    let resolved = |traceback: &[Frame]| -> Vec<ResolvedFrame> {
        resolve_frames(traceback, files.of(traceback), settings, &|_, _| false, rules)
    };
    let tracebacks: Vec<Vec<ResolvedFrame>> = report.tracebacks().map(resolved).collect();
    let may_be_blamed = |exception: ExceptionAt, frame: usize| {
        let frames = &tracebacks[exception.map_or(0, |at| at + 1)];
        frames.get(frame).is_some_and(|frame| frame.kind.may_be_blamed())
    };
    let found = match dropped(&report.exception_type, &tracebacks[0], rules) {
        // A project that ignores a group ignores its members as well.
        Some(_) => vec![None],
        None => faults(report, &may_be_blamed),
    };
    let fault = |exception: ExceptionAt| {
        let report = exception.map_or_else(|| report.clone(), |at| report.carried(at));
        let files = FoundFrames { frames: resolved(&report.traceback), at: at.clone() };
        Fault { exception, report, files }
    };
    Ok(found.into_iter().map(fault).collect())
}

async fn look_for_files(
    report: &Report,
    mirror: &Arc<Mirror>,
    settings: &ChoiceSettings,
) -> Result<(FrameFiles, At), GitError> {
    let tip = match mirror.tip() {
        Some(tip) => tip,
        None => mirror.read_tip().await?,
    };
    let known = match &report.revision {
        Some(name) => mirror.running(name).await?,
        None => None,
    };
    let missing = report.revision.clone().filter(|_| known.is_none());
    let mut revision = known.unwrap_or_else(|| Revision::Tip(tip.commit.clone()));
    let mut files = frame_files(report, mirror, &revision, &settings.paths).await?;
    if revision.running().is_none()
        && let Some(found) = before_they_went(report, mirror, &tip, &files, &settings.paths).await?
    {
        (revision, files) = found;
    }
    Ok((files, At { mirror: mirror.clone(), tip, revision, missing }))
}

/// Chooses the line of `report`. `frames` is resolved again, with the hot functions.
pub fn choose_line(
    report: &Report,
    frames: &[ResolvedFrame],
    settings: &ChoiceSettings,
    hot_functions: &HotFunctions,
    rules: &Rules,
) -> Choice {
    let seen = |path: &str, function: &str| {
        hot_functions.contains(&(path.to_owned(), function.to_owned()))
    };
    let files = frames.iter().map(|frame| frame.file.clone());
    let frames = resolve_frames(&report.traceback, files, settings, &seen, rules);
    choose(report, frames, rules)
}

/// Asks who wrote the chosen line.
pub async fn blame_line(
    report: &Report,
    files: &FoundFrames,
    line: &BlamedLine,
) -> Result<Located, GitError> {
    let Some(At { mirror, tip, revision, .. }) = &files.at else {
        return Ok(Located::NotBlamed(NotBlamed::NoRepository));
    };
    let reported = ReportedLine {
        path: &line.path,
        line: line.line,
        function: &line.function,
        text: report.traceback.get(line.frame).map_or(&*line.text, Frame::reported_text),
    };
    let others = other_lines(report, files, line.frame);
    mirror.locate(tip, revision, reported, &others).await
}

/// The report's other frames in the repository, the innermost first.
fn other_lines<'a>(
    report: &'a Report,
    files: &'a FoundFrames,
    chosen: usize,
) -> Vec<ReportedLine<'a>> {
    let frames = report.traceback.iter().zip(&files.frames).enumerate().rev();
    frames
        .filter(|(at, _)| *at != chosen)
        .filter_map(|(_, (frame, resolved))| {
            let file = resolved.file.as_ref().filter(|file| file.rule != PathRule::Submodule)?;
            Some(ReportedLine {
                path: &file.path,
                line: frame.line,
                function: &frame.function,
                text: frame.reported_text(),
            })
        })
        .collect()
}

/// The suspects behind the blamed line, each with its author. If one author is not known, the
/// others are still returned.
pub async fn other_suspects(report: &Report, files: &FoundFrames, choice: &Choice) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    for line in choice.suspects.iter().skip(1) {
        let located = blame_line(report, files, line).await;
        let located = located.inspect_err(
            |error| tracing::debug!(%error, path = line.path, "suspect has no author"),
        );
        let author = located.ok().and_then(Located::line).map(|located| SuspectAuthor {
            developer: located.blame.developer,
            commit: located.blame.origin.commit,
            summary: located.blame.summary,
        });
        suspects.push(Suspect {
            path: line.path.clone(),
            line: line.line,
            function: line.function.clone(),
            text: line.text.trim().to_owned(),
            author,
        });
    }
    suspects
}

/// The settings for a mirror of `source`.
pub fn mirror_settings(config: &Config, source: Source, scratch: PathBuf) -> MirrorSettings {
    MirrorSettings {
        branch_pattern: config.branch_pattern.clone(),
        ignore_revs: config.ignore_revs.clone(),
        automation: config.automation.clone(),
        submodules: config.submodules.clone(),
        asked_every: config.mirror.asked,
        ..MirrorSettings::new(GitProgram::new(&config.git), source, scratch)
    }
}
