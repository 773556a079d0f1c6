//! Measures the server, the Python package and their peers side by side. README.md describes what
//! and how.
//!
//! All traffic stays on 127.0.0.1 and is bounded in time and number; every started process is
//! stopped.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time and starts the programs it compares"
)]

mod bare;
mod blame;
mod client;
mod code;
mod counted;
mod environment;
mod frames;
mod large_store;
mod load;
mod mail_sink;
mod measure_frames;
mod measure_load;
mod measure_mail;
mod measure_pages;
mod measure_projects;
mod measure_protocols;
mod measure_start;
mod measure_texts;
mod message;
mod options;
mod postgres;
mod process;
mod rows;
mod server;
mod setting;
mod stats;
mod table;
mod text_forms;

use anyhow::{Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::blame::{measure_blame, print_growth};
use crate::client::measure_client;
use crate::measure_frames::measure_frames;
use crate::measure_load::{ceiling, measure_load};
use crate::measure_mail::measure_mail;
use crate::measure_pages::measure_pages;
use crate::measure_projects::measure_projects;
use crate::measure_protocols::measure_protocols;
use crate::measure_start::measure_start;
use crate::measure_texts::measure_texts;
use crate::message::report;
use crate::options::{Contender, Measure, Options};
use crate::setting::Setting;
use crate::table::Table;

/// One worker thread for the load and the mail server; the main thread waits for processes.
#[tokio::main(worker_threads = 1)]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    // When a signal ends the measurement, the running servers are dropped, which kills them.
    tokio::select! {
        done = measure(&options) => done,
        _ = terminate.recv() => bail!("stopped by a signal"),
        _ = tokio::signal::ctrl_c() => bail!("stopped by a signal"),
    }
}

async fn measure(options: &Options) -> Result<()> {
    if let Some(objects) = &options.trace_memory {
        return print_growth(objects);
    }
    if let Some(records) = &options.records {
        if options.wants(Measure::Frames) {
            measure_frames(records, options.mirrors.as_deref()).await?;
        }
        if options.wants(Measure::Texts) {
            measure_texts(records, options.mirrors.as_deref()).await?;
        }
    } else if options.names(Measure::Frames) || options.names(Measure::Texts) {
        bail!("--only frames and --only texts need --records");
    }
    if !options.repositories.is_empty() {
        measure_blame(&options.repositories, usize::from(options.lines), options.runs).await?;
    } else if options.names(Measure::Blame) {
        bail!("--only blame needs --repositories");
    }
    if options.wheel.is_some() || options.names(Measure::Client) {
        measure_client(options).await?;
    }
    if options.wants_no_server() {
        return Ok(());
    }
    let setting = Setting::prepare(options).await?;
    if options.names(Measure::Pages) {
        for contender in options.contenders(0) {
            measure_pages(&setting, contender).await?;
        }
    }
    if options.names(Measure::Projects) {
        measure_projects(&setting, options).await?;
    }
    if options.names(Measure::Protocols) {
        measure_protocols(&setting, options).await?;
    }
    if options.wants_no_contest() {
        return Ok(std::fs::remove_dir_all(&setting.folder)?);
    }
    let mut table = Table::default();
    for run in 0..options.runs {
        for contender in options.contenders(run) {
            eprintln!("run {} of {}: {contender:?}", run + 1, options.runs);
            if options.wants(Measure::Load) {
                measure_load(&setting, options, contender, run, &mut table).await?;
            }
            if options.wants(Measure::Mail) {
                measure_mail(&setting, contender, run, &mut table).await?;
            }
        }
    }
    if options.wants(Measure::Start) {
        for contender in options.contenders(0) {
            eprintln!("starts: {contender:?}");
            measure_start(&setting, contender, &mut table).await?;
        }
    }
    if options.contenders(0).contains(&Contender::Ours) {
        table.add("program file, MB", Contender::Ours, setting.program_megabytes()?);
    }
    table.print();
    let bytes = report(&setting.code, &setting.code.many[0], "bench", options.ids)?.len();
    println!();
    println!("A report has {bytes} bytes. {} runs of {} s.", options.runs, options.seconds);
    println!("0.4.5 runs with its blame fixed; as shipped, it raises on Python 3.");
    if options.wants(Measure::Load) {
        let most = ceiling(&setting, options).await?;
        println!("Against a server that only answers, 8 connections reach {most:.0} a second.");
    }
    std::fs::remove_dir_all(&setting.folder)?;
    Ok(())
}
