//! Discord: one embed. <https://docs.discord.com/developers/resources/webhook#execute-webhook>
use flawless_base::text::cut;
use serde_json::{Value, json};

use super::texts::{Content, facts, length, within_code, without_links};

/// Discord's limits of an embed, in characters.
const TITLE: usize = 256;
const DESCRIPTION: usize = 4_096;
const FIELD: usize = 1_024;
const IN_ALL: usize = 6_000;

pub(super) fn body(content: &Content<'_>) -> Value {
    // A title has no masked links. It is cut before it is escaped, so that no escape is cut.
    let title = escape(&cut(&content.headline(), TITLE / 2 - 6));
    let mut embed = json!({"title": title});
    if let Some(alert) = content.lone() {
        embed["url"] = content.link(alert).into();
        let codes = [&alert.message, &alert.text].into_iter().filter(|text| !text.is_empty());
        let codes: Vec<String> =
            codes.map(|code| format!("```\n{}\n```", within_code(code))).collect();
        embed["description"] = codes.join("\n").into();
        let facts = facts(alert).into_iter();
        let field = |(name, value): (&str, String)| json!({"name": name, "value": escape(&value)});
        embed["fields"] = facts.map(field).collect();
    } else {
        let line = |alert: &&_| {
            let (title, line) = (content.line_title(alert), content.line(alert));
            format!("- [{}]({}) {}", escape(&title), content.link(alert), escape(&line))
        };
        embed["description"] =
            content.alerts.iter().map(line).collect::<Vec<_>>().join("\n").into();
    }
    // Nobody is pinged, whatever the texts contain.
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

pub(super) fn fits(body: &Value) -> bool {
    let embed = &body["embeds"][0];
    let size = |value: &Value| length(value.as_str().unwrap_or_default());
    let fields = embed["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let values = fields.iter().map(|field| size(&field["value"]));
    let names = fields.iter().map(|field| size(&field["name"]));
    let (title, description) = (size(&embed["title"]), size(&embed["description"]));
    title <= TITLE
        && description <= DESCRIPTION
        && values.clone().all(|value| value <= FIELD)
        && title + description + values.chain(names).sum::<usize>() <= IN_ALL
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in without_links(text).chars() {
        if r"\*_~`|>#-[]()<:".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
