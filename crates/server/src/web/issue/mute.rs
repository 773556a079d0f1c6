//! `/issues/NUMBER/mute`: mutes an issue for a time. It is still counted, but nobody is notified.
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::{IssueRow, MUTED_FOR_EVER, StoreError};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::form::{NamedIssue, answer, place};
use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::page::{PageError, page};
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
) -> Result<Page, StoreError> {
    let mut fields = vec![FormField::text("until", "Until").kind("date").required()];
    fill_in(&mut fields, typed);
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    Ok(Page {
        context,
        issue: issue.id,
        place: place(issue),
        muted: muted_in_words(app, issue),
        notified: issue.notified_at.is_some(),
        problem,
        fields,
    })
}

pub(crate) async fn show(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
) -> Result<Response, PageError> {
    Ok(page(&form(&app, context, &issue, &Typed::new(), None)?))
}

pub(crate) async fn save(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let until = until_of(&typed, app.clock.now(), &app.config.timezone);
    let done = match until {
        Ok(until) => act(&app, context.actor(), Action::Mute { issue: issue.id, until }).await,
        Err(error) => Err(error),
    };
    answer(context, issue.id, done, async |context, error| {
        Ok(form(&app, context, &issue, &typed, Some(error))?)
    })
    .await
}

/// When the chosen mute ends; `None` to unmute.
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
                text: format!("{:?} is not a date. Write it like 2027-01-31.", one_line(text, 50)),
            })?;
            Some(until.min(MUTED_FOR_EVER))
        }
        other => {
            let other = one_line(other, 50);
            let text = format!("{other:?} is not a time. Use day, week, month, ever, date or off.");
            return Err(ActionError::Field { name: "", text });
        }
    })
}

/// How long it is muted: "forever" or "until DATE"; `None` when it is not muted.
pub(crate) fn muted_in_words(app: &App, issue: &IssueRow) -> Option<String> {
    let until = issue.muted_at(app.clock.now())?;
    Some(match until {
        MUTED_FOR_EVER.. => "forever".to_owned(),
        _ => format!("until {}", date_time(until, &app.config.timezone)),
    })
}
