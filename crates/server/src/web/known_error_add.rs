//! `/add_known_error` and `/save_known_error`: a known error, library code or third-party rule.
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::layout::{PageError, page};
use super::rule_save::{not_taken, save as save_rule};
use super::visitor::Frame;
use crate::state::Shared;
use crate::store::RuleList;

/// The fields of 0.4.5's form; links fill in the first three.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    filename: String,
    function_name: String,
    code_fragment: String,
    #[serde(rename = "type")]
    list: String,
    min_alert_threshold: String,
    max_alert_threshold: String,
    alert_every_n_occurrences: String,
    email_recipients: String,
    email_header: String,
}

#[derive(Template)]
#[template(path = "known_error_add.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    problem: Option<String>,
}

pub(super) async fn show(frame: Frame, Query(fields): Query<Fields>) -> Response {
    page(&Page { frame, fields, problem: None })
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    match entry_of(&fields) {
        Ok((list, entry)) => {
            let form = |problem| Page { frame, fields, problem: Some(problem) };
            save_rule(&shared, list, &entry, form).await
        }
        Err(problem) => Ok(not_taken(&Page { frame, fields, problem: Some(problem) })),
    }
}

fn entry_of(fields: &Fields) -> Result<(RuleList, Value), String> {
    let list = match fields.list.as_str() {
        "" => RuleList::KnownErrors,
        name => RuleList::parse(name)
            .filter(|list| {
                let code = [RuleList::BuildingBlocks, RuleList::ThirdPartyWhitelist];
                *list == RuleList::KnownErrors || code.contains(list)
            })
            .ok_or_else(|| format!("{name:?} is no kind of rule for code"))?,
    };
    let mut entry = Map::new();
    let texts = [
        ("filename", &fields.filename),
        ("function_name", &fields.function_name),
        ("code_fragment", &fields.code_fragment),
    ];
    for (name, text) in texts {
        entry.insert(name.to_owned(), json!(text.trim()));
    }
    if list == RuleList::KnownErrors {
        let numbers = [
            ("min_alert_threshold", &fields.min_alert_threshold),
            ("max_alert_threshold", &fields.max_alert_threshold),
            ("alert_every_n_occurrences", &fields.alert_every_n_occurrences),
        ];
        for (name, text) in numbers {
            if !text.trim().is_empty() {
                let number: u64 = text
                    .trim()
                    .parse()
                    .map_err(|_| format!("{name}: {text:?} is no whole number from 0"))?;
                entry.insert(name.to_owned(), json!(number));
            }
        }
        let recipients = fields.email_recipients.split(',').map(str::trim);
        let recipients: Vec<&str> = recipients.filter(|address| !address.is_empty()).collect();
        entry.insert("email_recipients".to_owned(), json!(recipients));
        entry.insert("email_header".to_owned(), json!(fields.email_header.trim()));
    }
    Ok((list, Value::Object(entry)))
}
