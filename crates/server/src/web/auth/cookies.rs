//! Cookies: the secret of the browser's session and, for a while, that of a sign-in in progress.
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::app::App;

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    Session,
    OpenId,
    /// The page with the button that a sign-in link leads to.
    Link,
}

impl Kept {
    /// Browsers keep cookies by host and not by port, so the name contains the installation. Under
    /// https, its prefix guarantees that no other host and no unencrypted page has set it.
    fn name(self, app: &App) -> String {
        let what = match self {
            Self::Session => "session",
            Self::OpenId => "oidc",
            Self::Link => "link",
        };
        let host = if is_encrypted(app) { "__Host-" } else { "" };
        format!("{host}flawless_{what}_{}", app.signer.installation())
    }

    /// The value that the browser kept.
    pub(crate) fn read(self, app: &App, headers: &HeaderMap) -> Option<String> {
        let name = self.name(app);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    }

    /// The header that makes the browser keep `value`; with 0 seconds it deletes the cookie.
    pub(crate) fn write(self, app: &App, value: &str, seconds: i64) -> Option<HeaderValue> {
        let cookie = Cookie::build((self.name(app), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_encrypted(app))
            .max_age(Duration::seconds(seconds));
        HeaderValue::try_from(cookie.to_string()).ok()
    }
}

fn is_encrypted(app: &App) -> bool {
    app.base_url.starts_with("https:")
}
