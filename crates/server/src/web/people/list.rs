//! `/people`: everybody who wrote a line that failed or is named by a rule, where their mail goes,
//! which addresses get none, and who seems to have left.
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_base::text::one_line;
use flawless_store::UnwantedKind;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::app::App;
use crate::query::QueryMemory;
use crate::query::people::{MailsOf, People, Person};
use crate::show::links;
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// A part of a name or an address.
    q: String,
    page: String,
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct Page {
    context: PageContext,
    q: String,
    people: Vec<PersonLine>,
    total: usize,
    page: usize,
    pages: usize,
    /// On the first page, what needs attention comes before the list.
    is_first: bool,
    newer: Option<String>,
    older: Option<String>,
    addresses: Vec<AddressLine>,
    leavers: Vec<LeaverLine>,
}

pub(crate) struct PersonLine {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) url: String,
    /// Their other addresses in commits.
    pub(crate) committed_as: Vec<String>,
    pub(crate) open_issues: i64,
    pub(crate) issues: i64,
    pub(crate) answers_for: i64,
    pub(crate) answers_for_week: i64,
    pub(crate) last_commit: Option<Moment>,
    pub(crate) last_issue: Option<Moment>,
    /// Where their mail goes, in a few words, and whether that needs attention.
    pub(crate) badges: Vec<(&'static str, bool)>,
}

/// An address that some mails are not sent to.
struct AddressLine {
    address: String,
    url: String,
    since: Moment,
    why: String,
    /// For `/retry_address`.
    what: &'static str,
}

struct LeaverLine {
    person: PersonLine,
    why: String,
    now_to: String,
    reassign_url: String,
}

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
) -> Result<Response, PageError> {
    let people = People::read(&app, &memory).await?;
    let q = one_line(&parameters.q, 254);
    let found = people.page(&app, &q, parameters.page.trim().parse().unwrap_or(1));
    let is_first = q.is_empty() && found.page == 1;
    let (addresses, leavers) = match is_first {
        true => (addresses(&app, &people), leavers(&app, &people)),
        false => Default::default(),
    };
    let link = |page: usize| {
        let mut query = Serializer::new(String::new());
        if !q.is_empty() {
            query.append_pair("q", &q);
        }
        format!("/people?{}", query.append_pair("page", &page.to_string()).finish())
    };
    Ok(page(&Page {
        newer: (found.page > 1).then(|| link(found.page - 1)),
        older: (found.page < found.pages).then(|| link(found.page + 1)),
        people: found.people.iter().map(|person| line(&app, person)).collect(),
        total: found.total,
        page: found.page,
        pages: found.pages,
        context,
        is_first,
        q,
        addresses,
        leavers,
    }))
}

/// A person as a line of a list.
pub(crate) fn line(app: &App, person: &Person) -> PersonLine {
    let is_other = |known: &&String| !known.eq_ignore_ascii_case(&person.address);
    let others = person.committed_as.iter().filter(is_other);
    PersonLine {
        name: one_line(&person.name, 100),
        address: one_line(&person.address, 254),
        url: links::person("", &person.address),
        committed_as: others.take(10).map(|address| one_line(address, 254)).collect(),
        open_issues: person.open_issues,
        issues: person.issues,
        answers_for: person.answers_for,
        answers_for_week: person.answers_for_week,
        last_commit: person.last_commit_at.map(|at| Moment::new(at, app)),
        last_issue: person.last_issue_at.map(|at| Moment::new(at, app)),
        badges: person.mails.as_ref().map(|mails| badges(mails, person)).unwrap_or_default(),
    }
}

fn badges(mails: &MailsOf, person: &Person) -> Vec<(&'static str, bool)> {
    let goes_elsewhere =
        mails.to.as_deref().is_none_or(|to| !to.eq_ignore_ascii_case(&person.address));
    let badges = [
        (mails.refused.is_some(), "refused", true),
        (mails.left.is_some(), "left?", true),
        (mails.to.is_none(), "goes to nobody", true),
        (goes_elsewhere && mails.to.is_some(), "goes elsewhere", false),
        (mails.no_alerts, "no alerts", false),
        (mails.no_weekly, "no weekly report", false),
        (mails.reassignments > 0, "reassigned", false),
        (mails.is_default_contact, "default contact", false),
    ];
    badges.into_iter().filter(|badge| badge.0).map(|(_, text, bad)| (text, bad)).collect()
}

/// The addresses that a mail server refuses, or that unsubscribed from some mails.
fn addresses(app: &App, people: &People) -> Vec<AddressLine> {
    let line = |address: &str, since, why: &str, what| AddressLine {
        address: one_line(address, 254),
        url: links::person("", address),
        since: Moment::new(since, app),
        why: one_line(why, 300),
        what,
    };
    let refused = people.refused.iter().filter_map(|known| {
        Some(line(&known.address, known.since, known.words.as_deref()?, "refused"))
    });
    let unwanted = people.unwanted.iter().map(|(address, kind, since)| {
        let why = match kind {
            UnwantedKind::Weekly => "unsubscribed from weekly reports",
            UnwantedKind::Alerts => "unsubscribed from alerts",
        };
        line(address, *since, why, kind.as_str())
    });
    refused.chain(unwanted).take(500).collect()
}

fn leavers(app: &App, people: &People) -> Vec<LeaverLine> {
    let leavers = people.leavers(app);
    let leaver = leavers.iter().map(|person| {
        let mails = person.mails.as_ref();
        let query = Serializer::new(String::new())
            .append_pair("filepath", "/")
            .append_pair("email", &person.address)
            .finish();
        LeaverLine {
            person: line(app, person),
            why: mails.and_then(|mails| mails.left.clone()).unwrap_or_default(),
            now_to: mails
                .and_then(|mails| mails.to.as_deref())
                .map_or_else(|| "nobody".to_owned(), |to| one_line(to, 254)),
            reassign_url: format!("/disown_file?{query}"),
        }
    });
    leaver.collect()
}
