//! The forms and lists under their addresses and with their fields of 0.4.5; they redirect to the
//! current pages.
use axum::extract::{Form, Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_store::RuleList;
use url::form_urlencoded::Serializer;

use crate::actions::role_to_change;
use crate::web::auth::access::not_allowed;
use crate::web::issue::find::no_such_issue;
use crate::web::layout::form_fields::Typed;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;
use crate::web::rules::form::{For, save_form};
use crate::web::rules::list::no_such_list;
use crate::web::site::Site;

/// The list that 0.4.5's form for code is about.
fn list_of_code(typed: &Typed) -> Option<RuleList> {
    match typed.get("type").map_or("", String::as_str) {
        "" => Some(RuleList::KnownErrors),
        name => RuleList::parse(name).filter(|list| {
            let code = [RuleList::BuildingBlocks, RuleList::ThirdPartyWhitelist];
            *list == RuleList::KnownErrors || code.contains(list)
        }),
    }
}

fn with_query(page: &str, query: Option<String>) -> Response {
    let query = query.filter(|query| !query.is_empty()).map(|query| format!("?{query}"));
    Redirect::to(&format!("{page}{}", query.unwrap_or_default())).into_response()
}

/// The parameters except one, which the new address has in its path.
fn but(typed: &Typed, left_out: &str) -> Option<String> {
    let mut rest: Vec<(&String, &String)> =
        typed.iter().filter(|(name, _)| *name != left_out).collect();
    rest.sort();
    Some(Serializer::new(String::new()).extend_pairs(rest).finish())
}

/// `/admin`.
pub(crate) async fn admin(RawQuery(query): RawQuery) -> Response {
    with_query("/rules", query)
}

/// `/view_config?key=LIST`.
pub(crate) async fn view_config(context: PageContext, Query(typed): Query<Typed>) -> Response {
    match typed.get("key").map(String::as_str) {
        None | Some("") => with_query("/rules", but(&typed, "key")),
        Some(key) => match RuleList::parse(key) {
            Some(list) => with_query(&format!("/rules/{}", list.as_str()), but(&typed, "key")),
            None => no_such_list(context),
        },
    }
}

/// `/add_known_error`.
pub(crate) async fn add_known_error(context: PageContext, Query(typed): Query<Typed>) -> Response {
    match list_of_code(&typed) {
        Some(list) => with_query(&format!("/rules/{}/add", list.as_str()), but(&typed, "type")),
        None => no_such_list(context),
    }
}

/// The forms of the other lists.
pub(crate) async fn add_watch(RawQuery(query): RawQuery) -> Response {
    with_query("/rules/watch_list/add", query)
}

pub(crate) async fn remap_email(RawQuery(query): RawQuery) -> Response {
    with_query("/rules/email_remapping/add", query)
}

pub(crate) async fn disown_file(RawQuery(query): RawQuery) -> Response {
    with_query("/rules/disownership_list/add", query)
}

pub(crate) async fn add_ignored_exception(RawQuery(query): RawQuery) -> Response {
    with_query("/rules/ignored_exceptions/add", query)
}

async fn save(
    context: PageContext,
    site: &Site,
    list: RuleList,
    typed: &Typed,
) -> Result<Response, PageError> {
    let role = role_to_change(list);
    if !context.has(role) {
        return Ok(not_allowed(context, role));
    }
    save_form(site, context, list, &For::New, typed).await
}

/// `/save_known_error`.
pub(crate) async fn save_known_error(
    context: PageContext,
    State(site): State<Site>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    match list_of_code(&typed) {
        Some(list) => save(context, &site, list, &typed).await,
        None => Ok(no_such_list(context)),
    }
}

/// `/save_watch`.
pub(crate) async fn save_watch(
    context: PageContext,
    State(site): State<Site>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, PageError> {
    // When the field is missing, 0.4.5 watches only blamed frames.
    typed.entry("watch_all_errors".to_owned()).or_insert_with(|| "false".to_owned());
    save(context, &site, RuleList::WatchList, &typed).await
}

/// `/save_remap_email`.
pub(crate) async fn save_remap_email(
    context: PageContext,
    State(site): State<Site>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    save(context, &site, RuleList::EmailRemapping, &typed).await
}

/// `/save_disown_file`.
pub(crate) async fn save_disown_file(
    context: PageContext,
    State(site): State<Site>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    save(context, &site, RuleList::DisownershipList, &typed).await
}

/// `/save_ignored_exceptions`.
pub(crate) async fn save_ignored_exceptions(
    context: PageContext,
    State(site): State<Site>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    save(context, &site, RuleList::IgnoredExceptions, &typed).await
}

/// `/not_mine?issue=NUMBER`, as linked in mails.
pub(crate) async fn not_mine(context: PageContext, Query(typed): Query<Typed>) -> Response {
    of_issue(context, &typed, "reassign")
}

/// `/mute?issue=NUMBER`, as linked in mails.
pub(crate) async fn mute(context: PageContext, Query(typed): Query<Typed>) -> Response {
    of_issue(context, &typed, "mute")
}

fn of_issue(context: PageContext, typed: &Typed, form: &str) -> Response {
    let number = typed.get("issue").and_then(|number| number.trim().parse::<i64>().ok());
    match number {
        Some(number) => with_query(&format!("/issues/{number}/{form}"), but(typed, "issue")),
        None => no_such_issue(context),
    }
}
