//! Leads each request to the pages of its project: those of the first project are at the top, the
//! others below `/projects/NAME`. Within a project, paths and redirects begin at its own top.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_store::ProjectId;
use tower::ServiceExt;

use super::people::unsubscribe::unsubscribe_router;
use super::site::Site;
use crate::app::App;
use crate::app::projects::Projects;
use crate::project::named::{PROJECTS_PATH, Project};
use crate::query::QueryMemory;
use crate::sign_in::SignIn;

/// The pages of all projects.
pub fn projects_router(projects: Arc<Projects>) -> Router {
    let sign_in = Arc::new(SignIn::new(&projects.first().config.sign_in));
    let sites = Sites { projects, sign_in, made: Mutex::default() };
    Router::new().fallback(answer).with_state(Arc::new(sites))
}

/// The pages of each project, made when they are first asked for.
#[derive(Debug)]
struct Sites {
    projects: Arc<Projects>,
    sign_in: Arc<SignIn>,
    made: Mutex<HashMap<ProjectId, Made>>,
}

/// The pages of a project as it was.
#[derive(Debug)]
struct Made {
    project: Arc<Project>,
    router: Router,
    memory: Arc<QueryMemory>,
    /// Counts up with each request, of any project.
    used: u64,
}

/// Projects whose pages are kept ready. Others cost a few milliseconds and their caches.
const MOST_MADE: usize = 32;

async fn answer(State(sites): State<Arc<Sites>>, mut request: Request) -> Response {
    let (root, router) = match project_and_rest(request.uri()) {
        Some((name, rest)) => {
            *request.uri_mut() = rest;
            match sites.projects.with_name(&name) {
                Some(app) => (app.root.clone(), sites.router(app)),
                None => {
                    let root: Arc<str> = format!("{PROJECTS_PATH}/{name}").into();
                    (root.clone(), sites.nothing(root))
                }
            }
        }
        None => (Arc::default(), sites.router(sites.projects.first())),
    };
    let answered = router.oneshot(request).await;
    let mut response = answered.unwrap_or_else(|never| match never {});
    if !root.is_empty() {
        set_root(&mut response, &root);
    }
    response
}

/// The project that an address names, and the address within it.
fn project_and_rest(uri: &Uri) -> Option<(String, Uri)> {
    let below = uri.path().strip_prefix(PROJECTS_PATH)?.strip_prefix('/')?;
    let (name, rest) = below.split_once('/').unwrap_or((below, ""));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let rest = PathAndQuery::try_from(format!("/{rest}{query}")).ok()?;
    Some((name.to_owned(), Uri::from(rest)))
}

/// Marks a redirect that leaves the project.
#[derive(Debug, Clone, Copy)]
struct AtTop;

/// Leads to a path that begins at the top of the server.
pub(crate) fn to_top(path: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.extensions_mut().insert(AtTop);
    response
}

/// Completes a redirect within the project.
fn set_root(response: &mut Response<Body>, root: &str) {
    if response.extensions().get::<AtTop>().is_some() {
        return;
    }
    let location = response.headers().get(header::LOCATION);
    let Some(location) = location.and_then(|location| location.to_str().ok()) else { return };
    if location.starts_with('/')
        && !location.starts_with("//")
        && let Ok(location) = HeaderValue::from_str(&format!("{root}{location}"))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

impl Sites {
    fn router(&self, app: App) -> Router {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = made.values().map(|known| known.used).max().unwrap_or_default();
        if let Some(known) = made.get_mut(&app.project_id())
            && Arc::ptr_eq(&known.project, &app.project)
        {
            known.used = newest + 1;
            return known.router.clone();
        }
        // The project has changed: its caches stay.
        let memory = made.remove(&app.project_id()).map(|known| known.memory).unwrap_or_default();
        if made.len() >= MOST_MADE
            && let Some(oldest) = made.iter().min_by_key(|(_, known)| known.used)
        {
            let oldest = *oldest.0;
            made.remove(&oldest);
        }
        let (project, is_first) = (app.project.clone(), app.root.is_empty());
        let site = Site { app: app.clone(), memory: memory.clone(), sign_in: self.sign_in.clone() };
        let mut router = super::router(site);
        if is_first {
            router = router.merge(unsubscribe_router(app.clone()));
        }
        let used = newest + 1;
        made.insert(app.project_id(), Made { project, router: router.clone(), memory, used });
        router
    }

    /// The pages of a project that does not exist.
    fn nothing(&self, root: Arc<str>) -> Router {
        let app = App { root, ..self.projects.first() };
        super::nothing(Site { app, memory: Arc::default(), sign_in: self.sign_in.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_names_its_project() {
        let split = |uri: &str| {
            let (name, rest) = project_and_rest(&uri.parse().expect("an address"))?;
            Some((name, rest.to_string()))
        };
        let found = |name: &str, rest: &str| Some((name.to_owned(), rest.to_owned()));
        assert_eq!(split("/projects/pay/issues/7?a=b&c"), found("pay", "/issues/7?a=b&c"));
        assert_eq!(split("/projects/pay"), found("pay", "/"));
        assert_eq!(split("/projects/pay/"), found("pay", "/"));
        assert_eq!(split("/projects/pay//evil.example/"), found("pay", "//evil.example/"));
        for other in ["/", "/projects", "/projectsx/pay", "/issues/7"] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}
