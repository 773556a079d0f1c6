//! Posts a body to a webhook, with limits of time and size, and to public addresses only.
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use flawless_base::text::one_line;
use flawless_store::{ChannelRow, secret_parts};
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::public_addresses::{NotPublic, PublicOnly, SystemLookup};
use super::signature::headers;
use super::target::check_url;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
/// At most this many bytes of a response are read, for the error message.
const WORDS_BYTES: usize = 1_024;
const WORDS: usize = 300;
/// From this many characters on, the end of a text may be the beginning of a secret.
const BEGUN: usize = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// The result of an attempt, with the service's words.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The service accepted the post.
    Taken(String),
    /// The service may accept this post later.
    Later(String),
    /// The service accepts nothing at the moment; until when, if it says so.
    Closed(String, Option<Duration>),
    /// The service will never accept this post.
    Refused(String),
    /// The service says that there is no such webhook.
    Gone(String),
}

/// Posts to webhooks.
#[derive(Debug, Clone)]
pub struct PostClient {
    /// The client, or why it cannot be created.
    http: Result<Client, String>,
    private_allowed: bool,
}

impl PostClient {
    /// `private_allowed` permits private addresses and unencrypted http.
    pub fn new(private_allowed: bool) -> Self {
        // If the program has installed another provider already, that one does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("Flawless/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // Posts are rare: an idle connection may have been closed by the other end.
            .pool_max_idle_per_host(0);
        let builder = if private_allowed {
            builder.dns_resolver(Arc::new(SystemLookup))
        } else {
            builder.dns_resolver(Arc::new(PublicOnly(SystemLookup)))
        };
        Self { http: builder.build().map_err(|error| in_words(&error)), private_allowed }
    }

    /// Posts a body under its id; `now` is the time of the signature.
    pub async fn post(&self, channel: &ChannelRow, id: &str, body: &[u8], now: i64) -> Answer {
        let http = match &self.http {
            Ok(http) => http,
            Err(why) => return Answer::Closed(format!("cannot post: {why}"), None),
        };
        // The option may have changed since the channel was added, and a literal address does not
        // go through the resolver.
        let url = match check_url(channel.url.reveal(), self.private_allowed) {
            Ok(url) => url,
            Err(why) => return Answer::Refused(why),
        };
        let mut request = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
        if !channel.secret.reveal().is_empty() {
            let Some(headers) = headers(&channel.secret, id, now, body) else {
                return Answer::Refused("invalid signing key: add the channel again".to_owned());
            };
            for (name, value) in headers {
                request = request.header(name, value);
            }
        }
        match request.body(body.to_vec()).send().await {
            Ok(response) => judge(response, &url, now).await,
            Err(error) => failed(&error),
        }
    }
}

async fn judge(response: Response, url: &Url, now: i64) -> Answer {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|value| retry_after(value, now));
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let redirect = location.and_then(|location| url.join(location).ok());
    let said = words(response, url).await;
    let said = match said.as_str() {
        "" => status.to_string(),
        said => format!("{status}: {said}"),
    };
    match status {
        status if status.is_success() => Answer::Taken(said),
        status if status.is_redirection() => {
            let to = redirect.and_then(|url| url.host_str().map(str::to_owned));
            let to = one_line(&to.unwrap_or_else(|| "nowhere".to_owned()), 100);
            Answer::Refused(format!("{status}, a redirect to {to}: redirects are not followed"))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Answer::Gone(said),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Answer::Closed(said, after)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Answer::Later(said),
        status if status.is_server_error() => Answer::Later(said),
        _ => Answer::Refused(said),
    }
}

/// The first words of a response, without the webhook's address.
async fn words(mut response: Response, url: &Url) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < WORDS_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(WORDS_BYTES - bytes.len())]);
    }
    words_without(&String::from_utf8_lossy(&bytes), url)
}

/// A text without the secret parts of an address. It is cut only afterwards, and a secret that is
/// cut off at its end is removed as well.
fn words_without(text: &str, url: &Url) -> String {
    let mut secrets = secret_parts(url);
    secrets.extend([url.path(), url.query().unwrap_or_default()].map(str::to_owned));
    secrets.retain(|secret| secret.len() > 1);
    // The longer ones first, because they may contain the others.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut text = text.to_owned();
    for secret in &secrets {
        text = text.replace(secret, "…");
    }
    let begun = secrets.iter().flat_map(|secret| {
        let ends = secret.char_indices().map(|(end, _)| end).filter(|end| *end >= BEGUN);
        ends.filter(|end| text.ends_with(&secret[..*end]))
    });
    if let Some(begun) = begun.max() {
        text.truncate(text.len() - begun);
        text.push('…');
    }
    one_line(&text, WORDS)
}

/// How long the service asks us to wait, in seconds or until a date; an hour at most.
fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let wait = match value.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        Err(_) => {
            let at = rfc2822::parse(value).ok()?.timestamp().as_millisecond();
            Duration::from_millis(u64::try_from(at - now).unwrap_or_default())
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn failed(error: &reqwest::Error) -> Answer {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            // A single wrong DNS answer is not a reason to give up the post.
            return Answer::Closed(one_line(&error.to_string(), WORDS), None);
        }
        cause = error.source();
    }
    let words = in_words(error);
    if error.is_builder() { Answer::Refused(words) } else { Answer::Closed(words, None) }
}

/// An error with its causes, without the webhook's address.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let when = if error.is_connect() { "connecting" } else { "waiting for the answer" };
        return format!("timed out while {when}");
    }
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    // The outermost error only names the URL.
    if words.is_empty() {
        words.push("the request failed".to_owned());
    }
    words.dedup();
    one_line(&words.join(": "), WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_address_parts_are_removed_before_an_answer_is_cut() {
        let path = "/services/T0123456789abcdef/B0/xoxyzzy0123456789";
        let url = Url::parse(&format!("https://hooks.example.com{path}")).expect("a URL");
        let filler = "x ".repeat(500);
        for (text, expected) in [
            (format!("no hook at {path}"), "no hook at …"),
            ("no token xoxyzzy0123456789 here".to_owned(), "no token … here"),
            (r"at \/services\/T0123456789abcdef\/B0".to_owned(), r"at \/services\/…\/B0"),
            // The response ends within the secret, and its blanks are folded.
            (format!("{}{}", " ".repeat(990), &path[..20]), "…"),
            (format!("{}{}", " ".repeat(980), &path[..40]), "/services/…/B0/…"),
            ("no xoxyzzy".to_owned(), "no …"),
            ("it works".to_owned(), "it works"),
        ] {
            assert_eq!(words_without(&text, &url), expected);
        }
        let long = words_without(&format!("{}{path}{filler}", &filler[..596]), &url);
        assert!(!long.contains("/serv") && long.chars().count() <= WORDS + 1, "{long}");
    }

    #[test]
    fn service_may_ask_to_wait_for_an_hour_at_most() {
        // 2026-11-22 12:00:00 UTC.
        let now = 1_795_348_800_000;
        for (value, seconds) in [
            ("120", Some(120.0)),
            (" 0.25 ", Some(0.25)),
            ("86400", Some(3_600.0)),
            ("1e300", Some(0.0)),
            ("-5", Some(0.0)),
            ("nan", Some(0.0)),
            ("Sun, 22 Nov 2026 12:02:00 GMT", Some(120.0)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(0.0)),
            ("Fri, 01 Jan 2027 00:00:00 GMT", Some(3_600.0)),
            ("soon", None),
        ] {
            let wait = retry_after(value, now).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, seconds, "{value}");
        }
    }
}
