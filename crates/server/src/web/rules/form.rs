//! `/rules/LIST/add`, `/rules/LIST/ID` and the rule forms of an issue: each previews what the
//! rule would do before it is saved.
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::text::one_line;
use flawless_core::Role;
use flawless_store::{IssueRow, RuleList, StoreError};
use serde_json::Value;

use super::fields::{entry_of, fields_of, typed_of};
use super::list::no_such_list;
use crate::actions::{Action, ActionError, act, role_to_change};
use crate::app::App;
use crate::query::rule_preview::{RulePreview, rule_preview};
use crate::show::rules::{meaning, singular};
use crate::web::actions::done::{not_done, to_done};
use crate::web::auth::access::not_allowed;
use crate::web::layout::form_fields::{FormField, Problem, Typed, mark};
use crate::web::layout::page::{PageError, message, page_with};
use crate::web::layout::visitor::PageContext;
use crate::web::site::Site;

/// The purpose of a form.
#[derive(Debug, Clone)]
pub(crate) enum For {
    /// A new rule.
    New,
    /// An existing rule, by its id.
    Rule(i64),
    /// A new rule for an issue; the end of the form's address.
    Issue(Box<IssueRow>, &'static str),
}

#[derive(Template)]
#[template(path = "rules/form.html")]
struct Page {
    context: PageContext,
    title: String,
    /// The issue that the rule is made for: its page and its name.
    about: Option<(String, String)>,
    meaning: &'static str,
    /// The address that the form is posted to.
    to: String,
    list_page: String,
    /// Forms of other lists for the same code; the one that is shown has no address.
    kinds: Vec<(&'static str, Option<String>)>,
    fields: Vec<FormField>,
    problem: Option<Problem>,
    has_preview: bool,
    preview: Option<PreviewPart>,
    /// The role that changing the rule takes, when the visitor does not have it.
    looks_only: Option<Role>,
    removable: bool,
}

struct PreviewPart {
    summary: String,
    blamed_then: Option<String>,
    /// Number, place and occurrences.
    issues: Vec<(i64, String, i64)>,
    more: usize,
}

/// The lists of rules for code, with the ends of their forms' addresses on an issue.
const KINDS: [(RuleList, &str, &str); 4] = [
    (RuleList::KnownErrors, "Known error", "known_error"),
    (RuleList::BuildingBlocks, "Library code", "library_code"),
    (RuleList::ThirdPartyWhitelist, "Third-party rule", "third_party"),
    (RuleList::IgnoredExceptions, "Ignored exception", "ignore_exception"),
];

/// The list that a form of an issue adds to, by the end of the form's address.
pub(crate) fn kind_named(end: &str) -> Option<(RuleList, &'static str)> {
    KINDS.into_iter().find(|(_, _, known)| *known == end).map(|(list, _, known)| (list, known))
}

impl From<RulePreview> for PreviewPart {
    fn from(preview: RulePreview) -> Self {
        let RulePreview { summary, issues, in_all, blamed_then } = preview;
        let more = in_all - issues.len();
        let line = |issue: flawless_store::MatchedIssue| {
            let place = format!("{}:{}", one_line(&issue.path, 300), issue.line);
            (issue.id, place, issue.occurrences)
        };
        Self { summary, blamed_then, issues: issues.into_iter().map(line).collect(), more }
    }
}

/// The parts of a form that depend on what was typed.
struct Shown {
    fields: Vec<FormField>,
    problem: Option<Problem>,
    preview: Option<RulePreview>,
}

impl For {
    fn address(&self, list: RuleList) -> String {
        match self {
            Self::New => format!("/rules/{}/add", list.as_str()),
            Self::Rule(id) => format!("/rules/{}/{id}", list.as_str()),
            Self::Issue(issue, end) => format!("/issues/{}/{end}", issue.id),
        }
    }

    fn edited(&self) -> Option<i64> {
        match self {
            Self::Rule(id) => Some(*id),
            _ => None,
        }
    }

