//! Developers and everybody else whom mails and rules name.
use std::sync::Arc;

use axum::extract::State;
use flawless_base::text::one_line;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Parameters};
use super::problem::{FieldProblem, Problem};
use super::time::Time;
use crate::app::App;
use crate::query::QueryMemory;
use crate::query::people::{MailsOf, People, PeoplePage, Person, rules_naming};

const LONGEST_TEXT: usize = 254;
const LAST_PAGE: u32 = 100_000;

/// Which people to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PeopleQuery {
    /// Only people whose name or address contains this text.
    #[param(min_length = 1, max_length = 254)]
    text: Option<String>,
    /// The page, from 1; each has 100 people.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeopleList {
    /// Those with the most to fix come first.
    people: Vec<PersonBody>,
    /// The number of people on all pages.
    total: usize,
    page: usize,
    pages: usize,
    /// The address of the next page.
    next: Option<String>,
}

/// A person, identified by the address at which they read mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct PersonBody {
    /// The address after email aliases; as in commits when it is not a mail address.
    address: String,
    /// The name in commits.
    name: String,
    /// Their addresses in commits.
    committed_as: Vec<String>,
    /// Issues whose lines they wrote.
    issues: i64,
    /// Those of these issues that are not resolved.
    open_issues: i64,
    /// Occurrences of these issues this week.
    week_occurrences: i64,
    /// Unresolved issues that they answer for, no matter who wrote the lines.
    answers_for: i64,
    /// Occurrences this week of the issues that they answer for.
    answers_for_week: i64,
    last_commit_at: Option<Time>,
    last_issue_at: Option<Time>,
    mails: Option<Mails>,
}

/// Where a person's mail goes, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mails {
    /// Who is notified of errors in their lines, unless a rule for a path says otherwise.
    to: Option<String>,
    /// How that was determined, step by step.
    steps: Vec<String>,
    /// The mail server's message, when it refuses the address.
    refused: Option<String>,
    /// They unsubscribed from alerts.
    no_alerts: bool,
    /// They unsubscribed from weekly reports.
    no_weekly: bool,
    /// Why they may have left.
    left: Option<String>,
    /// The number of reassignments that give their issues to somebody else.
    reassignments: usize,
    /// They get the alerts that nobody else can get.
    is_default_contact: bool,
}

/// A person with the rules that name them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonWithRules {
    person: PersonBody,
    rules: Vec<Mention>,
}

/// A rule that names a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mention {
    /// The list, as in `/rules/{list}`.
    list: &'static str,
    /// The rule in words.
    text: String,
}

/// People who wrote failing lines or whom rules name
#[utoipa::path(get, path = "/people", tag = "people", params(PeopleQuery),
    responses((status = 200, body = PeopleList)))]
pub(super) async fn list(
    _caller: Caller,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    Parameters(query): Parameters<PeopleQuery>,
) -> Result<Answer<PeopleList>, Problem> {
    if query.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        let problem = format!("longer than {LONGEST_TEXT} characters");
        return Err(Problem::refused(vec![FieldProblem::new("text", problem)]));
    }
    if !query.page.is_none_or(|page| (1..=LAST_PAGE).contains(&page)) {
        let problem = format!("not a number from 1 to {LAST_PAGE}");
        return Err(Problem::refused(vec![FieldProblem::new("page", problem)]));
    }
    let text = one_line(query.text.as_deref().unwrap_or_default(), 254);
    let wanted = usize::try_from(query.page.unwrap_or(1)).unwrap_or(1);
    let PeoplePage { people, total, page, pages } =
        People::read(&app, &memory).await?.page(&app, &text, wanted);
    // A page beyond the last is empty here, while the web page shows the last one instead.
    let people = if page == wanted { people } else { Vec::new() };
    let next = (wanted < pages).then(|| {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        if !text.is_empty() {
            next.append_pair("text", &text);
        }
        next.append_pair("page", &(wanted + 1).to_string());
        format!("{}/api/v1/people?{}", app.base_url, next.finish())
    });
    let people = people.into_iter().map(PersonBody::from).collect();
    let list = PeopleList { people, total, page: wanted, pages, next: next.clone() };
    Ok(Answer::page(list, next))
}

/// One person, by any of their addresses
#[utoipa::path(get, path = "/people/{address}", tag = "people",
    params(("address" = String, Path, description = "Where they read mail, or one in commits.")),
    responses((status = 200, body = PersonWithRules)))]
pub(super) async fn show(
    _caller: Caller,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    At(address): At<String>,
) -> Result<Answer<PersonWithRules>, Problem> {
    let Some(person) = People::read(&app, &memory).await?.find(&app, &address) else {
        let address = one_line(&address, 254);
        let text = format!(
            "Nobody with the address {address} wrote a failing line, and no rule names them."
        );
        return Err(Problem::not_found(&text));
    };
    let mentions = rules_naming(&app.rules.get().rules, &person).into_iter();
    let rules = mentions.map(|mention| Mention { list: mention.list, text: mention.text });
    let rules = rules.collect();
    Ok(Answer::ok(PersonWithRules { person: person.into(), rules }))
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> Self {
        let texts = |texts: Vec<String>| texts.iter().map(|text| one_line(text, 300)).collect();
        let mails = person.mails.map(|mails: MailsOf| Mails {
            to: mails.to,
            steps: texts(mails.steps),
            refused: mails.refused.map(|words| one_line(&words, 1_000)),
            no_alerts: mails.no_alerts,
            no_weekly: mails.no_weekly,
            left: mails.left,
            reassignments: mails.reassignments,
            is_default_contact: mails.is_default_contact,
        });
        Self {
            address: one_line(&person.address, 254),
            name: one_line(&person.name, 200),
            committed_as: texts(person.committed_as),
            issues: person.issues,
            open_issues: person.open_issues,
            week_occurrences: person.week_occurrences,
            answers_for: person.answers_for,
            answers_for_week: person.answers_for_week,
            last_commit_at: person.last_commit_at.map(Time),
            last_issue_at: person.last_issue_at.map(Time),
            mails,
        }
    }
}
