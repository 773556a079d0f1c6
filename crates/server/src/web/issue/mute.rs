//! `/issues/NUMBER/mute`: nobody is notified of an issue for a time. It is still counted.
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::{IssueRow, MUTED_FOR_EVER};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::find::{find, no_such_issue};
use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::page::{PageError, page, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "issue/mute.html")]
struct Page {
    context: PageContext,
    issue: i64,
    place: String,
    muted: Option<String>,
    notified: bool,
    problem: Option<Problem>,
    fields: Vec<FormField>,
}

const DAY_MS: i64 = 86_400_000;

fn form(
    app: &App,
    context: PageContext,
    issue: &IssueRow,
    typed: &Typed,
    error: Option<ActionError>,
) -> Result<Page, PageError> {
    let mut fields = vec![FormField::text("until", "Until").kind("date").required()];
    fill_in(&mut fields, typed);
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    Ok(Page {
        context,
        issue: issue.id,
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        muted: muted_in_words(app, issue),
        notified: issue.notified_at.is_some(),
        problem,
        fields,
    })
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    Ok(page(&form(&app, context, &issue, &Typed::new(), None)?))
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    let until = until_of(&typed, app.clock.now(), &app.config.timezone);
    let done = match until {
        Ok(until) => act(&app, context.actor(), Action::Mute { issue: issue.id, until }).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error @ ActionError::Field { .. }) => {
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page_with(status, &form(&app, context, &issue, &typed, Some(error))?))
        }
        Err(error) => not_done(context, error),
    }
}

/// Until when, of the choice that was made.
fn until_of(typed: &Typed, now: i64, timezone: &TimeZone) -> Result<Option<i64>, ActionError> {
    let field = |name| typed.get(name).map(|text| text.trim()).unwrap_or_default();
    Ok(match field("time") {
        "day" => Some(now + DAY_MS),
        "week" => Some(now + 7 * DAY_MS),
        "month" => Some(now + 30 * DAY_MS),
        "ever" => Some(MUTED_FOR_EVER),
        "off" => None,
        "date" => {
            let text = field("until");
            let date = text.parse::<DateTime>();
            let date = date.or_else(|_| text.parse::<Date>().map(|day| day.at(0, 0, 0, 0)));
            let moment = date.and_then(|date| date.to_zoned(timezone.clone()));
            let until = moment.map(|moment| moment.timestamp().as_millisecond());
            let until = until.map_err(|_| ActionError::Field {
                name: "until",
                text: format!("{:?} is no date: write it like 2027-01-31.", one_line(text, 50)),
            })?;
            Some(until.min(MUTED_FOR_EVER))
        }
        other => {
            let other = one_line(other, 50);
            let text =
                format!("{other:?} is no time: it has to be day, week, month, ever, date or off.");
            return Err(ActionError::Field { name: "", text });
        }
    })
}

/// Until when nobody is notified of it; `None` when it is not muted.
pub(crate) fn muted_in_words(app: &App, issue: &IssueRow) -> Option<String> {
    let until = issue.muted_at(app.clock.now())?;
    Some(match until {
        MUTED_FOR_EVER.. => "for ever".to_owned(),
        _ => format!("until {}", date_time(until, &app.config.timezone)),
    })
}
