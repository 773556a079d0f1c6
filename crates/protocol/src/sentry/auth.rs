//! The key that a client sends: in a header, in the query, or in the DSN of an envelope.

/// What a header or a query says of the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// The public key.
    pub key: String,
    /// How the client calls itself, such as `sentry.python/2.75.0`; empty when it does not.
    pub client: String,
}

impl Auth {
    /// Reads the value of `X-Sentry-Auth` or `Authorization`: `Sentry sentry_key=…, sentry_version=7`.
    /// `None` when it has no key.
    pub fn of_header(value: &str) -> Option<Self> {
        let (scheme, fields) = value.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("sentry") {
            return None;
        }
        let fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        Self::of_fields(fields.map(|(name, value)| (name.trim(), value.trim())))
    }

    /// Reads names and values of a query, decoded.
    pub fn of_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut auth = Self::default();
        for (name, value) in fields {
            match name {
                "sentry_key" if auth.key.is_empty() => value.clone_into(&mut auth.key),
                "sentry_client" if auth.client.is_empty() => value.clone_into(&mut auth.client),
                _ => {}
            }
        }
        (!auth.key.is_empty()).then_some(auth)
    }
}

/// A DSN: `http://KEY@host/prefix/PROJECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn<'a> {
    /// The public key.
    pub key: &'a str,
    /// The project, by number or name.
    pub project: &'a str,
}

impl<'a> Dsn<'a> {
    /// Reads a DSN. `None` when the text is something else.
    pub fn read(text: &'a str) -> Option<Self> {
        let (_, rest) = text.trim().split_once("://")?;
        let rest = rest.split(['?', '#']).next()?.trim_end_matches('/');
        let (authority, path) = rest.split_once('/')?;
        let (user, _) = authority.rsplit_once('@')?;
        // An older DSN has a secret key too.
        let key = user.split(':').next()?;
        let project = path.rsplit('/').next()?;
        (!key.is_empty() && !project.is_empty()).then_some(Self { key, project })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_clients_are_read() {
        let auth = |key: &str, client: &str| Some(Auth { key: key.into(), client: client.into() });
        for (header, expected) in [
            (
                "Sentry sentry_key=ab, sentry_version=7, sentry_client=sentry.python/2.75.0",
                auth("ab", "sentry.python/2.75.0"),
            ),
            ("Sentry sentry_version=7,sentry_client=x/1,sentry_key=ab", auth("ab", "x/1")),
            ("sentry  sentry_key = ab ,sentry_secret=cd", auth("ab", "")),
            ("Sentry sentry_key=ab, sentry_key=cd", auth("ab", "")),
            ("Sentry sentry_key=", None),
            ("Bearer ab", None),
            ("Sentry", None),
            ("", None),
        ] {
            assert_eq!(Auth::of_header(header), expected, "{header}");
        }
    }

    #[test]
    fn dsn_names_key_and_project() {
        let dsn = |key, project| Some(Dsn { key, project });
        for (text, expected) in [
            ("http://ab@127.0.0.1:9000/42", dsn("ab", "42")),
            ("https://ab:cd@example.com/some/prefix/42/", dsn("ab", "42")),
            ("https://ab@[::1]:9000/shop?x=1", dsn("ab", "shop")),
            ("https://example.com/42", None),
            ("https://ab@example.com/", None),
            ("https://@example.com/42", None),
            ("ab@example.com/42", None),
        ] {
            assert_eq!(Dsn::read(text), expected, "{text}");
        }
    }
}
