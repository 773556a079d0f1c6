//! `hostname`: the address at which browsers reach the pages.
use url::{Host, Url};

/// The address that links begin with: with its scheme, without a trailing slash. `None` if the text
/// is not such an address.
pub(super) fn browsed_url(text: &str) -> Option<String> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("http", text),
    };
    // URL parsers accept a path, a colon or a number in place of a name.
    let authority = rest.split('/').next().unwrap_or_default();
    let name = authority.split(':').next().unwrap_or_default();
    let is_number = !name.contains('.') && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@?#\\".contains(c);
    if is_number || authority.ends_with(':') || !rest.chars().all(is_plain) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    let is_name = match url.host()? {
        Host::Domain(name) => {
            let is_plain = |label: &str| {
                let mut bytes = label.bytes();
                let is_ok = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
                is_ok && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
            };
            name.trim_end_matches('.').split('.').all(is_plain)
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    (is_web && is_name).then(|| url.as_str().trim_end_matches('/').to_owned())
}

/// The address with this port; `None` if it has a port already or needs none.
pub fn with_port(text: &str, port: u16) -> Option<String> {
    let url = browsed_url(text)?;
    let names_port = |text: &str| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let end = authority.rsplit_once(':').map_or("", |(_, end)| end);
        !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit())
    };
    if names_port(text) || matches!(port, 0 | 80 | 443) {
        return None;
    }
    let mut url = Url::parse(&url).ok()?;
    url.set_port(Some(port)).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_completed_and_nonsense_is_rejected() {
        for (text, expected) in [
            ("flawless.example.com", "http://flawless.example.com"),
            ("localhost", "http://localhost"),
            ("web_1:8080", "http://web_1:8080"),
            ("10.0.0.7:80", "http://10.0.0.7"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("https://example.com/flawless/", "https://example.com/flawless"),
            ("http://Bücher.example", "http://xn--bcher-kva.example"),
        ] {
            assert_eq!(browsed_url(text).as_deref(), Some(expected), "{text}");
        }
        for nonsense in [
            "::",
            "8080",
            ":8080",
            "/etc/passwd",
            "http:/x",
            "http:///x",
            "http://",
            "dev@example.com",
            "http://user:secret@example.com",
            "example.com?x=1",
            "example.com#x",
            "two words",
            "ftp://example.com",
            "http://exa!mple.com",
            "-",
            "a..b",
            "-x.example.com",
            "example.com\\x",
            "~/data",
            "*",
        ] {
            assert_eq!(browsed_url(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn port_is_added_where_there_is_none() {
        let added = |text: &str| with_port(text, 8080);
        assert_eq!(added("example.com").as_deref(), Some("http://example.com:8080"));
        assert_eq!(added("[::1]").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(added("http://example.com/x").as_deref(), Some("http://example.com:8080/x"));
        for named in ["example.com:80", "https://example.com:443", "[::1]:9", "two words"] {
            assert_eq!(added(named), None, "{named}");
        }
        assert_eq!(with_port("example.com", 80), None);
    }
}
