//! The conversation with the mail server, step by step: the step that fails decides what happens to
//! the mail.
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Code, Severity};
use tokio::time::timeout;

use super::address;
use super::refusal::is_about_address;
use crate::config::{ConfigError, SmtpConfig, SmtpSecurity};

/// Sends messages, each on a connection of its own: on a reused connection, the end of a mail waits
/// 40 ms for the acknowledgement of its beginning.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    security: SmtpSecurity,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    from: String,
    time_limit: Duration,
}

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The mail server will never accept a mail to this address.
    #[error("{0}")]
    AddressRefused(String),
    /// The mail server will never accept this mail.
    #[error("{0}")]
    Refused(String),
    /// The mail server may accept this mail later.
    #[error("{0}")]
    Later(String),
    /// The mail server cannot be reached, or refuses our sender: other mails must wait as well.
    #[error("{0}")]
    Unreachable(String),
}

/// A server may scan a mail for a while before it accepts it: this many times `smtp_timeout`.
const TAKING_IS_SLOWER: u32 = 10;
/// Time limit for QUIT, whose reply does not matter.
const QUIT_TIME: Duration = Duration::from_secs(2);

impl Smtp {
    /// Prepares connections as configured.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, ConfigError> {
        let wrong = |problem: Error| {
            let hint = "Check smtp_ca_file and the system's certificates.";
            ConfigError::new("smtp_ca_file", problem.to_string(), hint)
        };
        let tls = || -> Result<TlsParameters, Error> {
            let mut tls = TlsParameters::builder(config.host.clone());
            if let Some(roots) = &config.extra_roots {
                tls = tls.add_root_certificate(Certificate::from_pem(roots)?);
            }
            tls.build()
        };
        let login = |(user, password): &(String, flawless_base::secret::Secret)| {
            Credentials::new(user.clone(), password.reveal().to_owned())
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            security: config.security,
            tls: match config.security {
                SmtpSecurity::None => None,
                SmtpSecurity::StartTls | SmtpSecurity::Tls => Some(tls().map_err(wrong)?),
            },
            login: config.login.as_ref().map(login),
            from: config.from.clone(),
            time_limit: config.timeout,
        })
    }

    /// Sends a message to one address, and calls `taken` as soon as the mail server accepts it.
    ///
    /// # Errors
    /// The mail server's words, and whether another attempt makes sense.
    pub async fn send(
        &self,
        to: &str,
        message: &[u8],
        taken: impl FnOnce(),
    ) -> Result<(), SendError> {
        let address =
            |text| address(text).map_err(|error| SendError::AddressRefused(error.to_string()));
        let (from, to) = (address(&self.from)?, address(to)?);
        let mut connection = self.connect().await.map_err(SendError::Unreachable)?;
        // A server that refuses the sender refuses every mail.
        let mail = connection.command(Mail::new(Some(from), Vec::new()));
        self.step(mail).await.map_err(|(_, words)| SendError::Unreachable(words))?;
        let rcpt = connection.command(Rcpt::new(to, Vec::new()));
        self.step(rcpt).await.map_err(about_recipient)?;
        self.step(connection.command(Data)).await.map_err(about_mail)?;
        let limit = self.time_limit * TAKING_IS_SLOWER;
        within(limit, connection.message(message)).await.map_err(about_mail)?;
        taken();
        let _ = timeout(QUIT_TIME, connection.quit()).await;
        Ok(())
    }

    /// Connects, encrypts, logs in and disconnects, for `flawless check` and the setup page.
    ///
    /// # Errors
    /// The mail server's words.
    pub async fn check(&self) -> Result<(), String> {
        let mut connection = self.connect().await?;
        let _ = timeout(QUIT_TIME, connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let hello = ClientId::default();
        let from_start = self.tls.clone().filter(|_| self.security == SmtpSecurity::Tls);
        let server = (self.host.as_str(), self.port);
        let limit = Some(self.time_limit);
        let opened = AsyncSmtpConnection::connect_tokio1(server, limit, &hello, from_start, None);
        let mut connection = self.step(opened).await.map_err(|(_, words)| words)?;
        if let (SmtpSecurity::StartTls, Some(tls)) = (self.security, &self.tls) {
            self.step(connection.starttls(tls.clone(), &hello))
                .await
                .map_err(|(_, words)| words)?;
        }
        if let Some(login) = &self.login {
            let login = connection.auth(DEFAULT_MECHANISMS, login);
            self.step(login).await.map_err(|(_, words)| words)?;
        }
        Ok(connection)
    }

    async fn step<T>(
        &self,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, (Option<Code>, String)> {
        within(self.time_limit, step).await
    }
}

/// The result of a step within the time limit; else the reply code, if any, and the words.
async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, (Option<Code>, String)> {
    match timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err((error.status(), words(&error))),
        Err(_) => Err((None, format!("the mail server took longer than {} s", limit.as_secs()))),
    }
}

/// A refusal for another reason than the address is about us, and may be over tomorrow.
fn about_recipient((code, words): (Option<Code>, String)) -> SendError {
    let number = code.map(u16::from);
    match about_mail((code, words)) {
        SendError::Refused(words) if is_about_address(number, &words) => {
            SendError::AddressRefused(words)
        }
        SendError::Refused(words) => SendError::Later(words),
        other => other,
    }
}

fn about_mail((code, words): (Option<Code>, String)) -> SendError {
    match code.map(|code| code.severity) {
        Some(Severity::PermanentNegativeCompletion) => SendError::Refused(words),
        _ => SendError::Later(words),
    }
}

/// The error and its causes in one line.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
