//! `flawless start`: runs the server until it is told to stop.
use std::process::ExitCode;

use anyhow::bail;
use flawless_base::clock::Clock;
use flawless_git::Source;
use tokio::signal::unix::{SignalKind, signal};

use super::check::check_repository;
use super::{ConfArgument, logging};
use crate::query::health::history;
use crate::server::Server;
use crate::sign_in::first_link;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    logging::init(&config)?;
    if matches!(config.repository, Some(Source::Folder(_))) {
        // A remote may be unreachable for a while; a missing folder is a mistake.
        check_repository(&config).await.map_err(anyhow::Error::msg)?;
    }
    let missing = config.missing.clone();
    let mut server = Server::start(config, Clock::system()).await?;
    match server.thrift_address {
        Some(address) => say!("Reports: {address} (thrift)"),
        None => say!("Reports: the thrift port is closed (port = 0)"),
    }
    say!("         http://{}/thrift (flawless projects shows the key)", server.http_address);
    say!("Pages:   {}", server.app.base_url);
    match first_link(&server.app).await? {
        Some(link) => say!("Sign in: {link} (for the administrator; works once, within 24 hours)"),
        None if !server.app.config.sign_in.required => {
            say!("Sign in: not required (auth = off)")
        }
        None => {}
    }
    say!("Data:    {}", server.app.config.data_dir.display());
    for text in missing {
        say!("Not set up yet: {text}");
    }
    if let Some(part) = history(&server.app).await {
        say!("WARNING: {}", part.text);
    }
    tokio::select! {
        signal = wait_for_signal() => signal?,
        () = server.broken() => {
            bail!(
                "a part of the server stopped by itself; the log says why. Accepted reports are in \
                 the store: start it again"
            );
        }
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Returns at Ctrl-C, or when the system asks the program to end.
pub(super) async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
