//! What a browser keeps: the secret of its sign-in, and for a while that of one that was begun.
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::app::Shared;

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    Session,
    OpenId,
    /// The page with the button that a link to sign in leads to.
    Link,
}

impl Kept {
    /// Browsers keep cookies by host and not by port, so the name has the installation's own. Under
    /// https it says as well that no other site and no unencrypted page has set it.
    fn name(self, shared: &Shared) -> String {
        let what = match self {
            Self::Session => "session",
            Self::OpenId => "oidc",
            Self::Link => "link",
        };
        let host = if is_encrypted(shared) { "__Host-" } else { "" };
        format!("{host}flawless_{what}_{}", shared.signer.installation())
    }

    /// What the browser kept.
    pub(crate) fn read(self, shared: &Shared, headers: &HeaderMap) -> Option<String> {
        let name = self.name(shared);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    }

    /// The header that lets the browser keep `value`; none is kept for 0 seconds.
    pub(crate) fn write(self, shared: &Shared, value: &str, seconds: i64) -> Option<HeaderValue> {
        let cookie = Cookie::build((self.name(shared), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_encrypted(shared))
            .max_age(Duration::seconds(seconds));
        HeaderValue::try_from(cookie.to_string()).ok()
    }
}

fn is_encrypted(shared: &Shared) -> bool {
    shared.base_url.starts_with("https:")
}
