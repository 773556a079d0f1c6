//! Addresses of pages, as mails and other pages link to them.
use url::form_urlencoded::Serializer;

use crate::store::IssueRow;

/// The newest traceback of an issue.
pub fn view_traceback(base_url: &str, issue: &IssueRow, timestamp: i64) -> String {
    let query = Serializer::new(String::new())
        .append_pair("filename", &issue.facts.path)
        .append_pair("function_name", &issue.facts.function_name)
        .append_pair("line_number", &issue.facts.line.to_string())
        .append_pair("text", &issue.facts.text)
        .append_pair("timestamp", &(timestamp / 1000).to_string())
        // The line may move, the issue stays.
        .append_pair("issue", &issue.id.to_string())
        .finish();
    format!("{base_url}/view_traceback?{query}")
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
