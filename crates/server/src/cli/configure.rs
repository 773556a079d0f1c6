//! `flawless configure`: a short questionnaire, or `--set`, becomes flawless.cfg. Each answer is
//! tried at once.
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::check::{check_repository, check_smtp};
use super::{ConfArgument, Failure, print};
use crate::config::{Config, RawConfig, find_option, write_config};
use crate::store::make_private_folder;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.conf.conf.clone().unwrap_or_else(|| PathBuf::from("flawless.cfg"));
    let path = std::path::absolute(&path)?;
    let mut raw = RawConfig::default();
    if path.exists() {
        raw = RawConfig::read(&path)?;
        // Comments in it are not written again.
        std::fs::copy(&path, path.with_extension("cfg.bak"))?;
    }
    // Relative paths count from the folder of the file that is being written.
    raw.path = Some(path.clone());
    if arguments.conf.set.is_empty() {
        Questionnaire { raw: &mut raw }.ask_all().await?;
    } else {
        arguments.conf.set.iter().try_for_each(|argument| raw.set_argument(argument))?;
        let config = Config::resolve(&raw)?;
        if let Some(problem) = unwritable(&config.data_dir) {
            show(Err(problem));
        }
        for result in [check_repository(&config).await, check_smtp(&config).await] {
            show(result);
        }
    }
    let config = Config::resolve(&raw)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_config(&raw, &path)?;
    say!("\n{} was written. It holds what you typed and is readable by you only.", path.display());
    say!("Start the server with:\n\n    flawless start -conf {}\n", path.display());
    let base_url = config.base_url.unwrap_or_else(|| format!("http://{}", config.http_address));
    say!("Then look at {base_url}/check_health");
    Ok(ExitCode::SUCCESS)
}

fn show(result: Result<String, String>) -> bool {
    match &result {
        Ok(text) => say!("  ok: {text}"),
        Err(text) => say!("  PROBLEM: {text}"),
    }
    result.is_ok()
}

struct Questionnaire<'a> {
    raw: &'a mut RawConfig,
}

impl Questionnaire<'_> {
    async fn ask_all(&mut self) -> Result<(), Failure> {
        say!("Each question shows its default in brackets; Enter takes it.\n\nThe server");
        self.ask("port", "Port for reports")?;
        self.ask("http_port", "Port for the pages")?;
        self.ask("hostname", "Address under which browsers reach the pages")?;
        self.ask("data_dir_path", "Folder for the database and the mirror")?;

        say!("\nMail");
        loop {
            self.ask("smtp_host", "HOST:PORT of the mail server")?;
            self.ask("smtp_security", "Encryption: none, starttls or tls")?;
            self.ask("smtp_user", "User name there (empty: none)")?;
            if self.raw.get("smtp_user").is_some() {
                self.ask("smtp_password", "Password")?;
            }
            let config = Config::resolve(self.raw)?;
            if show(check_smtp(&config).await) || self.yes("Keep it anyway", false)? {
                break;
            }
        }
        self.ask("email_domain_name", "Mail domain of the developers")?;
        let all_here = self.raw.get("ignore_vcs_email_domain") == Some("True");
        let all_here = self.yes("Are the addresses of all developers in this domain", all_here)?;
        self.set("ignore_vcs_email_domain", if all_here { "True" } else { "False" })?;
        self.ask("default_contact", "Who is told when nobody can be blamed")?;

        say!("\nSign-in");
        let administrators =
            "Addresses of administrators (empty: who opens the first start's link)";
        self.ask("administrators", administrators)?;
        self.ask("allowed_email_domains", "Mail domains whose people may sign in (empty: none)")?;

        say!("\nRepository");
        loop {
            let cloned = self.raw.get("repo_dir").is_none() || self.raw.get("repo_url").is_some();
            if self
                .yes("Should the server clone it (no: a folder that you keep current)", cloned)?
            {
                self.ask("repo_url", "Address to clone from")?;
            } else {
                self.set("repo_url", "")?;
                self.ask("repo_dir", "Folder of the repository")?;
            }
            self.ask(
                "repo_branch_pattern",
                "Regular expression of release branches (empty: HEAD)",
            )?;
            let config = Config::resolve(self.raw)?;
            if show(check_repository(&config).await) || self.yes("Keep it anyway", false)? {
                return Ok(());
            }
        }
    }

    /// Asks until the answer is a valid value of the option.
    fn ask(&mut self, option: &str, question: &str) -> Result<(), Failure> {
        let definition = find_option(option);
        let secret = definition.is_some_and(|definition| definition.secret);
        let default = self.raw.get(option).or(definition.map(|d| d.default)).unwrap_or_default();
        let shown = if secret && !default.is_empty() { "as before" } else { default }.to_owned();
        let before = default.to_owned();
        loop {
            let answer = read_answer(&format!("{question} [{shown}]: "), secret)?;
            let answer = if answer.is_empty() { before.clone() } else { answer };
            self.set(option, &answer)?;
            match self.problem(option) {
                None => return Ok(()),
                Some(problem) => say!("  PROBLEM: {problem}"),
            }
        }
    }

    /// What is wrong with this option, when something is.
    fn problem(&self, option: &str) -> Option<String> {
        let mut only = RawConfig::default();
        only.path.clone_from(&self.raw.path);
        let value = self.raw.get(option)?;
        only.set_argument(&format!("{option}={value}")).ok()?;
        if option == "smtp_user" {
            return None;
        }
        if let Err(error) = Config::resolve(&only) {
            return Some(format!("{}. {}", error.problem, error.mend));
        }
        let in_use = |port: &str| -> Option<String> {
            let port: u16 = port.parse().ok()?;
            let error = std::net::TcpListener::bind(("127.0.0.1", port)).err()?;
            Some(format!("port {port} cannot be used: {error}. Choose another one."))
        };
        match option {
            "port" | "http_port" => in_use(value),
            "data_dir_path" => unwritable(&Config::resolve(self.raw).ok()?.data_dir),
            _ => None,
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), Failure> {
        Ok(self.raw.set_argument(&format!("{option}={value}"))?)
    }

    fn yes(&self, question: &str, default: bool) -> Result<bool, Failure> {
        let shown = if default { "y" } else { "n" };
        loop {
            let answer = read_answer(&format!("{question}, y or n [{shown}]? "), false)?;
            match answer.to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => say!("  Type y or n."),
            }
        }
    }
}

fn unwritable(folder: &Path) -> Option<String> {
    let tried = make_private_folder(folder)
        .and_then(|()| tempfile::Builder::new().prefix(".flawless").tempfile_in(folder));
    let error = tried.err()?;
    Some(format!("{} cannot be written: {error}. Choose another folder.", folder.display()))
}

fn read_answer(prompt: &str, secret: bool) -> Result<String, Failure> {
    if secret && std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?.trim().to_owned());
    }
    print(prompt)?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err(Failure::new(
            "the input ended before all questions were answered; nothing was written. \
             Without questions: flawless configure --set option=value …",
        ));
    }
    Ok(line.trim().to_owned())
}