    fn issue(&self) -> Option<&IssueRow> {
        match self {
            Self::Issue(issue, _) => Some(issue),
            _ => None,
        }
    }

    fn page(&self, context: PageContext, list: RuleList, shown: Shown) -> Page {
        let Shown { fields, problem, preview } = shown;
        let is_code = KINDS[..3].iter().any(|(known, ..)| *known == list);
        let query = || {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for field in &fields[..fields.len().min(3)] {
                query.append_pair(field.name, &field.value);
            }
            query.finish()
        };
        let kinds = KINDS.iter().filter_map(|(known, name, end)| {
            let address = match self {
                Self::Rule(_) => return None,
                Self::Issue(issue, _) => format!("/issues/{}/{end}", issue.id),
                Self::New if is_code && *known != RuleList::IgnoredExceptions => {
                    format!("/rules/{}/add?{}", known.as_str(), query())
                }
                Self::New => return None,
            };
            Some((*name, Some(address).filter(|_| *known != list)))
        });
        let kinds = kinds.collect();
        let title = match self {
            Self::New | Self::Issue(..) => format!("New: {}", singular(list)),
            Self::Rule(id) => format!("Rule {id}: {}", singular(list)),
        };
        let about = self.issue().map(|issue| {
            let place = format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line);
            (crate::show::links::issue("", issue.id), place)
        });
        Page {
            looks_only: Some(role_to_change(list)).filter(|role| !context.has(*role)),
            context,
            title,
            about,
            meaning: meaning(list),
            to: self.address(list),
            list_page: format!("/rules/{}", list.as_str()),
            kinds,
            fields,
            problem,
            has_preview: KINDS.iter().any(|(known, ..)| *known == list),
            preview: preview.map(PreviewPart::from),
            removable: matches!(self, Self::Rule(_)),
        }
    }
}

async fn preview_of(
    site: &Site,
    list: RuleList,
    entry: &Value,
    what: &For,
) -> Result<Option<RulePreview>, ActionError> {
    rule_preview(&site.app, &site.memory.preview_turn, list, entry, what.edited(), what.issue())
        .await
}

/// Shows the form, with a preview when its fields make a valid rule.
pub(crate) async fn show_form(
    site: &Site,
    context: PageContext,
    list: RuleList,
    what: &For,
    typed: &Typed,
) -> Result<Response, PageError> {
    let fields = fields_of(list, typed);
    let preview = match entry_of(list, &fields) {
        Ok(entry) => preview_of(site, list, &entry, what).await,
        Err(error) => Err(error),
    };
    let preview = match preview {
        Err(ActionError::Store(error)) => return Err(error.into()),
        // The form was not sent yet, so incomplete fields are not an error.
        Err(_) => None,
        Ok(preview) => preview,
    };
    let shown = Shown { fields, problem: None, preview };
    Ok(page_with(StatusCode::OK, &what.page(context, list, shown)))
}

/// Saves the rule that was typed, or previews it.
pub(crate) async fn save_form(
    site: &Site,
    context: PageContext,
    list: RuleList,
    what: &For,
    typed: &Typed,
) -> Result<Response, PageError> {
    let mut fields = fields_of(list, typed);
    let is_preview = typed.get("then").is_some_and(|then| then == "preview");
    let entry = entry_of(list, &fields);
    let error = match entry {
        Ok(entry) if is_preview => match preview_of(site, list, &entry, what).await {
            Ok(preview) => {
                let shown = Shown { fields, problem: None, preview };
                return Ok(page_with(StatusCode::OK, &what.page(context, list, shown)));
            }
            Err(error) => error,
        },
        Ok(entry) => match act(&site.app, context.actor(), action(list, what, entry)).await {
            Ok(done) => {
                let page = match what.issue() {
                    Some(issue) => crate::show::links::issue("", issue.id),
                    None => format!("/rules/{}", list.as_str()),
                };
                return Ok(to_done(&page, &done));
            }
            Err(error) => error,
        },
        Err(error) => error,
    };
    let problem = Some(mark(&mut fields, error)?);
    let shown = Shown { fields, problem, preview: None };
    let page = what.page(context, list, shown);
    Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn action(list: RuleList, what: &For, entry: Value) -> Action {
    match what {
        For::New => Action::AddRule { list, entry, issue: None },
        For::Issue(issue, _) => Action::AddRule { list, entry, issue: Some(issue.id) },
        For::Rule(id) => Action::EditRule { list, id: *id, entry },
    }
}

/// The list that the address names, or an answer when the visitor may not change it.
pub(crate) fn list_to_change(context: &PageContext, name: &str) -> Result<RuleList, Box<Response>> {
    let Some(list) = RuleList::parse(name) else {
        return Err(Box::new(no_such_list(context.clone())));
    };
    let role = role_to_change(list);
    if context.has(role) { Ok(list) } else { Err(Box::new(not_allowed(context.clone(), role))) }
}

pub(crate) async fn show_new(
    mut context: PageContext,
    State(site): State<Site>,
    Path(name): Path<String>,
    Query(typed): Query<Typed>,
) -> Result<Response, PageError> {
    match list_to_change(&context, &name) {
        Ok(list) => {
            let fields = fields_of(list, &typed);
            context.unknown.retain(|name| !fields.iter().any(|field| field.name == name));
            show_form(&site, context, list, &For::New, &typed).await
        }
        Err(answer) => Ok(*answer),
    }
}

pub(crate) async fn save_new(
    context: PageContext,
    State(site): State<Site>,
    Path(name): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    match list_to_change(&context, &name) {
        Ok(list) => save_form(&site, context, list, &For::New, &typed).await,
        Err(answer) => Ok(*answer),
    }
}

/// The rule that the address names.
async fn rule_of(app: &App, list: RuleList, id: &str) -> Result<Option<Value>, StoreError> {
    let Ok(id) = id.parse::<i64>() else { return Ok(None) };
    let rules = app.store.rule_entries(list).await?;
    Ok(rules.into_iter().find(|rule| rule.id == id).map(|rule| rule.entry))
}

fn no_such_rule(context: PageContext, list: RuleList) -> Response {
    let title = list.title();
    let text = format!("This rule is no longer among the {}.", title.to_lowercase());
    message(context, StatusCode::NOT_FOUND, "Not found", &text)
}

pub(crate) async fn show_rule(
    context: PageContext,
    State(site): State<Site>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let Some(list) = RuleList::parse(&name) else { return Ok(no_such_list(context)) };
    let Some(entry) = rule_of(&site.app, list, &id).await? else {
        return Ok(no_such_rule(context, list));
    };
    let what = For::Rule(id.parse().unwrap_or_default());
    if !context.has(role_to_change(list)) {
        // The preview is only for visitors who may change the rule.
        let fields = fields_of(list, &typed_of(&entry));
        let shown = Shown { fields, problem: None, preview: None };
        return Ok(page_with(StatusCode::OK, &what.page(context, list, shown)));
    }
    show_form(&site, context, list, &what, &typed_of(&entry)).await
}

pub(crate) async fn save_rule(
    context: PageContext,
    State(site): State<Site>,
    Path((name, id)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let list = match list_to_change(&context, &name) {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    if rule_of(&site.app, list, &id).await?.is_none() {
        return Ok(no_such_rule(context, list));
    }
    let what = For::Rule(id.parse().unwrap_or_default());
    save_form(&site, context, list, &what, &typed).await
}

pub(crate) async fn remove(
    context: PageContext,
    State(app): State<App>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let list = match list_to_change(&context, &name) {
        Ok(list) => list,
        Err(answer) => return Ok(*answer),
    };
    let Ok(id) = id.parse() else { return Ok(no_such_rule(context, list)) };
    match act(&app, context.actor(), Action::RemoveRule { list, id }).await {
        Ok(done) => Ok(to_done(&format!("/rules/{}", list.as_str()), &done)),
        Err(error) => not_done(context, error),
    }
}
