//! A program that panics, hands errors over and logs them, with a server that keeps its reports.
use std::error::Error;
use std::time::Duration;

use flawless::Options;
use flawless::testing::{Report, Server};
use tracing_subscriber::layer::SubscriberExt;

fn unit(prices: &[u32], at: usize) -> u32 {
    prices[at]
}

#[derive(Debug)]
struct NoPrice(std::num::ParseIntError);

impl std::fmt::Display for NoPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the line has no price")
    }
}

impl Error for NoPrice {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn price() -> Result<u32, NoPrice> {
    "seven".parse().map_err(NoPrice)
}

const LIMIT: Duration = Duration::from_secs(10);

fn innermost(report: &Report) -> (&str, u32, &str) {
    let (path, line, function) = report.frames.last().expect("a frame");
    (path.rsplit('/').next().unwrap_or(path), *line, function)
}

/// The number of the line of this file that has these words.
fn line_of(words: &str) -> u32 {
    let lines = include_str!("programs.rs").lines();
    let at = lines.into_iter().position(|line| line.contains(words)).expect("it is there");
    u32::try_from(at + 1).expect("it fits")
}

/// One test, because there is one client for each process.
#[test]
fn panics_errors_and_logged_errors_are_reported_with_their_line() {
    let server = Server::start().expect("a port");
    let guard = flawless::init(Options {
        release: flawless::release!(),
        environment: Some("test".into()),
        ..Options::with_dsn(server.dsn())
    })
    .expect("an address");
    flawless::set_tag("shop", "7");

    for _ in 0..3 {
        let thread = std::thread::Builder::new().name("worker".into());
        let thread = thread.spawn(|| unit(&[1], 3)).expect("it starts");
        assert!(thread.join().is_err(), "the panic goes on");
    }
    let reports = server.reports(3, LIMIT);
    let panic = &reports[0];
    assert_eq!(panic.exception_type, "panic");
    assert!(panic.message.contains("the len is 1 but the index is 3"), "{panic:?}");
    let (file, line, function) = innermost(panic);
    assert_eq!((file, line), ("programs.rs", line_of("    prices[at]")), "{panic:?}");
    assert!(function.contains("unit"), "{function}");
    assert!(panic.revision.is_some(), "{panic:?}");

    if let Err(error) = price() {
        flawless::report(&error);
        let line = line!() - 1;
        let report = server.reports(4, LIMIT).pop().expect("a report");
        assert_eq!(report.exception_type, "NoPrice", "{report:?}");
        assert_eq!(innermost(&report).1, line, "{report:?}");
        assert_eq!(
            report.causes,
            [("ParseIntError".to_owned(), "invalid digit found in string".to_owned())]
        );
    }

    let subscriber = tracing_subscriber::registry().with(flawless::layer());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(order = 7, "the order came");
        tracing::debug!("not of interest");
        tracing::error!(order = 7, "cannot price");
        let error = price().expect_err("no price");
        tracing::error!(error = &error as &dyn Error, "cannot price");
    });
    let reports = server.reports(6, LIMIT);
    let logged = &reports[4];
    assert_eq!(logged.message, "cannot price order=7", "{logged:?}");
    assert_eq!(innermost(logged).1, line_of("tracing::error!(order = 7"), "{logged:?}");
    assert_eq!(logged.breadcrumbs, ["the order came order=7"]);
    assert_eq!(reports[5].exception_type, "NoPrice", "{:?}", reports[5]);

    let error = anyhow::Error::from(price().expect_err("no price")).context("cannot show the cart");
    flawless::report_anyhow(&error);
    let report = server.reports(7, LIMIT).pop().expect("a report");
    assert_eq!(report.message, "cannot show the cart", "{report:?}");
    assert_eq!(report.causes.len(), 2, "{report:?}");
    // With a backtrace, the frames that captured it come after those of the program.
    assert!(report.frames.iter().any(|(path, ..)| path.ends_with("programs.rs")), "{report:?}");

    for _ in 0..40 {
        flawless::report_message("again");
    }
    assert!(guard.flush(LIMIT));
    let again = server.reports(7, LIMIT).into_iter().filter(|report| report.message == "again");
    assert_eq!(again.map(|report| report.occurrences).sum::<i64>(), 40, "none is lost");
    drop(guard);
    flawless::report_message("after the end");
    assert!(!server.reports(0, LIMIT).iter().any(|report| report.message == "after the end"));
}

#[test]
fn wrong_settings_are_explained_and_no_address_means_no_report() {
    let wrong = flawless::init(Options::with_dsn("flawless.example.com")).expect_err("no address");
    assert!(!wrong.to_string().is_empty());
    let guard = flawless::init(Options::with_dsn("")).expect("nothing is reported");
    assert!(guard.flush(LIMIT));
}
