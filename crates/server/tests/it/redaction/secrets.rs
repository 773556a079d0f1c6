//! A corpus of secrets, sent by a client that redacts nothing: none gets onto the disk, into a mail
//! or onto a page.
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use aho_corasick::AhoCorasick;
use flawless_protocol::thrift::{
    Breadcrumb, ChainedException, Context, Process, RecordErrorRequest, StackLine,
};
use sqlx::{Connection, SqliteConnection};

use crate::harness::{App, AppBuilder, request};

struct Entry {
    kind: String,
    place: String,
    text: String,
    secret: String,
}

fn corpus() -> Vec<Entry> {
    let lines = include_str!("secrets.txt").lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let line = line.replace('¦', "").replace("\\n", "\n");
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, place, template, secret] = fields[..] else { panic!("four fields: {line}") };
        Entry {
            kind: kind.to_owned(),
            place: place.to_owned(),
            text: template.replace("{SECRET}", secret),
            secret: secret.to_owned(),
        }
    };
    lines.map(entry).collect()
}

impl Entry {
    /// Puts the secret into its place of a report.
    fn add_to(&self, report: &mut RecordErrorRequest) {
        let text = self.text.clone();
        let named = |name: &str, value: &str| Some([(name.to_owned(), value.to_owned())].into());
        let pair = || {
            let (name, value) = text.split_once('=').unwrap_or(("value", &text));
            [(name.to_owned(), format!("'{value}'"))]
        };
        let web = report.request.get_or_insert_default();
        match self.place.as_str() {
            "local" | "name" => {
                let name = text.split_once('=').filter(|_| self.place == "name");
                let (name, value) = name.unwrap_or(("value", &text));
                let locals = report.traceback[0].frame_locals.get_or_insert_default();
                locals.insert(name.to_owned(), format!("'{value}'"));
            }
            "message" => report.exception_message = Some(format!("ValueError({text:?})")),
            "info" => report.additional_info = Some(format!("seen at the end\n{text}")),
            "source" => {
                // The frame's own line, and one next to it.
                report.traceback[0].text = Some(format!("work({text:?})"));
                report.traceback[0].before = vec![format!("x = {text:?}")];
            }
            "header" => {
                let (name, value) = text.split_once(": ").expect("a name");
                web.headers = named(name, value).expect("a map");
            }
            "body" => web.body = Some(text),
            "query" => web.path = Some(text),
            "note" => report.notes = vec![text],
            "user" => report.user.extend(pair()),
            "tag" => report.tags.extend(pair()),
            "context" => {
                let (name, values) = (Some("order".into()), pair().into());
                report.contexts = vec![Context { name, values }];
            }
            "breadcrumb" => {
                report.breadcrumbs = vec![Breadcrumb {
                    message: Some(text.clone()),
                    data: pair().into(),
                    ..Breadcrumb::default()
                }];
            }
            "argument" => {
                let arguments = text.split(' ').map(str::to_owned).collect();
                report.process = Some(Process { arguments, ..Process::default() });
            }
            "transaction" => report.transaction = Some(text),
            "chain" => {
                let line = StackLine {
                    filename: Some("/srv/app/lib.py".into()),
                    line_number: Some(1),
                    function_name: Some("work".into()),
                    frame_locals: named("value", &text),
                    ..StackLine::default()
                };
                report.chain = vec![ChainedException {
                    exception_message: Some(text.clone()),
                    traceback: vec![line],
                    notes: vec![text],
                    ..ChainedException::default()
                }];
            }
            other => panic!("{other} is not a place"),
        }
    }

    /// The forms that a text could have it in: a secret of several lines by its longest line.
    fn marks(&self) -> Vec<String> {
        let longest = self.secret.lines().max_by_key(|line| line.len()).unwrap_or_default();
        let escaped = longest.replace('&', "&amp;").replace('=', "&#61;");
        vec![longest.to_owned(), escaped]
    }
}

/// Reports of lines of their own, each with at most one secret in each place.
fn reports(corpus: &[Entry]) -> Vec<RecordErrorRequest> {
    let mut reports: Vec<(RecordErrorRequest, HashSet<&str>)> = Vec::new();
    for entry in corpus {
        let free = reports.iter_mut().find(|(_, places)| !places.contains(entry.place.as_str()));
        let (report, places) = match free {
            Some(free) => free,
            None => {
                let function = format!("work_{}", reports.len());
                let frame = ("/srv/app/lib.py", 1, function.as_str(), "work()");
                reports.push((request(&[frame]), HashSet::new()));
                reports.last_mut().expect("one was added")
            }
        };
        entry.add_to(report);
        places.insert(&entry.place);
    }
    reports.into_iter().map(|(report, _)| report).collect()
}

