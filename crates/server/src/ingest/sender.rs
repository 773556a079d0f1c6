//! Finds out by its key who sends something.
use std::net::IpAddr;
use std::sync::Arc;

use flawless_store::{DEFAULT_PROJECT, ProjectId};

use crate::app::projects::Projects;
use crate::intake::{Intake, Sender};
use crate::listen::peer::Peer;
use crate::project::keys::KeyIs;

/// Why a sender is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyProblem {
    Missing,
    Unknown,
    Disabled,
    ArchivedProject,
    RemovedProject,
    /// Without a key reports go to the default project.
    ArchivedDefault,
    /// The address names another project than the key's.
    OtherProject,
}

impl KeyProblem {
    /// The reason under which it is counted.
    fn reason(self) -> &'static str {
        match self {
            Self::Missing => "no project key",
            Self::Unknown | Self::OtherProject => "wrong project key",
            Self::Disabled => "project key switched off",
            Self::ArchivedProject | Self::ArchivedDefault => "project archived",
            Self::RemovedProject => "project removed",
        }
    }

    /// The reason in words, after "but".
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Missing => "it has none",
            Self::Unknown => "its key is not one of this server's",
            Self::OtherProject => "its key belongs to another project",
            Self::Disabled => "its key was switched off",
            Self::ArchivedProject => "its project is archived",
            Self::ArchivedDefault => "the project default is archived",
            Self::RemovedProject => "its project was removed",
        }
    }
}

/// The sender with this key, or without one if `is_optional`, at `address`. A refusal is counted.
pub(super) fn sender(
    projects: &Arc<Projects>,
    intake: &Intake,
    key: Option<&str>,
    is_optional: bool,
    address: IpAddr,
) -> Result<Sender, KeyProblem> {
    let peer = Peer::from(address);
    let refuse = |project: ProjectId, problem: KeyProblem, example: String| {
        intake.refuse_for(project, problem.reason(), format!("from {address}{example}"));
        Err(problem)
    };
    let keys = projects.keys();
    let found = key.filter(|key| !key.is_empty()).map(|key| keys.find(key));
    let (project, source) = match found {
        None if !is_optional => {
            return refuse(DEFAULT_PROJECT, KeyProblem::Missing, String::new());
        }
        None => (DEFAULT_PROJECT, peer.to_string()),
        Some(KeyIs::Valid(key)) => (key.project_id, format!("project key {}", key.id)),
        Some(KeyIs::Disabled(key)) => {
            let example = format!(" with {}", key.in_short());
            return refuse(key.project_id, KeyProblem::Disabled, example);
        }
        Some(KeyIs::Archived(key)) => {
            return refuse(key.project_id, KeyProblem::ArchivedProject, String::new());
        }
        Some(KeyIs::Unknown) => {
            return refuse(DEFAULT_PROJECT, KeyProblem::Unknown, String::new());
        }
    };
    let Some(app) = projects.get(project) else {
        return refuse(DEFAULT_PROJECT, KeyProblem::RemovedProject, String::new());
    };
    if app.project.row.archived_at.is_some() {
        return refuse(project, KeyProblem::ArchivedDefault, String::new());
    }
    Ok(Sender { project, redaction: app.redaction, peer, source: source.into() })
}

/// The sender with this key, which has to be one of the project that its address names, by number
/// or name; the oldest address names none. What is wrong with it does not say whether that project exists.
pub(super) fn sender_to(
    projects: &Arc<Projects>,
    intake: &Intake,
    key: Option<&str>,
    project: &str,
    address: IpAddr,
) -> Result<Sender, KeyProblem> {
    let sender = sender(projects, intake, key, false, address)?;
    let named = projects.named(project).map(|app| app.project_id());
    if !project.is_empty() && named != Some(sender.project) {
        let problem = KeyProblem::OtherProject;
        intake.refuse_for(sender.project, problem.reason(), format!("from {address}"));
        return Err(problem);
    }
    Ok(sender)
}
