//! `flawless demo`: shows the main job with the real server on this machine: a repository with
//! three developers, a failing program, and the resulting mail.

mod mail_sink;
mod package;
mod program;
mod repository;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use flawless_base::clock::Clock;
use flawless_git::process::GitProgram;
use flawless_store::IssueRow;

use self::mail_sink::MailSink;
use self::package::{Checkout, Package};
use self::program::{Addresses, PROGRAM, run_with_package, run_without_package};
use self::repository::make_repository;
use super::print;
use super::start::wait_for_signal;
use crate::config::{Config, RawConfig};
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// End after the mail instead of waiting for Ctrl-C.
    #[arg(long)]
    once: bool,
    /// The Python that runs the failing program; by default that of the virtual environment, or
    /// python3.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// All of it takes well below a second, but a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("flawless-demo").tempdir()?;
    let repository = folder.path().join("shop");
    std::fs::create_dir(&repository)?;
    make_repository(&GitProgram::new("git"), &repository).await?;
    let mut sink = MailSink::start().await?;
    let config = configuration(folder.path(), &repository, &sink)?;
    let server = Server::start(config, Clock::system()).await?;

    heading("A repository with three developers")?;
    print(format!("{}\n", repository.display()))?;
    let addresses = Addresses {
        dsn: server.dsn().ok_or_else(|| anyhow!("the server has no address: this is a bug"))?,
        port: server.thrift_address.map_or(0, |address| address.port()),
    };
    let modules = folder.path().join("modules");
    std::fs::create_dir(&modules)?;
    let pythons = pythons(arguments.python);
    let traceback = match find_package(&pythons, &modules).await? {
        PackageSearch::Found(package) => {
            heading("Its program run.py")?;
            print(PROGRAM)?;
            heading("It fails in production, three times")?;
            print(format!("$ FLAWLESS_DSN={} {} run.py\n", addresses.dsn, package.command()))?;
            run_with_package(&package, &repository, &addresses).await
        }
        PackageSearch::Missing(why) => {
            heading("A program fails in production, three times")?;
            print(format!(
                "(without the Python package: {why}. The older wire format is used instead.)\n"
            ))?;
            let python = pythons.last().ok_or_else(|| anyhow!("--python is empty"))?;
            run_without_package(python, &repository, &addresses).await
        }
    };
    print(traceback.context("the failing program")?)?;
    let mail = tokio::time::timeout(PATIENCE, sink.next()).await.ok().flatten();
    let Some(mail) = mail else {
        bail!("no mail arrived: the log lines above say why");
    };
    let now = server.app.clock.now();
    let issues = server.app.store.issues_between(0, now + 3_600_000).await?;
    let Some(issue) = issues.first().map(|found| &found.issue) else {
        bail!("there is a mail but no issue: this is a bug");
    };
    heading("The line to blame")?;
    print(blame_text(issue))?;
    heading("The mail, as sent")?;
    print(readable(&mail))?;
    heading("The pages")?;
    let base_url = &server.app.base_url;
    print(format!("{base_url}/\n{}\n", crate::show::links::issue(base_url, issue.id)))?;
    if !arguments.once {
        print("\nThe server stays up until Ctrl-C.\n")?;
        wait_for_signal().await?;
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The Pythons that may have the package; there is always at least one.
fn pythons(chosen: Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(chosen) = chosen {
        // It is started in another folder than this one.
        let is_path = chosen.components().count() > 1;
        let absolute = std::path::absolute(&chosen).ok().filter(|_| is_path);
        return vec![absolute.unwrap_or(chosen)];
    }
    let active = std::env::var_os("VIRTUAL_ENV").filter(|folder| !folder.is_empty());
    let active = active.map(|folder| PathBuf::from(folder).join("bin/python"));
    active.into_iter().chain([PathBuf::from("python3")]).collect()
}

/// The Python package, or why it is missing.
enum PackageSearch {
    Found(Package),
    Missing(String),
}

/// Finds the package, or builds it in a checkout.
async fn find_package(pythons: &[PathBuf], folder: &Path) -> anyhow::Result<PackageSearch> {
    let installed = Package::installed(pythons, folder).await;
    let no_python =
        |error| anyhow!("the failing program: {error}. It needs Python 3: --python PATH");
    if let Some(package) = installed.map_err(no_python)? {
        return Ok(PackageSearch::Found(package));
    }
    let install = "`pip install \"flawless>=0.5\"`, or --python PATH with one that has it";
    let Some(checkout) = Checkout::of_cargo_run(|name| std::env::var_os(name)) else {
        let tried: Vec<_> = pythons.iter().map(|path| path.display().to_string()).collect();
        return Ok(PackageSearch::Missing(format!(
            "{} does not have it; {install}",
            tried.join(" and ")
        )));
    };
    print("\nBuilding the Python package with cargo: a minute or two, only the first time.\n")?;
    let built = Package::built(&checkout, pythons, folder).await;
    Ok(match built {
        Ok(package) => PackageSearch::Found(package),
        Err(why) => PackageSearch::Missing(format!("{why}; {install}")),
    })
}

fn configuration(folder: &Path, repository: &Path, sink: &MailSink) -> anyhow::Result<Config> {
    let mut raw = RawConfig::default();
    let path = |path: &Path| path.display().to_string();
    for (option, value) in [
        ("port", "any".to_owned()),
        ("http_port", "0".to_owned()),
        ("auth", "off".to_owned()),
        ("data_dir_path", path(&folder.join("data"))),
        ("repo_dir", path(repository)),
        ("smtp_host", sink.address.to_string()),
        ("default_contact", "team@example.com".to_owned()),
        ("timezone", "UTC".to_owned()),
    ] {
        raw.set_argument(&format!("{option}={value}"))?;
    }
    Ok(Config::resolve(&raw)?)
}

fn heading(text: &str) -> anyhow::Result<ExitCode> {
    print(format!("\n── {text} ──\n"))
}

fn blame_text(issue: &IssueRow) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}:{} in {}\n    {}\n\
         why        the innermost frame of the project; {}\n\
         commit     {} {}\n\
         developer  {} <{}>\n\
         born as    {}:{}, before lines were added above it\n",
        issue.facts.path,
        issue.facts.line,
        issue.facts.function_name,
        issue.facts.text,
        issue.facts.reason,
        text(&issue.facts.origin_commit).chars().take(12).collect::<String>(),
        text(&issue.facts.commit_summary),
        text(&issue.facts.developer_name),
        text(&issue.facts.developer_email),
        text(&issue.facts.origin_path),
        issue.facts.origin_line.unwrap_or_default(),
    )
}

/// Headers and text part of a mail, without the HTML alternative.
fn readable(mail: &str) -> String {
    let mail = mail.replace("\r\n", "\n");
    let (headers, body) = mail.split_once("\n\n").unwrap_or((&mail, ""));
    let part = body.split("\n--").find(|part| part.contains("text/plain")).unwrap_or(body);
    let (part_headers, text) = part.split_once("\n\n").unwrap_or(("", part));
    let text = if part_headers.contains("quoted-printable") {
        let decoded = quoted_printable::decode(text, quoted_printable::ParseMode::Robust);
        decoded
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_else(|_| text.to_owned())
    } else {
        text.to_owned()
    };
    format!("{headers}\n\n{}\n", text.replace("\r\n", "\n").trim_end())
}
