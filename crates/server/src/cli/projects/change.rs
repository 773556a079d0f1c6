//! `flawless projects add`, `set`, `rename`, `archive` and `remove`.
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use flawless_base::plural::counted;
use flawless_store::DEFAULT_PROJECT;

use super::list::head;
use crate::actions::projects::{self, COMMAND_LINE, ProjectError, Setting};
use crate::app::App;
use crate::cli::{ConfArgument, print};

pub(super) async fn add(
    conf: &ConfArgument,
    name: &str,
    settings: &[Setting],
) -> anyhow::Result<ExitCode> {
    let app = conf.open().await?;
    let id = projects::add(&app, COMMAND_LINE, name, settings).await?;
    app.projects.refresh().await?;
    let made = app.projects.get(id).ok_or_else(|| anyhow!("the project was just removed"))?;
    app.store.close().await;
    print(head(&made))
}

pub(super) async fn set(app: &App, settings: &[Setting]) -> anyhow::Result<ExitCode> {
    let changed = projects::set(app, COMMAND_LINE, settings).await?;
    app.store.close().await;
    let name = app.project.name();
    match changed.is_empty() {
        true => print(format!("{name} has these values already\n")),
        false => print(format!("{name}: {} changed\n", changed.join(", "))),
    }
}

pub(super) async fn rename(app: &App, new_name: &str) -> anyhow::Result<ExitCode> {
    if app.project.name() == new_name {
        return print(format!("{new_name} has this name already\n"));
    }
    projects::rename(app, COMMAND_LINE, new_name).await?;
    app.store.close().await;
    let mut text = format!("{} is called {new_name} now\n", app.project.name());
    if app.project_id() != DEFAULT_PROJECT {
        text.push_str("Links in older mails have the older name and lead nowhere.\n");
    }
    print(text)
}

pub(super) async fn archive(app: &App, is_archived: bool) -> anyhow::Result<ExitCode> {
    projects::archive(app, COMMAND_LINE, is_archived).await?;
    app.store.close().await;
    let name = app.project.name();
    match is_archived {
        true => print(format!("{name} is archived: its reports are refused\n")),
        false => print(format!("{name} is in use again\n")),
    }
}

pub(super) async fn remove(app: &App, yes: bool) -> anyhow::Result<ExitCode> {
    if app.project_id() == DEFAULT_PROJECT {
        return Err(ProjectError::First.into());
    }
    let size = app.store.project_size().await?;
    say!("{} will be removed, with", app.project.name());
    for (number, one, many) in [
        (size.issues, "issue", "issues"),
        (size.waiting, "waiting report", "waiting reports"),
        (size.unsent, "mail or post not sent yet", "mails and posts not sent yet"),
        (size.rules, "rule", "rules"),
        (size.channels, "channel", "channels"),
        (size.keys, "key", "keys"),
    ] {
        say!("  {}", counted(number, one, many));
    }
    if !agreed(app.project.name(), yes)? {
        return Ok(ExitCode::FAILURE);
    }
    projects::remove(app, COMMAND_LINE).await?;
    // Removed data is overwritten in the journal too.
    app.store.empty_journal().await?;
    app.store.close().await;
    print("It is removed.\n")
}

/// Whether the user wants it: by the option, or by typing the name of the project.
fn agreed(name: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nothing was removed: nobody can be asked here; --yes removes without asking");
    }
    print!("This cannot be undone. Type the name of the project to remove it: ");
    std::io::stdout().flush()?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    let agreed = typed.trim() == name;
    if !agreed {
        say!("Nothing was removed.");
    }
    Ok(agreed)
}
