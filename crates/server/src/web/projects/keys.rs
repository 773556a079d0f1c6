//! `/settings/keys/add` and `/settings/keys/disable`: the keys that programs report with.
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;

use super::after;
use crate::actions::projects::{add_key, disable_key};
use crate::app::App;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    id: i64,
    label: String,
    /// Not empty: the key is switched off.
    disabled: String,
}

pub(crate) async fn add(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let done = add_key(&app, context.actor(), &fields.label).await.map(drop);
    after(context, &app, done, "/settings#keys").await
}

pub(crate) async fn disable(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let app = app.now();
    let is_disabled = !fields.disabled.is_empty();
    let done = disable_key(&app, context.actor(), fields.id, is_disabled).await;
    after(context, &app, done, "/settings#keys").await
}
