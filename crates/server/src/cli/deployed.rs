//! `flawless deployed`: records which revision is running, as a step of a deployment.
use std::process::ExitCode;

use anyhow::bail;
use flawless_git::{Mirror, Named, Source};

use super::open::ProjectArgument;
use crate::attribution::mirror_settings;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    of: ProjectArgument,
    /// The revision that runs now: a commit, a tag, or what git describe prints.
    revision: String,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let app = arguments.of.open().await?;
    let (config, store, now) = (&app.config, &app.store, app.clock.now());
    let Some(source) = config.repository.clone() else {
        let text = "no repository is configured: set repo_dir or repo_url, or name the \
                    configuration with -conf";
        bail!(text);
    };
    if let Source::Clone { dir, .. } = &source
        && !dir.exists()
    {
        let text = format!("{}: the server has not cloned the repository yet", dir.display());
        bail!(text);
    }
    let name = &arguments.revision;
    let mirror = Mirror::open(mirror_settings(config, source, config.data_dir.clone())).await?;
    let Some(Named { commit, is_branch }) = mirror.resolve(name).await? else {
        let text = format!("{name:?} is not a revision of the repository: push it first");
        bail!(text);
    };
    if is_branch {
        let text = format!(
            "{name:?} is a branch, which may have moved on from what is running: give the \
             deployed commit, as git rev-parse HEAD prints it there"
        );
        bail!(text);
    }
    let mut tx = store.write().await?;
    let is_new = tx.seen_running(commit.as_str(), true, now).await?;
    tx.commit().await?;
    store.close().await;
    let known = if is_new { "" } else { ", as before" };
    say!("{} runs now{known}: the server finds the issues that it fixes.", commit.short());
    Ok(ExitCode::SUCCESS)
}
