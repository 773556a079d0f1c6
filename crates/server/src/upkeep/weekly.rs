//! Puts the weekly report into the outbox: once a week, a mail to everyone who answers for an issue
//! of that week.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flawless_base::dates::ReportWeek;
use flawless_store::{StoreError, UnwantedKind};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::app::App;
use crate::app::projects::Projects;
use crate::mail::weekly_report::weekly_report;
use crate::mail::{WeekPart, weekly_mail};

const LOOK_AGAIN: Duration = Duration::from_millis(500);
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// Writes the weekly reports of all projects forever, if they are enabled.
pub async fn run_weekly(projects: Arc<Projects>) {
    let app = projects.first();
    let Some(weekday) = app.config.mails.weekly else {
        // A task that ends counts as broken.
        return std::future::pending().await;
    };
    let mut sent: Option<Date> = None;
    loop {
        let week = ReportWeek::reported_at(app.clock.now(), weekday, &app.config.timezone);
        if let Some(week) =
            week.filter(|week| !sent.is_some_and(|sent| was_reported(sent, week.day)))
        {
            match report(&projects, week).await {
                Ok(day) => sent = Some(day),
                Err(error) => {
                    tracing::error!(%error, "the weekly report could not be written");
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Writes the report of a week unless that was done; returns the day of the last report.
async fn report(projects: &Projects, week: ReportWeek) -> Result<Date, StoreError> {
    let store = projects.store();
    let before = store.weekly_sent().await?;
    match before {
        Some(sent) if was_reported(sent, week.day) => return Ok(sent),
        Some(_) => {}
        // The first start: weeks before it are not reported.
        None => {
            let mut tx = store.write().await?;
            tx.set_weekly_sent(week.day).await?;
            tx.commit().await?;
            return Ok(week.day);
        }
    }
    let (first, mut mails) = (projects.first(), Vec::new());
    let now = first.clock.now();
    let erasures = store.erasures().await?;
    // One mail for each person, about all of their projects.
    let mut reports = Vec::new();
    for app in projects.all() {
        let report = weekly_report(&app, week).await?;
        reports.push((app, report));
    }
    let mut people: BTreeMap<&String, Vec<WeekPart<'_>>> = BTreeMap::new();
    for (app, report) in &reports {
        for (address, person) in &report.people {
            if wants_weekly(app, address).await? {
                people.entry(address).or_default().push(WeekPart { app, report, person });
            }
        }
    }
    for (to, parts) in people {
        match weekly_mail(&parts, now) {
            Ok(mail) => mails.push(mail),
            Err(error) => tracing::error!(%error, to, "a weekly report could not be written"),
        }
    }
    // One transaction, so that a crash neither loses the mails nor sends them twice.
    let mut tx = store.write().await?;
    // Another server may have written them meanwhile.
    if tx.erased_since(erasures).await? || tx.weekly_sent().await? != before {
        drop(tx);
        return Box::pin(report(projects, week)).await;
    }
    // They are about several projects, and go with none of them.
    for mail in &mails {
        tx.add_mail(mail, now).await?;
    }
    tx.set_weekly_sent(week.day).await?;
    tx.commit().await?;
    first.wakeups.outbox.notify_one();
    tracing::info!(mails = mails.len(), day = %week.day, "the weekly report is written");
    Ok(week.day)
}

/// Whether the week of `day` was reported, when the last report is that of `sent`. A report of a
/// later week was sent while the clock was ahead, and does not count.
fn was_reported(sent: Date, day: Date) -> bool {
    sent >= day && day.checked_add(7.days()).is_ok_and(|next| sent < next)
}

/// Whether the weekly report goes to an address.
async fn wants_weekly(app: &App, address: &str) -> Result<bool, StoreError> {
    if app.store.is_unwanted(address, UnwantedKind::Weekly).await? {
        return Ok(false);
    }
    let refused = app.store.refused_addresses(app.clock.now()).await?;
    // Entries without words are people who unsubscribed from alerts.
    let refused = refused.iter().filter(|known| known.words.is_some());
    Ok(!refused.into_iter().any(|known| known.address.eq_ignore_ascii_case(address)))
}
