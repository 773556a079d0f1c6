//! Whole journeys of people through the pages, beginning with the link in a mail.
use flawless_protocol::thrift::RecordErrorRequest;

use crate::harness::{ANN, App, BEN, Browser, CLEO, Mail, Person, request};

const WEB: (&str, i64, &str, &str) = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
const CART: (&str, i64, &str, &str) =
    ("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n");

/// The link of a mail to its issue.
fn link(mail: &Mail) -> &str {
    let mut links = mail.text.lines().map(str::trim).filter(|line| line.starts_with("http://"));
    links.next().expect("a link")
}

/// Someone rewrites the line of the cart: its former author is no longer notified of it.
fn written_anew_by(app: &App, who: Person, day: &str) -> RecordErrorRequest {
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    let without = cart.replace("    return sum(prices) / len(prices)\n", "    return 0\n");
    app.repository.commit(who, day, "cart: no total", &[("shop/cart.py", &without)]);
    let revision = app.repository.commit(who, day, "cart: a total", &[("shop/cart.py", cart)]);
    let mut report = request(&[WEB, CART]);
    report.revision = Some(revision);
    report
}

async fn mails_after(app: &App, report: &RecordErrorRequest) -> Vec<Mail> {
    app.later();
    app.report(report).await;
    app.mails().await
}

#[tokio::test(flavor = "multi_thread")]
async fn known_error_is_made_from_a_mail_with_and_without_script() {
    for script in [true, false] {
        let app = App::start().await;
        let browser = Browser::start(&app).await;
        browser.allow_script(script).await;
        app.report(&request(&[WEB, CART])).await;
        let mail = app.one_mail().await;
        assert_eq!(mail.to, BEN.1);

        browser.open(link(&mail)).await;
        let page = browser.text().await;
        assert!(page.contains("shop/cart.py") && page.contains(BEN.0), "{page}");
        browser.follow("known error").await;
        browser.submit("filename").await;
        let shown = browser.text().await;
        assert!(shown.contains("shop/cart.py"), "the saved rule is shown: {shown}");

        let mails = mails_after(&app, &written_anew_by(&app, CLEO, "2026-07-01")).await;
        assert_eq!(mails.len(), 1, "a known error is not notified, script: {script}");
        browser.open("/view_config?key=known_errors").await;
        browser.follow("remove").await;
        let mails = mails_after(&app, &written_anew_by(&app, ANN, "2026-08-01")).await;
        assert_eq!(mails.len(), 2, "and is notified once the rule is gone, script: {script}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn library_code_is_made_with_and_without_script() {
    for script in [true, false] {
        let app = App::start().await;
        let browser = Browser::start(&app).await;
        browser.allow_script(script).await;
        app.report(&request(&[WEB, CART])).await;
        let mail = app.one_mail().await;
        assert_eq!(mail.to, BEN.1);

        browser.open(link(&mail)).await;
        browser.follow("library code").await;
        browser.submit("filename").await;

        let mails = mails_after(&app, &request(&[WEB, CART])).await;
        let new: Vec<&Mail> = mails.iter().filter(|mail| mail.to == ANN.1).collect();
        let [mail] = new[..] else { panic!("Ann wrote the caller, script: {script}: {mails:#?}") };
        browser.open(link(mail)).await;
        let page = browser.text().await;
        assert!(page.contains("shop/web.py") && page.contains(ANN.0), "{page}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}
