//! `/people/ADDRESS/mails`: turns a kind of mails to a person off or on, for themselves and for
//! administrators.
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_core::is_mailable;
use flawless_store::UnwantedKind;
use serde::Deserialize;

use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    /// `alerts` or `weekly`.
    kind: String,
    /// `yes` or `no`.
    wanted: String,
}

/// Whether the visitor may choose which mails this address gets.
pub(crate) fn may_choose(context: &PageContext, address: &str) -> bool {
    context.administers() || context.who().eq_ignore_ascii_case(address)
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Path(address): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let address = address.trim();
    if !may_choose(&context, address) {
        let text = "Only its owner and administrators can choose which mails an address gets.";
        return Ok(message(context, StatusCode::FORBIDDEN, "Not allowed", text));
    }
    let (Some(kind), true) = (UnwantedKind::parse(&fields.kind), is_mailable(address)) else {
        let text = "The address or the kind of mails is not valid. Reload the page and try again.";
        return Ok(message(context, StatusCode::UNPROCESSABLE_ENTITY, "Not accepted", text));
    };
    let wanted = fields.wanted != "no";
    let action = Action::WantMails { address: address.to_owned(), kind, wanted };
    match act(&app, context.actor(), action).await {
        Ok(done) => Ok(to_done(&format!("{}#mails", links::person("", address)), &done)),
        Err(ActionError::Field { text, .. }) => {
            Ok(message(context, StatusCode::CONFLICT, "Not possible", &text))
        }
        Err(error) => not_done(context, error),
    }
}
