//! `/actions`: the log of what people did, newest first.
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_base::text::one_line;
use flawless_store::ActionRow;
use serde::Deserialize;

use super::done::{DoneNotice, can_undo, done_notice};
use crate::app::App;
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

const PAGE: i64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// The number of the last action shown; older ones follow.
    before: String,
}

/// An action as pages show it.
pub(crate) struct LogLine {
    pub(crate) id: i64,
    pub(crate) at: Moment,
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) issue: Option<i64>,
    pub(crate) can_undo: bool,
    /// Who undid it.
    pub(crate) undone_by: Option<String>,
}

#[derive(Template)]
#[template(path = "actions/list.html")]
struct Page {
    context: PageContext,
    done: Option<DoneNotice>,
    lines: Vec<LogLine>,
    older: Option<i64>,
}

impl LogLine {
    pub(crate) fn of(action: &ActionRow, app: &App, context: &PageContext) -> Self {
        Self {
            id: action.id,
            at: Moment::new(action.at, app),
            who: one_line(&action.who, 300),
            what: one_line(&action.what, 1_000),
            issue: action.issue_id,
            can_undo: can_undo(action, context),
            undone_by: action.undone_by.as_deref().map(|who| one_line(who, 300)),
        }
    }
}

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let rows = app.store.actions(parameters.before.parse().ok(), PAGE + 1).await?;
    let shown = &rows[..rows.len().min(PAGE as usize)];
    let older = shown.last().filter(|_| rows.len() > shown.len()).map(|action| action.id);
    let lines = shown.iter().map(|action| LogLine::of(action, &app, &context)).collect();
    let done = done_notice(&app, &context).await?;
    Ok(page(&Page { context, done, lines, older }))
}
