//! Many projects in one server: each with its own repository, keys, people, settings and pages.

mod isolation;
mod manage;
mod work;

use flawless_protocol::thrift::RecordErrorRequest;
use flawless_server::actions::projects::{COMMAND_LINE, Setting, add};

use crate::harness::{App, Frame, Person, TestRepository, ThriftClient, request, wait_until};

/// The server's handles of a project.
pub type ProjectApp = flawless_server::app::App;

/// A repository with one file of one person.
pub fn repository_of(who: Person, path: &str) -> TestRepository {
    let repository = TestRepository::empty();
    let text = "def work(x):\n    return x.go()\n";
    repository.commit(who, "2026-04-01", "it works", &[(path, text)]);
    repository
}

/// The line of such a repository that fails.
pub fn frame_in(path: &str) -> Frame<'_> {
    (path, 2, "work", "return x.go()")
}

/// Makes a project and waits until its repository is open.
pub async fn add_project(app: &App, name: &str, repository: &TestRepository) -> ProjectApp {
    let url = repository.dir().display().to_string();
    add_project_with(app, name, &[("repo_url", &url)]).await
}

async fn add_project_with(app: &App, name: &str, settings: &[(&str, &str)]) -> ProjectApp {
    let set = |(name, value): &(&str, &str)| ((*name).to_owned(), Some((*value).to_owned()));
    let settings: Vec<Setting> = settings.iter().map(set).collect();
    let id = add(&app.server.app, COMMAND_LINE, name, &settings).await.expect("it is made");
    wait_until("the server knows the project", async || project(app, id).is_some()).await;
    wait_until("its repository is open", async || {
        project(app, id).expect("it is there").repo.get().tip_commit().is_some()
    })
    .await;
    project(app, id).expect("it is there")
}

fn project(app: &App, id: i64) -> Option<ProjectApp> {
    app.server.app.projects.get(id)
}

/// Reports a failure with the key of a project.
pub async fn report_to(
    app: &App,
    project: &ProjectApp,
    frames: &[Frame<'_>],
) -> Result<String, String> {
    let key = project.project.newest_key().map(|key| key.reveal().to_owned());
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    client.record_error(&RecordErrorRequest { project_key: key, ..request(frames) }).await
}

/// Waits until all that was reported to these projects is mailed.
pub async fn settle(app: &App, projects: &[&ProjectApp]) {
    for project in projects {
        wait_until("its queues are empty", async || {
            let (store, now) = (&project.store, project.clock.now());
            store.pending_queue().await.expect("store").waiting == 0
                && store.open_alerts(now, 1).await.expect("store").is_empty()
                && store.pending_digests().await.expect("store").is_empty()
        })
        .await;
    }
    app.settle().await;
}
