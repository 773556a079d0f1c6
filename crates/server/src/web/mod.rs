//! The pages: one file per page or action, beside its template. All routes are in this list.

mod access;
mod account_show;
mod action_done;
mod action_list;
mod action_undo;
mod address_retry;
mod api;
mod asked;
mod assets;
mod blame_instead;
mod chart;
mod cookies;
mod form_fields;
mod health_check;
mod identify;
mod issue_actions;
mod issue_badges;
mod issue_blame;
mod issue_counts;
mod issue_find;
mod issue_mend;
mod issue_mute;
mod issue_pass_on;
mod issue_rule;
mod issue_samples;
mod issue_show;
mod issue_tell;
mod issue_told;
mod issue_traceback;
mod layout;
mod moment;
mod next_page;
mod older_forms;
mod people_list;
mod person_mails;
mod person_show;
mod role_list;
mod role_save;
mod rule_fields;
mod rule_form;
mod rule_list;
mod rules_show;
mod security;
mod session_end;
mod setup_show;
mod setup_snippets;
mod sign_in_link;
mod sign_in_open_id;
mod sign_in_show;
mod sign_out;
mod site;
mod test_error;
mod token_create;
mod token_end;
mod traceback_view;
mod unsubscribe;
mod visitor;
mod week_filters;
mod week_show;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::role::Role;

pub use site::Site;
pub use unsubscribe::unsubscribe_router;

/// Bytes of the largest form that somebody may send who is not signed in: it is kept in memory
/// while it arrives.
const STRANGERS_FORM: usize = 16 * 1024;

/// Every page and action, by the role it takes. The older paths are those of 0.4.5.
pub fn router(site: Site) -> Router {
    let needs = |role: Role, routes: Router<Site>| {
        routes.route_layer(from_fn_with_state(role, access::require))
    };
    let everybody = Router::new()
        .route("/style.css", get(assets::style))
        .route("/script.js", get(assets::script))
        .route("/icon.svg", get(assets::icon))
        .route("/sign_in", get(sign_in_show::show).post(sign_in_show::send))
        .route("/sign_in/sent", get(sign_in_show::sent))
        .route("/sign_in/link", get(sign_in_link::show).post(sign_in_link::save))
        .route("/sign_in/oidc", get(sign_in_open_id::leave))
        .route("/sign_in/oidc/callback", get(sign_in_open_id::come_back))
        // Short for who is not signed in.
        .route("/check_health", get(health_check::show))
        .route("/check_health.json", get(health_check::show_json))
        .fallback(layout::not_found)
        .layer(DefaultBodyLimit::max(STRANGERS_FORM));
    let known = Router::new()
        .route("/sign_out", post(sign_out::save))
        .route_layer(from_fn(access::require_known));
    let reader = Router::new()
        .route("/issues/{issue}", get(issue_show::show))
        .route("/", get(week_show::show))
        .route("/get_weekly_error_report", get(week_show::redirect))
        .route("/view_traceback", get(traceback_view::show))
        .route("/people", get(people_list::show))
        .route("/people/{address}", get(person_show::show))
        .route("/people/{address}/mails", post(person_mails::save))
        .route("/setup", get(setup_show::show))
        .route("/setup/test_error/{number}", get(test_error::show))
        .route("/account", get(account_show::show))
        .route("/account/end_session", post(session_end::save))
        .route("/account/create_token", post(token_create::save))
        .route("/account/end_token", post(token_end::save))
        .route("/sign_out_everywhere", post(sign_out::save_everywhere))
        .route("/rules", get(rules_show::show))
        .route("/rules/{list}", get(rule_list::show))
        .route("/rules/{list}/export", get(rule_list::export))
        .route("/rules/{list}/{id}", get(rule_form::show_rule))
        .route("/actions", get(action_list::show))
        .route("/admin", get(older_forms::admin))
        .route("/view_config", get(older_forms::view_config));
    // Rules about people take an administrator: their handlers see to that.
    let developer = Router::new()
        .route("/rules/{list}/add", get(rule_form::show_new).post(rule_form::save_new))
        .route("/rules/{list}/import", post(rule_list::import))
        .route("/rules/{list}/{id}", post(rule_form::save_rule))
        .route("/rules/{list}/{id}/remove", post(rule_form::remove))
        .route("/actions/{id}/undo", post(action_undo::save))
        .route("/issues/{issue}/mute", get(issue_mute::show).post(issue_mute::save))
        .route("/issues/{issue}/resolve", get(issue_mend::show).post(issue_mend::resolve))
        .route("/issues/{issue}/reopen", post(issue_mend::reopen))
        .route("/issues/{issue}/reassign", get(issue_pass_on::show).post(issue_pass_on::save))
        .route("/issues/{issue}/tell", get(issue_tell::show).post(issue_tell::save))
        .route("/issues/{issue}/{kind}", get(issue_rule::show).post(issue_rule::save))
        .route("/blame_instead", post(blame_instead::save))
        .route("/add_known_error", get(older_forms::add_known_error))
        .route("/save_known_error", post(older_forms::save_known_error))
        .route("/add_ignored_exception", get(older_forms::add_ignored_exception))
        .route("/save_ignored_exceptions", post(older_forms::save_ignored_exceptions))
        .route("/not_mine", get(older_forms::not_mine))
        .route("/mute", get(older_forms::mute))
        .route("/send_test_error", post(test_error::send));
    let administrator = Router::new()
        .route("/people/roles", get(role_list::show))
        .route("/people/roles/save", post(role_save::save))
        .route("/people/roles/sign_out", post(role_save::sign_out))
        .route("/add_watch", get(older_forms::add_watch))
        .route("/save_watch", post(older_forms::save_watch))
        .route("/remap_email", get(older_forms::remap_email))
        .route("/save_remap_email", post(older_forms::save_remap_email))
        .route("/disown_file", get(older_forms::disown_file))
        .route("/save_disown_file", post(older_forms::save_disown_file))
        .route("/retry_address", post(address_retry::save));
    everybody
        .merge(known)
        .merge(needs(Role::Reader, reader))
        .merge(needs(Role::Developer, developer))
        .merge(needs(Role::Administrator, administrator))
        .method_not_allowed_fallback(layout::forms_only)
        .merge(api::router(&site))
        .layer(from_fn_with_state(site.clone(), access::identify))
        .layer(from_fn_with_state(site.clone(), security::guard))
        .with_state(site)
}
