//! The page People, and the page of each person.

use flawless_server::show::links;
use flawless_store::UnwantedKind;

use crate::harness::{ANN, App, BEN, CLEO, TestRepository, add_rule, request};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const MONEY: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/money.py", 6, "fail", "raise ValueError(text)")];
const TEAM: &str = "team@example.com";

/// Ann's and Ben's lines fail.
async fn shop_fails() -> App {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.report(&request(&MONEY)).await;
    app.settle().await;
    app
}

/// The page of somebody.
async fn person(app: &App, address: &str) -> String {
    let (status, page) = app.get(&links::person("", address)).await;
    assert_eq!(status, 200, "{address}: {page}");
    page
}

/// The row of a table that holds a text.
fn row<'a>(page: &'a str, text: &str) -> &'a str {
    let rows = page.split("<tr>").skip(1).map(|row| row.split("</tr>").next().unwrap_or(row));
    let rows = rows.filter(|row| row.contains(text));
    rows.last().unwrap_or_else(|| panic!("no row holds {text:?}: {page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_under_the_address_that_is_read() {
    let app = shop_fails().await;
    let alias = r#"{"old_email": "ben", "new_email": "ben.baker@example.com"}"#;
    add_rule(&app, "email_remapping", alias).await;
    let watcher = r#"{"email": "wanda@example.com", "filepath": "shop"}"#;
    add_rule(&app, "watch_list", watcher).await;
    let (_, page) = app.get("/people").await;
    let ben = row(&page, "ben.baker@example.com");
    for expected in [BEN.0, "commits as ben@example.com", ">1</td>", "2026-05-18"] {
        assert!(ben.contains(expected), "{expected:?} is missing: {ben}");
    }
    assert!(row(&page, ANN.1).contains("delivered"), "{page}");
    assert!(row(&page, TEAM).contains("default contact"), "{page}");
    row(&page, "wanda@example.com");

    let (_, found) = app.get("/people?q=BAKER").await;
    assert!(found.contains(BEN.0) && !found.contains(ANN.0), "{found}");
    let (status, none) = app.get("/people?q=%3Cscript%3E&page=-7").await;
    assert!(status == 200 && none.contains("No name or address contains"), "{none}");
    assert!(!none.contains("<script>"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn person_page_says_where_mail_goes_and_who_answers() {
    let app = shop_fails().await;
    let page = person(&app, BEN.1).await;
    for expected in [
        BEN.0,
        "<strong>ben@example.com</strong>",
        "shop/cart.py:5",
        "1 of 1",
        "accepted by the mail server",
    ] {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    let rule = r#"{"email": "ben@example.com", "filepath": "shop", "designated_email": "cleo@example.com"}"#;
    add_rule(&app, "disownership_list", rule).await;
    let page = person(&app, "BEN@example.com").await;
    assert!(page.contains("reassigned for shop: ben@example.com → cleo@example.com"), "{page}");
    assert!(page.contains("shop: their issues go to cleo@example.com"), "{page}");
    assert!(person(&app, CLEO.1).await.contains("they get the issues of ben@example.com"));
    assert!(row(&app.get("/people").await.1, BEN.1).contains("reassigned"));
    let (status, nobody) = app.get("/people/eve%40example.com").await;
    assert!(status == 404 && nobody.contains("Nobody with this address"), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_can_be_turned_off_except_default_contact_alerts() {
    let app = shop_fails().await;
    let mails = |address: &str| format!("{}/mails", links::person("", address));
    let unwanted = async |address: &str, kind| {
        app.server.app.store.is_unwanted(address, kind).await.expect("store")
    };
    let off = [("kind", "weekly"), ("wanted", "no")];
    let (status, page) = app.post(&mails(BEN.1), &off).await;
    assert!(status == 200 && page.contains("Subscribe again"), "{page}");
    assert!(unwanted(BEN.1, UnwantedKind::Weekly).await);
    app.post(&mails(BEN.1), &[("kind", "weekly"), ("wanted", "yes")]).await;
    assert!(!unwanted(BEN.1, UnwantedKind::Weekly).await);
    let (_, page) = app.post(&mails(BEN.1), &[("kind", "alerts"), ("wanted", "no")]).await;
    assert!(page.contains("ben@example.com does not want alerts of this project"), "{page}");
    assert!(page.contains(&format!("<strong>{TEAM}</strong>")), "{page}");
    let (status, page) = app.post(&mails(TEAM), &[("kind", "alerts"), ("wanted", "no")]).await;
    assert!(status == 409 && page.contains("somebody has to"), "{page}");
    assert_eq!(app.post(&mails("nobody"), &off).await.0, 422);
    assert_eq!(app.post(&mails(BEN.1), &[("kind", "all"), ("wanted", "no")]).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn leavers_are_named_with_a_link_to_reassign_their_issues() {
    let repository = TestRepository::shop();
    repository.commit(CLEO, "2026-11-20", "new", &[("shop/new.py", "boom()\n")]);
    let app = App::with("author_gone_days", "180").repository(repository).start().await;
    assert!(!app.get("/people").await.1.contains("Who may have left"));
    app.report(&request(&MONEY)).await;
    app.report(&request(&[("/srv/app/shop/new.py", 1, "<module>", "boom()")])).await;
    app.settle().await;
    let (_, page) = app.get("/people").await;
    let leaver = page.split("id=\"leavers\"").nth(1).expect("a section");
    let leavers = leaver.split("</table>").next().expect("a table");
    assert!(leavers.contains("made no commit for 180 days") && leavers.contains(TEAM), "{leavers}");
    assert!(!leavers.contains(CLEO.0), "{leavers}");
    let link = leavers.split("href=\"").find(|link| link.starts_with("/disown_file")).expect("one");
    let link = link.split('"').next().expect("a link").replace("&#38;", "&").replace("&amp;", "&");
    let (status, form) = app.get(&link).await;
    assert!(status == 200 && form.contains("value=\"ann@example.com\""), "{form}");
    let fields = [("filepath", "/"), ("email", ANN.1), ("designated_email", CLEO.1)];
    assert_eq!(app.post("/save_disown_file", &fields).await.0, 200);
    assert!(person(&app, ANN.1).await.contains(CLEO.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_of_ten_thousand_issues_are_listed_by_the_page() {
    use flawless_store::issues::details::IssueDetails;
    use flawless_store::{IssueFacts, Seen};
    let app = App::start().await;
    let mut tx = app.server.app.store.write().await.expect("store");
    let now = app.clock.now();
    let seen = Seen {
        occurrences: 3,
        only_listed: 0,
        reports: 1,
        first_at: now,
        last_at: now,
        samples: 0,
    };
    let details = IssueDetails { steps: vec!["x".repeat(1500)], ..IssueDetails::default() };
    for number in 0..10_000 {
        let facts = IssueFacts {
            identity: format!("line:{number}"),
            path: format!("shop/{number}.py"),
            line: 1,
            developer_name: Some(format!("Developer {}", number % 300)),
            developer_email: Some(format!("d{}@example.com", number % 300)),
            origin_commit: Some("0".repeat(40)),
            authored_at: Some(now),
            details: details.clone(),
            ..IssueFacts::default()
        };
        tx.count_attributed(&facts, seen).await.expect("store");
    }
    tx.commit().await.expect("store");
    let (_, page) = app.get("/people?page=2").await;
    assert!(page.contains("Page 2 of 4"), "{page}");
    let page = person(&app, "d7@example.com").await;
    assert!(page.matches("shop/").count() == 34, "{page}");
}
