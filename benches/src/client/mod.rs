//! Measures the cost of the Python package for a program, next to Flawless 0.4.5 and sentry-sdk.
//! Each measure is a script that runs in a process of its own, for all clients in turn.
mod figures;
mod import_time;
mod installed;
mod script;
mod sink;

use std::fs;

use anyhow::{Result, bail};

use self::figures::Figures;
use self::import_time::import_times;
use self::installed::Installed;
use self::script::{Numbers, Scripts};
use self::sink::Sink;
use crate::options::Options;
use crate::setting::target_folder;

/// The least number of frames of a captured exception, and of variables in each.
const FRAMES: f64 = 20.0;
const LOCALS: usize = 10;

/// The clients that are compared, in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Ours,
    Older,
    Sentry,
}

impl Subject {
    const ALL: [Self; 3] = [Self::Ours, Self::Older, Self::Sentry];

    /// Its name in the scripts.
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Older => "older",
            Self::Sentry => "sentry",
        }
    }
}

/// Prints the tables; fails when a client did not report what it captured.
pub(crate) async fn measure_client(options: &Options) -> Result<()> {
    let target = target_folder()?;
    let installed = Installed::prepare(options, &target)?;
    let scripts = Scripts::write(&target.join("bench-client-data"))?;
    let sink = Sink::start()?;
    let (mut figures, mut wrong) = (Figures::default(), Vec::new());
    for run in 0..options.runs {
        eprintln!("clients: run {} of {}", run + 1, options.runs);
        let mut subjects = installed.subjects.clone();
        let first = run as usize % subjects.len();
        subjects.rotate_left(first);
        let mut numbers: Vec<(Subject, Numbers)> = Vec::new();
        for script in script::ALL {
            for &subject in &subjects {
                // Lets a signal end the measurement.
                tokio::task::yield_now().await;
                sink.reset();
                let python = installed.python(subject);
                let measured = scripts.run(script, &python, subject, sink.port)?;
                let (measured, missing) = checked(subject, measured, &sink);
                wrong.extend(missing);
                numbers.push((subject, measured));
            }
        }
        numbers.extend(import_times(&installed, &subjects).await?);
        figures.add_run(&numbers);
    }
    figures.print(options.runs);
    println!();
    println!("Measured with {}.", installed.version()?);
    fs::remove_dir_all(&scripts.folder)?;
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// Checks that everything a script captured was reported in full. Only a script that captures gives
/// the number it captured.
fn checked(subject: Subject, mut numbers: Numbers, sink: &Sink) -> (Numbers, Vec<String>) {
    let Some(captured) = numbers.get("captured").copied() else { return (numbers, Vec::new()) };
    let mut wrong = Vec::new();
    if numbers.get("forgets") == Some(&0.0) {
        eprintln!("{subject:?} cannot forget what it has seen: every stack has another order");
    }
    if subject != Subject::Sentry {
        let got = sink.got();
        numbers.insert("report_kb".to_owned(), got.bytes_each / 1e3);
        numbers.insert("full_frames".to_owned(), got.full_frames_of_last);
        if got.reports < captured {
            wrong.push(format!("{subject:?}: {captured} captured, only {} arrived", got.reports));
        }
    }
    let full = numbers.get("full_frames").copied().unwrap_or_default();
    if full < FRAMES {
        wrong.push(format!("{subject:?}: a report has only {full} frames with {LOCALS} variables"));
    }
    (numbers, wrong)
}
