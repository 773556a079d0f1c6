//! `/send_test_error`, and its progress: `/setup/test_error/NUMBER`, which reloads itself until the
//! test is over.
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_base::text::{one_line, plain};
use flawless_store::MailState;

use crate::actions::test_error::{self, TestErrorProgress};
use crate::app::App;
use crate::show::links;
use crate::web::layout::page::{PageError, message, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "setup/test_error.html")]
struct Page {
    context: PageContext,
    steps: Vec<Step>,
    issue_url: Option<String>,
    is_over: bool,
}

struct Step {
    state: Progress,
    text: String,
}

#[derive(PartialEq, Eq)]
enum Progress {
    Done,
    Waits,
    Wrong,
}

pub(crate) async fn send(context: PageContext, State(app): State<App>) -> Response {
    match test_error::send(&app, context.who()).await {
        Ok(number) => Redirect::to(&format!("/setup/test_error/{number}")).into_response(),
        Err(error) => {
            let text = format!("The test error was not accepted: {error}. See the page Health.");
            message(context, StatusCode::SERVICE_UNAVAILABLE, "Not accepted", &text)
        }
    }
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let progress = match number.parse() {
        Ok(number) => Some(test_error::progress(&app, number).await?),
        Err(_) => None,
    };
    let Some(progress) =
        progress.filter(|progress| progress.issue.is_some() || progress.waiting > 0)
    else {
        let text = "There is no such test error. Send one on the page Set up.";
        return Ok(message(context, StatusCode::NOT_FOUND, "Not found", text));
    };
    let is_over = progress.is_over();
    let issue_url = progress.issue.as_ref().map(|(issue, _)| links::issue("", issue.id));
    let mut response = page(&Page { context, steps: steps(&progress), issue_url, is_over });
    if !is_over {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static("2"));
    }
    Ok(response)
}

fn steps(progress: &TestErrorProgress) -> Vec<Step> {
    let step = |state, text: String| Step { state, text: plain(&text) };
    let mut steps = vec![step(Progress::Done, "The report arrived and is stored.".to_owned())];
    let Some((_, owner)) = &progress.issue else {
        let why = progress.last_error.as_ref().map(|why| format!(": {}", one_line(why, 300)));
        let text = format!("It is waiting to be attributed{}.", why.unwrap_or_default());
        steps.push(step(Progress::Waits, text));
        return steps;
    };
    let text = "It is attributed. As expected, nobody is blamed: its frame is not in a file.";
    steps.push(step(Progress::Done, text.to_owned()));
    let to = owner.address.as_deref().unwrap_or("nobody");
    let why = one_line(&owner.steps.join("; "), 300);
    let state = if owner.address.is_some() { Progress::Done } else { Progress::Wrong };
    steps.push(step(state, format!("Owner: {to} ({why}).")));
    match &progress.alert {
        None => steps.push(step(
            Progress::Wrong,
            "Nobody is notified: a rule or the project's baseline_hours suppresses the alert."
                .to_owned(),
        )),
        Some(alert) => match &alert.note {
            Some(note) => steps.push(step(
                Progress::Wrong,
                format!("Nobody can be notified: {}.", one_line(note, 300)),
            )),
            None if progress.mails.is_empty() => steps.push(step(
                Progress::Waits,
                "Its mail is waiting: it is being written, or waits for the digest.".to_owned(),
            )),
            None => steps.extend(progress.mails.iter().map(mail)),
        },
    }
    steps
}

fn mail(mail: &MailState) -> Step {
    let to = one_line(&mail.recipient, 254);
    let words = mail.last_error.as_deref().map(|words| format!(": {}", one_line(words, 300)));
    let words = words.unwrap_or_default();
    let (state, text) = match (mail.sent_at, mail.gave_up_at) {
        (Some(_), _) => (Progress::Done, format!("The message to {to} was sent.")),
        (None, Some(_)) => (Progress::Wrong, format!("The message to {to} was given up{words}.")),
        (None, None) => (Progress::Waits, format!("The message to {to} waits to be sent{words}.")),
    };
    Step { state, text }
}
