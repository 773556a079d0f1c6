//! `/rules/LIST`: one list of rules, how often each matched, and its import and export.
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use flawless_base::text::{cut, plain};
use flawless_store::{RULE_LISTS, RuleEntry, RuleList, RuleMatches, read_document};
use serde::Deserialize;
use serde_json::Value;

use super::form::list_to_change;
use crate::actions::{Action, ActionError, act, role_to_change};
use crate::app::App;
use crate::show::rules::{columns, headings, in_words, meaning, singular};
use crate::web::actions::done::{DoneNotice, done_notice, to_done};
use crate::web::layout::asked::Asked;
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, message, page_with};
use crate::web::layout::visitor::PageContext;

/// Rules on one page.
const PAGE: usize = 200;
pub(crate) const LATELY_MS: i64 = 30 * 86_400_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    page: String,
    /// Only rules with this text.
    text: String,
}

#[derive(Template)]
#[template(path = "rules/list.html")]
struct Page {
    context: PageContext,
    done: Option<DoneNotice>,
    title: &'static str,
    key: &'static str,
    singular: &'static str,
    meaning: &'static str,
    headings: &'static [&'static str],
    /// What its matches are counted in: reports or alerts.
    counted: &'static str,
    rules: Vec<RuleLine>,
    in_all: usize,
    text: String,
    /// Numbers of the pages around this one.
    newer: Option<usize>,
    older: Option<usize>,
    changes: bool,
    role: &'static str,
    fields: Vec<FormField>,
    problem: Option<Problem>,
}

/// A row of the list.
struct RuleLine {
    id: i64,
    /// Heading and text.
    columns: Vec<(&'static str, String)>,
    name: String,
    lately: i64,
    last: Option<Moment>,
    idle: bool,
}

/// Whether a rule did not match in the last 30 days, although it existed and was counted.
pub(crate) fn is_idle(
    rule: &RuleEntry,
    matches: Option<&RuleMatches>,
    counted_since: i64,
    now: i64,
) -> bool {
    let since = now - LATELY_MS;
    rule.created_at.max(counted_since) < since && matches.is_none_or(|seen| seen.last_at < since)
}

pub(crate) fn no_such_list(context: PageContext) -> Response {
    let names = RULE_LISTS.map(RuleList::as_str).join(", ");
    let text = format!("There is no such list of rules. The lists are: {names}.");
    message(context, StatusCode::NOT_FOUND, "Not found", &text)
}

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    match RuleList::parse(&name) {
        Some(list) => list_page(&app, context, list, &parameters, &Typed::new(), None).await,
        None => Ok(no_such_list(context)),
    }
}

async fn list_page(
    app: &App,
    context: PageContext,
    list: RuleList,
    parameters: &Parameters,
    typed: &Typed,
    error: Option<ActionError>,
) -> Result<Response, PageError> {
    let now = app.clock.now();
    let counted_since = app.store.rules_counted_since().await?;
    let matches = app.store.rule_matches(now - LATELY_MS).await?;
    let wanted = parameters.text.trim().to_lowercase();
    let mut rules = app.store.rule_entries(list).await?;
    rules.retain(|rule| {
        wanted.is_empty() || rule.entry.to_string().to_lowercase().contains(&wanted)
    });
    rules.reverse();
    let in_all = rules.len();
    let last_page = in_all.div_ceil(PAGE).max(1);
    let number = parameters.page.parse().unwrap_or(1).clamp(1, last_page);
    let shown = rules.iter().skip((number - 1) * PAGE).take(PAGE);
    let headings = headings(list);
    let lines = shown.map(|rule| {
        let seen = matches.get(&rule.id);
        let columns = columns(list, &rule.entry);
        let columns = columns.iter().map(|text| cut(text, 1_000));
        RuleLine {
            id: rule.id,
            columns: headings.iter().copied().zip(columns).collect(),
            name: cut(&in_words(list, &rule.entry), 200),
            lately: seen.map_or(0, |seen| seen.reports),
            last: seen.map(|seen| Moment::new(seen.last_at, app)),
            idle: is_idle(rule, seen, counted_since, now),
        }
    });
    let rules = lines.collect();
    let mut fields = vec![
        FormField::text("document", "JSON")
            .hint("a list of entries, or an exported document")
            .rows(6),
    ];
    fill_in(&mut fields, typed);
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    let role = role_to_change(list);
    let done = done_notice(app, &context).await?;
    let page = Page {
        changes: context.has(role),
        role: role.as_str(),
        context,
        done,
        title: list.title(),
        key: list.as_str(),
        singular: singular(list),
        meaning: meaning(list),
        headings,
        counted: counted(list),
        rules,
        in_all,
        text: plain(parameters.text.trim()),
        newer: (number > 1).then(|| number - 1),
        older: (number < last_page).then_some(number + 1),
        fields,
        problem,
    };
    Ok(page_with(status, &page))
}

/// What the matches of a list are counted in.
pub(crate) fn counted(list: RuleList) -> &'static str {
    match list {
        RuleList::WatchList | RuleList::DisownershipList | RuleList::EmailRemapping => "alerts",
        _ => "reports",
    }
}

pub(crate) async fn import(
    context: PageContext,
    State(app): State<App>,
    Path(name): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let list = match list_to_change(&context, &name) {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    let document = typed.get("document").map(String::as_str).unwrap_or_default();
    let done = match read_document(document.as_bytes()) {
        Ok(document) => act(&app, context.actor(), Action::ImportRules { list, document }).await,
        Err(error) => {
            let mut text = format!("{error}.");
            text[..1].make_ascii_uppercase();
            Err(ActionError::Field { name: "document", text })
        }
    };
    match done {
        Ok(done) => Ok(to_done(&format!("/rules/{}", list.as_str()), &done)),
        Err(error) => {
            list_page(&app, context, list, &Parameters::default(), &typed, Some(error)).await
        }
    }
}

/// `/rules/LIST/export`: the list as JSON, in the format that the import and 0.4.5 read.
pub(crate) async fn export(
    context: PageContext,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let Some(list) = RuleList::parse(&name) else { return Ok(no_such_list(context)) };
    let rules = app.store.rule_entries(list).await?;
    let entries: Vec<Value> = rules.into_iter().map(|rule| rule.entry).collect();
    let document = list.document(&entries, app.clock.now());
    let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.json\"", list.as_str())),
    ];
    Ok((headers, text).into_response())
}
