//! `flawless report`: prints the weekly report of one person, as it is mailed.
use std::process::ExitCode;

use anyhow::{Context, bail};
use flawless_base::dates::{ReportWeek, parse_date};
use jiff::civil::Weekday;

use super::open::ProjectArgument;
use super::print;
use crate::mail::weekly_report::weekly_report;
use crate::mail::{WeekPart, weekly_text};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    of: ProjectArgument,
    /// The person's mail address.
    #[arg(long = "for", value_name = "ADDRESS")]
    address: String,
    /// Any day of the week, as YYYY-MM-DD; by default the week of the last report. Weeks start on
    /// the day of weekly_report.
    #[arg(long, value_name = "DATE")]
    week: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let app = arguments.of.open_known().await?;
    let (config, now) = (&app.config, app.clock.now());
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
    let report = weekly_report(&app, week).await?;
    let address = arguments.address.trim();
    let text = match report.people.get(&address.to_ascii_lowercase()) {
        Some(person) => {
            let part = WeekPart { app: &app, report: &report, person };
            weekly_text(&[part]).context("the report cannot be written")?
        }
        None => format!("No issue of {address} occurred or was resolved, so there is no mail.\n"),
    };
    app.store.close().await;
    print(text)
}
