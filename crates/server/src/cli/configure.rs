//! `flawless configure`: writes flawless.cfg from a short questionnaire, or from `--set`. Each
//! answer is tested immediately.
use std::path::PathBuf;
use std::process::ExitCode;

use super::ConfArgument;
use super::check::{check_repository, check_smtp};
use super::configure_ask::{Questionnaire, unwritable, without_scheme};
use crate::config::{Config, RawConfig, with_port, write_config};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = arguments.conf.conf.clone().unwrap_or_else(|| PathBuf::from("flawless.cfg"));
    let path = std::path::absolute(&path)?;
    let mut raw = RawConfig::default();
    if path.exists() {
        raw = RawConfig::read(&path)?;
    }
    // Paths are relative to the folder of the file that is being written.
    raw.path = Some(path.clone());
    let mut all_ok = true;
    if arguments.conf.set.is_empty() {
        ask_all(&mut Questionnaire { raw: &mut raw }).await?;
    } else {
        arguments.conf.set.iter().try_for_each(|argument| raw.set_argument(argument))?;
        complete_hostname(&mut raw, &arguments.conf.set)?;
        let config = Config::resolve(&raw)?;
        let folder = match unwritable(&config.data_dir) {
            Some(problem) => Err(problem),
            None => Ok(format!("{} can be written", config.data_dir.display())),
        };
        for result in [folder, check_repository(&config).await, check_smtp(&config).await] {
            all_ok &= show(result);
        }
    }
    let config = Config::resolve(&raw)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_config(&raw, &path)?;
    say!("\n{} was written. It holds what you typed, and only you can read it.", path.display());
    if !all_ok {
        say!("Values with a PROBLEM above were written as given. Fix the cause, or the value.");
        return Ok(ExitCode::FAILURE);
    }
    say!("Start the server with:\n\n    flawless start -conf {}\n", path.display());
    let base_url = config.base_url.unwrap_or_else(|| format!("http://{}", config.http_address));
    say!("Then open {base_url}/check_health");
    Ok(ExitCode::SUCCESS)
}

/// Prints the result of a test and returns whether it passed.
fn show(result: Result<String, String>) -> bool {
    match &result {
        Ok(text) => say!("  ok: {text}"),
        Err(text) => say!("  PROBLEM: {text}"),
    }
    result.is_ok()
}

/// Adds the port of the pages to a `hostname` that was given as a bare name.
fn complete_hostname(raw: &mut RawConfig, set: &[String]) -> anyhow::Result<()> {
    let is_given = set.iter().any(|argument| argument.split('=').next() == Some("hostname"));
    let port = Config::resolve(raw)?.http_address.port();
    let bare = raw.get("hostname").filter(|text| is_given && without_scheme(text));
    if let Some(url) = bare.and_then(|text| with_port(text, port)) {
        say!("  hostname is {url}");
        raw.set_argument(&format!("hostname={url}"))?;
    }
    Ok(())
}

async fn ask_all(questions: &mut Questionnaire<'_>) -> anyhow::Result<()> {
    say!("Each question shows its answer in brackets: Enter keeps it, - clears it.\n\nThe server");
    questions.ask("port", "Port for reports")?;
    questions.ask("http_port", "Port for the pages")?;
    questions.ask("hostname", "Address at which browsers reach the pages")?;
    questions.ask("data_dir_path", "Folder for the database and the mirror")?;

    say!("\nMail");
    loop {
        questions.ask("smtp_host", "HOST:PORT of the mail server")?;
        questions.ask("smtp_security", "Encryption: none, starttls or tls")?;
        questions.ask("smtp_user", "User name there (empty: none)")?;
        if questions.raw.get("smtp_user").is_some() {
            questions.ask("smtp_password", "Password")?;
        } else {
            questions.set("smtp_password", "")?;
            questions.set("smtp_password_file", "")?;
        }
        let config = Config::resolve(questions.raw)?;
        if show(check_smtp(&config).await) || questions.yes("Keep it anyway", false)? {
            break;
        }
    }
    questions.ask("email_domain_name", "Mail domain of the developers")?;
    let is_set = Config::resolve(questions.raw)?.addresses.ignore_vcs_domain;
    let all_here = questions.yes("Do all developers have addresses in this domain", is_set)?;
    if all_here != is_set {
        questions.set("ignore_vcs_email_domain", if all_here { "True" } else { "False" })?;
    }
    questions.ask("default_contact", "Who is notified when nobody can be blamed")?;

    say!("\nSign-in");
    let administrators = "Addresses of administrators (empty: who opens the first start's link)";
    questions.ask("administrators", administrators)?;
    questions.ask("allowed_email_domains", "Mail domains whose users may sign in (empty: none)")?;

    say!("\nRepository");
    loop {
        let has = |name| questions.raw.get(name).is_some();
        let cloned = !has("repo_dir") || has("repo_url") || has("repo_url_file");
        let question = "Should the server clone it (no: a folder that you keep up to date)";
        if questions.yes(question, cloned)? {
            questions.ask("repo_url", "Address to clone from")?;
        } else {
            questions.set("repo_url", "")?;
            questions.set("repo_url_file", "")?;
            questions.ask("repo_dir", "Folder of the repository")?;
        }
        questions
            .ask("repo_branch_pattern", "Regular expression for release branches (empty: HEAD)")?;
        let config = Config::resolve(questions.raw)?;
        if show(check_repository(&config).await) || questions.yes("Keep it anyway", false)? {
            return Ok(());
        }
    }
}
