//! `flawless bounce`: reads a bounced mail from standard input, as a mail server pipes it.
//!
//! It succeeds on any input, because a mail server would bounce the bounce. Only when the store
//! cannot be used does it ask for the mail again later.
use std::io::Read;
use std::process::ExitCode;

use anyhow::bail;
use flawless_base::text::for_terminal;

use super::open::open;
use super::{ConfArgument, in_words};
use crate::mail::{MAX_BOUNCE, take_bounce};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
}

/// EX_TEMPFAIL of sysexits.h: try again later.
const TRY_AGAIN: u8 = 75;

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // All of the input is read first: to a mail server, a pipe that closes early is a failure.
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock();
    let read = input.by_ref().take(MAX_BOUNCE as u64).read_to_end(&mut bytes);
    let read = read.and_then(|_| std::io::copy(&mut input, &mut std::io::sink()));
    if let Err(error) = read {
        eprintln!("flawless: the mail could not be read: {error}");
        return Ok(ExitCode::from(TRY_AGAIN));
    }
    match take(&arguments, &bytes).await {
        Ok(text) => {
            eprintln!("flawless: {}", for_terminal(&text));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("flawless: {}", for_terminal(&in_words(&error)));
            Ok(ExitCode::from(TRY_AGAIN))
        }
    }
}

async fn take(arguments: &Arguments, bytes: &[u8]) -> anyhow::Result<String> {
    let config = arguments.conf.resolve()?;
    if config.database.is_none() && !config.data_dir.join("flawless.db").exists() {
        bail!(
            "{}: there is no database, or it is not readable. Run this as the user who runs the \
             server, and name the configuration with -conf",
            config.data_dir.display()
        );
    }
    let app = open(config).await?;
    let taken = take_bounce(&app, bytes).await?;
    app.store.close().await;
    Ok(taken)
}
