//! Mattermost: Markdown. <https://developers.mattermost.com/integrate/webhooks/incoming/>
use serde_json::{Value, json};

use super::texts::{Content, facts, length, within_code, without_links};

/// Mattermost accepts 16,383 characters.
const TEXT: usize = 16_000;

pub(super) fn body(content: &Content<'_>) -> Value {
    let headline = escape(&content.headline());
    let mut lines = Vec::new();
    if let Some(alert) = content.lone() {
        lines.push(format!("#### [{headline}]({})", content.link(alert)));
        for code in [&alert.message, &alert.text].into_iter().filter(|text| !text.is_empty()) {
            lines.push(format!("```\n{}\n```", within_code(&without_links(code))));
        }
        for (name, value) in facts(alert) {
            lines.push(format!("- **{name}:** {}", escape(&value)));
        }
    } else {
        lines.push(format!("#### {headline}"));
        for alert in content.alerts {
            let (title, line) = (content.line_title(alert), content.line(alert));
            let link = content.link(alert);
            lines.push(format!("- [{}]({link}) {}", escape(&title), escape(&line)));
        }
    }
    json!({"text": lines.join("\n")})
}

pub(super) fn fits(body: &Value) -> bool {
    length(body["text"].as_str().unwrap_or_default()) <= TEXT
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in without_links(text).chars() {
        if r"\*_~`|>#-+[](){}<!:&".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
