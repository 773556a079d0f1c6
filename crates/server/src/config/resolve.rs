//! The configuration as the program uses it: typed and checked, with defaults.
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::{
    AddressPolicy, AutomationPatterns, ChoiceSettings, NotifiedEnvironments, is_mailable,
};
use flawless_git::{IgnoreRevs, Source, hide_credentials};
use flawless_store::sealing::Sealing;
use flawless_store::{PostgresSettings, ProjectId, Quotas};
use jiff::tz::TimeZone;

use super::browsed_url::browsed_url;
use super::error::ConfigError;
use super::file::RawConfig;
use super::forge::Forges;
use super::mailing::{MailSettings, SmtpConfig};
use super::mirror_intervals::MirrorIntervals;
use super::of_project::project_folder;
use super::option_def::OptionType;
use super::options::OPTIONS;
use super::redacting::RedactionConfig;
use super::signing_in::SignInConfig;
use super::typed::Options;

/// Everything the program needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where reports arrive over Thrift; `None` when that port is closed.
    pub thrift_address: Option<SocketAddr>,
    /// Where the pages are, and where reports arrive over HTTP.
    pub http_address: SocketAddr,
    /// `hostname` with its scheme and without a trailing slash; `None`: derived from the address
    /// that is listened on.
    pub base_url: Option<String>,
    /// Who may see the pages, and how people sign in.
    pub sign_in: SignInConfig,
    /// How commit addresses become addresses that are read.
    pub addresses: AddressPolicy,
    /// How mail is sent.
    pub smtp: SmtpConfig,
    /// How mails look, and how many are sent.
    pub mails: MailSettings,
    /// What is redacted from reports before they are stored.
    pub redaction: RedactionConfig,
    /// `encrypt_samples` and its keys.
    pub sealing: Sealing,
    /// `webhook_private_addresses`.
    pub webhook_private_addresses: bool,
    /// Folder of the embedded database and the mirrors.
    pub data_dir: PathBuf,
    /// `database_url`; `None`: the embedded database.
    pub database: Option<PostgresSettings>,
    /// Which line of a traceback is blamed.
    pub choice: ChoiceSettings,
    /// `report_only_after_minimum_date`, milliseconds since 1970 UTC.
    pub minimum_date: i64,
    /// `otlp_services`, in lower case.
    pub otlp_services: Vec<String>,
    /// `notify_environments`.
    pub environments: NotifiedEnvironments,
    /// `report_error_threshold`.
    pub error_threshold: u64,
    /// `max_concurrent_git_blames`, at least 1.
    pub max_blames: usize,
    /// The time zone of dates, days and weeks.
    pub timezone: TimeZone,
    /// `max_artifact_bytes`.
    pub artifact_bytes: i64,
    /// `retention_days`.
    pub retention: Duration,
    /// The git program.
    pub git: PathBuf,
    /// The repository; `None` when none is configured.
    pub repository: Option<Source>,
    /// `repo_branch_pattern`.
    pub branch_pattern: Option<Regex>,
    /// `submodules`: their paths, and where their repositories come from.
    pub submodules: Vec<(String, Source)>,
    /// `repo_web_url`, else derived from the repositories' addresses.
    pub forges: Forges,
    /// `ignore_revs_file`.
    pub ignore_revs: IgnoreRevs,
    /// Authors who are not people: the known bots and agents, and `automation_patterns`.
    pub automation: Arc<AutomationPatterns>,
    /// `author_gone_days`; 0: never.
    pub author_gone_days: u32,
    /// How often the mirror is brought up to date.
    pub mirror: MirrorIntervals,
    /// `max_report_bytes`.
    pub max_report_bytes: usize,
    /// `max_connections`.
    pub max_connections: usize,
    /// `memory_limit`, in bytes.
    pub memory_limit: usize,
    /// How much may be new per day.
    pub quotas: Quotas,
    /// `log_level` in the words of `tracing`.
    pub log_level: &'static str,
    /// `log_file`.
    pub log_file: Option<PathBuf>,
    /// `log_days_to_keep`.
    pub log_days: usize,
    /// What is not set up yet, in sentences for the person who starts the server.
    pub missing: Vec<String>,
    /// Where each option was set, for messages after the check.
    pub set_at: BTreeMap<&'static str, String>,
    /// Every option with its effective value, secrets hidden, for display.
    pub shown: BTreeMap<&'static str, String>,
    /// As typed: what projects set comes over it.
    pub raw: Arc<RawConfig>,
}

impl Config {
    /// Resolves and checks the typed configuration.
    ///
    /// # Errors
    /// The first value that is wrong, with its place and a hint.
    pub fn resolve(raw: &RawConfig) -> Result<Self, ConfigError> {
        Self::resolve_in(raw, None, None)
    }

