//! The Python package of this repository, installed as teams install it, in programs that
//! really fail, with the whole server behind it: from an exception to the mail.
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    ANN, App, BEN, CLEO, NOW, ServerProcess, SmtpServer, TestRepository, flawless, free_port, get,
    server_options, stdout, wait_until,
};
use crate::ingest::thrift::refusals;

/// Runs each test on every Python that is set up; the output names the one on which it failed.
macro_rules! on_every_python {
    ($($name:ident)+) => {
        mod on_every_python {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                for python in crate::harness::pythons_with_package() {
                    println!("with {}", python.display());
                    super::$name(&python).await;
                }
            })+
        }
    };
}

on_every_python! {
    failing_web_application_mails_the_author_without_secrets
    framed_port_counts_every_occurrence_of_a_failing_job
    program_with_a_wrong_key_runs_on_and_is_warned_once
    failures_while_the_server_is_away_arrive_or_are_known_lost
}

/// Secrets that must leave neither the program nor the server, by environment variable.
const SECRETS: [(&str, &str); 4] = [
    ("GATEWAY_PASSWORD", "gw-8f3kq2-gate"),
    ("QUERY_TOKEN", "qt-77ab31-query"),
    ("BEARER", "br-5512ce-bearer"),
    ("COOKIE", "ck-0d94aa-cookie"),
];
const FORM_PASSWORD: &str = "fp-61c0de-form";
const CARD: &str = "4111111111111111";

/// A deployment: a clone of the team's repository, which has moved on since.
struct Deployed {
    folder: TempDir,
    revision: String,
}

fn shop() -> (TestRepository, Deployed) {
    let repository = TestRepository::empty();
    let programs = [
        ("serve.py", include_str!("python_client/serve.py")),
        ("batch.py", include_str!("python_client/batch.py")),
        ("steps.py", include_str!("python_client/steps.py")),
        ("shop/__init__.py", ""),
        ("shop/checkout.py", include_str!("python_client/checkout.py")),
    ];
    repository.commit(ANN, "2026-03-02", "checkout", &programs);
    let rates = include_str!("python_client/rates.py");
    repository.commit(CLEO, "2026-04-02", "rates", &[("shop/rates.py", rates)]);
    let web = include_str!("python_client/web.py");
    let revision = repository.commit(BEN, "2026-05-18", "web", &[("shop/web.py", web)]);
    let folder = tempfile::tempdir().expect("a folder");
    repository.git(&["clone", "--quiet", ".", &folder.path().display().to_string()]);
    // By the newest commit all of web.py is Ann's: the text is the same again.
    repository.commit(ANN, "2026-06-01", "away with it", &[("shop/web.py", "")]);
    repository.commit(ANN, "2026-06-02", "back again", &[("shop/web.py", web)]);
    (repository, Deployed { folder, revision })
}

