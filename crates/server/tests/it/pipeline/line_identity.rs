//! One issue per line of code for the whole life of the line, and the person who wrote it, whoever
//! touched it since.
use crate::harness::{ANN, App, BEN, CLEO, Person, TestRepository, request};

const BOT: Person = ("fix-it[bot]", "1+fix-it[bot]@users.noreply.github.com");
const LINE: &str = "return sum(prices) / len(prices)";

fn at(
    revision: &str,
    frames: &[(&str, i64, &str, &str)],
) -> flawless_protocol::thrift::RecordErrorRequest {
    let mut report = request(frames);
    report.revision = (!revision.is_empty()).then(|| revision.to_owned());
    report
}

fn to(mails: &[crate::harness::Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.to.as_str()).collect()
}

/// The number of the only issue of the week, and its count.
async fn only_issue(app: &App) -> (i64, i64) {
    let span = (0, i64::MAX / 2);
    let issues = app.server.app.store.issues_between(span.0, span.1).await.expect("read");
    assert_eq!(issues.len(), 1, "{issues:#?}");
    (issues[0].issue.id, issues[0].issue.occurrences)
}

#[tokio::test]
async fn line_keeps_its_issue_until_somebody_edits_it() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let repository = &app.repository;
    app.report(&at(&first, &[("/srv/1/shop/cart.py", 5, "total", LINE)])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    let (issue, _) = only_issue(&app).await;

    // Lines are added above, the file is renamed, a formatter runs and its commit is listed.
    let above = "\"\"\"Prices.\"\"\"\nfrom shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    repository.commit(CLEO, "2026-06-01", "docs", &[("shop/cart.py", above)]);
    repository.git(&["mv", "shop/cart.py", "shop/prices.py"]);
    repository.commit(CLEO, "2026-06-02", "rename", &[]);
    let formatted =
        above.replace("    return sum(prices) / len(prices)", "\treturn (sum(prices)/len(prices))");
    let format = repository.commit(CLEO, "2026-06-03", "format", &[("shop/prices.py", &formatted)]);
    let list = format!("{format}\n");
    let second =
        repository.commit(CLEO, "2026-06-04", "list", &[(".git-blame-ignore-revs", &list)]);
    crate::harness::wait_until("the list is seen", async || {
        app.server.app.repo.get().tip_commit().as_deref() == Some(second.as_str())
    })
    .await;
    let text = "return (sum(prices)/len(prices))";
    app.report(&at(&second, &[("/srv/2/shop/prices.py", 6, "total", text)])).await;
    assert_eq!(app.mails().await.len(), 1, "the same line");
    assert_eq!(only_issue(&app).await, (issue, 2));

    let edited = formatted.replace("len(prices)", "max(1, len(prices))");
    let third = repository.commit(CLEO, "2026-06-05", "fix", &[("shop/prices.py", &edited)]);
    let text = "return (sum(prices)/max(1, len(prices)))";
    app.report(&at(&third, &[("/srv/3/shop/prices.py", 6, "total", text)])).await;
    assert_eq!(to(&app.mails().await), [BEN.1, CLEO.1], "an edited line is a new line");
    let (_, page) = app.get(&format!("/view_traceback?issue={issue}")).await;
    assert!(page.contains("Cleo Clark"), "the edited line fails in the same way: {page}");
}

