//! From a report to its blamed line and the line's author: what the pipeline's job and
//! `flawless blame` do alike.
use std::sync::Arc;

use flawless_core::{BlamedLine, Choice, CommitId, PathIndex, PathPatterns, Report, Rules, choose};
use flawless_git::{GitError, Located, Mirror, ReportedLine, Tip};

use crate::config::Config;

/// The repository as attribution finds it.
#[derive(Debug, Clone)]
pub enum Repo {
    /// None is configured.
    None,
    /// It is being cloned or opened.
    Opening,
    /// It cannot be opened at the moment; the text says why.
    Failed(String),
    /// It can be asked.
    Ready(Arc<Mirror>),
}

/// What the configuration says about choosing.
#[derive(Debug, Clone, Default)]
pub struct ChoiceSettings {
    /// `report_runtime_package_directory_names`.
    pub package_folders: Vec<String>,
    /// `only_blame_filepaths_matching`.
    pub may_blame: PathPatterns,
}

impl ChoiceSettings {
    /// What `config` says.
    pub fn of(config: &Config) -> Self {
        Self {
            package_folders: config.package_folders.clone(),
            may_blame: config.may_blame.clone(),
        }
    }
}

/// A choice, and the revision it was made in.
#[derive(Debug)]
pub struct Chosen {
    /// The line, or why there is none.
    pub choice: Choice,
    /// The running revision, when the report names one that the mirror has.
    pub running: Option<CommitId>,
    /// The mirror and its tip; `None` without a repository.
    pub at: Option<(Arc<Mirror>, Arc<Tip>)>,
}

/// Chooses the line of `report` in the revision that ran, or the tip when that is unknown.
/// Without a mirror every frame is foreign.
///
/// # Errors
/// git cannot be run.
pub async fn choose_line(
    report: &Report,
    mirror: Option<&Arc<Mirror>>,
    settings: &ChoiceSettings,
    rules: &Rules,
) -> Result<Chosen, GitError> {
    let choose_in = |files: &PathIndex| {
        choose(report, files, &settings.package_folders, &settings.may_blame, rules)
    };
    let Some(mirror) = mirror else {
        return Ok(Chosen { choice: choose_in(&PathIndex::default()), running: None, at: None });
    };
    let tip = match mirror.tip() {
        Some(tip) => tip,
        None => mirror.read_tip().await?,
    };
    let running = match &report.revision {
        Some(revision) => mirror.resolve(revision).await?,
        None => None,
    };
    let files = mirror.files(running.as_ref().unwrap_or(&tip.commit)).await?;
    Ok(Chosen { choice: choose_in(&files), running, at: Some((mirror.clone(), tip)) })
}

/// Asks who wrote the chosen line. The inner error says why nobody can be blamed for it.
///
/// # Errors
/// git cannot be run.
pub async fn blame_line(
    mirror: &Mirror,
    tip: &Tip,
    running: Option<&CommitId>,
    line: &BlamedLine,
) -> Result<Result<Located, String>, GitError> {
    let reported = ReportedLine { path: &line.path, line: line.line, text: &line.text };
    let located = match mirror.locate(tip, running, reported).await? {
        Ok(located) => located,
        Err(why) => return Ok(Err(why.0)),
    };
    let blame = &located.blame;
    if blame.at_shallow_border {
        return Ok(Err(format!(
            "the repository's history is cut at {} (a shallow clone), so the author of this line \
             is not known: fetch the rest with git fetch --unshallow",
            blame.origin.commit.short()
        )));
    }
    Ok(Ok(located))
}
