//! `/setup`: what a project still needs, how programs report to it, and a test error.
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::layout::{PageError, page};
use super::setup_snippets::{Snippet, dsn, snippets};
use super::visitor::Frame;
use crate::setup::{SetupItem, setup_items};
use crate::state::Shared;

#[derive(Template)]
#[template(path = "setup_show.html")]
struct Page {
    frame: Frame,
    items: Vec<SetupItem>,
    to_do: usize,
    dsn: String,
    snippets: Vec<Snippet>,
    has_thrift: bool,
    contact: Option<String>,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
) -> Result<Response, PageError> {
    let items = setup_items(&shared).await?;
    let with_key = frame.acts();
    Ok(page(&Page {
        to_do: items.iter().filter(|item| !item.ok).count(),
        items,
        dsn: dsn(&shared, with_key),
        snippets: snippets(&shared, with_key),
        has_thrift: shared.running.get().is_some_and(|running| running.thrift_port.is_some()),
        contact: shared.config.addresses.default_contact.clone(),
        frame,
    }))
}
