//! Signing in, as somebody with a browser does.
use super::every_page::{faults, none};
use crate::harness::{Browser, PHONE, link_in, mails_to, wait_until, with_sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn mail_link_leads_to_the_requested_page_even_without_script() {
    const ROOT: &str = "root@example.com";
    for script in [true, false] {
        let app = with_sign_in().with("administrators", ROOT).start().await;
        let browser = Browser::start(&app).await;
        browser.allow_script(script).await;
        browser.width(PHONE).await;
        let page = "/?timestamp=1795000000&first_day=Monday";
        let with_place = format!("{page}#ann@example.com");
        browser.open(&with_place).await;
        let mut found = Vec::new();
        let mut look = async |name: &str| {
            // The check for faults is a script itself.
            if script {
                found.extend(faults(&browser, name, PHONE).await);
            }
        };
        look("sign-in").await;
        browser.fill("address", ROOT).await;
        browser.submit("address").await;
        let text = browser.text().await;
        assert!(text.contains("If this address may sign in, a link is on its way"), "{text}");
        wait_until("the link arrives", async || !mails_to(&app, ROOT).is_empty()).await;
        browser.open(&link_in(&mails_to(&app, ROOT)[0])).await;
        look("sign-in-link").await;
        browser.follow("sign in").await;
        // The part behind # is never sent, so only the script can keep it.
        assert_eq!(browser.path().await, if script { with_place.as_str() } else { page });
        browser.open("/account").await;
        browser.fill("name", "ci").await;
        browser.submit("name").await;
        assert!(browser.text().await.contains("flw_"));
        look("token").await;
        browser.open("/people/roles").await;
        browser.fill("address", "ben@example.com").await;
        browser.submit("address").await;
        look("roles").await;
        browser.open("/account").await;
        look("account").await;
        browser.follow("sign out").await;
        assert!(browser.path().await.starts_with("/sign_in"));
        none(&found);
    }
}
