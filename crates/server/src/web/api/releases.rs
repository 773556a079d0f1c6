//! Releases as the command `sentry-cli` tells of them, so that a release names its revision and CI
//! steps that exist already work unchanged. Its names of organizations are ignored.
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post, put};
use flawless_base::dates::rfc3339;
use flawless_core::{CommitId, Role};
use flawless_git::Source;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Json};
use super::problem::{FieldProblem, Problem};
use crate::actions::releases as actions;
use crate::app::App;
use crate::web::Site;

/// The addresses.
pub(super) fn routes() -> Router<Site> {
    let organization = "/api/0/organizations/{organization}";
    let release = format!("{organization}/releases/{{version}}");
    Router::new()
        .route(&format!("{organization}/repos/"), get(repositories))
        .route(&format!("{organization}/releases/"), post(add))
        .route(&format!("{release}/"), put(change).get(show))
        .route(&format!("{release}/deploys/"), post(deploy).get(async || Answer::ok(json!([]))))
        .route(&format!("{release}/previous-with-commits/"), get(async || Answer::ok(json!({}))))
}

/// The command reads what is wrong only from plain JSON.
pub(super) async fn plain_json(mut response: Response) -> Response {
    if !response.status().is_success() {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    response
}

/// What is said of a release. Fields that are not known here are ignored.
#[derive(Debug, Deserialize)]
struct Release {
    version: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    projects: Vec<String>,
    #[serde(default, deserialize_with = "or_none")]
    refs: Vec<Ref>,
    #[serde(default, deserialize_with = "or_none")]
    commits: Vec<Commit>,
}

/// The commit of a release in one repository.
#[derive(Debug, Deserialize)]
struct Ref {
    #[serde(default)]
    repository: String,
    commit: String,
}

/// A commit of a release; the newest comes first.
#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
}

/// A list, which may be null.
pub(super) fn or_none<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    list: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(list)?.unwrap_or_default())
}

/// Longer versions are refused.
const MAX_VERSION: usize = 200;

/// A version as SDKs send it.
pub(super) fn check(version: &str) -> Result<(), Problem> {
    let is_fine = !version.trim().is_empty()
        && version.len() <= MAX_VERSION
        && !version.contains(['/', '\\', '\n', '\r', '\t'])
        && !matches!(version, "." | "..");
    if is_fine {
        return Ok(());
    }
    let problem = format!(
        "is not the name of a release: write at most {MAX_VERSION} characters, without slashes, \
         tabs and line breaks"
    );
    Err(Problem::refused(vec![FieldProblem::new("version", problem)]))
}

/// The projects with these names or numbers in which the caller may tell of releases; without names
/// all of these.
pub(super) fn projects(caller: &Caller, names: &[String]) -> Result<Vec<App>, Problem> {
    let mine = || caller.projects().iter().filter(|(_, role)| *role >= Role::Developer);
    if names.is_empty() {
        return Ok(mine().map(|(app, _)| app.clone()).collect());
    }
    let named = |name: &String| {
        let is = |app: &App| *app.project.name() == **name || app.project_id().to_string() == *name;
        mine().find(|(app, _)| is(app)).map(|(app, _)| app.clone()).ok_or_else(|| {
            Problem::forbidden(&format!(
                "{} has the role {} in no project called {name:?}.",
                caller.name(),
                Role::Developer
            ))
        })
    };
    names.iter().map(named).collect()
}

/// The projects of the caller that know a release.
async fn with_release(caller: &Caller, version: &str) -> Result<Vec<App>, Problem> {
    let mut known = Vec::new();
    for app in projects(caller, &[])? {
        if app.store.release(version).await?.is_some() {
            known.push(app);
        }
    }
    if known.is_empty() {
        let text = format!(
            "The release {version:?} does not exist: create it with sentry-cli releases new."
        );
        return Err(Problem::not_found(&text));
    }
    Ok(known)
}

async fn add(caller: Caller, Json(release): Json<Release>) -> Result<Answer<Value>, Problem> {
    let version = release.version.clone().unwrap_or_default();
    check(&version)?;
    if release.projects.is_empty() {
        let problem = FieldProblem::new("projects", "is empty: name the project with --project");
        return Err(Problem::refused(vec![problem]));
    }
    let projects = projects(&caller, &release.projects)?;
    put_all(&projects, &version, &release).await?;
    Ok(Answer::with(StatusCode::CREATED, shown(&projects, &version).await?))
}

async fn change(
    caller: Caller,
    At((_, version)): At<(String, String)>,
    Json(release): Json<Release>,
) -> Result<Answer<Value>, Problem> {
    check(&version)?;
    let projects = match release.projects.is_empty() {
        true => with_release(&caller, &version).await?,
        false => projects(&caller, &release.projects)?,
    };
    put_all(&projects, &version, &release).await?;
    Ok(Answer::ok(shown(&projects, &version).await?))
}

async fn show(
    caller: Caller,
    At((_, version)): At<(String, String)>,
) -> Result<Answer<Value>, Problem> {
    let projects = with_release(&caller, &version).await?;
    Ok(Answer::ok(shown(&projects, &version).await?))
}

