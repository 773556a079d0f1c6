//! `flawless check`: tests everything that the server needs, before it is started.
use std::process::ExitCode;

use flawless_base::clock::Clock;
use flawless_base::plural::counted;
use flawless_git::process::GitProgram;
use flawless_git::{GitError, Mirror, Repository, Source, probe_remote};
use flawless_store::{DEFAULT_PROJECT, PostgresSettings, Store, StoreError};
use url::Url;

use super::ConfArgument;
use super::open::open;
use crate::app::open_store::open_store;
use crate::attribution::mirror_settings;
use crate::config::{Config, SmtpSecurity, with_port};
use crate::mail::Smtp;
use crate::project::redaction::slow_text;
use crate::query::health::unreadable_in_words;
use crate::sign_in::OpenId;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.conf.resolve()?;
    say!("ok       configuration");
    let mut all_ok = true;
    let mut report = |name: &str, result: Result<String, String>| match result {
        Ok(text) => say!("ok       {name}: {text}"),
        Err(text) => {
            all_ok = false;
            say!("PROBLEM  {name}: {text}");
        }
    };
    let at = &config.set_at["port"];
    let thrift = match config.thrift_address {
        Some(address) => format!("{address} over thrift"),
        None => format!("the thrift port is closed ({at} = 0): older clients cannot report"),
    };
    report("reports", Ok(format!("{thrift}; http://{}/thrift over HTTP", config.http_address)));
    if let Some(text) = pages_elsewhere(&config) {
        say!("note     pages: {text}");
    }
    report("store", check_store(&config).await);
    report("values", check_sealing(&config).await);
    report("repository", check_repository(&config).await);
    for (name, checked) in check_projects(&config).await {
        report(&format!("repository of {name}"), checked);
    }
    report("mail server", check_smtp(&config).await);
    report("sign-in", check_sign_in(&config).await);
    for text in slow_patterns(&config) {
        say!("note     redaction: {text}");
    }
    for text in &config.missing {
        say!("missing  {text}");
    }
    Ok(if all_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A warning about a `hostname` without a port: links in mails lead there, and without a proxy in
/// between they miss the port of the pages.
fn pages_elsewhere(config: &Config) -> Option<String> {
    let url = Url::parse(config.base_url.as_deref()?).ok()?;
    let (linked, listened) = (url.port_or_known_default()?, config.http_address.port());
    let meant = with_port(url.as_str(), listened).filter(|_| linked != listened)?;
    let at = &config.set_at["hostname"];
    Some(format!(
        "{at}: {url} has no port, so links in mails lead to port {linked}, but the pages are on \
         port {listened} (http_port). Unless a proxy forwards them, write {meant}"
    ))
}

/// The user's patterns that are too slow for some long texts. Such texts are rare, but anybody can
/// send one.
fn slow_patterns(config: &Config) -> Vec<String> {
    let patterns = &config.redaction.rules.extra_values;
    let slow = patterns.iter().filter_map(|pattern| {
        let text = slow_text(pattern)?;
        Some(format!(
            "{}: the pattern {pattern:?} takes too long for a long text, such as {text:?} \
             repeated; a text that is not searched in time is redacted as a whole. Write it so \
             that it does not backtrack: no look-ahead with .* in it, no repetition within a \
             repetition",
            config.set_at["redact_values"]
        ))
    });
    slow.collect()
}

async fn check_store(config: &Config) -> Result<String, String> {
    let place = match &config.database {
        None => config.data_dir.display().to_string(),
        Some(settings) => check_database(settings).await?,
    };
    let now = Clock::system().now();
    let written = async {
        let store = open_store(config, now).await?;
        let mut tx = store.write().await?;
        tx.touch(now).await?;
        tx.commit().await?;
        store.close().await;
        Ok::<_, StoreError>(())
    };
    written.await.map_err(|error| error.to_string())?;
    Ok(format!("{place} can be written"))
}

/// Whether a database has what is needed; returns its name and version.
async fn check_database(settings: &PostgresSettings) -> Result<String, String> {
    let report = Store::check_postgres(settings).await.map_err(|error| error.to_string())?;
    let name = settings.shown();
    if !report.problems.is_empty() {
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        return Err(format!("{name}: {}", problems.join("; ")));
    }
    let encrypted = match report.is_encrypted {
        Some(false) => ", not encrypted on the way",
        _ => "",
    };
    Ok(format!("{name}, {} {}{encrypted},", report.kind, report.version))
}

/// Whether stored values are encrypted, and can be read.
async fn check_sealing(config: &Config) -> Result<String, String> {
    let keys = config.sealing.key_count();
    let unreadable = async {
        let store = open_store(config, Clock::system().now()).await?;
        let unreadable = store.unreadable_values().await?;
        store.close().await;
        Ok::<_, StoreError>(unreadable)
    };
    match unreadable.await {
        // The check of the store has said why.
        Ok(0) | Err(_) => {}
        Ok(number) => return Err(unreadable_in_words(number)),
    }
    Ok(match config.sealing.seals() {
        true => {
            format!("samples, waiting reports and mails in the outbox are encrypted; keys: {keys}")
        }
        false => "samples are stored unencrypted (encrypt_samples = False)".to_owned(),
    })
}

/// Whether the repositories of the other projects can be read, by the project's name.
async fn check_projects(config: &Config) -> Vec<(String, Result<String, String>)> {
    // The check of the store has said why it cannot be opened.
    let Ok(app) = open(config.clone()).await else { return Vec::new() };
    let mut checked = Vec::new();
    for project in app.projects.all() {
        if project.project_id() != DEFAULT_PROJECT && project.project.row.archived_at.is_none() {
            let repository = check_repository(&project.config).await;
            checked.push((project.project.name().to_owned(), repository));
        }
    }
    app.store.close().await;
    checked
}

/// Whether the repository can be read, and which branch is running.
pub(super) async fn check_repository(config: &Config) -> Result<String, String> {
    let git = GitProgram::new(&config.git);
    let pattern = config.branch_pattern.as_ref();
    match &config.repository {
        None => Err("none is configured. Set repo_dir or repo_url".into()),
        Some(Source::Folder(dir)) => {
            let wrong = |error: GitError| match error {
                GitError::NoTip(_) if pattern.is_some() => no_branch(config, &error),
                GitError::Start { .. } => {
                    format!("{}: {error}. Set git's path", config.set_at["git_cli_path"])
                }
                error => {
                    let at = &config.set_at["repo_dir"];
                    format!("{at}: {error}. Set the folder of a readable git repository")
                }
            };
            let repository = Repository::open(git, dir).await.map_err(wrong)?;
            let (reference, commit) = repository.tip(pattern).await.map_err(wrong)?;
            let shallow = repository.is_shallow().await.map_err(wrong)?;
            let warning = match shallow {
                true => {
                    "; it is a shallow clone: older lines cannot be blamed. Fetch them with git \
                         fetch --unshallow"
                }
                false => "",
            };
            let warning = warning.to_owned() + &list_warnings(config).await;
            Ok(format!("{} at {} of {reference}{warning}", dir.display(), commit.short()))
        }
        Some(Source::Clone { url, .. }) => {
            let at = config.set_at["repo_url"].as_str();
            let branch = probe_remote(&git, url, pattern).await.map_err(|error| match error {
                GitError::NoTip(_) if pattern.is_some() => no_branch(config, &error),
                error => {
                    format!("{at}: {error}. Check the address, the credentials and the network")
                }
            })?;
            let warning = list_warnings(config).await;
            Ok(format!("the remote answers; {branch} is the running branch{warning}"))
        }
    }
}

/// What is wrong with the repository's own lists: of names, of ignored commits, of owners.
async fn list_warnings(config: &Config) -> String {
    // A mirror is read in place: this command clones nothing.
    let (Some(Source::Folder(dir) | Source::Clone { dir, .. }), Ok(scratch)) =
        (config.repository.clone(), tempfile::tempdir())
    else {
        return String::new();
    };
    let source = Source::Folder(dir);
    let opened = Mirror::open(mirror_settings(config, source, scratch.path().to_owned())).await;
    let warnings = opened.map(|mirror| mirror.warnings()).unwrap_or_default();
    warnings.iter().map(|warning| format!("; {warning}")).collect()
}

fn no_branch(config: &Config, error: &GitError) -> String {
    let at = &config.set_at["repo_branch_pattern"];
    format!("{at}: {error}. The pattern must match a branch's name from its start")
}

/// How people sign in.
async fn check_sign_in(config: &Config) -> Result<String, String> {
    let sign_in = &config.sign_in;
    if !sign_in.required {
        return Ok(
            "not required (auth = off): everybody on this machine is an administrator".into()
        );
    }
    let mut ways = vec!["by a link in a mail".to_owned()];
    if let Some(open_id) = &sign_in.open_id {
        let checked = OpenId::new(open_id).check(Clock::system().now()).await;
        checked.map_err(|error| {
            let at = &config.set_at["oidc_issuer"];
            format!("{at}: {error}. Check the address; sign-in by mail works without it")
        })?;
        ways.push(format!("with {}, which answers", open_id.name));
    }
    if let Some(header) = &sign_in.proxy_header {
        ways.push(format!("by the header {header} from trusted_proxies"));
    }
    let people = match sign_in.allows_somebody() {
        true => format!(
            "allowed: {}, {} and {}",
            counted(sign_in.administrators.len(), "administrator", "administrators"),
            counted(sign_in.allowed_emails.len(), "address", "addresses"),
            counted(sign_in.allowed_domains.len(), "domain", "domains"),
        ),
        false => "nobody is allowed yet except by the link that flawless start prints".into(),
    };
    let here = config.http_address.ip().is_loopback();
    let is_clear = match config.base_url.as_deref().and_then(|url| url::Url::parse(url).ok()) {
        None => !here,
        // Nothing leaves this machine.
        Some(url) => url.scheme() != "https" && !is_loopback(&url),
    };
    let warning = match is_clear {
        true => {
            "; sign-ins cross the network unencrypted: put a TLS proxy in front and set hostname \
                 to its https address"
        }
        false => "",
    };
    Ok(format!("{}; {people}{warning}", ways.join(", ")))
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the mail server can be used.
pub(super) async fn check_smtp(config: &Config) -> Result<String, String> {
    let smtp = &config.smtp;
    let at = config.set_at["smtp_host"].as_str();
    let server = Smtp::new(smtp).map_err(|error| error.to_string())?;
    server.check().await.map_err(|words| {
        format!(
            "{at}: {}:{}: {words}. Check smtp_host, smtp_security and the login; mails wait in \
             the outbox until it works",
            smtp.host, smtp.port
        )
    })?;
    let clear = smtp.security == SmtpSecurity::None && smtp.login.is_some();
    let warning = if clear { "; the password is sent in the clear: set smtp_security" } else { "" };
    Ok(format!("{}:{} answers{warning}", smtp.host, smtp.port))
}
