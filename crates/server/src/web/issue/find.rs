//! Finds the issue that a link or a form names by its number, and answers when there is none.
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::plural::counted;
use flawless_base::text::one_line;
use flawless_store::IssueRow;

use crate::app::App;
use crate::show::links;
use crate::web::layout::page::{PageError, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "issue/find.html")]
struct Page {
    context: PageContext,
    text: String,
    link: (String, String),
}

/// The issue with this number, or the one that it was merged into.
pub(crate) async fn find(app: &App, number: &str) -> Result<Option<IssueRow>, PageError> {
    match number.trim().parse() {
        Ok(number) => Ok(app.store.issue(number).await?),
        Err(_) => Ok(None),
    }
}

/// Answers a form for an issue that does not exist.
pub(crate) fn no_such_issue(context: PageContext) -> Response {
    let text = "There is no issue with this number.".to_owned();
    missing(context, text, ("/".to_owned(), "Look for it in this week's issues".to_owned()))
}

/// Answers a link to an issue that does not exist; the page says when it existed once.
pub(crate) async fn no_issue_numbered(
    context: PageContext,
    app: &App,
    number: &str,
) -> Result<Response, PageError> {
    let shown = one_line(number, 40);
    let was = match number.trim().parse() {
        Ok(number) => app.store.was_issue(number).await?,
        Err(_) => false,
    };
    let text = if was {
        let days = counted(app.config.retention.as_secs() / 86_400, "day", "days");
        format!(
            "Issue {shown} no longer exists: it was erased, or it did not occur for {days} \
             (retention_days) and nobody had been notified of it. If it occurs again, it gets \
             another number."
        )
    } else {
        match shown.is_empty() {
            true => {
                "The address does not name an issue. Give filename, function_name, line_number and \
                     text, or the number as in /issues/1."
                    .to_owned()
            }
            false => {
                format!("There is no issue {shown}. Give the number of an issue, as in /issues/1.")
            }
        }
    };
    Ok(missing(context, text, ("/".to_owned(), "Look for it in this week's issues".to_owned())))
}

/// Answers a link of 0.4.5 that matches no issue of its file.
pub(crate) fn no_issue_of(context: PageContext, path: &str) -> Response {
    let shown = one_line(path, 300);
    let text = format!(
        "No issue of {shown} has this function and text. The line may have changed since the link \
         was made: then it belongs to another issue."
    );
    missing(context, text, (links::week_of_file("", path), format!("Issues of {shown} this week")))
}

fn missing(context: PageContext, text: String, link: (String, String)) -> Response {
    page_with(StatusCode::NOT_FOUND, &Page { context, text, link })
}