async fn put_all(projects: &[App], version: &str, release: &Release) -> Result<(), Problem> {
    let commits = release.refs.iter().map(|it| &it.commit);
    let commits = commits.chain(release.commits.iter().map(|commit| &commit.id));
    if let Some(wrong) = commits.clone().find(|commit| CommitId::parse(commit).is_none()) {
        let problem = format!("{wrong:?} is not the id of a commit: write all of its digits");
        return Err(Problem::refused(vec![FieldProblem::new("commit", problem)]));
    }
    for app in projects {
        actions::put(app, version, release.commit_in(repository(app).as_deref())).await?;
    }
    Ok(())
}

impl Release {
    /// The commit in a repository: that of the reference that names it, else of the only one.
    fn commit_in(&self, repository: Option<&str>) -> Option<&str> {
        let named = self.refs.iter().find(|it| {
            repository.is_some_and(|repository| repository.eq_ignore_ascii_case(&it.repository))
        });
        let only = || if let [only] = &*self.refs { Some(only) } else { None };
        let newest = || self.commits.first().map(|commit| commit.id.as_str());
        named.or_else(only).map(|it| it.commit.as_str()).or_else(newest)
    }
}

async fn deploy(
    caller: Caller,
    State(site): State<Site>,
    At((_, version)): At<(String, String)>,
) -> Result<Answer<Value>, Problem> {
    for app in with_release(&caller, &version).await? {
        actions::deployed(&app, &version).await?;
    }
    let at = rfc3339(site.app.clock.now());
    let body = json!({"id": "1", "environment": "", "dateStarted": null, "dateFinished": at});
    Ok(Answer::with(StatusCode::CREATED, body))
}

async fn shown(projects: &[App], version: &str) -> Result<Value, Problem> {
    let mut created_at = 0;
    let mut commit = None;
    for app in projects {
        if let Some(release) = app.store.release(version).await? {
            created_at = release.created_at;
            commit = commit.or(release.commit_id);
        }
    }
    let project = |app: &App| json!({"slug": app.project.name(), "name": app.project.name()});
    Ok(json!({
        "version": version,
        "shortVersion": version,
        "ref": commit,
        "url": null,
        "dateCreated": rfc3339(created_at),
        "dateReleased": null,
        "lastEvent": null,
        "newGroups": 0,
        "projects": projects.iter().map(project).collect::<Vec<_>>(),
    }))
}

/// The repositories of the caller's projects.
async fn repositories(caller: Caller) -> Answer<Value> {
    let shown = |app: &App| {
        Some(json!({
            "id": app.project_id().to_string(),
            "name": repository(app)?,
            "url": null,
            "provider": {"id": "unknown", "name": "git"},
            "status": "active",
            "dateCreated": rfc3339(app.project.row.created_at),
        }))
    };
    let all = caller.projects().iter().filter_map(|(app, _)| shown(app));
    Answer::ok(all.collect())
}

/// The name of a project's repository, such as `acme/shop`: the end of its address or folder.
fn repository(app: &App) -> Option<String> {
    match app.config.repository.as_ref()? {
        Source::Clone { url, .. } => end_of(url.split(['?', '#']).next()?),
        Source::Folder(folder) => end_of(&folder.display().to_string()),
    }
}

fn end_of(address: &str) -> Option<String> {
    let path = address.trim_end_matches('/');
    let path = path.strip_suffix("/.git").unwrap_or(path).trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    let (name, owner) = (parts.next()?, parts.next()?);
    (!owner.is_empty() && !name.is_empty()).then(|| format!("{owner}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_has_one_commit_in_each_repository() {
        let release = |body: &str| serde_json::from_str::<Release>(body).expect("a release");
        let two = release(
            r#"{"refs": [{"repository": "acme/shop", "commit": "a"}, {"repository": "acme/pay", "commit": "b"}]}"#,
        );
        assert_eq!(two.commit_in(Some("Acme/Pay")), Some("b"));
        assert_eq!(two.commit_in(Some("acme/other")), None);
        assert_eq!(two.commit_in(None), None);
        let one = release(r#"{"refs": [{"repository": "acme/shop", "commit": "a", "x": 1}]}"#);
        assert_eq!(one.commit_in(None), Some("a"));
        let local =
            release(r#"{"refs": null, "commits": [{"id": "c", "message": "x"}, {"id": "d"}]}"#);
        assert_eq!(local.commit_in(Some("acme/shop")), Some("c"));
        assert_eq!(release("{}").commit_in(None), None);
    }

    #[test]
    fn repositories_are_named_by_the_end_of_their_address() {
        for (address, expected) in [
            ("https://github.com/acme/shop.git", Some("acme/shop")),
            ("git@github.com:acme/shop.git", Some("acme/shop")),
            ("ssh://git@example.com:22/teams/acme/shop/", Some("acme/shop")),
            ("/srv/git/shop/.git", Some("git/shop")),
            ("shop", None),
            ("/shop", None),
        ] {
            assert_eq!(end_of(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn versions_are_checked() {
        for fine in ["shop@1.4.2+9f2c", "1.0", "a b"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
        for wrong in ["", " ", ".", "..", "a/b", "a\nb", &"x".repeat(201)] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
