//! Who may see the pages, and how people sign in.
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::http::HeaderName;
use flawless_base::secret::Secret;
use flawless_core::{Role, is_mailable};
use ipnet::IpNet;
use url::Url;

use super::error::ConfigError;
use super::typed::Options;

/// Who may see the pages, and how people sign in. Addresses are in lower case.
#[derive(Debug, Clone)]
pub struct SignInConfig {
    /// `auth`: whether people must sign in.
    pub required: bool,
    /// `administrators`.
    pub administrators: BTreeSet<String>,
    /// `allowed_emails`.
    pub allowed_emails: BTreeSet<String>,
    /// `allowed_email_domains`.
    pub allowed_domains: BTreeSet<String>,
    /// `default_role`.
    pub default_role: Role,
    /// `session_days`.
    pub session: Duration,
    /// The OpenID Connect provider.
    pub open_id: Option<OpenIdConfig>,
    /// `proxy_user_header`, in lower case.
    pub proxy_header: Option<HeaderName>,
    /// `trusted_proxies`.
    pub trusted_proxies: Vec<IpNet>,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone)]
pub struct OpenIdConfig {
    /// `oidc_issuer`, as typed: it is compared byte by byte.
    pub issuer: String,
    /// `oidc_client_id`.
    pub client_id: String,
    /// `oidc_client_secret`.
    pub client_secret: Option<Secret>,
    /// `oidc_name`, for the button.
    pub name: String,
}

impl SignInConfig {
    /// The role that the configuration alone gives an address, and whether it is fixed, so that no
    /// page can change it.
    pub fn role_of(&self, address: &str) -> Option<(Role, bool)> {
        if self.administrators.contains(address) {
            return Some((Role::Administrator, true));
        }
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let allowed =
            self.allowed_emails.contains(address) || self.allowed_domains.contains(domain);
        allowed.then_some((self.default_role, false))
    }

    /// Whether the configuration allows anybody at all.
    pub fn allows_somebody(&self) -> bool {
        !(self.administrators.is_empty()
            && self.allowed_emails.is_empty()
            && self.allowed_domains.is_empty())
    }

    /// Whether `peer` is one of `trusted_proxies`.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}

/// Browsers keep cookies no longer than this.
const MAX_SESSION_DAYS: usize = 400;

impl Options<'_> {
    pub(super) fn sign_in(&self, http: SocketAddr) -> Result<SignInConfig, ConfigError> {
        let required = self.word("auth")? != "off";
        if !required && !http.ip().is_loopback() {
            let problem = format!("off, but http_host is {}, which others can reach", http.ip());
            let hint = "Remove auth, so that people sign in, or set http_host = 127.0.0.1.";
            return Err(self.wrong("auth", problem, hint));
        }
        let days = self.count("session_days")?;
        if days > MAX_SESSION_DAYS {
            let problem = format!("{days} is more than browsers keep a sign-in");
            let hint = format!("Write a number of days up to {MAX_SESSION_DAYS}.");
            return Err(self.wrong("session_days", problem, hint));
        }
        let trusted_proxies = self.networks("trusted_proxies")?;
        Ok(SignInConfig {
            required,
            administrators: self.addresses("administrators")?,
            allowed_emails: self.addresses("allowed_emails")?,
            allowed_domains: self.domains("allowed_email_domains")?,
            default_role: Role::parse(self.word("default_role")?).unwrap_or(Role::Developer),
            session: Duration::from_secs(days as u64 * 86_400),
            open_id: self.open_id()?,
            proxy_header: self.proxy_header(&trusted_proxies)?,
            trusted_proxies,
        })
    }

    fn addresses(&self, name: &'static str) -> Result<BTreeSet<String>, ConfigError> {
        let address = |text: String| match is_mailable(&text) {
            true => Ok(text.to_ascii_lowercase()),
            false => {
                let problem = format!("{text:?} is not a mail address");
                let hint = "Write comma-separated addresses, like dev@example.com.";
                Err(self.wrong(name, problem, hint))
            }
        };
        self.list(name).into_iter().map(address).collect()
    }

    fn domains(&self, name: &'static str) -> Result<BTreeSet<String>, ConfigError> {
        let domain = |text: String| {
            let domain = text.strip_prefix('@').unwrap_or(&text).to_ascii_lowercase();
            if is_mailable(&format!("flawless@{domain}")) {
                return Ok(domain);
            }
            let problem = format!("{text:?} is not a domain for mail addresses");
            Err(self.wrong(name, problem, "Write comma-separated domains, like example.com."))
        };
        self.list(name).into_iter().map(domain).collect()
    }

    fn networks(&self, name: &'static str) -> Result<Vec<IpNet>, ConfigError> {
        let network = |text: String| {
            let single = || text.parse::<IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
            let found = text.parse::<IpNet>().ok().or_else(single);
            let hint = "Write the addresses of your proxies, like 10.0.0.7 or 10.0.0.0/24.";
            match found {
                Some(network) if network.prefix_len() == 0 => {
                    let problem = format!("{text} is everybody: anyone could claim any identity");
                    Err(self.wrong(name, problem, hint))
                }
                Some(network) => Ok(network),
                None => {
                    let problem = format!("{text:?} is not an address or network");
                    Err(self.wrong(name, problem, hint))
                }
            }
        };
        self.list(name).into_iter().map(network).collect()
    }

    fn proxy_header(&self, proxies: &[IpNet]) -> Result<Option<HeaderName>, ConfigError> {
        const NAME: &str = "proxy_user_header";
        let Some(text) = self.raw.get(NAME) else { return Ok(None) };
        let Ok(header) = HeaderName::try_from(text) else {
            let hint = "Write the header that your proxy sets, like X-Forwarded-Email.";
            return Err(self.wrong(NAME, format!("{text:?} is not the name of a header"), hint));
        };
        if proxies.is_empty() {
            let hint = "Set trusted_proxies to the addresses of the proxies that set it, like \
                        127.0.0.1.";
            return Err(self.wrong(NAME, "no proxy is trusted to set it", hint));
        }
        Ok(Some(header))
    }

    fn open_id(&self) -> Result<Option<OpenIdConfig>, ConfigError> {
        let client_secret = self.secret("oidc_client_secret")?;
        let Some(issuer) = self.raw.get("oidc_issuer") else {
            let stray = ["oidc_client_id", "oidc_client_secret", "oidc_client_secret_file"];
            return match stray.into_iter().find(|name| self.raw.get(name).is_some()) {
                None => Ok(None),
                Some(name) => {
                    let hint = "Set oidc_issuer to the provider's address, or leave this out.";
                    Err(self.wrong(name, "there is no oidc_issuer for it", hint))
                }
            };
        };
        let url = Url::parse(issuer).ok().filter(Url::has_host);
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_here = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
        match url.as_ref().map(Url::scheme) {
            Some("https") => {}
            Some("http") if is_here => {}
            _ => {
                let hint = "Write it as your provider shows it, like https://accounts.google.com.";
                let problem = format!("{issuer:?} is not an https address");
                return Err(self.wrong("oidc_issuer", problem, hint));
            }
        }
        let Some(client_id) = self.raw.get("oidc_client_id") else {
            let hint = "Register Flawless at the provider, and set oidc_client_id and \
                        oidc_client_secret to the values that you get there.";
            return Err(self.wrong("oidc_issuer", "there is no oidc_client_id for it", hint));
        };
        Ok(Some(OpenIdConfig {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            name: self.raw.get("oidc_name").map_or(host, str::to_owned),
        }))
    }
}
