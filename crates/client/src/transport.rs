//! One connection to one server: framed TCP, or HTTP.
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use flawless_protocol::thrift::{LENGTH_PREFIX, ReplyError, decode_reply};
use rustls::crypto::ring;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use crate::authorities::Authorities;
use crate::endpoint::Endpoint;

/// Why a report did not arrive.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server was not reached: try another, or later.
    Away(String),
    /// The server cannot take the report now, or may have it: try another, or later.
    Later(String),
    /// The report was sent, but the server has not answered in time. It may have it and be slow.
    Unanswered(String),
    /// The server will never take this report.
    Refused(String),
}

impl Failure {
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Away(why) | Self::Later(why) | Self::Unanswered(why) | Self::Refused(why) => why,
        }
    }
}

/// A reply is "ok" or a sentence.
const LARGEST_REPLY: usize = 64 * 1024;

/// A connection that is kept while there is something to send.
pub(crate) enum Connection {
    Framed(TcpStream),
    Http { agent: Agent, url: String },
}

impl Connection {
    /// Connects, for framed TCP; HTTP connects with the first report.
    pub(crate) fn open(
        endpoint: &Endpoint,
        limit: Duration,
        authorities: Option<&Authorities>,
    ) -> Result<Self, Failure> {
        match endpoint {
            Endpoint::Framed { host, port } => connect(host, *port, limit)
                .map(Self::Framed)
                .map_err(|error| Failure::Away(error.to_string())),
            Endpoint::Http { url, .. } => {
                // The certificates that the machine trusts, including a company's own.
                let roots = authorities.map_or(RootCerts::PlatformVerifier, Authorities::roots);
                let tls = TlsConfig::builder()
                    .root_certs(roots)
                    .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
                let agent = Agent::config_builder()
                    .timeout_global(Some(limit))
                    .http_status_as_error(false)
                    .max_redirects(0)
                    .tls_config(tls.build())
                    .user_agent(concat!("flawless-client/", env!("CARGO_PKG_VERSION")))
                    .build();
                Ok(Self::Http { agent: agent.into(), url: url.clone() })
            }
        }
    }

    /// Sends one message and waits until the server has stored it durably.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        let reply = match self {
            Self::Framed(stream) => exchange(stream, message)?,
            Self::Http { agent, url } => {
                let (status, reply) = post(agent, url, message).map_err(|error| match error {
                    ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
                    | ureq::Error::ConnectionFailed
                    | ureq::Error::HostNotFound => Failure::Away(error.to_string()),
                    ureq::Error::Timeout(_) => Failure::Unanswered(error.to_string()),
                    _ => Failure::Later(with_hint(error.to_string())),
                })?;
                match status {
                    200 => reply,
                    // Something answers, but not our server: a proxy, or a server that is not
                    // ready.
                    404 | 408 | 429 | 500.. => {
                        return Err(Failure::Later(format!("it answers with HTTP {status}")));
                    }
                    _ => return Err(Failure::Refused(why(status, &reply))),
                }
            }
        };
        match decode_reply(&reply) {
            Ok(_) => Ok(()),
            Err(error @ (ReplyError::NotKept(_) | ReplyError::NoReply(_))) => {
                Err(Failure::Later(error.to_string()))
            }
            Err(error) => Err(Failure::Refused(error.to_string())),
        }
    }
}

/// Adds a hint to an error about a certificate.
fn with_hint(error: String) -> String {
    if !error.to_lowercase().contains("certificate") {
        return error;
    }
    format!(
        "{error}. If the server's certificate is self-signed or from a private authority, pass \
         the authority's certificate: flawless.init(ca_file=...) or the environment variable \
         SSL_CERT_FILE"
    )
}

fn why(status: u16, reply: &[u8]) -> String {
    match decode_reply(reply) {
        Err(error @ (ReplyError::KeyRefused(_) | ReplyError::Refused(_))) => error.to_string(),
        _ => format!("it answers with HTTP {status}"),
    }
}

fn connect(host: &str, port: u16, limit: Duration) -> std::io::Result<TcpStream> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("its host name has no address")))
}

fn exchange(stream: &mut TcpStream, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let later = |error: std::io::Error| Failure::Later(error.to_string());
    let length = u32::try_from(message.len()).map_err(std::io::Error::other).map_err(later)?;
    let mut frame = Vec::with_capacity(LENGTH_PREFIX + message.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    stream.write_all(&frame).map_err(later)?;
    read_reply(stream).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            Failure::Unanswered("it does not answer in time".to_owned())
        }
        _ => later(error),
    })
}

fn read_reply(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; LENGTH_PREFIX];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LARGEST_REPLY {
        return Err(std::io::Error::other("the server there is not a Flawless server"));
    }
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

fn post(agent: &Agent, url: &str, message: &[u8]) -> Result<(u16, Vec<u8>), ureq::Error> {
    let mut answer =
        agent.post(url).header("Content-Type", "application/x-thrift").send(message)?;
    let status = answer.status().as_u16();
    let reply = answer.body_mut().with_config().limit(LARGEST_REPLY as u64).read_to_vec()?;
    Ok((status, reply))
}
