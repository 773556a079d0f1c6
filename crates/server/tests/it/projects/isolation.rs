//! Whoever may see one project sees nothing of another, at no address.
use std::collections::BTreeSet;

use flawless_store::{GivenRole, RoleScope};
use serde_json::Value;

use super::{add_project, frame_in, report_to, repository_of, settle};
use crate::harness::{App, CLEO, Surfer, get, with_sign_in};

const READER: &str = "rea@elsewhere.org";
const DEVELOPER: &str = "dev@elsewhere.org";
const ADMINISTRATOR: &str = "adm@elsewhere.org";

/// A server with the projects pay and web, each with an issue, and people who may see only web.
async fn two_projects() -> App {
    let app = with_sign_in().with("administrators", "root@example.com").start().await;
    let (pay, web) = (repository_of(CLEO, "secret/vault.py"), repository_of(CLEO, "open/door.py"));
    let pay = add_project(&app, "pay", &pay).await;
    let web = add_project(&app, "web", &web).await;
    report_to(&app, &pay, &[frame_in("/srv/secret/vault.py")]).await.expect("accepted");
    settle(&app, &[&pay]).await;
    report_to(&app, &web, &[frame_in("/srv/open/door.py")]).await.expect("accepted");
    settle(&app, &[&pay, &web]).await;
    let mut tx = web.store.write().await.expect("store");
    for (address, role) in
        [(READER, "reader"), (DEVELOPER, "developer"), (ADMINISTRATOR, "administrator")]
    {
        let role = GivenRole::parse(role).expect("a role");
        let scope = RoleScope::Project(web.project_id());
        tx.give_role(address, scope, role, 0, "test").await.expect("given");
    }
    tx.commit().await.expect("store");
    app
}

/// Every address of the pages and the API, as the sources list them, with numbers of both projects.
fn addresses() -> Vec<String> {
    let pages = include_str!("../../../src/web/mod.rs");
    let api = format!("{}/src/web/api", env!("CARGO_MANIFEST_DIR"));
    let mut found: BTreeSet<String> = BTreeSet::new();
    for line in pages.lines() {
        if let Some((_, rest)) = line.split_once(".route(\"")
            && let Some((path, _)) = rest.split_once('"')
        {
            found.insert(path.to_owned());
        }
    }
    for file in std::fs::read_dir(api).expect("the folder") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("the source");
        for part in text.split("path = \"").skip(1) {
            found.insert(format!("/api/v1{}", part.split('"').next().expect("an end")));
        }
    }
    assert!(found.len() > 70, "the addresses were found: {found:?}");
    let fill = |path: &String| {
        ["1", "2"].map(|issue| {
            path.replace("{issue}", issue)
                .replace("{id}", issue)
                .replace("{number}", issue)
                .replace("{slot}", "0")
                .replace("{address}", CLEO.1)
                .replace("{list}", "known_errors")
                .replace("{kind}", "known_error")
                .replace("{project}", "pay")
        })
    };
    let filled: BTreeSet<String> = found.iter().flat_map(fill).collect();
    filled.into_iter().collect()
}

