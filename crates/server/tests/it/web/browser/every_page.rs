//! What must hold for every page, in every size and style, and for people who cannot see it.
use super::filled::Filled;
use crate::harness::{App, Axe, Browser, PHONE, SCREEN, Scheme};

/// Name, status, path; names in braces are those of [`Filled`]. A new page is a line here.
pub const PAGES: &[(&str, u64, &str)] = &[
    ("week", 200, "/"),
    ("week-with-all", 200, "/?include_known_errors=True&include_modified_before_min_date=True"),
    ("week-without-errors", 200, "/?timestamp=1600000000"),
    ("issue", 200, "/issues/{plain}"),
    ("issue-first-sample", 200, "/issues/{plain}?sample=0"),
    ("issue-with-request", 200, "/issues/{request}"),
    ("issue-of-group", 200, "/issues/{group}"),
    ("issue-with-long-values", 200, "/issues/{long}"),
    ("issue-of-nobody", 200, "/issues/{nobody}"),
    ("issue-known", 200, "/issues/{known}"),
    ("issue-muted", 200, "/issues/{muted}"),
    ("issue-resolved", 200, "/issues/{resolved}"),
    ("not-mine", 200, "/not_mine?issue={plain}"),
    ("not-mine-of-nobody", 200, "/not_mine?issue={nobody}"),
    ("mute", 200, "/mute?issue={muted}"),
    ("add-known-error", 200, "/add_known_error?filename=shop/web.py&function_name=pay_order"),
    ("add-watcher", 200, "/add_watch"),
    ("add-alias", 200, "/remap_email"),
    ("add-reassignment", 200, "/disown_file"),
    ("add-ignored-exception", 200, "/add_ignored_exception"),
    ("resolve", 200, "/issues/{plain}/resolve"),
    ("notify", 200, "/issues/{plain}/notify"),
    ("mark-known-error", 200, "/issues/{plain}/known_error"),
    ("mark-library-code", 200, "/issues/{plain}/library_code"),
    ("mark-third-party", 200, "/issues/{plain}/third_party"),
    ("mark-ignored-exception", 200, "/issues/{plain}/ignore_exception"),
    ("rules", 200, "/admin"),
    ("rule", 200, "/rules/known_errors/1"),
    ("actions", 200, "/actions"),
    ("known-errors", 200, "/view_config?key=known_errors"),
    ("library-code", 200, "/view_config?key=building_blocks"),
    ("third-party-rules", 200, "/view_config?key=third_party_whitelist"),
    ("ignored-exceptions", 200, "/view_config?key=ignored_exceptions"),
    ("watchers", 200, "/view_config?key=watch_list"),
    ("reassignments", 200, "/view_config?key=disownership_list"),
    ("aliases", 200, "/view_config?key=email_remapping"),
    ("people", 200, "/people"),
    ("people-not-found", 200, "/people?q=nobody"),
    ("person", 200, "/people/ben%40example.com"),
    ("no-person", 404, "/people/nobody%40example.com"),
    ("setup", 200, "/setup"),
    ("no-test-error", 404, "/setup/test_error/7"),
    ("account", 200, "/account"),
    ("roles", 200, "/people/roles"),
    ("health", 200, "/check_health"),
    ("projects", 200, "/projects"),
    ("project-settings", 200, "/settings"),
    ("add-project", 200, "/new_project"),
    ("other-project", 200, "/projects/pay/"),
    ("other-project-issue", 200, "/projects/pay/issues/{pay}"),
    ("other-project-settings", 200, "/projects/pay/settings"),
    ("other-project-setup", 200, "/projects/pay/setup"),
    ("other-project-health", 200, "/projects/pay/check_health"),
    ("no-project", 404, "/projects/none/"),
    ("unsubscribe", 200, "{unsubscribe}"),
    ("no-page", 404, "/nothing"),
    ("no-issue", 404, "/issues/999999"),
    ("no-issue-of-file", 404, "/view_traceback?filename=no.py"),
];

/// Names and what is written into these fields.
type Fields = &'static [(&'static str, &'static str)];

/// Forms filled in wrongly: name, page, fields. Each is shown again with the problem.
const MISTAKES: &[(&str, &str, Fields)] = &[
    ("mistake-in-watcher", "/add_watch", &[("filepath", "shop"), ("email", "nobody")]),
    ("mistake-in-alias", "/remap_email", &[("old_email", "x"), ("new_email", "nobody")]),
    (
        "mistake-in-known-error",
        "/add_known_error",
        &[("filename", "a.py"), ("min_alert_threshold", "many")],
    ),
    ("mistake-in-project", "/new_project", &[("name", "The shop")]),
    ("mistake-in-commit", "/issues/{plain}/resolve", &[("commit", "latest")]),
];

/// Pages of a server on which nothing is set up, and to which nothing was reported.
const EMPTY: &[(&str, &str)] = &[
    ("empty-week", "/"),
    ("empty-rules", "/admin"),
    ("empty-list", "/view_config?key=known_errors"),
    ("empty-people", "/people"),
    ("empty-setup", "/setup"),
    ("empty-health", "/check_health"),
];

/// All faults of the page that the browser shows.
pub(super) async fn faults(browser: &Browser, name: &str, width: u32) -> Vec<String> {
    let mut found = browser.complaints().await;
    found.extend(browser.too_wide().await);
    for scheme in [Scheme::Dark, Scheme::Light] {
        browser.scheme(scheme).await;
        // Only colours depend on the style.
        let rules = if scheme == Scheme::Light { Axe::All } else { Axe::Contrast };
        let scheme = scheme.name();
        found.extend(browser.axe(rules).await.iter().map(|fault| format!("{scheme}: {fault}")));
        if std::env::var_os("SCREENSHOTS").is_some() {
            browser.screenshot(&format!("pages/{name}-{width}-{scheme}")).await;
        }
    }
    found.iter().map(|fault| format!("{name} at {width}: {fault}")).collect()
}

pub(super) fn none(found: &[String]) {
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

async fn no_page_has_faults_at(width: u32) {
    let filled = Filled::start().await;
    let browser = Browser::start(&filled.app).await;
    browser.width(width).await;
    let mut found = Vec::new();
    for (name, status, path) in PAGES {
        let path = filled.path(path);
        browser.open(&path).await;
        assert_eq!(browser.status().await, *status, "{path}");
        found.extend(faults(&browser, name, width).await);
    }
    none(&found);
    for (name, path, fields) in MISTAKES {
        browser.open(&filled.path(path)).await;
        browser.run("for (const form of document.forms) form.noValidate = true", vec![]).await;
        for (field, value) in *fields {
            browser.fill(field, value).await;
        }
        browser.submit(fields[0].0).await;
        assert_eq!(browser.status().await, 422, "{name}");
        found.extend(faults(&browser, name, width).await);
    }
    none(&found);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_no_faults_on_a_phone() {
    no_page_has_faults_at(PHONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_no_faults_on_a_large_screen() {
    no_page_has_faults_at(SCREEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_an_empty_installation_have_no_faults() {
    let app = App::with("smtp_host", "").without_repository().start().await;
    let browser = Browser::start(&app).await;
    let mut found = Vec::new();
    for (name, path) in EMPTY {
        browser.open(path).await;
        found.extend(faults(&browser, name, SCREEN).await);
    }
    none(&found);
}
