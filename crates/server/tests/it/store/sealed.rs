//! With `encrypt_samples`, stored values are of no use without the key.
use std::path::Path;

use flawless_store::sealing::Sealing;

use crate::harness::{App, AppBuilder, Frame, ThriftClient, flawless, request, wait_until};

const PAY: [Frame<'static>; 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const VALUE: &str = "an unmistakable value";

fn keys(digits: &str) -> String {
    let keys: Vec<String> =
        digits.chars().map(|digit| std::iter::repeat_n(digit, 64).collect()).collect();
    keys.join(",")
}

fn sealing(digits: &str) -> Sealing {
    Sealing::new(&keys(digits), !digits.is_empty()).expect("keys")
}

/// Whether a file of the folder contains `wanted`.
pub fn stands_in(folder: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return stands_in(&path, wanted);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(wanted.len()).any(|part| part == wanted)
    })
}

/// Starts again with these keys, one of each digit.
async fn restart(app: App, digits: &str) -> App {
    let mut config = (*app.server.app.config).clone();
    config.sealing = sealing(digits);
    app.restart_with(config).await
}

async fn report(app: &App) {
    let mut report = request(&PAY);
    report.traceback[0].frame_locals = Some([("price".into(), format!("'{VALUE}'"))].into());
    report.additional_info = Some(VALUE.into());
    app.report(&report).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_values_are_shown_but_nowhere_on_the_disk() {
    let app = AppBuilder::default().in_file().sealing(sealing("a")).start().await;
    report(&app).await;
    wait_until("the mail has arrived", async || !app.smtp.mails().is_empty()).await;
    assert!(app.smtp.mails()[0].text.contains(VALUE));
    assert!(app.get("/view_traceback?issue=1").await.1.contains(VALUE));
    assert!(!stands_in(&app.folder.path().join("data"), VALUE.as_bytes()));

    // Another key encrypts from now on; the older one still decrypts.
    let app = restart(app, "ba").await;
    assert!(app.get("/view_traceback?issue=1").await.1.contains(VALUE));
    // The older key is gone: the page says so, and counting goes on.
    let app = restart(app, "b").await;
    let (status, page) = app.get("/view_traceback?issue=1").await;
    assert_eq!(status, 200);
    let why = "the sample of issue 1 was encrypted with a key that is not in FLAWLESS_SAMPLE_KEY";
    assert!(page.contains(why), "{page}");
    let (status, page) = app.get("/check_health").await;
    let why = "1 of the newest samples, waiting reports and mails was encrypted with a key";
    assert!(status == 200 && page.contains(why), "{status} {page}");
    let set = format!("data_dir_path={}", app.folder.path().join("data").display());
    let check = flawless(app.folder.path(), &["check", "--set", &set]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("PROBLEM  values: 1 of the newest samples"), "{text}");
    app.clock.advance(2_000);
    report(&app).await;
    app.settle().await;
    assert!(app.get("/view_traceback?issue=1").await.1.contains(VALUE), "a new sample is readable");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_stored_before_there_was_a_key_stays_readable() {
    let app = App::start().await;
    report(&app).await;
    app.settle().await;
    let app = restart(app, "a").await;
    assert!(app.get("/view_traceback?issue=1").await.1.contains(VALUE));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_and_mail_wait_for_their_key_when_it_is_gone() {
    let app = AppBuilder::default().sealing(sealing("a")).with("smtp_host", "127.0.0.1:1");
    let app = app.start().await;
    report(&app).await;
    let store = app.server.app.store.clone();
    let tried = async || {
        let queue = store.outbox_queue().await.expect("store");
        queue.waiting == 1 && queue.last_error.is_some()
    };
    wait_until("the mail was tried", tried).await;
    let app = restart(app, "b").await;
    app.clock.advance(60_000);
    let store = app.server.app.store.clone();
    wait_until("the key is missing", async || {
        let words = store.outbox_queue().await.expect("store").last_error.unwrap_or_default();
        words.contains("the mail was encrypted with a key that is not in FLAWLESS_SAMPLE_KEY")
    })
    .await;
    let mut config = (*app.server.app.config).clone();
    config.sealing = sealing("ba");
    let address = app.smtp.address();
    let (host, port) = address.split_once(':').expect("a port");
    (config.smtp.host, config.smtp.port) = (host.to_owned(), port.parse().expect("a number"));
    let app = app.restart_with(config).await;
    app.clock.advance(3_600_000);
    wait_until("the mail has arrived", async || !app.smtp.mails().is_empty()).await;
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    assert!(client.record_error(&request(&PAY)).await.is_ok());
}