/// What only pay has.
fn shows_pay(text: &str) -> bool {
    ["vault", "secret/", "/projects/pay"].iter().any(|word| text.contains(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_shows_another_project() {
    let app = two_projects().await;
    // The first issue is of pay, the second of web.
    let root = Surfer::new(&app);
    root.sign_in(&app, "root@example.com").await;
    assert!(shows_pay(&root.get("/projects/pay/issues/1").await.body), "there is something to see");
    assert!(root.get("/projects/web/issues/2").await.body.contains("door"));
    assert_eq!(root.get("/projects/web/issues/1").await.status, 404, "it is another project's");
    let health = root.get("/projects/web/check_health").await.body;
    assert!(health.contains("smtp_host") && health.contains("over framed Thrift"), "{health}");
    for address in [READER, DEVELOPER, ADMINISTRATOR] {
        let surfer = Surfer::new(&app);
        surfer.sign_in(&app, address).await;
        assert_eq!(surfer.get("/projects/web/").await.status, 200, "{address}");
        assert!(surfer.get("/projects/web/").await.body.contains("door"));
        for path in addresses() {
            let asked = surfer.get(&format!("/projects/pay{path}")).await;
            assert_eq!(asked.status, 404, "{address}: {path}: {}", asked.body);
            let unknown = surfer.get(&format!("/projects/nnn{path}")).await;
            let body = unknown.body.replace("nnn", "pay");
            assert_eq!((asked.status, &asked.body), (unknown.status, &body), "{address}: {path}");
            for within in ["/projects/web", ""] {
                let asked = surfer.get(&format!("{within}{path}")).await;
                let text = format!("{} {}", asked.location(), asked.body).replace(&path, "");
                assert!(!shows_pay(&text), "{address}: {within}{path}: {text}");
            }
        }
        for path in ["check_health", "check_health.json", "api/v1/health"] {
            // The server's options name other people, and its clients report to other projects.
            let health = surfer.get(&format!("/projects/web/{path}")).await.body;
            assert!(health.contains("report_error_threshold"), "{path}: {health}");
            for word in ["smtp_host", "root@example.com", "over framed Thrift"] {
                assert!(!health.contains(word), "{address}: {path} shows {word}");
            }
        }
        for query in ["?filename=secret/vault.py&function_name=work", "?text=go", "?project=pay"] {
            for page in ["/", "/view_traceback", "/people", "/api/v1/issues", "/actions"] {
                let asked = surfer.get(&format!("/projects/web{page}{query}")).await;
                let text =
                    asked.body.replace("secret/vault.py", "").replace("secret%2Fvault.py", "");
                assert!(!shows_pay(&text), "{address}: {page}{query}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stranger_cannot_tell_a_project_from_none() {
    let app = two_projects().await;
    let stranger = Surfer::new(&app);
    for path in addresses().into_iter().chain(["/nothing".to_owned(), "/style.css".to_owned()]) {
        for method in ["GET", "POST"] {
            let ask = async |project: &str| {
                let path = format!("/projects/{project}{path}");
                let answer = match method {
                    "GET" => stranger.get(&path).await,
                    _ => stranger.post_bare(&path, &[]).await,
                };
                let plain = |text: &str| {
                    let text = text.replace(&format!("projects/{project}"), "projects/NAME");
                    text.replace(&format!("projects%2F{project}"), "projects%2FNAME")
                };
                (answer.status, plain(answer.location()), plain(&answer.body))
            };
            for project in ["pay", "2"] {
                assert_eq!(ask(project).await, ask("non").await, "{project}: {method} {path}");
            }
        }
    }
    let (_, overview) = get(&format!("http://{}/projects", app.server.http_address)).await;
    assert!(!shows_pay(&overview), "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrator_of_one_project_gets_no_power_over_others() {
    let app = two_projects().await;
    let surfer = Surfer::new(&app);
    surfer.sign_in(&app, ADMINISTRATOR).await;
    let token = surfer.get("/projects/web/account").await.field("form_token");
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let fields: Vec<_> =
            fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        surfer.post_bare(&format!("/projects/web{path}"), &fields).await
    };
    let role = |scope| [("address", "x@example.com"), ("role", "administrator"), ("scope", scope)];
    let all = post("/people/roles/save", &role("all")).await;
    assert!(all.status == 409 && all.body.contains("for all of them"), "{}", all.body);
    assert_eq!(post("/people/roles/save", &role("project")).await.status, 303);
    let given = app.server.app.store.roles_of("x@example.com").await.expect("store");
    assert_eq!(given.len(), 1, "{given:?}");
    assert_eq!(
        post("/people/roles/sign_out", &[("address", "root@example.com")]).await.status,
        403
    );
    assert_eq!(post("/new_project", &[("name", "mine")]).await.status, 403);
    for option in ["repo_url", "repo_dir", "submodules", "ignore_revs_file", "repo_url_file"] {
        let set = post("/settings/save", &[("option", option), ("value", "/etc/passwd")]).await;
        assert_eq!(set.status, 403, "{option}: {}", set.body);
    }
    let fields = [("option", "report_error_threshold"), ("value", "5")];
    assert_eq!(post("/settings/save", &fields).await.status, 303);
    assert_eq!(post("/settings/remove", &[("name", "web")]).await.status, 403);
    let weekly = [("kind", "weekly"), ("wanted", "no")];
    let of_cleo = format!("/people/{}/mails", CLEO.1);
    assert_eq!(post(&of_cleo, &weekly).await.status, 409, "it is about all projects");
    let alerts = [("kind", "alerts"), ("wanted", "no")];
    assert_eq!(post(&of_cleo, &alerts).await.status, 303, "those are of this project");
    let roles = surfer.get("/projects/web/people/roles").await.body;
    assert!(!roles.contains("root@example.com +"), "{roles}");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_somebody_with_one_project_reads_that_one() {
    let app = two_projects().await;
    let surfer = Surfer::new(&app);
    surfer.sign_in(&app, DEVELOPER).await;
    let form = surfer.get("/projects/web/account").await.field("form_token");
    let fields = [("name", "t"), ("role", "developer"), ("days", "7"), ("form_token", &form)];
    let made = surfer.post_bare("/projects/web/account/create_token", &fields).await.body;
    let at = made.find("flw_").expect("a token");
    let token: String =
        made[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let program = Surfer::new(&app).header("authorization", &format!("Bearer {token}"));
    let issues = program.get("/projects/web/api/v1/issues").await;
    assert!(issues.status == 200 && issues.body.contains("door"), "{}", issues.body);
    assert_eq!(program.get("/projects/pay/api/v1/issues").await.status, 404);
    let projects: Value =
        serde_json::from_str(&program.get("/projects/web/api/v1/projects").await.body)
            .expect("JSON");
    let names: Vec<_> = projects["projects"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| p["name"].clone())
        .collect();
    assert_eq!(names, ["web"]);
    assert_eq!(program.get("/projects/web/api/v1/projects/pay").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_everywhere_is_let_in_by_no_project() {
    let app = two_projects().await;
    let web = app.server.app.projects.named("web").expect("it is there");
    let mut tx = web.store.write().await.expect("store");
    let blocked = GivenRole::Blocked;
    tx.give_role(READER, RoleScope::AllProjects, blocked, 0, "root").await.expect("given");
    tx.commit().await.expect("store");
    let surfer = Surfer::new(&app);
    surfer.post_bare("/sign_in", &[("address", READER), ("next", "/")]).await;
    app.settle().await;
    assert!(crate::harness::mails_to(&app, READER).is_empty(), "there is no link for them");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_mail_servers_words_stay_in_their_project() {
    let smtp = crate::harness::SmtpServer::refusing(CLEO.1);
    let app = App::with("default_contact", "team@example.com").smtp(smtp).start().await;
    let (pay, web) = (repository_of(CLEO, "a.py"), repository_of(crate::harness::BEN, "b.py"));
    let pay = add_project(&app, "pay", &pay).await;
    let web = add_project(&app, "web", &web).await;
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    settle(&app, &[&pay, &web]).await;
    let (_, own) = app.get("/projects/pay/people").await;
    assert!(own.contains(CLEO.1) && own.contains("550"), "{own}");
    for page in ["/projects/web/people", "/projects/web/check_health", "/people"] {
        let (_, text) = app.get(page).await;
        assert!(!text.contains("550 ") && !text.contains(CLEO.1), "{page}: {text}");
    }
}