    /// The same for a project, which has mirrors of its own. What takes long to make, and is the
    /// same as `like` has it, is shared.
    pub(super) fn resolve_in(
        raw: &RawConfig,
        project: Option<ProjectId>,
        like: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let same = |names: &[&str]| {
            like.filter(|like| names.iter().all(|name| like.raw.get(name) == raw.get(name)))
        };
        let options = Options { raw };
        let data_dir = match options.path("data_dir_path") {
            Some(dir) => dir,
            None => default_data_dir()?,
        };
        let mirrors = project_folder(&data_dir, project);
        let domain = options.text("email_domain_name").to_owned();
        if !is_mailable(&format!("flawless@{domain}")) {
            let problem = format!("{domain:?} is not a domain for mail addresses");
            return Err(options.wrong("email_domain_name", problem, "Write it like example.com."));
        }
        let default_contact = options.address("default_contact")?;
        let from = options.address("smtp_from")?.unwrap_or_else(|| format!("flawless@{domain}"));
        let timezone = options.timezone()?;
        let all = if raw.path.is_some() { "0.0.0.0" } else { "127.0.0.1" };
        let http_address = options.listen("http_host", "127.0.0.1", "http_port")?;
        let mut config = Self {
            thrift_address: match options.text("port") {
                "0" => None,
                _ => Some(options.listen("host", all, "port")?),
            },
            sign_in: options.sign_in(http_address)?,
            http_address,
            base_url: options.base_url()?,
            addresses: AddressPolicy {
                domain,
                ignore_vcs_domain: options.bool("ignore_vcs_email_domain")?,
                default_contact,
            },
            smtp: options.smtp(from)?,
            mails: options.mails()?,
            redaction: match same(&["redact_names", "redact_values", "redact_off"]) {
                Some(like) => options.redaction_with(like.redaction.rules.clone())?,
                None => options.redaction()?,
            },
            sealing: options.sealing()?,
            database: options.database()?,
            webhook_private_addresses: options.bool("webhook_private_addresses")?,
            choice: options.choice()?,
            minimum_date: options.date("report_only_after_minimum_date", &timezone)?,
            timezone,
            otlp_services: options
                .list("otlp_services")
                .iter()
                .map(|it| it.to_lowercase())
                .collect(),
            environments: NotifiedEnvironments::new(&options.list("notify_environments")),
            error_threshold: options.number("report_error_threshold")?,
            max_blames: options.count("max_concurrent_git_blames")?,
            artifact_bytes: i64::try_from(options.number("max_artifact_bytes")?)
                .unwrap_or(i64::MAX),
            retention: Duration::from_secs(
                (options.count("retention_days")? as u64).saturating_mul(86_400),
            ),
            git: options.git(),
            repository: options.repository(&mirrors)?,
            branch_pattern: options.pattern("repo_branch_pattern")?,
            submodules: options.submodules(&mirrors)?,
            forges: options.forges(&mirrors)?,
            ignore_revs: options.ignore_revs(),
            automation: match same(&["automation_patterns"]) {
                Some(like) => like.automation.clone(),
                None => options.automation()?,
            },
            author_gone_days: u32::try_from(options.number("author_gone_days")?)
                .unwrap_or(u32::MAX),
            mirror: MirrorIntervals::every(Duration::from_secs(
                options.number("repo_fetch_interval")?.max(1),
            )),
            max_report_bytes: options.count("max_report_bytes")?,
            max_connections: options.count("max_connections")?,
            memory_limit: options.memory_limit()?,
            quotas: options.quotas()?,
            log_level: options.log_level()?,
            log_file: options.path("log_file"),
            log_days: options.count("log_days_to_keep")?,
            data_dir,
            missing: Vec::new(),
            shown: BTreeMap::new(),
            set_at: OPTIONS.iter().map(|o| (o.name, raw.location(o.name))).collect(),
            raw: Arc::new(raw.clone()),
        };
        options.word("repo_type")?;
        config.missing = options.missing(&config.sign_in);
        config.shown = options.shown(&config);
        Ok(config)
    }
}

fn default_data_dir() -> Result<PathBuf, ConfigError> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let share = from("XDG_DATA_HOME").or_else(|| Some(from("HOME")?.join(".local/share")));
    share.map(|share| share.join("flawless")).ok_or_else(|| {
        ConfigError::new("data_dir_path", "not set, and there is no HOME", "Set data_dir_path.")
    })
}

