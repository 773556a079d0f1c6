//! The lists of rules: read, added to, changed and imported.
use axum::extract::State;
use flawless_store::{RuleEntry, RuleList, RuleMatches};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::actions::Done;
use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Json, Parameters};
use super::problem::Problem;
use super::rule_bodies::{Entry, ListName, entry_of, list_named};
use super::time::Time;
use crate::actions::{Action, act, role_to_change};
use crate::app::App;
use crate::show::rules::in_words;

const DAY_MS: i64 = 86_400_000;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// The page, from 1.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
    /// The number of rules per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    per_page: Option<u32>,
}

/// A page of a list of rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rules {
    /// The list's name.
    list: &'static str,
    /// The list's title.
    title: &'static str,
    /// Oldest first.
    rules: Vec<Rule>,
    /// The number of rules on all pages.
    total: usize,
    page: usize,
    per_page: usize,
    /// The address of the next page.
    next: Option<String>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rule {
    id: i64,
    created_at: Time,
    #[schema(value_type = Entry)]
    entry: Value,
    /// The rule in words.
    text: String,
    /// How often it matched in the last 30 days.
    matched: Matched,
}

/// How often a rule matched.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Matched {
    /// The number of reports; for rules about people, of alerts.
    reports: i64,
    /// The occurrences that they stand for.
    occurrences: i64,
    /// The last match, however long ago.
    last_at: Option<Time>,
}

/// A new rule, or the replacement of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRule {
    #[schema(value_type = Entry)]
    entry: Value,
}

/// A rule that was added or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangedRule {
    rule: Rule,
    action: Done,
}

/// The rules of a list
#[utoipa::path(get, path = "/rules/{list}", tag = "rules",
    params(("list" = ListName, Path), PageQuery), responses((status = 200, body = Rules)))]
pub(super) async fn list(
    _caller: Caller,
    State(app): State<App>,
    At(list): At<String>,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Answer<Rules>, Problem> {
    let list = list_named(&list)?;
    let (page, per_page) = query.bounded()?;
    let matches = Matches::read(&app).await?;
    let entries = app.store.rule_entries(list).await?;
    let total = entries.len();
    let skipped = (page - 1).saturating_mul(per_page);
    let next = (total > skipped.saturating_add(per_page)).then(|| {
        let address = format!("{}/api/v1/rules/{}", app.base_url, list.as_str());
        format!("{address}?page={}&per_page={per_page}", page + 1)
    });
    let shown = entries.into_iter().skip(skipped).take(per_page);
    let rules = shown.map(|entry| matches.rule(list, entry)).collect();
    let (name, title) = (list.as_str(), list.title());
    let list = Rules { list: name, title, rules, total, page, per_page, next: next.clone() };
    Ok(Answer::page(list, next))
}

/// Add a rule to a list
///
/// Rules about code require the role developer, rules about people the role administrator.
#[utoipa::path(post, path = "/rules/{list}", tag = "rules",
    params(("list" = ListName, Path)), request_body = NewRule,
    responses((status = 201, body = ChangedRule, headers(("location" = String)))))]
pub(super) async fn add(
    caller: Caller,
    State(app): State<App>,
    At(list): At<String>,
    Json(new): Json<NewRule>,
) -> Result<Answer<ChangedRule>, Problem> {
    let list = list_named(&list)?;
    caller.needs(role_to_change(list))?;
    let entry = entry_of(list, new.entry, "entry")?;
    let action = Action::AddRule { list, entry: entry.clone(), issue: None };
    let done = act(&app, caller.actor(), action).await.map_err(in_entry)?;
    let normal = list.normalize(&entry).unwrap_or(entry);
    let entries = app.store.rule_entries(list).await?;
    // Somebody else may have removed it meanwhile.
    let rule = entries.into_iter().find(|rule| rule.entry == normal).ok_or_else(gone)?;
    let location = format!("{}/api/v1/rules/{}/{}", app.base_url, list.as_str(), rule.id);
    let rule = Matches::read(&app).await?.rule(list, rule);
    Ok(Answer::created(ChangedRule { rule, action: done.into() }, location))
}

/// One rule
#[utoipa::path(get, path = "/rules/{list}/{id}", tag = "rules",
    params(("list" = ListName, Path), ("id" = i64, Path, minimum = 1)),
    responses((status = 200, body = Rule)))]
