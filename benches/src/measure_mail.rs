//! Measures the time from a report of a new line to its mail at a mail server.
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::load::send;
use crate::mail_sink::HOST_PREFIX;
use crate::message::report;
use crate::options::Contender;
use crate::process::quiet;
use crate::server::Server;
use crate::setting::Setting;
use crate::stats::percentile;
use crate::table::Table;

const REPORTS: usize = 100;
/// Ten reports per second.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for the last mails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a hundred reports over separate connections, each of a line by another author, because our
/// server combines one person's alerts within minutes into a digest.
pub(crate) async fn measure_mail(
    setting: &Setting,
    contender: Contender,
    run: u32,
    table: &mut Table,
) -> Result<()> {
    let data = setting.folder.join(format!("mail-{contender:?}-{run}"));
    let server = Server::start(setting, contender, &data, 1)?;
    let first = report(&setting.code, &setting.code.known[0], "bench", false)?;
    send(server.port, &mut None, &first).await?;
    quiet(server.id(), PATIENCE).await;
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = Vec::with_capacity(REPORTS);
    for line in setting.code.one_of_each_author().take(REPORTS) {
        let host = format!("{HOST_PREFIX}{contender:?}-{run}-{}", line.number);
        let message = report(&setting.code, line, &host, false)?;
        ticks.tick().await;
        let start = Instant::now();
        send(server.port, &mut None, &message).await?;
        sent.push((host, start));
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && sent.iter().any(|(host, _)| setting.sink.arrival(host).is_none())
    {
        sleep(Duration::from_millis(20)).await;
    }
    server.stop()?;
    let took = sent.iter().filter_map(|(host, start)| {
        let took = setting.sink.arrival(host)?.duration_since(*start);
        Some(took.as_secs_f64() * 1e3)
    });
    let took: Vec<f64> = took.collect();
    for percent in [50, 99] {
        if let Some(number) = percentile(&took, percent) {
            let what = format!("report to mail, 10 new lines a second: p{percent}, ms");
            table.add(&what, contender, number);
        }
    }
    if took.len() < REPORTS {
        eprintln!("  {contender:?}: {} of {REPORTS} mails arrived", took.len());
    }
    Ok(())
}
