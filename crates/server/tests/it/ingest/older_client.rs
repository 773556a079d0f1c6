//! The unchanged client of 0.4.5, as teams use it in their programs today.
use std::process::Command;

use crate::harness::{App, BEN, TestRepository, python};

/// Runs a Python program in the repository, with the older client installed.
fn run_program(app: &App, program: &str) -> String {
    let output = Command::new(python())
        .args(["-W", "ignore", "-c", program])
        .current_dir(app.repository.dir())
        .env("PYTHONPATH", app.repository.dir())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PORT", app.thrift_address().port().to_string())
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const SET_UP: &str = "
import os, sys
import flawless.client
import flawless.client.decorators as decorators
flawless.client.set_hostports(['127.0.0.1:' + os.environ['PORT']])
";

#[tokio::test(flavor = "multi_thread")]
async fn wrapped_function_that_fails_mails_the_author_once() {
    let app = App::with("report_error_threshold", "3").start().await;
    let program = format!(
        "{SET_UP}
from shop.cart import total

@decorators.wrap_function
def page(secret_number):
    return total([])

for attempt in range(40):
    try:
        page(42)
    except ZeroDivisionError:
        pass
print('alive')
"
    );
    assert_eq!(run_program(&app, &program), "alive\n");
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    assert_eq!(mail.subject, "ZeroDivisionError in total (shop/cart.py)");
    for expected in [
        "\nZeroDivisionError('division by zero')\n",
        "line 5, in total",
        "return sum(prices) / len(prices)",
        "       |     prices = []\n",
        "Your commit ",
        "last changed by Ben Baker <ben@example.com>",
        "/issues/1\n",
    ] {
        assert!(mail.says(expected), "{expected:?} is missing in\n{}", mail.text);
    }
    assert!(!mail.text.contains("wrapped_func_with_error_reporting"), "{}", mail.text);
    assert!(mail.html.contains("prices = []"), "{}", mail.html);
    // The client thins out to 12 calls, which represent 32 occurrences, the next power of two.
    let (_, page) = app.get("/").await;
    assert!(page.contains("<span class=\"count\">32</span>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn record_error_and_wrapped_classes_take_their_options() {
    let repository = TestRepository::shop();
    repository.commit(
        BEN,
        "2026-06-01",
        "jobs",
        &[("shop/jobs.py", "class Jobs(object):\n    def nightly(self):\n        self.state = 'late'\n        return [][1]\n")],
    );
    let app = App::with("report_error_threshold", "100").with("subject_style", "classic");
    let app = app.repository(repository).start().await;
    let program = format!(
        "{SET_UP}
from shop.jobs import Jobs
from shop.cart import total
from shop.web import handle

try:
    total('x')
except TypeError:
    flawless.client.record_error(
        hostname='batch-7', exc_info=sys.exc_info(), error_threshold=1,
        additional_info='order 4711')

Wrapped = decorators.wrap_class(Jobs, error_threshold=1)
try:
    Wrapped().nightly()
except IndexError:
    print('raised again')

@decorators.wrap_function(reraise_exception=False)
def quiet():
    handle(None)
print(quiet())
"
    );
    assert_eq!(run_program(&app, &program), "raised again\nNone\n");
    app.settle().await;
    app.later();
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2, "the third waits for its 100th occurrence: {mails:#?}");
    let of = |path: &str| mails.iter().find(|mail| mail.subject.ends_with(path)).expect(path);
    assert_eq!(of("shop/cart.py").subject, "Error on batch-7 in shop/cart.py");
    assert!(of("shop/cart.py").text.contains("Additional information\norder 4711"));
    assert!(of("shop/jobs.py").text.contains("self.state = 'late'"), "{}", of("shop/jobs.py").text);
    assert!(of("shop/jobs.py").text.contains("return [][1]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn program_goes_on_when_the_server_asks_to_send_later() {
    let app = App::start().await;
    // As when memory_limit is reached or the disk is full.
    app.server.app.store.close().await;
    let program = format!(
        "{SET_UP}
from shop.cart import total

@decorators.wrap_function
def page():
    return total([])

for attempt in range(4):
    try:
        page()
    except ZeroDivisionError:
        print('its own error')
"
    );
    assert_eq!(run_program(&app, &program), "its own error\n".repeat(4));
}