/// Every byte in the data folder, and what the compressed rows hold.
async fn stored(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut stored = Vec::new();
    for entry in std::fs::read_dir(data).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            stored.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
    let url = format!("sqlite://{}", data.join("flawless.db").display());
    let mut database = SqliteConnection::connect(&url).await.expect("a database");
    let bodies: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT issue_id, body FROM sample UNION ALL SELECT 0, body FROM pending_report",
    )
    .fetch_all(&mut database)
    .await
    .expect("rows");
    assert!(bodies.len() > 20, "samples were kept: {}", bodies.len());
    for (issue, body) in bodies {
        let plain = zstd::stream::decode_all(body.as_slice()).expect("compressed");
        stored.push((format!("sample of issue {issue}"), plain));
    }
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_corpus_are_never_stored_mailed_or_shown() {
    let corpus = corpus();
    assert!(corpus.len() >= 400, "{}", corpus.len());
    let app: App = AppBuilder::default()
        .in_file()
        .without_repository()
        .with("mails_per_person_per_hour", "0")
        .with("mails_per_hour", "0")
        .start()
        .await;
    let reports = reports(&corpus);
    for report in &reports {
        app.report(report).await;
        // One mail for each, with its values.
        app.settle().await;
        app.later();
    }
    let mails = app.mails().await;
    assert!(mails.len() >= reports.len(), "{} mails", mails.len());
    let mut texts: Vec<(String, Vec<u8>)> = stored(&app.folder.path().join("data")).await;
    for mail in &mails {
        let headers = format!("{:?}", mail.headers);
        for (part, text) in [("headers", &headers), ("text", &mail.text), ("HTML", &mail.html)] {
            let what = format!("{part} of the mail {:?}", mail.subject);
            texts.push((what, text.clone().into_bytes()));
        }
    }
    let mut pages = vec!["/".to_owned(), "/check_health".to_owned()];
    pages.extend((1..=reports.len()).map(|issue| format!("/view_traceback?issue={issue}")));
    for page in pages {
        let text = app.get(&page).await.1;
        texts.push((format!("the page {page}"), text.into_bytes()));
    }
    // A few digits can be anywhere by chance.
    let searched: Vec<&Entry> = corpus.iter().filter(|entry| entry.secret.len() >= 8).collect();
    let marks = searched.iter().enumerate();
    let marks: Vec<(usize, String)> = marks
        .flat_map(|(at, entry)| entry.marks().into_iter().map(move |mark| (at, mark)))
        .collect();
    let search = AhoCorasick::new(marks.iter().map(|(_, mark)| mark)).expect("few");
    let mut places: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (what, text) in &texts {
        for found in search.find_overlapping_iter(text) {
            let (entry, _) = marks[found.pattern().as_usize()];
            places.entry(entry).or_default().insert(what);
        }
    }
    let found: Vec<String> = places
        .iter()
        .map(|(entry, places)| {
            let Entry { kind, place, text, .. } = searched[*entry];
            let places: Vec<&str> = places.iter().copied().take(3).collect();
            format!("{kind} in {place}: {text:?} is in {}", places.join(", "))
        })
        .collect();
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), corpus.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn redaction_covers_every_field_of_a_report() {
    let app = App::with("report_error_threshold", "1").start().await;
    let token = ["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"].join("_");
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", "return 1")]);
    report.hostname = Some(format!("web {token}"));
    report.environment = Some(format!("production {token}"));
    report.exception_type = Some(format!("shop.Error {token}"));
    report.revision = Some(token.clone());
    report.traceback[0].filename = Some(format!("/srv/{token}/shop/cart.py"));
    report.traceback[0].function_name = Some(format!("total {token}"));
    report.traceback[0].frame_locals = Some([(token.clone(), "1".to_owned())].into());
    let web = report.request.get_or_insert_default();
    web.method = Some(token.clone());
    web.protocol = Some(token.clone());
    web.headers = [(token.clone(), "1".to_owned())].into();
    web.client_address = Some(token.clone());
    let (some, facts) = (|| Some(format!("x {token}")), || [(token.clone(), token.clone())].into());
    report.mechanism = some();
    report.transaction = some();
    report.thread = some();
    report.task = some();
    report.trace_id = some();
    report.user = facts();
    report.tags = facts();
    report.contexts = vec![Context { name: some(), values: facts() }];
    report.breadcrumbs = vec![Breadcrumb {
        at: Some(7),
        category: some(),
        level: some(),
        message: some(),
        data: facts(),
    }];
    report.process = Some(Process {
        runtime: some(),
        arguments: vec![token.clone()],
        modules_id: Some(token.clone()),
        modules: facts(),
    });
    app.report(&report).await;
    let mails = app.mails().await;
    let (_, page) = app.get("/view_traceback?issue=1").await;
    let (_, week) = app.get("/").await;
    let shown = [format!("{mails:?}"), page, week];
    assert!(shown.iter().all(|text| !text.contains(&token)), "{shown:#?}");
    let (_, sample) =
        app.server.app.store.newest_sample(1).await.expect("store").expect("a sample");
    assert!(!format!("{:?}", sample.report).contains(&token));
}
