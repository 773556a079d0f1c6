//! The pages: one folder per noun, with one file per page or action next to its template. All
//! routes are listed here.

pub(crate) mod account;
pub(crate) mod actions;
mod api;
pub(crate) mod auth;
pub(crate) mod health;
pub(crate) mod issue;
pub(crate) mod layout;
pub(crate) mod older;
pub(crate) mod people;
pub(crate) mod projects;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod sign_in;
mod site;
mod sites;
pub(crate) mod week;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use flawless_core::Role;
use site::Site;

pub use sites::projects_router;
pub(crate) use sites::to_top;

/// Limit in bytes for a form from somebody who is not signed in: forms are held in memory while
/// they arrive.
const STRANGERS_FORM: usize = 16 * 1024;

/// All pages and actions, by the role that they take. The older paths are those of 0.4.5.
fn router(site: Site) -> Router {
    let needs = |role: Role, routes: Router<Site>| {
        routes.route_layer(from_fn_with_state(role, auth::access::require))
    };
    let is_first = site.app.root.is_empty();
    let health = Router::new()
        .route("/check_health", get(health::show::show))
        .route("/check_health.json", get(health::show::show_json));
    let everybody = Router::new()
        .route("/style.css", get(layout::assets::style))
        .route("/script.js", get(layout::assets::script))
        .route("/icon.svg", get(layout::assets::icon))
        .route("/sign_in", get(sign_in::show::show).post(sign_in::show::send))
        .route("/sign_in/sent", get(sign_in::show::sent))
        .route("/sign_in/link", get(sign_in::link::show).post(sign_in::link::save))
        .route("/sign_in/oidc", get(sign_in::open_id::leave))
        .route("/sign_in/oidc/callback", get(sign_in::open_id::come_back))
        // A visitor who is not signed in gets the short version.
        .merge(health.clone())
        .layer(DefaultBodyLimit::max(STRANGERS_FORM));
    let known = Router::new()
        .route("/sign_out", post(account::sign_out::save))
        // Whoever may not see the first project may see others.
        .route("/projects", get(projects::overview::show))
        .route_layer(from_fn(auth::access::require_known));
    let reader = Router::new()
        .route("/issues/{issue}", get(issue::show::show))
        .route("/", get(week::show::show))
        .route("/get_weekly_error_report", get(week::show::redirect))
        .route("/view_traceback", get(older::traceback_view::show))
        .route("/people", get(people::list::show))
        .route("/people/{address}", get(people::show::show))
        .route("/people/{address}/mails", post(people::mails::save))
        .route("/setup", get(setup::show::show))
        .route("/setup/test_error/{number}", get(setup::test_error::show))
        .route("/account", get(account::show::show))
        .route("/account/end_session", post(account::session_end::save))
        .route("/account/create_token", post(account::token_create::save))
        .route("/account/end_token", post(account::token_end::save))
        .route("/sign_out_everywhere", post(account::sign_out::save_everywhere))
        .route("/rules", get(rules::index::show))
        .route("/rules/{list}", get(rules::list::show))
        .route("/rules/{list}/export", get(rules::list::export))
        .route("/rules/{list}/{id}", get(rules::form::show_rule))
        .route("/actions", get(actions::list::show))
        .route("/admin", get(older::forms::admin))
        .route("/view_config", get(older::forms::view_config));
    // The handlers check that rules about people are changed by administrators only.
    let developer = Router::new()
        .route("/rules/{list}/add", get(rules::form::show_new).post(rules::form::save_new))
        .route("/rules/{list}/import", post(rules::list::import))
        .route("/rules/{list}/{id}", post(rules::form::save_rule))
        .route("/rules/{list}/{id}/remove", post(rules::form::remove))
        .route("/actions/{id}/undo", post(actions::undo::save))
        .route("/issues/{issue}/mute", get(issue::mute::show).post(issue::mute::save))
        .route("/issues/{issue}/resolve", get(issue::resolve::show).post(issue::resolve::resolve))
        .route("/issues/{issue}/reopen", post(issue::resolve::reopen))
        .route("/issues/{issue}/reassign", get(issue::reassign::show).post(issue::reassign::save))
        .route("/issues/{issue}/notify", get(issue::notify::show).post(issue::notify::save))
        .route("/issues/{issue}/{kind}", get(issue::rule::show).post(issue::rule::save))
        .route("/blame_instead", post(issue::blame_instead::save))
        .route("/add_known_error", get(older::forms::add_known_error))
        .route("/save_known_error", post(older::forms::save_known_error))
        .route("/add_ignored_exception", get(older::forms::add_ignored_exception))
        .route("/save_ignored_exceptions", post(older::forms::save_ignored_exceptions))
        .route("/not_mine", get(older::forms::not_mine))
        .route("/mute", get(older::forms::mute))
        .route("/send_test_error", post(setup::test_error::send));
    let administrator = Router::new()
        .route("/people/roles", get(people::roles::show))
        .route("/people/roles/save", post(people::role_save::save))
        .route("/people/roles/sign_out", post(people::role_save::sign_out))
        .route("/add_watch", get(older::forms::add_watch))
        .route("/save_watch", post(older::forms::save_watch))
        .route("/remap_email", get(older::forms::remap_email))
        .route("/save_remap_email", post(older::forms::save_remap_email))
        .route("/disown_file", get(older::forms::disown_file))
        .route("/save_disown_file", post(older::forms::save_disown_file))
        .route("/retry_address", post(people::address_retry::save))
        .route("/new_project", get(projects::add::show).post(projects::add::save))
        .route("/settings", get(projects::settings::show))
        .route("/settings/save", post(projects::save::save))
        .route("/settings/keys/add", post(projects::keys::add))
        .route("/settings/keys/disable", post(projects::keys::disable))
        .route("/settings/rename", post(projects::state::save_name))
        .route("/settings/archive", post(projects::state::save_archived))
        .route("/settings/remove", post(projects::state::remove_it));
    let inside = known
        .merge(needs(Role::Reader, reader))
        .merge(needs(Role::Developer, developer))
        .merge(needs(Role::Administrator, administrator));
    // Strangers see something of the first project only: they must not learn of others.
    let all = match is_first {
        true => everybody.merge(inside),
        false => inside.merge(needs(Role::Reader, health)),
    };
    let all = all
        .method_not_allowed_fallback(layout::page::forms_only)
        .merge(api::router())
        .fallback(layout::page::not_found);
    let all = match is_first {
        true => all,
        false => all.layer(from_fn(auth::access::require_visitor)),
    };
    identified(all, site)
}

/// What is at the addresses of a project that does not exist, below `site.app.root`.
fn nothing(site: Site) -> Router {
    let nothing = Router::new().fallback(layout::page::not_found);
    identified(nothing.layer(from_fn(auth::access::require_visitor)), site)
}

/// Identifies the visitor of each request.
fn identified(routes: Router<Site>, site: Site) -> Router {
    routes
        .layer(from_fn_with_state(site.clone(), auth::access::identify))
        .layer(from_fn_with_state(site.clone(), auth::security::guard))
        .with_state(site)
}
