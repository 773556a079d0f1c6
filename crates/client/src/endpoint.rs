//! The address of a server, as a program gives it.
use url::Url;

/// One address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Framed Thrift over TCP, which 0.4.5's servers speak.
    Framed {
        /// Host name or IP address; an IPv6 address without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// `POST /thrift` with a project key.
    Http {
        /// The full URL of the endpoint.
        url: String,
        /// The key of the project.
        key: String,
    },
}

/// The address cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {problem}. {hint}")]
pub struct EndpointError {
    what: String,
    problem: String,
    hint: &'static str,
}

const DSN_HINT: &str = "Take the address that `flawless projects` prints, \
    such as http://KEY@flawless.example.com:8080/shop";
const HOSTPORT_HINT: &str = "Write host:port, such as flawless.example.com:9028";

impl Endpoint {
    /// Reads `http(s)://KEY@host:port/PROJECT`.
    ///
    /// # Errors
    /// The text is not such an address. The error says what is missing, and does not repeat the
    /// key.
    pub fn from_dsn(dsn: &str) -> Result<Self, EndpointError> {
        let error = |problem: &str| EndpointError {
            what: "the address of the server (dsn)".to_owned(),
            problem: problem.to_owned(),
            hint: DSN_HINT,
        };
        let mut url = Url::parse(dsn.trim()).map_err(|why| error(&why.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(error("it must begin with http:// or https://"));
        }
        if is_of_sentry(&url) {
            return Err(error(
                "it is the DSN of a Sentry server, and this client reports to Flawless",
            ));
        }
        let key = url.username().to_owned();
        if key.is_empty() {
            return Err(error("it has no key before the host"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(error("it has no host"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let Some((prefix, project)) = path.rsplit_once('/') else {
            return Err(error("it has no project after the host"));
        };
        if project.is_empty() {
            return Err(error("it has no project after the host"));
        }
        url.set_path(&format!("{prefix}/thrift"));
        url.set_query(None);
        url.set_fragment(None);
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| error("it has no host"))?;
        Ok(Self::Http { url: url.into(), key })
    }

    /// Reads `host:port`, also `[::1]:9028`.
    ///
    /// # Errors
    /// The text is not such a pair.
    pub fn from_hostport(hostport: &str) -> Result<Self, EndpointError> {
        let error = |problem: &str| EndpointError {
            what: format!("the server {hostport:?}"),
            problem: problem.to_owned(),
            hint: HOSTPORT_HINT,
        };
        let (host, port) =
            hostport.trim().rsplit_once(':').ok_or_else(|| error("it has no port"))?;
        let port = port.parse().ok().filter(|&port| port != 0);
        let port = port.ok_or_else(|| error("its port is not a number from 1 to 65535"))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let broken = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '[' | ']');
        if host.is_empty() || host.contains(broken) {
            return Err(error("its host is not a host name or IP address"));
        }
        if bare.is_none() && host.contains(':') {
            return Err(error("an IPv6 address needs brackets"));
        }
        Ok(Self::Framed { host: host.to_owned(), port })
    }
}

/// Recognizes Sentry's own service, and older DSNs, which have a secret part.
fn is_of_sentry(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "sentry.io" || host.ends_with(".sentry.io") || url.password().is_some()
}

/// Shows the address without the key.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Framed { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Framed { host, port } => write!(f, "{host}:{port}"),
            Self::Http { url, .. } => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsn_names_the_endpoint_and_the_key() {
        let dsn = |text| match Endpoint::from_dsn(text) {
            Ok(Endpoint::Http { url, key }) => (url, key),
            other => panic!("{text} is {other:?}"),
        };
        let (url, key) = dsn("http://abc@flawless.example.com:8080/shop");
        assert_eq!((&*url, &*key), ("http://flawless.example.com:8080/thrift", "abc"));
        let (url, _) = dsn(" https://abc@example.com/errors/shop/ ");
        assert_eq!(url, "https://example.com/errors/thrift");
    }

    #[test]
    fn wrong_dsn_error_names_what_is_missing_but_not_the_key() {
        for (dsn, problem) in [
            ("flawless.example.com:8080", "must begin"),
            ("http://flawless.example.com:8080/shop", "no key"),
            ("ftp://abc@example.com/shop", "must begin"),
            ("http://key-1@example.com:8080", "no project"),
            ("http://key-1@example.com:8080/", "no project"),
            ("http://key-1@example.com:99999/shop", "port"),
            ("", "relative URL"),
            ("https://key-1@o123.ingest.us.sentry.io/456", "Sentry"),
            ("https://key-1:secret@sentry.example.com/2", "Sentry"),
        ] {
            let message = Endpoint::from_dsn(dsn).expect_err(dsn).to_string();
            assert!(message.contains(problem), "{dsn}: {message}");
            assert!(message.contains("flawless projects"), "{message}");
            assert!(!message.contains("key-1"), "{message}");
        }
    }

    #[test]
    fn hostport_may_be_an_ipv6_address_in_brackets() {
        let framed = |host: &str, port| Ok(Endpoint::Framed { host: host.to_owned(), port });
        assert_eq!(Endpoint::from_hostport("example.com:9028"), framed("example.com", 9028));
        assert_eq!(Endpoint::from_hostport("[::1]:9028"), framed("::1", 9028));
        for wrong in ["example.com", "example.com:0", ":9028", "::1:9028", "a b:1", "http://x:1"] {
            let message = Endpoint::from_hostport(wrong).expect_err(wrong).to_string();
            assert!(message.contains("Write host:port"), "{message}");
        }
    }
}
