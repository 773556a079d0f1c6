//! `flawless sign-in-link`: prints a one-time sign-in link, for people who cannot get in.
use std::process::ExitCode;

use anyhow::{anyhow, bail};

use super::open::open;
use super::{ConfArgument, print};
use crate::sign_in::{administrator_link, link_for};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// The address to sign in, with its own role. Without it: an administrator.
    address: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    if !config.sign_in.required {
        let at = &config.set_at["auth"];
        bail!("{at}: off, so nobody has to sign in");
    }
    if config.base_url.is_none() && config.http_address.port() == 0 {
        bail!(
            "the address of the pages is not known before the start: set hostname, or an http_port \
             other than 0"
        );
    }
    let app = open(config).await?;
    let link = match arguments.address.as_deref().map(str::trim) {
        None => administrator_link(&app).await?,
        Some(address) => link_for(&app, address).await?.ok_or_else(|| {
            anyhow!(
                "{address} may not sign in. Add it to allowed_emails or administrators and restart \
                 the server, or sign in as administrator (flawless sign-in-link without an \
                 address) and give it a role on {}/people/roles",
                app.base_url
            )
        })?,
    };
    app.store.close().await;
    print(format!("{link}\nIt works once, within 24 hours.\n"))
}