pub(super) async fn show(
    _caller: Caller,
    State(app): State<App>,
    At((list, id)): At<(String, i64)>,
) -> Result<Answer<Rule>, Problem> {
    let list = list_named(&list)?;
    Ok(Answer::ok(rule_of(&app, list, id).await?))
}

/// Replace a rule
#[utoipa::path(put, path = "/rules/{list}/{id}", tag = "rules",
    params(("list" = ListName, Path), ("id" = i64, Path, minimum = 1)), request_body = NewRule,
    responses((status = 200, body = ChangedRule)))]
pub(super) async fn change(
    caller: Caller,
    State(app): State<App>,
    At((list, id)): At<(String, i64)>,
    Json(new): Json<NewRule>,
) -> Result<Answer<ChangedRule>, Problem> {
    let list = list_named(&list)?;
    caller.needs(role_to_change(list))?;
    let entry = entry_of(list, new.entry, "entry")?;
    let action = Action::EditRule { list, id, entry };
    let done = act(&app, caller.actor(), action).await.map_err(in_entry)?;
    let rule = rule_of(&app, list, id).await?;
    Ok(Answer::ok(ChangedRule { rule, action: done.into() }))
}

/// Remove a rule
#[utoipa::path(delete, path = "/rules/{list}/{id}", tag = "rules",
    params(("list" = ListName, Path), ("id" = i64, Path, minimum = 1)),
    responses((status = 200, body = Done)))]
pub(super) async fn remove(
    caller: Caller,
    State(app): State<App>,
    At((list, id)): At<(String, i64)>,
) -> Result<Answer<Done>, Problem> {
    let list = list_named(&list)?;
    caller.needs(role_to_change(list))?;
    let done = act(&app, caller.actor(), Action::RemoveRule { list, id }).await?;
    Ok(Answer::ok(done.into()))
}

/// Add all rules of a document, or none
///
/// The format is that of `flawless rules export` and of 0.4.5.
#[utoipa::path(post, path = "/rules/{list}/import", tag = "rules",
    params(("list" = ListName, Path)),
    request_body(content = Value, content_type = "application/json"),
    responses((status = 200, body = Done)))]
pub(super) async fn import(
    caller: Caller,
    State(app): State<App>,
    At(list): At<String>,
    Json(document): Json<Value>,
) -> Result<Answer<Done>, Problem> {
    let list = list_named(&list)?;
    caller.needs(role_to_change(list))?;
    let done = act(&app, caller.actor(), Action::ImportRules { list, document }).await?;
    Ok(Answer::ok(done.into()))
}

async fn rule_of(app: &App, list: RuleList, id: i64) -> Result<Rule, Problem> {
    let entries = app.store.rule_entries(list).await?;
    let entry = entries.into_iter().find(|rule| rule.id == id).ok_or_else(gone)?;
    Ok(Matches::read(app).await?.rule(list, entry))
}

fn gone() -> Problem {
    Problem::not_found("The list has no rule with this number. It may have been removed.")
}

fn in_entry(error: crate::actions::ActionError) -> Problem {
    Problem::of_action(error, "entry.")
}

struct Matches(std::collections::HashMap<i64, RuleMatches>);

impl Matches {
    async fn read(app: &App) -> Result<Self, Problem> {
        Ok(Self(app.store.rule_matches(app.clock.now() - 30 * DAY_MS).await?))
    }

    fn rule(&self, list: RuleList, rule: RuleEntry) -> Rule {
        let matched = self.0.get(&rule.id).copied();
        Rule {
            id: rule.id,
            created_at: Time(rule.created_at),
            text: in_words(list, &rule.entry),
            entry: rule.entry,
            matched: Matched {
                reports: matched.map_or(0, |matched| matched.reports),
                occurrences: matched.map_or(0, |matched| matched.occurrences),
                last_at: matched.map(|matched| Time(matched.last_at)),
            },
        }
    }
}

impl PageQuery {
    fn bounded(&self) -> Result<(usize, usize), Problem> {
        let fields = [("page", self.page, 1, 100_000), ("per_page", self.per_page, 50, 200)];
        let mut wrong = Vec::new();
        let [page, per_page] = fields.map(|(name, value, default, most)| {
            let number = value.unwrap_or(default);
            if !(1..=most).contains(&number) {
                let text = format!("not a number from 1 to {most}");
                wrong.push(super::problem::FieldProblem::new(name, text));
            }
            usize::try_from(number).unwrap_or(usize::MAX)
        });
        if wrong.is_empty() { Ok((page, per_page)) } else { Err(Problem::refused(wrong)) }
    }
}
