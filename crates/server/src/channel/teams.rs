//! Microsoft Teams: an Adaptive Card for a workflow. <https://adaptivecards.io/explorer/>
//!
//! Texts are in `TextRun`s, which have no markup, so nothing needs escaping. Mentions would need
//! `msteams.entities`, which the card does not have.
use serde_json::{Value, json};

use super::texts::{Content, facts};

/// Teams accepts 28 KB, but counts more than the bytes that are sent.
const BYTES: usize = 24_000;

pub(super) fn body(content: &Content<'_>) -> Value {
    let mut blocks = vec![block(&[run(&content.headline(), true, false)])];
    let mut actions = Vec::new();
    if let Some(alert) = content.lone() {
        for code in [&alert.message, &alert.text].into_iter().filter(|text| !text.is_empty()) {
            blocks.push(block(&[run(code, false, true)]));
        }
        let fact = |(name, value): (&str, String)| {
            block(&[run(&format!("{name}: "), true, false), run(&value, false, false)])
        };
        blocks.extend(facts(alert).into_iter().map(fact));
        actions.push(json!({
            "type": "Action.OpenUrl", "title": "Open the issue", "url": content.link(alert),
        }));
    } else {
        for alert in content.alerts {
            let mut title = run(&content.line_title(alert), false, false);
            title["selectAction"] = json!({"type": "Action.OpenUrl", "url": content.link(alert)});
            let line = format!(" {}", content.line(alert));
            blocks.push(block(&[title, run(&line, false, false)]));
        }
    }
    card(&blocks, &actions)
}

pub(super) fn card(blocks: &[Value], actions: &[Value]) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": blocks,
                "actions": actions,
            },
        }],
    })
}

pub(super) fn block(inlines: &[Value]) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

pub(super) fn run(text: &str, bold: bool, code: bool) -> Value {
    let mut run = json!({"type": "TextRun", "text": text});
    if bold {
        run["weight"] = "Bolder".into();
    }
    if code {
        run["fontType"] = "Monospace".into();
    }
    run
}

pub(super) fn fits(body: &Value) -> bool {
    body.to_string().len() <= BYTES
}
