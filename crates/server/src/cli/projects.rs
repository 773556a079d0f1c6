//! `flawless projects`: shows the project, its keys, and the address for clients.
use std::fmt::Write;
use std::process::ExitCode;

use flawless_base::clock::Clock;
use flawless_base::secret::Secret;
use flawless_store::Store;
use serde_json::json;

use super::{ConfArgument, print};
use crate::project::keys::ProjectKeys;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    let now = Clock::system().now();
    let store = Store::open(&config.data_dir, &config.sealing, now).await?;
    let project = ProjectKeys::open(&store, now).await?;
    store.close().await;
    let dsn = config.client_url().and_then(|url| project.dsn(&url));
    let keys: Vec<&str> = project.keys.iter().map(Secret::reveal).collect();
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