impl Deployed {
    /// A program of the deployment, with nothing in its environment that names the revision.
    fn program(&self, python: &Path, name: &str) -> Command {
        let mut command = Command::new(python);
        command.arg(name).current_dir(self.folder.path()).env_clear();
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Runs it to its end; returns its output and its warnings.
fn run(mut program: Command) -> (String, String) {
    let output = program.output().expect("python runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// Path, author's address and occurrences of each issue.
async fn issues(app: &App) -> Vec<(String, String, i64)> {
    app.settle().await;
    let found = app.server.app.store.issues_between(0, NOW + 3_600_000).await.expect("store");
    let issue = found.into_iter().map(|found| found.issue);
    issue
        .map(|issue| {
            let developer = issue.facts.developer_email.unwrap_or_default();
            (issue.facts.path, developer, issue.occurrences)
        })
        .collect()
}

async fn failing_web_application_mails_the_author_without_secrets(python: &Path) {
    let (repository, deployed) = shop();
    let app = App::with("report_error_threshold", "2").repository(repository).start().await;
    let mut program = deployed.program(python, "serve.py");
    program.env("DSN", app.server.dsn().expect("an address")).envs(SECRETS);
    program.env("FORM", format!("currency=CHF&password={FORM_PASSWORD}&number={CARD}"));
    assert_eq!(run(program), ("alive\n".to_owned(), String::new()));

    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "by the revision that ran:\n{}", mail.text);
    assert_eq!(mail.subject, "PaymentError in application (shop/web.py)");
    for expected in [
        "last on web-01, in production",
        "in application\n    yield b\"%d\" % pay(",
        "raise PaymentError(\"no rate at %s\" % gateway) from error",
        "shop.checkout.PaymentError('no rate at https://shop:**scrubbed**@pay.example.com/')",
        "Caused by:",
        "KeyError('CHF')",
        "    return RATES[currency]",
        "    password = **scrubbed**",
        "    card = **scrubbed**",
        "POST /pay?day=1&access_token=**scrubbed** HTTP/1.1",
        "  Authorization: **scrubbed**",
        "  Cookie: **scrubbed**",
        "  Host: shop.example.com",
        "currency=CHF&password=**scrubbed**&number=**scrubbed**",
        ": the text agrees at the running revision",
        "2026-05-18 12:00:00, last changed by Ben Baker <ben@example.com>",
    ] {
        assert!(mail.says(expected), "{expected:?} is missing in\n{}", mail.text);
    }
    assert!(
        !mail.text.contains("<flawless>") && !mail.text.contains("site-packages/flawless/client")
    );
    let expected = ("shop/web.py".to_owned(), BEN.1.to_owned(), 1_000);
    assert_eq!(issues(&app).await, [expected]);

    let store = &app.server.app.store;
    let issue = store.issues_between(0, NOW + 3_600_000).await.expect("store").remove(0).issue;
    let (_, sample) = store.newest_sample(issue.id).await.expect("store").expect("a sample");
    assert_eq!(sample.report.revision, Some(deployed.revision));
    let (status, page) = app.get("/view_traceback?filename=shop/web.py").await;
    assert!(status == 200 && page.contains("**scrubbed**"), "{status} {page}");
    let (_, week) = app.get("/").await;
    let sample = serde_json::to_string(&sample.report).expect("JSON");
    let mut shown = vec![mail.text, mail.html, format!("{:?}", mail.headers), page, week, sample];
    let folder = app.folder.path().join("data");
    shown.extend(files_in(&folder).map(|file| String::from_utf8_lossy(&file).into_owned()));
    let values = SECRETS.iter().map(|(_, value)| *value);
    for secret in values.chain([FORM_PASSWORD, CARD]) {
        let found = shown.iter().find(|text| text.contains(secret));
        assert!(found.is_none(), "{secret} is in {}", found.map_or("", String::as_str));
    }
}

fn files_in(folder: &Path) -> impl Iterator<Item = Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.is_file()).map(|path| std::fs::read(path).expect("a file"))
}

async fn framed_port_counts_every_occurrence_of_a_failing_job(python: &Path) {
    let (repository, deployed) = shop();
    let app = App::with("report_error_threshold", "2").repository(repository).start().await;
    let mut program = deployed.program(python, "batch.py");
    program.env("HOSTPORT", app.thrift_address().to_string());
    assert_eq!(run(program), ("alive\n".to_owned(), String::new()));
    let mail = app.one_mail().await;
    assert_eq!(mail.to, CLEO.1);
    assert!(mail.text.contains("currency = 'CHF'"), "{}", mail.text);
    let expected = ("shop/rates.py".to_owned(), CLEO.1.to_owned(), 1_000);
    assert_eq!(issues(&app).await, [expected]);
}

async fn program_with_a_wrong_key_runs_on_and_is_warned_once(python: &Path) {
    let (_, deployed) = shop();
    let app = App::with("report_error_threshold", "1").without_repository().start().await;
    let key = app.server.app.now().project.keys[0].secret.reveal().to_owned();
    let dsn = app.server.dsn().expect("an address").replace(&key, &"0".repeat(key.len()));
    let mut program = Talking::start(deployed.program(python, "steps.py").env("DSN", dsn));
    assert_eq!(program.say("fail 3"), "failed 3");
    assert_eq!(program.say("flush"), "False", "the server refused what was sent");
    assert_eq!(program.say("fail 4"), "failed 4");
    let warnings = program.end();
    assert_eq!(warnings.matches("RuntimeWarning: flawless:").count(), 1, "{warnings}");
    assert!(warnings.contains("flawless projects"), "{warnings}");
    assert!(!warnings.contains("Traceback"), "{warnings}");
    let expected = [("wrong project key".to_owned(), 7)];
    wait_until("all refusals are counted", async || refusals(&app).await == expected).await;
    assert_eq!(issues(&app).await, []);
}

async fn failures_while_the_server_is_away_arrive_or_are_known_lost(python: &Path) {
    let (repository, deployed) = shop();
    let smtp = SmtpServer::start();
    let folder = tempfile::tempdir().expect("a folder");
    let http_port = free_port();
    let options = server_options(folder.path(), &repository, &smtp, (0, http_port), 1);
    let ask = |command: &str| -> Value {
        let mut arguments = vec![command, "--json"];
        arguments.extend(options.iter().map(String::as_str));
        let text = stdout(&flawless(folder.path(), &arguments));
        text.lines().next().map_or(Value::Null, |line| serde_json::from_str(line).expect("JSON"))
    };
    let counted = async |expected: i64| {
        wait_until("they are counted", async || ask("issues")["error_count"] == expected).await;
    };

    let mut server = ServerProcess::start(&options, http_port).await;
    let project = ask("projects");
    let dsn = project["dsn"].as_str().expect("an address");
    let mut program = Talking::start(deployed.program(python, "steps.py").env("DSN", dsn));
    assert_eq!(program.say("fail 3"), "failed 3");
    assert_eq!(program.say("flush"), "True");
    server.kill();
    // Exactly as many as the queue of this program holds.
    assert_eq!(program.say("fail 5"), "failed 5");
    assert_eq!(program.say("flush"), "False", "no server is running");
    let mut server = ServerProcess::start(&options, http_port).await;
    assert_eq!(program.say("flush"), "True");
    counted(8).await;

    server.kill();
    assert_eq!(program.say("fail 20"), "failed 20");
    let _server = ServerProcess::start(&options, http_port).await;
    assert_eq!(program.say("flush"), "False", "some of them are lost");
    assert_eq!(program.say("flush"), "True", "the loss was reported");
    counted(13).await;
    let warnings = program.end();
    assert!(warnings.contains("reports cannot be sent"), "{warnings}");
    assert!(warnings.contains("occurrences lost"), "{warnings}");
    assert_eq!(warnings.matches("RuntimeWarning: flawless:").count(), 2, "{warnings}");
    let url = format!("http://127.0.0.1:{http_port}/check_health");
    let (_, page) = get(&url).await;
    for expected in ["clients had to drop", ">15</td>", "web-01"] {
        assert!(page.contains(expected), "{expected:?} is missing in\n{page}");
    }
    wait_until("the mail has arrived", async || !smtp.mails().is_empty()).await;
    // A kill while a mail is being sent may repeat it under its Message-ID, see crash.rs.
    let mails = smtp.mails();
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!((ids.len(), mails[0].to.as_str()), (1, CLEO.1), "{mails:#?}");
}

/// A program that takes commands, line by line.
struct Talking {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Talking {
    fn start(program: &mut Command) -> Self {
        let program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("python runs");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// Sends a command and returns the answer.
    fn say(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("it reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        answer.trim_end().to_owned()
    }

    /// Ends it in an orderly way; returns what it wrote to standard error.
    fn end(self) -> String {
        let Self { child, input, .. } = self;
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{warnings}");
        warnings
    }
}
