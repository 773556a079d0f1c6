//! `/people/ADDRESS`: one person, where their mail goes and why, their open issues, and the
//! rules that name them.
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::text::{one_line, plain};
use flawless_core::{Role, is_mailable};
use flawless_store::PersonMail;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::list::{PersonLine, line};
use super::mails::may_choose;
use super::roles::CHOICES;
use crate::actions::is_default_contact;
use crate::app::App;
use crate::query::QueryMemory;
use crate::query::people::{PAGE, People, RuleMention, rules_naming};
use crate::show::alert::types_in_words;
use crate::show::links;
use crate::sign_in::{RoleWithReason, role_with_reason};
use crate::web::actions::done::{DoneNotice, done_notice};
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, message, page};
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    page: String,
}

#[derive(Template)]
#[template(path = "people/show.html")]
struct Page {
    context: PageContext,
    done: Option<DoneNotice>,
    person: PersonLine,
    /// Who is notified of errors in their lines; `None` when nobody is.
    to: Option<String>,
    is_same: bool,
    steps: Vec<String>,
    refused: Option<String>,
    left: Option<String>,
    no_alerts: bool,
    no_weekly: bool,
    /// The server sends weekly reports.
    weekly_is_on: bool,
    may_choose: bool,
    is_default_contact: bool,
    mails_url: String,
    reassign_url: String,
    issues: Vec<IssueLine>,
    page: i64,
    pages: i64,
    rules: Vec<RuleMention>,
    mails: Vec<MailLine>,
    /// Shown to administrators while sign-in is on.
    role: Option<RolePart>,
}

struct RolePart {
    name: &'static str,
    why: &'static str,
    is_fixed: bool,
    choices: [&'static str; 4],
}

struct IssueLine {
    url: String,
    place: String,
    function: String,
    exception: String,
    week: i64,
    last: Moment,
    /// Who answers for it, when it is somebody else, and why.
    owner: Option<String>,
    why: String,
    muted: bool,
    known: bool,
}

struct MailLine {
    subject: String,
    at: Moment,
    state: String,
    bad: bool,
}

const MAILS: i64 = 10;

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    Path(address): Path<String>,
) -> Result<Response, PageError> {
    let people = People::read(&app, &memory).await?;
    let Some(found) = people.find(&app, &address) else {
        let text = "Nobody with this address wrote a failing line, and no rule names them. \
                    The page People lists everybody.";
        return Ok(message(context, StatusCode::NOT_FOUND, "Not found", text));
    };
    let mails = people.mails_of(&app, &found);
    let size = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let pages = ((found.open_issues + size - 1) / size).max(1);
    let number = parameters.page.trim().parse().unwrap_or(1).clamp(1, pages);
    let rules = app.rules.get();
    let issues = match found.committed_as.is_empty() {
        true => Vec::new(),
        false => {
            let offset = (number - 1) * size;
            app.store.open_issues_by(&found.committed_as, people.week, size, offset).await?
        }
    };
    let now = app.clock.now();
    let policy = &app.config.addresses;
    let issue_line = |found_issue: flawless_store::WeekIssue| {
        let issue = found_issue.issue;
        let owner = issue.owner(&rules.rules, policy, &people.refused);
        let is_theirs =
            owner.address.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(&found.address));
        IssueLine {
            url: links::issue("", issue.id),
            place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
            function: one_line(&issue.facts.function_name, 100),
            exception: types_in_words(&issue),
            week: found_issue.week_occurrences,
            last: Moment::new(issue.last_seen_at, &app),
            owner: (!is_theirs)
                .then(|| owner.address.map_or("nobody".to_owned(), |to| one_line(&to, 254))),
            why: one_line(&owner.steps.join("; "), 600),
            muted: issue.muted_at(now).is_some(),
            known: issue.facts.known_error_id.is_some(),
        }
    };
    let query = Serializer::new(String::new())
        .append_pair("filepath", "/")
        .append_pair("email", &found.address)
        .finish();
    let sent = app.store.mails_to(&found.address, MAILS).await?;
    Ok(page(&Page {
        person: line(&app, &found),
        is_same: mails.to.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(&found.address)),
        to: mails.to.map(|to| one_line(&to, 254)),
        steps: mails.steps.iter().map(|step| one_line(step, 600)).collect(),
        refused: mails.refused.map(|words| one_line(&words, 600)),
        left: mails.left,
        no_alerts: mails.no_alerts,
        no_weekly: mails.no_weekly,
        weekly_is_on: app.config.mails.weekly.is_some(),
        may_choose: may_choose(&context, &found.address),
        is_default_contact: is_default_contact(&app, &found.address),
        mails_url: format!("{}/mails", links::person("", &found.address)),
        reassign_url: format!("/disown_file?{query}"),
        issues: issues.into_iter().map(issue_line).collect(),
        page: number,
        pages,
        rules: rules_naming(&rules.rules, &found),
        mails: sent.into_iter().map(|mail| mail_line(&app, mail)).collect(),
        role: role_part(&app, &context, &found.address).await?,
        done: done_notice(&app, &context).await?,
        context,
    }))
}

async fn role_part(
    app: &App,
    context: &PageContext,
    address: &str,
) -> Result<Option<RolePart>, PageError> {
    if !context.administers() || !app.config.sign_in.required || !is_mailable(address) {
        return Ok(None);
    }
    let given = app.store.given_role(&address.to_ascii_lowercase()).await?;
    let RoleWithReason { role, why, is_fixed } =
        role_with_reason(&app.config.sign_in, given, address);
    let name = role.map_or("none", Role::as_str);
    Ok(Some(RolePart { name, why, is_fixed, choices: CHOICES }))
}

fn mail_line(app: &App, mail: PersonMail) -> MailLine {
    let words = mail.last_error.as_deref().map(|words| format!(": {}", one_line(words, 300)));
    let words = words.unwrap_or_default();
    let (state, bad) = match (mail.sent_at, mail.gave_up_at) {
        (Some(_), _) => ("accepted by the mail server".to_owned(), false),
        (None, Some(_)) => (format!("given up{words}"), true),
        (None, None) => (format!("waiting{words}"), !words.is_empty()),
    };
    let subject = match mail.subject.is_empty() {
        true => "(deleted after retention_days)".to_owned(),
        false => one_line(&mail.subject, 200),
    };
    MailLine { subject, at: Moment::new(mail.created_at, app), state: plain(&state), bad }
}