impl Options<'_> {
    fn listen(
        &self,
        host: &'static str,
        default_host: &str,
        port: &'static str,
    ) -> Result<SocketAddr, ConfigError> {
        let typed = self.text(port);
        let number = if typed.eq_ignore_ascii_case("any") { Ok(0) } else { typed.parse() };
        let number: u16 = number.map_err(|_| {
            let hint = "Write a number from 0 to 65535, or any for a free one.";
            self.wrong(port, format!("{typed:?} is not a port"), hint)
        })?;
        let name = self.raw.get(host).unwrap_or(default_host);
        if let Ok(ip) = name.parse::<IpAddr>() {
            return Ok(SocketAddr::new(ip, number));
        }
        let found = (name, number).to_socket_addrs().ok().and_then(|mut all| all.next());
        found.ok_or_else(|| {
            let hint = "Write an address of this machine, like 127.0.0.1 or 0.0.0.0.";
            self.wrong(host, format!("{name:?} is not an address of this machine"), hint)
        })
    }

    fn base_url(&self) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.raw.get("hostname") else { return Ok(None) };
        browsed_url(text).map(Some).ok_or_else(|| {
            self.wrong(
                "hostname",
                format!("{text:?} is not a web address"),
                "Write it like http://flawless.example.com:8080.",
            )
        })
    }

    pub(super) fn repository(&self, data_dir: &Path) -> Result<Option<Source>, ConfigError> {
        let dir = self.path("repo_dir");
        let Some(url) = self.secret("repo_url")? else { return Ok(dir.map(Source::Folder)) };
        let url = url.reveal().to_owned();
        if url.starts_with('-') || url.contains(char::is_control) || url.starts_with("ext::") {
            let hint = "Write an address like https://example.com/shop.git, or a path.";
            return Err(self.wrong("repo_url", "is not the address of a repository", hint));
        }
        let dir = dir.unwrap_or_else(|| data_dir.join("mirror.git"));
        Ok(Some(Source::Clone { url, dir }))
    }

    fn database(&self) -> Result<Option<PostgresSettings>, ConfigError> {
        let Some(url) = self.secret("database_url")? else { return Ok(None) };
        let connections = u32::try_from(self.count("database_connections")?).unwrap_or(u32::MAX);
        let settings = PostgresSettings { url, connections: connections.max(2) };
        settings.check().map_err(|error| {
            let hint = "Write it like postgres://flawless:PASSWORD@db.example.com/flawless.";
            self.wrong("database_url", error.to_string(), hint)
        })?;
        Ok(Some(settings))
    }

    fn log_level(&self) -> Result<&'static str, ConfigError> {
        Ok(match self.word("log_level")? {
            "DEBUG" => "debug",
            "WARNING" => "warn",
            "ERROR" | "CRITICAL" => "error",
            _ => "info",
        })
    }

    fn missing(&self, sign_in: &SignInConfig) -> Vec<String> {
        let mut missing = Vec::new();
        let mut note = |is_missing: bool, text: &str| {
            if is_missing {
                missing.push(text.to_owned());
            }
        };
        let unset = |name: &str| self.raw.get(name).is_none();
        note(
            unset("repo_dir") && unset("repo_url") && unset("repo_url_file"),
            "no repository: nobody can be blamed until repo_dir or repo_url is set",
        );
        note(unset("smtp_host"), "no mail server: smtp_host is not set, localhost:25 is tried");
        note(
            unset("default_contact"),
            "no default_contact: nobody is notified of errors that nobody can be blamed for",
        );
        note(
            sign_in.required && !sign_in.allows_somebody(),
            "nobody may sign in except by the administrator's link: set administrators, \
             allowed_email_domains or allowed_emails",
        );
        missing
    }

    fn shown(&self, config: &Config) -> BTreeMap<&'static str, String> {
        let mut shown = BTreeMap::new();
        for option in OPTIONS.iter().filter(|option| option.kind != OptionType::Unused) {
            let twin = format!("{}_file", option.name);
            let value = match (option.name, option.secret) {
                ("repo_url", _) => self.raw.get("repo_url").map(hide_credentials),
                ("submodules", _) => Some(hide_credentials(self.text("submodules"))),
                (_, true) if self.raw.get(option.name).is_some() => Some("***".to_owned()),
                (_, true) => None,
                ("data_dir_path", _) => Some(config.data_dir.display().to_string()),
                ("host", _) => config.thrift_address.map(|address| address.ip().to_string()),
                (_, false) => Some(self.text(option.name).to_owned()),
            };
            let from_file = option.secret.then(|| self.raw.get(&twin)).flatten();
            let from_file = from_file.map(|file| format!("(from {file})"));
            shown.insert(option.name, value.or(from_file).unwrap_or_default());
        }
        shown
    }
}
