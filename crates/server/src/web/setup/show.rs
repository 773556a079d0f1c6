//! `/setup`: what a project still needs, how programs report to it, and a test error.
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::snippets::{Snippet, dsn, other_snippets, snippets};
use crate::query::setup::{SetupItem, setup_items};
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;
use crate::web::site::Site;

#[derive(Template)]
#[template(path = "setup/show.html")]
struct Page {
    context: PageContext,
    items: Vec<SetupItem>,
    to_do: usize,
    dsn: String,
    snippets: Vec<Snippet>,
    other_snippets: Vec<Snippet>,
    has_thrift: bool,
    contact: Option<String>,
}

pub(crate) async fn show(
    context: PageContext,
    State(site): State<Site>,
) -> Result<Response, PageError> {
    let app = &site.app;
    let items = setup_items(app, &site.memory.mail_server).await?;
    let with_key = context.acts();
    Ok(page(&Page {
        to_do: items.iter().filter(|item| !item.ok).count(),
        items,
        dsn: dsn(app, with_key),
        snippets: snippets(app, with_key),
        other_snippets: other_snippets(app, with_key),
        has_thrift: app.running.get().is_some_and(|running| running.thrift_port.is_some()),
        contact: app.config.addresses.default_contact.clone(),
        context,
    }))
}
