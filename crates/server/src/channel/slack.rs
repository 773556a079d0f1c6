//! Slack: blocks of mrkdwn. <https://docs.slack.dev/reference/block-kit/blocks>
use serde_json::{Value, json};

use super::texts::{Content, facts, length, within_code};

/// Slack accepts 3,000 characters a text and 50 blocks a message.
const TEXT: usize = 2_900;
const BLOCKS: usize = 50;
/// Limit of all texts together, so that a post stays readable.
const IN_ALL: usize = 30_000;

pub(super) fn body(content: &Content<'_>) -> Value {
    let headline = escape(&content.headline());
    let mut lines = Vec::new();
    if let Some(alert) = content.lone() {
        lines.push(format!("*<{}|{headline}>*", escape(&content.link(alert))));
        for code in [&alert.message, &alert.text].into_iter().filter(|text| !text.is_empty()) {
            lines.push(format!("```{}```", escape(code)));
        }
        let facts = facts(alert).into_iter();
        lines.extend(facts.map(|(name, value)| format!("*{name}:* {}", escape(&value))));
    } else {
        lines.push(format!("*{headline}*"));
        for alert in content.alerts {
            let (url, title) = (content.link(alert), content.line_title(alert));
            let line = escape(&content.line(alert));
            lines.push(format!("• <{}|{}> {line}", escape(&url), escape(&title)));
        }
    }
    json!({
        // For notifications.
        "text": headline,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": sections(lines),
    })
}

/// Blocks with all lines, as many in each as fit. `verbatim` leaves names and addresses alone.
fn sections(lines: Vec<String>) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if length(text) + length(&line) < TEXT => {
                text.push('\n');
                text.push_str(&line);
            }
            _ => texts.push(line),
        }
    }
    let section = |text| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    texts.into_iter().map(section).collect()
}

pub(super) fn fits(body: &Value) -> bool {
    let blocks = body["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    let lengths =
        || blocks.iter().map(|block| length(block["text"]["text"].as_str().unwrap_or("")));
    blocks.len() <= BLOCKS && lengths().all(|one| one <= TEXT) && lengths().sum::<usize>() <= IN_ALL
}

/// Escapes as Slack asks: mentions and links begin with `<`. A backtick would begin or end code.
fn escape(text: &str) -> String {
    within_code(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
