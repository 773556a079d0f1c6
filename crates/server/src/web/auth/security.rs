//! Protects the browser: no other web site that a visitor has open can read the pages or send their
//! forms.
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::identify::is_api;
use crate::app::App;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Refuses requests that another site made a browser send, and sets the headers of every response.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    protected(match refusal(&app, &request) {
        Some(why) if is_api(request.uri().path()) => {
            crate::web::api::refusal(StatusCode::FORBIDDEN, why.trim_end())
        }
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    })
}

/// Sets the headers that every page has.
pub(crate) fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn refusal(app: &App, request: &Request) -> Option<String> {
    let host = text(request.headers(), "host").unwrap_or_default();
    if app.config.http_address.ip().is_loopback() && !is_ours(app, host_name(host)) {
        // Otherwise any site could point its own name at this machine and read the pages.
        return Some(format!(
            "{host:?} is not a name of this server. Open it as localhost, by a loopback address \
             or by the name in the option hostname.\n"
        ));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    // For pages that send no referrer, ours included, browsers send the origin `null`.
    let from_elsewhere = match text(request.headers(), "origin").filter(|name| *name != "null") {
        Some(origin) => {
            let from = origin.split_once("://").map(|(_, from)| from);
            from != Some(host) && app.config.base_url.as_deref() != Some(origin)
        }
        None => text(request.headers(), "sec-fetch-site").is_some_and(|site| site != "same-origin"),
    };
    from_elsewhere.then(|| "This request is from another site. Nothing was changed.\n".to_owned())
}

fn is_ours(app: &App, name: &str) -> bool {
    let configured = app.config.base_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let configured = configured.as_ref().and_then(url::Url::host_str);
    let loopback = name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback || name.eq_ignore_ascii_case("localhost") || configured == Some(name)
}

/// The name in a Host header, without port and brackets.
fn host_name(host: &str) -> &str {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    without_port.trim_start_matches('[').trim_end_matches(']')
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
