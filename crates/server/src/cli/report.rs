//! `flawless report`: prints the weekly report of one person, as it is mailed.
use std::process::ExitCode;

use anyhow::{Context, bail};
use flawless_base::clock::Clock;
use flawless_base::dates::{ReportWeek, parse_date};
use flawless_store::Store;
use jiff::civil::Weekday;

use super::{ConfArgument, print};
use crate::app::App;
use crate::config::Config;
use crate::mail::weekly_report::weekly_report;
use crate::mail::weekly_text;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// The person's mail address.
    #[arg(long = "for", value_name = "ADDRESS")]
    address: String,
    /// Any day of the week, as YYYY-MM-DD; by default the week of the last report. Weeks start on
    /// the day of weekly_report.
    #[arg(long, value_name = "DATE")]
    week: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    let clock = Clock::system();
    let now = clock.now();
    let weekday = config.mails.weekly.unwrap_or(Weekday::Monday);
    let week = match &arguments.week {
        None => ReportWeek::reported_at(now, weekday, &config.timezone),
        Some(day) => parse_date(day, &config.timezone)
            .and_then(|at| ReportWeek::holding(at, weekday, &config.timezone)),
    };
    let Some(week) = week else {
        let day = arguments.week.unwrap_or_default();
        bail!("--week: {day:?} is not a date: write YYYY-MM-DD");
    };
    if !config.data_dir.join("flawless.db").exists() {
        bail!(
            "{}: no server has run with this data folder yet. Name the configuration with -conf",
            config.data_dir.display()
        );
    }
    let app = open(config, clock).await?;
    let report = weekly_report(&app, week).await?;
    let address = arguments.address.trim();
    let text = match report.people.get(&address.to_ascii_lowercase()) {
        Some(person) => {
            weekly_text(&app, &report, person).context("the report cannot be written")?
        }
        None => format!("No issue of {address} occurred or was resolved, so there is no mail.\n"),
    };
    app.store.close().await;
    print(text)
}

async fn open(config: Config, clock: Clock) -> anyhow::Result<App> {
    let store = Store::open(&config.data_dir, &config.sealing, clock.now()).await?;
    let http_address = config.http_address;
    Ok(App::open(config, store, clock, http_address).await?)
}
