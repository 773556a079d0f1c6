//! Addresses of pages, as mails and other pages link to them.
use flawless_store::IssueRow;
use jiff::civil::Weekday;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::app::App;

/// An issue, as short as mails need it.
pub fn issue(base_url: &str, issue: i64) -> String {
    format!("{base_url}/issues/{issue}")
}

/// One of its samples, by its slot.
pub fn sample(base_url: &str, issue: i64, slot: i64) -> String {
    format!("{base_url}/issues/{issue}?sample={slot}#traceback")
}

/// An issue, with parameters of its page.
pub fn issue_with(base_url: &str, issue: i64, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base_url}/issues/{issue}{mark}{query}")
}

/// The week's issues of a file.
pub fn week_of_file(base_url: &str, path: &str) -> String {
    let query = Serializer::new(String::new()).append_pair("file", path).finish();
    format!("{base_url}/?{query}")
}

/// The form that says that an issue is somebody else's.
pub fn not_mine(base_url: &str, issue: i64) -> String {
    format!("{base_url}/not_mine?issue={issue}")
}

/// The form that keeps an issue quiet for a time.
pub fn mute(base_url: &str, issue: i64) -> String {
    format!("{base_url}/mute?issue={issue}")
}

/// The end of a kind of mails, `alerts` or `weekly`, to an address. It works without a sign-in,
/// and nobody can make it for another address.
pub fn unsubscribe(app: &App, address: &str, mails: &str) -> String {
    let address = address.to_ascii_lowercase();
    let token = app.signer.sign("unsubscribe", &[&app.project.name, &address, mails]);
    let query = Serializer::new(String::new())
        .append_pair("address", &address)
        .append_pair("mails", mails)
        .append_pair("token", &token)
        .finish();
    format!("{}/unsubscribe?{query}", app.base_url)
}

/// Somebody's page.
pub fn person(base_url: &str, address: &str) -> String {
    // In a path, a space is no plus.
    let name: String = byte_serialize(address.as_bytes()).collect();
    format!("{base_url}/people/{}", name.replace('+', "%20"))
}

/// A page that signs in once.
pub fn sign_in(base_url: &str, token: &str) -> String {
    format!("{base_url}/sign_in/link?token={token}")
}

/// The form that marks an issue as a known error, filled in.
pub fn add_known_error(base_url: &str, issue: &IssueRow) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("filename", &issue.facts.path)
        .append_pair("function_name", &issue.facts.function_name)
        .append_pair("code_fragment", &issue.facts.text);
    if issue.facts.origin_commit.is_none() && issue.facts.path.starts_with('/') {
        // Only third-party rules mean files that are not the repository's.
        query.append_pair("type", "third_party_whitelist");
    }
    format!("{base_url}/add_known_error?{}", query.finish())
}

/// A developer's part of the week's report.
pub fn issues_of(base_url: &str, address: &str) -> String {
    format!("{base_url}/#{address}")
}

/// A developer's part of the report of the week that holds `at`, in milliseconds.
pub fn week_of(base_url: &str, at: i64, first_day: Weekday, address: &str) -> String {
    let at = at / 1000;
    format!("{base_url}/?timestamp={at}&first_day={first_day:?}#{address}")
}
