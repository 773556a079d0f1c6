//! `/rules`: every list of rules, and how many of its rules matched recently.
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_store::{RULE_LISTS, RuleMatches};

use super::list::{LATELY_MS, counted, is_idle};
use crate::actions::role_to_change;
use crate::app::App;
use crate::show::rules::meaning;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "rules/index.html")]
struct Page {
    context: PageContext,
    lists: Vec<ListLine>,
}

struct ListLine {
    key: &'static str,
    title: &'static str,
    meaning: &'static str,
    count: usize,
    /// Matches of all rules in the last 30 days.
    lately: i64,
    counted: &'static str,
    /// How many rules did not match in that time.
    idle: usize,
    changes: bool,
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let now = app.clock.now();
    let counted_since = app.store.rules_counted_since().await?;
    let matches = app.store.rule_matches(now - LATELY_MS).await?;
    let mut lists = Vec::new();
    for list in RULE_LISTS {
        let rules = app.store.rule_entries(list).await?;
        let seen: Vec<Option<&RuleMatches>> =
            rules.iter().map(|rule| matches.get(&rule.id)).collect();
        let idle = rules.iter().zip(&seen);
        let idle = idle.filter(|(rule, seen)| is_idle(rule, **seen, counted_since, now)).count();
        lists.push(ListLine {
            key: list.as_str(),
            title: list.title(),
            meaning: meaning(list),
            count: rules.len(),
            lately: seen.iter().flatten().map(|seen| seen.reports).sum(),
            counted: counted(list),
            idle,
            changes: context.has(role_to_change(list)),
        });
    }
    Ok(page(&Page { context, lists }))
}
