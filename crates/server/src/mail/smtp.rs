//! The connection to the mail server.
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Severity;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use tokio::time::timeout;

use super::{MailError, address};
use crate::config::{ConfigError, SmtpConfig, SmtpSecurity};

/// Sends whole messages.
#[derive(Debug, Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: String,
    time_limit: Duration,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The mail server will never take this mail.
    #[error("{0}")]
    Refused(String),
    /// It may take it later.
    #[error("{0}")]
    Later(String),
    /// It cannot be talked to at all, so other mails need not be tried now.
    #[error("{0}")]
    Unreachable(String),
}

impl Smtp {
    /// Connects as `config` says, anew for each mail: on a connection that is kept, the end of a
    /// mail waits 40 ms for the acknowledgement of its beginning.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, ConfigError> {
        let wrong = |problem: lettre::transport::smtp::Error| {
            let mend = "Check smtp_ca_file and the system's certificates.";
            ConfigError::new("smtp_ca_file", problem.to_string(), mend)
        };
        let tls = || -> Result<TlsParameters, lettre::transport::smtp::Error> {
            let mut tls = TlsParameters::builder(config.host.clone());
            if let Some(roots) = &config.extra_roots {
                tls = tls.add_root_certificate(Certificate::from_pem(roots)?);
            }
            tls.build()
        };
        let tls = match config.security {
            SmtpSecurity::None => Tls::None,
            SmtpSecurity::StartTls => Tls::Required(tls().map_err(wrong)?),
            SmtpSecurity::Tls => Tls::Wrapper(tls().map_err(wrong)?),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(config.timeout))
            .tls(tls);
        let builder = match &config.login {
            Some((user, password)) => {
                builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()))
            }
            None => builder,
        };
        let transport = builder.build();
        Ok(Self { transport, from: config.from.clone(), time_limit: config.timeout })
    }

    /// Sends a message to one address.
    ///
    /// # Errors
    /// The mail server's words, and whether another try makes sense.
    pub async fn send(&self, to: &str, message: &[u8]) -> Result<(), SendError> {
        let refused = |error: MailError| SendError::Refused(error.to_string());
        let from = address(&self.from).map_err(refused)?;
        let to = address(to).map_err(refused)?;
        let envelope = Envelope::new(Some(from), vec![to])
            .map_err(|error| SendError::Refused(error.to_string()))?;
        let sending = self.transport.send_raw(&envelope, message);
        match timeout(self.time_limit, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(SendError::Unreachable(self.too_slow())),
        }
    }

    /// Connects, encrypts, logs in, and goes away.
    ///
    /// # Errors
    /// The mail server's words.
    pub async fn check(&self) -> Result<(), String> {
        match timeout(self.time_limit, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the mail server does not answer as one".into()),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err(self.too_slow()),
        }
    }

    fn too_slow(&self) -> String {
        format!("the mail server took longer than {} s", self.time_limit.as_secs())
    }
}

fn classify(error: &lettre::transport::smtp::Error) -> SendError {
    let text = words(error);
    match error.status() {
        // 530, 534, 535, 538: the login is wrong. That is a matter of the configuration and of
        // no single mail, so the mails wait.
        Some(code) if u16::from(code) / 10 == 53 => SendError::Unreachable(text),
        // 421: the server goes down or wants no more connections.
        Some(code) if u16::from(code) == 421 => SendError::Unreachable(text),
        Some(code) if code.severity == Severity::PermanentNegativeCompletion => {
            SendError::Refused(text)
        }
        Some(_) => SendError::Later(text),
        None => SendError::Unreachable(text),
    }
}

/// The error with its causes.
fn words(error: &lettre::transport::smtp::Error) -> String {
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