#[tokio::test]
async fn issues_of_one_line_are_merged_and_stay_notified() {
    let repository = TestRepository::shop();
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return (sum(prices) / len(prices))\n";
    let format = repository.commit(CLEO, "2026-07-01", "format", &[("shop/cart.py", cart)]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let frame = ("/srv/app/shop/cart.py", 5, "total", "return (sum(prices) / len(prices))");
    app.report(&at("", &[frame])).await;
    assert_eq!(app.one_mail().await.to, CLEO.1, "the commit is not listed as formatting yet");
    let (older, _) = only_issue(&app).await;
    let list = format!("{format}\n");
    let tip =
        app.repository.commit(CLEO, "2026-07-02", "list", &[(".git-blame-ignore-revs", &list)]);
    crate::harness::wait_until("the list is seen", async || {
        app.server.app.repo.get().tip_commit().as_deref() == Some(tip.as_str())
    })
    .await;
    app.report(&at(&tip, &[frame])).await;
    app.settle().await;
    let (now, count) = only_issue(&app).await;
    assert!(now != older && count == 2, "{now} {count}");
    assert_eq!(app.mails().await.len(), 1, "the issue was notified before");
    let (status, page) = app.get(&format!("/view_traceback?issue={older}")).await;
    assert_eq!(status, 200);
    assert!(page.contains("Ben Baker") && page.contains(">2"), "{page}");
    // The older identity is reported once more, by an older revision.
    app.report(&at(&format, &[frame])).await;
    app.settle().await;
    assert_eq!(only_issue(&app).await, (now, 3));
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test]
async fn unblamed_line_becomes_the_issue_of_its_author() {
    let origin = TestRepository::shop();
    let url = origin.dir().display().to_string();
    let app = App::with("repo_url", &url)
        .without_repository()
        .with("report_error_threshold", "1")
        .start()
        .await;
    let frame = ("/srv/app/shop/cart.py", 5, "total", "return prices[7]");
    app.report(&at("", &[frame])).await;
    assert_eq!(app.one_mail().await.to, "team@example.com");
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return prices[7]\n";
    let tip = origin.commit(CLEO, "2026-07-01", "seven", &[("shop/cart.py", cart)]);
    app.server.app.repo.get();
    if let flawless_server::attribution::Repo::Ready(mirror) = app.server.app.repo.get().repo {
        mirror.fetch().await.expect("fetched");
    }
    app.later();
    app.report(&at(&tip, &[frame])).await;
    let mails = app.mails().await;
    assert_eq!(only_issue(&app).await.1, 2);
    let notified: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(notified, [CLEO.1, "team@example.com"], "the author had not been notified");
}

#[tokio::test]
async fn suspects_are_shown_and_can_be_blamed_instead() {
    let app = App::start().await;
    let frames = [
        ("/srv/app/shop/web.py", 2, "handle", "return cart.total()"),
        ("/srv/app/shop/cart.py", 5, "total", LINE),
    ];
    app.report(&at("", &frames)).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    let or = "Also considered: shop/web.py:2 in handle, Ann Archer <ann@example.com> in ";
    assert!(mail.says(or), "{}", mail.text);
    assert!(mail.html.contains(">Also considered: shop/web.py:2 in handle"), "{}", mail.html);
    let (issue, _) = only_issue(&app).await;
    let (_, page) = app.get(&format!("/view_traceback?issue={issue}")).await;
    assert!(page.contains("Blame this one instead"), "{page}");
    let (status, _) =
        app.post("/blame_instead", &[("issue", &issue.to_string()), ("suspect", "7")]).await;
    assert_eq!(status, 404);
    app.post("/blame_instead", &[("issue", &issue.to_string()), ("suspect", "0")]).await;
    let (_, rules) = app.get("/view_config?key=building_blocks").await;
    assert!(rules.contains("shop/cart.py") && rules.contains("total"), "{rules}");
    app.report(&at("", &frames)).await;
    assert_eq!(to(&app.mails().await), [ANN.1, BEN.1], "its caller is blamed from now on");
}

#[tokio::test]
async fn bot_leads_to_a_person_the_file_owner_or_default_contact() {
    let repository = TestRepository::shop();
    let message = "deps: bump\n\nCo-authored-by: Cleo Clark <cleo@example.com>";
    repository.commit(BOT, "2026-07-01", message, &[("shop/bump.py", "a = load_settings(1)\n")]);
    repository.commit(BOT, "2026-07-02", "bump", &[("shop/alone.py", "b = load_settings(2)\n")]);
    repository.commit(BOT, "2026-07-03", "bump", &[("tools/alone.py", "c = load_settings(3)\n")]);
    repository.commit(
        ANN,
        "2026-07-04",
        "owners",
        &[("CODEOWNERS", "/shop/ @pay zoe@example.com\n")],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let frame = |path, text| [(path, 1, "<module>", text)];
    app.report(&at("", &frame("/srv/shop/bump.py", "a = load_settings(1)"))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, CLEO.1);
    assert!(mail.says("co-author Cleo Clark <cleo@example.com> is blamed"), "{}", mail.text);
    app.report(&at("", &frame("/srv/shop/alone.py", "b = load_settings(2)"))).await;
    app.report(&at("", &frame("/srv/tools/alone.py", "c = load_settings(3)"))).await;
    let mails = app.mails().await;
    assert_eq!(to(&mails), [CLEO.1, "team@example.com", "zoe@example.com"]);
    let zoe = mails.iter().find(|mail| mail.to.starts_with("zoe")).expect("to Zoe");
    assert!(zoe.says("CODEOWNERS line 1 (/shop/): @pay has no email alias"), "{}", zoe.text);
    assert!(zoe.text.contains("automation"), "{}", zoe.text);
}

#[tokio::test]
async fn inactive_author_no_longer_answers_and_another_is_proposed() {
    let repository = TestRepository::shop();
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n\n\n# Cleo\n";
    repository.commit(CLEO, "2026-11-01", "note", &[("shop/cart.py", cart)]);
    let app = App::with("report_error_threshold", "1")
        .with("author_gone_days", "30")
        .repository(repository)
        .start()
        .await;
    app.report(&at("", &[("/srv/app/shop/cart.py", 5, "total", LINE)])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.says("Ben Baker <ben@example.com> made no commit for 30 days"), "{}", mail.text);
    let proposal = "Cleo Clark <cleo@example.com> recently changed the file most often";
    assert!(mail.says(proposal), "{}", mail.text);
}
