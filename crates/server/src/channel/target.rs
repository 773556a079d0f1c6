//! Where posts may go: which webhook URLs are accepted, and how they are shown.
use flawless_base::secret::Secret;
use reqwest::dns::Resolve;
use url::{Host, Url};

use super::ChannelKind;
use super::public_addresses::{NotPublic, PublicOnly, SystemLookup, is_public};

const LONGEST: usize = 2_000;
const PRIVATE: &str = "Set webhook_private_addresses = true to allow such addresses.";

/// Parses the URL of a webhook.
///
/// # Errors
/// In words, why nothing may be posted to it.
pub fn check_url(text: &str, private_allowed: bool) -> Result<Url, String> {
    if text.len() > LONGEST {
        return Err(format!("the URL is longer than {LONGEST} characters"));
    }
    let url = Url::parse(text).map_err(|error| format!("that is not a URL: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if private_allowed => {}
        "http" => {
            return Err(format!("http is not encrypted: use the https URL. {PRIVATE}"));
        }
        other => return Err(format!("{other}: is not a webhook: begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with user or password is not supported: leave them out".to_owned());
    }
    let literal = match url.host() {
        None => return Err("the URL names no host".to_owned()),
        Some(Host::Domain(_)) => None,
        // The parser has normalized decimal, octal and hexadecimal forms.
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
    };
    match literal {
        Some(address) if !private_allowed && !is_public(address) => {
            Err(format!("{address} is not a public address. {PRIVATE}"))
        }
        _ => Ok(url),
    }
}

/// Checks that the host name currently resolves to addresses that may be posted to.
///
/// # Errors
/// In words, why it does not.
pub async fn check_resolved(url: &Url, private_allowed: bool) -> Result<(), String> {
    let Some(Host::Domain(host)) = url.host() else { return Ok(()) };
    let name = host.parse().map_err(|_| format!("{host:?} is not a host name"))?;
    let found = if private_allowed {
        SystemLookup.resolve(name).await
    } else {
        PublicOnly(SystemLookup).resolve(name).await
    };
    match found {
        Ok(mut found) => match found.next() {
            Some(_) => Ok(()),
            None => Err(format!("{host} has no address")),
        },
        Err(error) if error.is::<NotPublic>() => Err(format!("{error}. {PRIVATE}")),
        Err(error) => Err(format!("{host} cannot be looked up: {error}")),
    }
}

/// The service that a host belongs to, as a hint.
pub fn belongs_to(url: &Url) -> Option<ChannelKind> {
    let host = url.host_str()?;
    let is = |domain: &str| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let any = |domains: &[&str]| domains.iter().any(|domain| is(domain));
    if any(&["slack.com", "slack-gov.com"]) {
        Some(ChannelKind::Slack)
    } else if any(&["discord.com", "discordapp.com"]) {
        Some(ChannelKind::Discord)
    } else if any(&["logic.azure.com", "powerplatform.com", "webhook.office.com"]) {
        Some(ChannelKind::Teams)
    } else {
        None
    }
}

/// A webhook's URL without its secret: the host and the first characters of the path.
pub fn shown(url: &Secret) -> String {
    let Ok(url) = Url::parse(url.reveal()) else { return "…".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let begin: String = url.path().chars().take(5).collect();
    format!("{}://{}{port}{begin}…", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_public_addresses_are_refused_in_every_spelling() {
        for (text, words) in [
            ("https://127.0.0.1/x", "127.0.0.1 is not a public address"),
            ("https://2130706433/x", "127.0.0.1 is not"),
            ("https://0x7f.1/x", "127.0.0.1 is not"),
            ("https://0177.0.0.1/x", "127.0.0.1 is not"),
            ("https://127.1:8443/", "127.0.0.1 is not"),
            ("https://①②⑦.0.0.1/", "127.0.0.1 is not"),
            ("https://169.254.169.254/latest", "169.254.169.254 is not"),
            ("https://[::1]/", "::1 is not"),
            ("https://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1 is not"),
            ("https://[64:ff9b::a9fe:a9fe]/", "is not a public"),
            ("https://[fe80::1]/", "fe80::1 is not"),
            ("http://hooks.example.com/x", "http is not encrypted"),
            ("ftp://hooks.example.com/x", "ftp: is not a webhook"),
            ("file:///etc/passwd", "file: is not a webhook"),
            ("https://user@hooks.example.com/x", "user or password"),
            ("https://:secret@hooks.example.com/x", "user or password"),
            ("hooks.example.com/x", "that is not a URL"),
            ("https://", "that is not a URL"),
            ("https://[fe80::1%25eth0]/", "that is not a URL"),
        ] {
            let refused = check_url(text, false).expect_err(text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
        for text in ["https://hooks.example.com:8443/x?y=z", "https://8.8.8.8/"] {
            check_url(text, false).expect(text);
        }
        for text in ["http://127.0.0.1:8065/hooks/x", "http://localhost/x", "https://[::1]/x"] {
            check_url(text, true).expect(text);
        }
    }

    #[test]
    fn webhook_is_shown_without_its_secret_part() {
        let secret = Secret::new("https://hooks.example.com:8443/services/T0/B0/XXX?sig=abc");
        assert_eq!(shown(&secret), "https://hooks.example.com:8443/serv…");
    }

    #[test]
    fn service_is_recognized_by_its_host() {
        let of = |text: &str| belongs_to(&Url::parse(text).expect("a URL"));
        assert_eq!(of("https://hooks.slack.com/services/x"), Some(ChannelKind::Slack));
        assert_eq!(of("https://discord.com/api/webhooks/1/x"), Some(ChannelKind::Discord));
        let teams = "https://prod-1.westeurope.logic.azure.com:443/workflows/x";
        assert_eq!(of(teams), Some(ChannelKind::Teams));
        assert_eq!(of("https://notslack.com/services/x"), None);
    }
}
