//! Reports of several projects: each is blamed in its own repository and told to its own people.
use std::time::{Duration, Instant};

use flawless_server::actions::projects::{COMMAND_LINE, archive, remove, rename, set};
use flawless_server::config::Config;

use super::{add_project, add_project_with, frame_in, project, report_to, repository_of, settle};
use crate::harness::{ANN, App, BEN, CLEO, Person, request, wait_until};

const DORA: Person = ("Dora Drew", "dora@example.com");

#[tokio::test(flavor = "multi_thread")]
async fn three_projects_with_three_repositories_are_each_mailed_rightly() {
    let app = App::start().await;
    let (pay, web) = (repository_of(CLEO, "pay/run.py"), repository_of(DORA, "pay/run.py"));
    let pay = add_project(&app, "pay", &pay).await;
    let web = add_project(&app, "web", &web).await;
    // The same deployed path and text in two projects: only the key tells them apart.
    report_to(&app, &pay, &[frame_in("/srv/pay/run.py")]).await.expect("accepted");
    report_to(&app, &web, &[frame_in("/srv/pay/run.py")]).await.expect("accepted");
    app.report(&request(&[(
        "/srv/app/shop/cart.py",
        5,
        "total",
        "return sum(prices) / len(prices)",
    )]))
    .await;
    settle(&app, &[&pay, &web]).await;
    let mails = app.smtp.mails();
    let mut told: Vec<(&str, bool, bool)> = mails
        .iter()
        .map(|mail| {
            let text = &mail.text;
            (mail.to.as_str(), text.contains("/projects/pay/"), text.contains("/projects/web/"))
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(BEN.1, false, false), (CLEO.1, true, false), (DORA.1, false, true)]);
    for (app, expected) in [(&pay, CLEO), (&web, DORA), (&app.server.app, BEN)] {
        let issues = app.store.issues_between(0, i64::MAX / 2).await.expect("store");
        let owners: Vec<_> =
            issues.iter().map(|week| week.issue.facts.developer_email.as_deref()).collect();
        assert_eq!(owners, [Some(expected.1)], "{}", app.project.name());
    }
    // Once per line, however often it fails, in each project.
    for project in [&pay, &web] {
        report_to(&app, project, &[frame_in("/srv/pay/run.py")]).await.expect("accepted");
    }
    settle(&app, &[&pay, &web]).await;
    assert_eq!(app.smtp.mails().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_one_project_do_not_touch_another() {
    let app = App::start().await;
    let (pay, web) = (repository_of(CLEO, "a.py"), repository_of(DORA, "a.py"));
    let url = pay.dir().display().to_string();
    let settings = [("repo_url", url.as_str()), ("report_error_threshold", "2")];
    let pay = add_project_with(&app, "pay", &settings).await;
    let web = add_project(&app, "web", &web).await;
    for project in [&pay, &web] {
        report_to(&app, project, &[frame_in("/srv/a.py")]).await.expect("accepted");
    }
    settle(&app, &[&pay, &web]).await;
    assert_eq!(app.one_mail().await.to, DORA.1, "pay waits for the second failure");
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    settle(&app, &[&pay, &web]).await;
    assert_eq!(app.smtp.mails().len(), 2);

    // A changed setting holds within a second, and for what failed before as well.
    let id = pay.project_id();
    let contact = [("default_contact".to_owned(), Some("pay@example.com".to_owned()))];
    let begun = Instant::now();
    set(&pay, COMMAND_LINE, &contact).await.expect("set");
    let contact = |config: &Config| config.addresses.default_contact.clone();
    wait_until("the server knows it", async || {
        contact(&project(&app, id).expect("it is there").config).as_deref()
            == Some("pay@example.com")
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(contact(&web.now().config).as_deref(), Some("team@example.com"));
    for _ in 0..2 {
        let other = [("/opt/other.py", 1, "f", "g()")];
        report_to(&app, &pay.now(), &other).await.expect("accepted");
    }
    settle(&app, &[&pay, &web]).await;
    app.later();
    settle(&app, &[&pay, &web]).await;
    assert!(app.smtp.mails().iter().any(|mail| mail.to == "pay@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_project_refuses_reports_and_a_removed_one_leaves_nothing() {
    let app = App::start().await;
    let repository = repository_of(CLEO, "a.py");
    let pay = add_project(&app, "pay", &repository).await;
    let id = pay.project_id();
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    settle(&app, &[&pay]).await;
    archive(&pay, COMMAND_LINE, true).await.expect("archived");
    wait_until("its reports are refused", async || {
        let refused = report_to(&app, &pay, &[frame_in("/srv/a.py")]).await;
        refused.is_err_and(|why| why.contains("its project is archived"))
    })
    .await;
    wait_until("its Health says so", async || {
        app.get("/projects/pay/check_health").await.1.contains("project archived")
    })
    .await;
    archive(&pay, COMMAND_LINE, false).await.expect("in use");
    wait_until("its reports are accepted", async || {
        report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.is_ok()
    })
    .await;
    settle(&app, &[&pay]).await;
    remove(&pay, COMMAND_LINE).await.expect("removed");
    wait_until("the server forgets it", async || project(&app, id).is_none()).await;
    let refused = report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect_err("refused");
    assert!(refused.contains("its key is not one of this server's"), "{refused}");
    assert_eq!(pay.store.project_size().await.expect("store").issues, 0);
    assert_eq!(app.get("/projects/pay/").await.0, 404);
    app.report(&request(&[("/srv/app/shop/web.py", 2, "handle", "return cart.total()")])).await;
    app.settle().await;
    assert!(app.smtp.mails().iter().any(|mail| mail.to == ANN.1), "the first project goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_project_keeps_its_programs_and_issues() {
    let app = App::start().await;
    let repository = repository_of(CLEO, "a.py");
    let pay = add_project(&app, "pay", &repository).await;
    let dsn = pay.dsn().expect("an address");
    assert!(dsn.ends_with(&format!("/{}", pay.project_id())), "{dsn}");
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    settle(&app, &[&pay]).await;
    rename(&pay, COMMAND_LINE, "billing").await.expect("renamed");
    wait_until("the pages moved", async || app.get("/projects/billing/").await.0 == 200).await;
    assert_eq!(app.get("/projects/pay/").await.0, 404);
    assert_eq!(pay.now().dsn(), Some(dsn), "programs need no new address");
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    settle(&app, &[&pay]).await;
    assert_eq!(app.smtp.mails().len(), 1, "the line is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn repository_that_cannot_be_cloned_is_said_and_holds_up_nobody_else() {
    let app = App::start().await;
    let gone = [("repo_url", "/nowhere/at/all.git")];
    let settings = gone.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
    let id =
        flawless_server::actions::projects::add(&app.server.app, COMMAND_LINE, "gone", &settings)
            .await
            .expect("it is made");
    wait_until("the overview says so", async || {
        let (_, page) = app.get("/projects").await;
        page.contains("the repository cannot be read")
    })
    .await;
    let health = app.get("/projects/gone/check_health").await;
    assert!(health.1.contains("/nowhere/at/all.git"), "{}", health.1);
    report_to(&app, &project(&app, id).expect("it is there"), &[frame_in("/srv/a.py")])
        .await
        .expect("accepted all the same");
    app.report(&request(&[("/srv/app/shop/web.py", 2, "handle", "return cart.total()")])).await;
    app.settle().await;
    assert_eq!(app.one_mail().await.to, ANN.1);
    // Mended by its owner, it goes on by itself.
    let repository = repository_of(CLEO, "a.py");
    let url = repository.dir().display().to_string();
    let gone = project(&app, id).expect("it is there");
    set(&gone, COMMAND_LINE, &[("repo_url".to_owned(), Some(url))]).await.expect("set");
    wait_until("its repository is open", async || {
        project(&app, id).expect("it is there").repo.get().tip_commit().is_some()
    })
    .await;
    app.clock.advance(60_000);
    settle(&app, &[&gone]).await;
    assert!(app.smtp.mails().iter().any(|mail| mail.to == CLEO.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn weekly_mail_is_one_for_all_projects_of_a_person() {
    let app = App::with("weekly_report", "Monday").start().await;
    let (pay, web) = (repository_of(CLEO, "a.py"), repository_of(CLEO, "b.py"));
    let pay = add_project(&app, "pay", &pay).await;
    let web = add_project(&app, "web", &web).await;
    report_to(&app, &pay, &[frame_in("/srv/a.py")]).await.expect("accepted");
    report_to(&app, &web, &[frame_in("/srv/b.py")]).await.expect("accepted");
    settle(&app, &[&pay, &web]).await;
    // The first start reports no week; from Sunday noon to Monday evening.
    app.clock.advance(30 * 3_600_000);
    wait_until("the weekly mail is there", async || {
        app.smtp.mails().iter().any(|mail| mail.subject.starts_with("Your week"))
    })
    .await;
    app.settle().await;
    let mails = app.smtp.mails();
    let weekly: Vec<_> =
        mails.iter().filter(|mail| mail.subject.starts_with("Your week")).collect();
    assert_eq!(weekly.len(), 1, "{weekly:#?}");
    assert_eq!(
        (weekly[0].to.as_str(), weekly[0].subject.as_str()),
        (CLEO.1, "Your week in 2 projects: 2 new")
    );
    for expected in ["=== pay ===", "=== web ===", "/projects/pay/issues/", "/projects/web/issues/"]
    {
        assert!(weekly[0].text.contains(expected), "{expected} is missing in {}", weekly[0].text);
    }
    let link = weekly[0]
        .text
        .lines()
        .find_map(|line| line.strip_prefix("Unsubscribe from weekly reports: "));
    let link = link.expect("a link");
    let done = reqwest::Client::new().post(link).send().await.expect("an answer");
    assert_eq!(done.status(), 200);
    for project in [&pay, &web, &app.server.app] {
        let unwanted =
            project.store.is_unwanted(CLEO.1, flawless_store::UnwantedKind::Weekly).await;
        assert!(unwanted.expect("store"), "one weekly mail is about all projects");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_project_takes_no_report_of_another_with_it() {
    let app = App::start().await;
    let (pay, web) = (repository_of(CLEO, "a.py"), repository_of(DORA, "b.py"));
    let pay = add_project(&app, "pay", &pay).await;
    let web = add_project(&app, "web", &web).await;
    // The server does not know yet that the project is gone.
    let mut tx = pay.store.write().await.expect("store");
    tx.remove_project().await.expect("removed");
    tx.commit().await.expect("store");
    let (of_pay, of_web) = ([frame_in("/srv/a.py")], [frame_in("/srv/b.py")]);
    let (gone, kept) = tokio::join!(report_to(&app, &pay, &of_pay), report_to(&app, &web, &of_web));
    assert!(gone.is_err(), "its sender is not told ok");
    kept.expect("the other one is accepted");
    report_to(&app, &web, &[frame_in("/srv/b.py")]).await.expect("at once");
    settle(&app, &[&web]).await;
    assert_eq!(app.one_mail().await.to, DORA.1);
}
