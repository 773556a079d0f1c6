//! The issue that a link or a form names by its number, and the page when there is none.
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

/// The issue with this number; of one that was merged, the one that it lives on in.
pub(crate) async fn find(app: &App, number: &str) -> Result<Option<IssueRow>, PageError> {
    match number.trim().parse() {
        Ok(number) => Ok(app.store.issue(number).await?),
        Err(_) => Ok(None),
    }
}

/// Answers that there is none.
pub(crate) fn no_such_issue(context: PageContext) -> Response {
    let text = "There is no issue with this number.".to_owned();
    missing(context, text, ("/".to_owned(), "Look for it in the week's report".to_owned()))
}

/// Answers that there is none, and whether there was.
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
            "Issue {shown} is not there any more: it was erased, or it did not occur for {days} \
             (retention_days) and nobody had been notified of it. If it occurs again, it comes \
             back under another number."
        )
    } else {
        match shown.is_empty() {
            true => {
                "The address names no issue: it takes filename, function_name, line_number and \
                     text, or the number as /issues/1."
                    .to_owned()
            }
            false => {
                format!(
                    "There is no issue {shown}. Issues are named by their numbers, as /issues/1."
                )
            }
        }
    };
    Ok(missing(context, text, ("/".to_owned(), "Look for it in the week's report".to_owned())))
}

/// Answers that no issue is known of a file that an older link names.
pub(crate) fn no_issue_of(context: PageContext, path: &str) -> Response {
    let shown = one_line(path, 300);
    let text = format!(
        "No issue of {shown} with this function and text is known. The line may have been changed \
         since the link was made: then it is another issue."
    );
    missing(
        context,
        text,
        (links::week_of_file("", path), format!("Issues of {shown} in the week")),
    )
}

fn missing(context: PageContext, text: String, link: (String, String)) -> Response {
    page_with(StatusCode::NOT_FOUND, &Page { context, text, link })
}
