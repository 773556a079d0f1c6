//! `/settings/save`: sets an option of the project, or no longer sets it.
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;

use super::after;
use crate::actions::projects::set;
use crate::app::App;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    option: String,
    value: String,
    /// Not empty: the value of the configuration holds again.
    unset: String,
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let app = app.now();
    let value = fields.unset.is_empty().then(|| fields.value.trim().to_owned());
    let done = set(&app, context.actor(), &[(fields.option, value)]).await.map(drop);
    after(context, &app, done, "/settings").await
}
