//! `/people/roles/save` assigns or revokes a role; `/people/roles/sign_out` ends the sessions and
//! API tokens of a person.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use flawless_core::is_mailable;
use flawless_store::{GivenRole, RoleScope};
use serde::Deserialize;

use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    address: String,
    /// Empty to revoke the assigned role.
    role: String,
    /// `project` for a role in this project only.
    scope: String,
}

impl Fields {
    fn address(&self) -> Option<String> {
        Some(self.address.trim().to_ascii_lowercase()).filter(|address| is_mailable(address))
    }
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let wrong = |context, text: &str| {
        Ok(message(context, StatusCode::UNPROCESSABLE_ENTITY, "Not accepted", text))
    };
    let Some(address) = fields.address() else {
        return wrong(
            context,
            "This is not a mail address. Go back and enter one like ann@example.com.",
        );
    };
    let role = GivenRole::parse(&fields.role);
    if role.is_none() && !fields.role.is_empty() {
        return wrong(context, "There is no such role. Go back and choose one from the list.");
    }
    let scope = match fields.scope.as_str() {
        "project" => RoleScope::Project(app.project_id()),
        _ => RoleScope::AllProjects,
    };
    let by = context.who().to_owned();
    tracing::info!(address, role = fields.role, by, "a role is assigned");
    match act(&app, context.actor(), Action::GiveRole { address, scope, role }).await {
        Ok(done) => Ok(to_done("/people/roles", &done)),
        Err(ActionError::Field { text, .. }) => {
            Ok(message(context, StatusCode::CONFLICT, "Not accepted", &text))
        }
        Err(error) => not_done(context, error),
    }
}

pub(crate) async fn sign_out(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if !context.administers_all() {
        let text = "Sessions and API tokens hold in all projects, so this requires the role \
                    administrator for all of them.";
        return Ok(message(context, StatusCode::FORBIDDEN, "Not allowed", text));
    }
    if let Some(address) = fields.address() {
        let mut tx = app.store.write().await?;
        let ended = tx.sign_out_everywhere(&address, app.clock.now()).await?;
        tx.commit().await?;
        tracing::info!(address, ended, by = context.who(), "a person was signed out");
    }
    Ok(Redirect::to("/people/roles").into_response())
}
