//! `flawless projects`: shows the project, its keys, and the address for clients.
mod keys;

use std::fmt::Write;
use std::process::ExitCode;

use clap::Subcommand;
use flawless_base::clock::Clock;
use flawless_store::{KeyRow, Store};
use serde_json::json;

use super::{ConfArgument, print};
use crate::project::keys::ProjectKeys;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: ListArguments,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the projects, as without a subcommand.
    List(ListArguments),
    /// Lists, adds and switches off the keys that programs report with.
    Keys {
        #[command(subcommand)]
        action: keys::Action,
    },
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.action {
        None => list(arguments.list).await,
        Some(Action::List(arguments)) => list(arguments).await,
        Some(Action::Keys { action }) => keys::run(action).await,
    }
}

async fn list(arguments: ListArguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    let now = Clock::system().now();
    let store = Store::open(&config.data_dir, &config.sealing, now).await?;
    let project = ProjectKeys::open(&store, now).await?;
    store.close().await;
    let dsn = config.client_url().and_then(|url| project.dsn(&url));
    let working = project.keys.iter().filter(|key| key.disabled_at.is_none());
    let keys: Vec<&str> = working.map(|key: &KeyRow| key.secret.reveal()).collect();
    if arguments.json {
        let line = json!({"id": project.id, "name": project.name, "dsn": dsn, "keys": keys});
        return print(line.to_string() + "\n");
    }
    let mut text = format!("project  {}\n", project.name);
    // Writing to a String cannot fail.
    let _ = match dsn {
        Some(dsn) => writeln!(text, "dsn      {dsn}"),
        None => writeln!(
            text,
            "dsn      not known before the start: set hostname, or an http_port other than 0"
        ),
    };
    for key in keys {
        let _ = writeln!(text, "key      {key}");
    }
    print(text)
}
