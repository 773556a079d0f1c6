//! The pages: one file per page or action, beside its template. All routes are in this list.

mod access;
mod account_show;
mod address_retry;
mod admin_show;
mod alias_add;
mod api_me;
mod assets;
mod blame_instead;
mod chart;
mod config_view;
mod cookies;
mod health_check;
mod identify;
mod ignored_exception_add;
mod issue_badges;
mod issue_blame;
mod issue_counts;
mod issue_find;
mod issue_mend;
mod issue_mute;
mod issue_pass_on;
mod issue_samples;
mod issue_show;
mod issue_told;
mod issue_traceback;
mod known_error_add;
mod layout;
mod moment;
mod people_list;
mod person_mails;
mod person_show;
mod next_page;
mod reassignment_add;
mod role_list;
mod role_save;
mod rule_save;
mod security;
mod setup_show;
mod setup_snippets;
mod test_error;
mod session_end;
mod sign_in_link;
mod sign_in_open_id;
mod sign_in_show;
mod sign_out;
mod token_create;
mod token_end;
mod traceback_view;
mod unsubscribe;
mod visitor;
mod watcher_add;
mod week_filters;
mod week_show;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::role::Role;
use crate::state::Shared;

pub use unsubscribe::unsubscribe_router;

/// Every page and action, by the role it takes. The older paths are those of 0.4.5.
pub fn router(shared: Shared) -> Router {
    let needs = |role: Role, routes: Router<Shared>| {
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
        .fallback(layout::not_found);
    let reader = Router::new()
        .route("/issues/{number}", get(issue_show::show))
        .route("/", get(week_show::show))
        .route("/get_weekly_error_report", get(week_show::redirect))
        .route("/view_traceback", get(traceback_view::show))
        .route("/view_config", get(config_view::show))
        .route("/admin", get(admin_show::show))
        .route("/people", get(people_list::show))
        .route("/people/{address}", get(person_show::show))
        .route("/people/{address}/mails", post(person_mails::save))
        .route("/setup", get(setup_show::show))
        .route("/setup/test_error/{number}", get(test_error::show))
        .route("/account", get(account_show::show))
        .route("/account/end_session", post(session_end::save))
        .route("/account/create_token", post(token_create::save))
        .route("/account/end_token", post(token_end::save))
        .route("/sign_out", post(sign_out::save))
        .route("/sign_out_everywhere", post(sign_out::save_everywhere))
        .route("/api/v1/me", get(api_me::show));
    let developer = Router::new()
        .route("/add_known_error", get(known_error_add::show))
        .route("/save_known_error", post(known_error_add::save))
        .route("/add_ignored_exception", get(ignored_exception_add::show))
        .route("/save_ignored_exceptions", post(ignored_exception_add::save))
        .route("/blame_instead", post(blame_instead::save))
        .route("/not_mine", get(issue_pass_on::show))
        .route("/save_not_mine", post(issue_pass_on::save))
        .route("/mute", get(issue_mute::show))
        .route("/save_mute", post(issue_mute::save))
        .route("/mark_mended", post(issue_mend::mark))
        .route("/unmark_mended", post(issue_mend::unmark))
        .route("/send_test_error", post(test_error::send));
    let administrator = Router::new()
        .route("/add_watch", get(watcher_add::show))
        .route("/save_watch", post(watcher_add::save))
        .route("/remap_email", get(alias_add::show))
        .route("/save_remap_email", post(alias_add::save))
        .route("/disown_file", get(reassignment_add::show))
        .route("/save_disown_file", post(reassignment_add::save))
        .route("/people/roles", get(role_list::show))
        .route("/people/roles/save", post(role_save::save))
        .route("/people/roles/sign_out", post(role_save::sign_out))
        .route("/retry_address", post(address_retry::save))
        .route("/remove_rule", post(config_view::remove));
    everybody
        .merge(needs(Role::Reader, reader))
        .merge(needs(Role::Developer, developer))
        .merge(needs(Role::Administrator, administrator))
        .layer(from_fn_with_state(shared.clone(), access::identify))
        .layer(from_fn_with_state(shared.clone(), security::guard))
        .with_state(shared)
}
