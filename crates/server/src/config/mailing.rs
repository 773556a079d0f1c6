//! How mails look, how many are sent, and how.
use std::time::Duration;

use flawless_base::secret::Secret;
use jiff::civil::Weekday;

use super::error::ConfigError;
use super::typed::Options;

/// How mails look, and how many are sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `subject_style`.
    pub subject_style: SubjectStyle,
    /// `mail_locals`.
    pub locals: MailLocals,
    /// `digest_minutes`: alerts within this time of somebody's last mail share one mail; zero: each
    /// gets its own.
    pub digest: Duration,
    /// `mails_per_person_per_hour`; `None` for no limit.
    pub per_person: Option<u32>,
    /// `mails_per_hour`; `None` for no limit.
    pub per_hour: Option<u32>,
    /// `baseline_hours`.
    pub baseline: Duration,
    /// The day of `weekly_report`; `None` when it is off.
    pub weekly: Option<Weekday>,
    /// `leaderboard`.
    pub leaderboard: Leaderboard,
}

/// What the subject of an alert names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectStyle {
    /// The exception, the function and the file.
    Detailed,
    /// The host and the file, as 0.4.5 did.
    Classic,
}

/// What mails show of local variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailLocals {
    /// Names and values.
    Values,
    /// Names only.
    Names,
    /// Nothing.
    None,
}

/// What the weekly report says about other people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaderboard {
    /// Who resolved how much.
    Names,
    /// What the team resolved.
    Totals,
    /// Nothing.
    Off,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// Name or address of the mail server.
    pub host: String,
    /// The port of the mail server.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: SmtpSecurity,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Certificates to trust besides the system's, PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// `smtp_timeout`, for each step.
    pub timeout: Duration,
    /// Sender of the mails.
    pub from: String,
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Not at all.
    None,
    /// From the STARTTLS command on, which must succeed.
    StartTls,
    /// From the first byte.
    Tls,
}

impl Options<'_> {
    pub(super) fn mails(&self) -> Result<MailSettings, ConfigError> {
        let limit = |name| -> Result<Option<u32>, ConfigError> {
            let number = u32::try_from(self.number(name)?).unwrap_or(u32::MAX);
            Ok(Some(number).filter(|number| *number > 0))
        };
        Ok(MailSettings {
            subject_style: match self.word("subject_style")? {
                "classic" => SubjectStyle::Classic,
                _ => SubjectStyle::Detailed,
            },
            locals: match self.word("mail_locals")? {
                "none" => MailLocals::None,
                "names" => MailLocals::Names,
                _ => MailLocals::Values,
            },
            digest: Duration::from_secs(self.number("digest_minutes")?.min(24 * 60) * 60),
            per_person: limit("mails_per_person_per_hour")?,
            per_hour: limit("mails_per_hour")?,
            baseline: Duration::from_secs(self.number("baseline_hours")?.saturating_mul(3_600)),
            weekly: match self.word("weekly_report")? {
                "Tuesday" => Some(Weekday::Tuesday),
                "Wednesday" => Some(Weekday::Wednesday),
                "Thursday" => Some(Weekday::Thursday),
                "Friday" => Some(Weekday::Friday),
                "Saturday" => Some(Weekday::Saturday),
                "Sunday" => Some(Weekday::Sunday),
                "off" => None,
                _ => Some(Weekday::Monday),
            },
            leaderboard: match self.word("leaderboard")? {
                "names" => Leaderboard::Names,
                "off" => Leaderboard::Off,
                _ => Leaderboard::Totals,
            },
        })
    }

    pub(super) fn smtp(&self, from: String) -> Result<SmtpConfig, ConfigError> {
        let text = self.text("smtp_host");
        let (host, port) = text.rsplit_once(':').unwrap_or((text, "25"));
        let Ok(port) = port.parse() else {
            let hint = "Write it as HOST:PORT, like localhost:25.";
            return Err(self.wrong("smtp_host", format!("{text:?} has no valid port"), hint));
        };
        let security = match (self.word("smtp_security")?, self.bool("smtp_use_tls")?) {
            ("tls", _) => SmtpSecurity::Tls,
            ("starttls", _) | ("", true) => SmtpSecurity::StartTls,
            _ => SmtpSecurity::None,
        };
        let login = match (self.raw.get("smtp_user"), self.secret("smtp_password")?) {
            (Some(user), Some(password)) => Some((user.to_owned(), password)),
            (Some(_), None) => {
                let hint = "Set smtp_password or smtp_password_file, or leave out smtp_user.";
                return Err(self.wrong("smtp_user", "there is no password for it", hint));
            }
            (None, _) => None,
        };
        let extra_roots = match self.path("smtp_ca_file") {
            None => None,
            Some(path) => Some(std::fs::read(&path).map_err(|error| {
                let problem = format!("{} cannot be read: {error}", path.display());
                self.wrong("smtp_ca_file", problem, "Name a file of PEM certificates.")
            })?),
        };
        Ok(SmtpConfig {
            host: host.to_owned(),
            port,
            security,
            login,
            extra_roots,
            timeout: Duration::from_secs(self.number("smtp_timeout")?.max(1)),
            from,
        })
    }
}
