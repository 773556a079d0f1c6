//! `flawless channels`: webhooks that receive alerts in addition to mails.
use std::fmt::Write;
use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use flawless_base::dates::date_time;
use flawless_core::is_mailable;
use flawless_store::NewChannel;

use super::open::ProjectArgument;
use super::print;
use crate::app::App;
use crate::channel::{
    Answer, ChannelKind, PostClient, belongs_to, check_resolved, check_url, new_signing_key, shown,
    trial_body,
};
use crate::config::Config;
use flawless_base::secret::Secret;

/// Longer than any URL.
const READ_BYTES: u64 = 65_536;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the channels. Their URLs are secrets, so only the beginning is shown.
    List {
        #[command(flatten)]
        of: ProjectArgument,
    },
    /// Adds a channel. A running server uses it from the next alert on.
    Add {
        #[command(flatten)]
        of: ProjectArgument,
        /// The service that receives the posts.
        kind: ChannelKind,
        /// The webhook's URL, as the service shows it; - reads it from standard input.
        url: String,
        /// Only alerts that this address answers for; by default all alerts of the project.
        #[arg(long = "for", value_name = "ADDRESS")]
        owner: Option<String>,
    },
    /// Removes a channel and everything that waits for it.
    Remove {
        #[command(flatten)]
        of: ProjectArgument,
        /// The number that `flawless channels list` shows.
        number: i64,
    },
    /// Posts a test message and shows the service's answer.
    Test {
        #[command(flatten)]
        of: ProjectArgument,
        /// The number that `flawless channels list` shows.
        number: i64,
    },
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::List { of } => list(&of.open().await?).await,
        Action::Add { of, kind, url, owner } => {
            let app = of.open().await?;
            let channel = checked(&app.config, kind, &url, owner).await?;
            add(&app, &channel, &of).await
        }
        Action::Remove { of, number } => {
            let App { store, clock, .. } = of.open().await?;
            let mut tx = store.write().await?;
            let removed = tx.remove_channel(number, clock.now()).await?;
            tx.commit().await?;
            store.close().await;
            if !removed {
                return Err(no_such(number));
            }
            print(format!("channel {number} is removed\n"))
        }
        Action::Test { of, number } => test(&of.open().await?, number).await,
    }
}

fn no_such(number: i64) -> anyhow::Error {
    anyhow!("channel {number} does not exist: flawless channels list shows all")
}

async fn list(App { config, store, .. }: &App) -> anyhow::Result<ExitCode> {
    let channels = store.channels().await?;
    store.close().await;
    let mut text = String::new();
    for channel in &channels {
        let whose = match &channel.owner {
            Some(owner) => format!("alerts of {owner}"),
            None => "all alerts".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:>4}  {:<10}  {}  {whose}",
            channel.id,
            channel.kind,
            shown(&channel.url)
        );
        if let (Some(at), Some(why)) = (channel.broken_at, &channel.broken_why) {
            let at = date_time(at, &config.timezone);
            let _ = writeln!(text, "      broken since {at}: {why}");
        }
    }
    if channels.is_empty() {
        text.push_str("There are no channels. Add one with flawless channels add KIND URL\n");
    }
    print(text)
}

/// The channel, if posting to its address is allowed.
async fn checked(
    config: &Config,
    kind: ChannelKind,
    url: &str,
    owner: Option<String>,
) -> anyhow::Result<NewChannel> {
    if let Some(owner) = owner.as_ref().filter(|owner| !is_mailable(owner)) {
        bail!("--for: {owner:?} is not a mail address");
    }
    let allowed = config.webhook_private_addresses;
    let wrong = |why: String| anyhow!("URL: {why}");
    let mut typed = String::new();
    let url = match url {
        "-" => {
            std::io::stdin().take(READ_BYTES).read_to_string(&mut typed)?;
            typed.trim()
        }
        url => url,
    };
    let url = check_url(url, allowed).map_err(wrong)?;
    check_resolved(&url, allowed).await.map_err(wrong)?;
    let host = url.host_str().unwrap_or_default();
    match belongs_to(&url) {
        Some(other) if other != kind => eprintln!(
            "note: {host} belongs to {other}, but the posts will be made for {kind}",
            other = other.as_str(),
            kind = kind.as_str(),
        ),
        _ => {}
    }
    let secret = match kind {
        ChannelKind::Json => {
            Some(new_signing_key().context("the system provides no random numbers")?)
        }
        _ => None,
    };
    Ok(NewChannel { kind: kind.as_str(), url: Secret::new(url.to_string()), secret, owner })
}

async fn add(
    App { store, clock, .. }: &App,
    channel: &NewChannel,
    of: &ProjectArgument,
) -> anyhow::Result<ExitCode> {
    let mut tx = store.write().await?;
    let number = tx.add_channel(channel, clock.now()).await?;
    tx.commit().await?;
    store.close().await;
    let mut text = format!("{} was added as number {number}\n", shown(&channel.url));
    if let Some(secret) = &channel.secret {
        let _ = writeln!(text, "signing key  {}", secret.reveal());
        let _ = writeln!(text, "Give it to the receiver now: it is not shown again.");
    }
    let _ = writeln!(text, "Try it: flawless channels test {number}{}", of.again());
    print(text)
}

async fn test(app: &App, number: i64) -> anyhow::Result<ExitCode> {
    let (App { config, store, .. }, now) = (app, app.clock.now());
    let channel = store.channel(number).await?.ok_or_else(|| no_such(number))?;
    let kind = ChannelKind::of(&channel.kind)
        .ok_or_else(|| anyhow!("its kind {:?} is unknown", channel.kind))?;
    let id = format!("post-{number}.test.{now}@{}", config.addresses.domain);
    let body = trial_body(kind, app.project.name(), &id, now);
    let answer =
        PostClient::new(config.webhook_private_addresses).post(&channel, &id, &body, now).await;
    let mut tx = store.write().await?;
    if let Answer::Taken(_) = &answer {
        tx.channel_works(number, now).await?;
    }
    tx.commit().await?;
    store.close().await;
    let address = shown(&channel.url);
    match answer {
        Answer::Taken(words) => print(format!("{address} accepted the test: {words}\n")),
        Answer::Later(words) | Answer::Closed(words, _) => {
            Err(anyhow!("{address} did not accept the test; an alert would be retried: {words}"))
        }
        Answer::Refused(words) => Err(anyhow!("{address} refused the test: {words}")),
        Answer::Gone(words) => Err(anyhow!(
            "{address} is gone: {words}. Create a new webhook, and remove this channel with \
             flawless channels remove {number}"
        )),
    }
}
