//! URLs of pages, for links in mails and on other pages.
use flawless_store::{DEFAULT_PROJECT, IssueRow};
use jiff::civil::Weekday;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::app::App;

/// An issue, as a short URL.
pub fn issue(base_url: &str, issue: i64) -> String {
    format!("{base_url}/issues/{issue}")
}

/// A sample of an issue, by its slot.
pub fn sample(base_url: &str, issue: i64, slot: i64) -> String {
    format!("{base_url}/issues/{issue}?sample={slot}#traceback")
}

/// An issue, with query parameters.
pub fn issue_with(base_url: &str, issue: i64, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{base_url}/issues/{issue}{mark}{query}")
}

/// The week's issues of a file.
pub fn week_of_file(base_url: &str, path: &str) -> String {
    let query = Serializer::new(String::new()).append_pair("file", path).finish();
    format!("{base_url}/?{query}")
}

/// The form that reassigns an issue.
pub fn not_mine(base_url: &str, issue: i64) -> String {
    format!("{base_url}/not_mine?issue={issue}")
}

/// The form that mutes an issue.
pub fn mute(base_url: &str, issue: i64) -> String {
    format!("{base_url}/mute?issue={issue}")
}

/// Unsubscribes an address from the `alerts` of the project, or from the `weekly` mail, which is
/// about all projects. It works without a sign-in; its token
/// is valid for this address only.
pub fn unsubscribe(app: &App, address: &str, mails: &str) -> String {
    let address = address.to_ascii_lowercase();
    // One weekly mail is about all projects.
    let project = if mails == "weekly" { DEFAULT_PROJECT } else { app.project_id() };
    let token = app.signer.sign("unsubscribe", &[&project.to_string(), &address, mails]);
    let mut query = Serializer::new(String::new());
    if project != DEFAULT_PROJECT {
        query.append_pair("project", &project.to_string());
    }
    query.append_pair("address", &address).append_pair("mails", mails);
    let query = query.append_pair("token", &token).finish();
    format!("{}/unsubscribe?{query}", app.server_url)
}

/// A person's page.
pub fn person(base_url: &str, address: &str) -> String {
    // In a path, a plus is not a space.
    let name: String = byte_serialize(address.as_bytes()).collect();
    format!("{base_url}/people/{}", name.replace('+', "%20"))
}

/// The page of a sign-in link.
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
        // Only third-party rules match files outside of the repository.
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
