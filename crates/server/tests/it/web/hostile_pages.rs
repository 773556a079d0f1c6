//! Every page with hostile texts wherever foreign text can be shown. The content security policy,
//! the second line of defence, is off here: escaping alone has to hold.
use std::collections::{BTreeMap, BTreeSet};

use flawless_protocol::thrift::{
    Breadcrumb, ChainedException, Context, Process, RecordErrorRequest, StackLine, WebRequest,
    encode_record_error,
};
use flawless_server::show::links;
use flawless_store::{FixingChange, Resolution, UnwantedKind};
use serde::Deserialize;
use serde_json::json;

use crate::harness::{App, Browser, TestRepository, ThriftClient, add_rule, request};
use crate::web::browser::every_page::PAGES;

/// Runs, breaks out, or changes how other text is shown wherever it is not escaped.
const EVIL: &str = concat!(
    "<script>window.hacked=1</script>\"><img src=x onerror=\"window.hacked=1\">",
    "'><svg onload='window.hacked=1'></textarea></title></style></pre></select></script>",
    "<iframe src=\"javascript:parent.hacked=1\"></iframe>' autofocus onfocus='window.hacked=1",
    "\u{202e}\u{2066}\u{200f}\u{61c}fdp.exe\u{2069}\u{200b}\u{feff}\u{200d}\0\u{1b}[31m\u{8}\u{85}\u{9b}",
    "{{7*7}}%0d%0aSet-Cookie: a=b\r\nSet-Cookie: a=b; \u{fffe}",
);
const ADDRESS: &str = "javascript:window.hacked=1";
const EVIL_FILE: &str = "shop/'\"><img src=x onerror=window.hacked=1>.py";

/// A report with this text in every place.
fn report(text: &str) -> RecordErrorRequest {
    let own = || text.to_owned();
    let some = || Some(own());
    let facts = || [(own(), own())].into();
    let line = || StackLine {
        filename: some(),
        line_number: Some(7),
        function_name: some(),
        text: some(),
        frame_locals: Some([(own(), own())].into()),
        before: vec![own()],
        after: vec![own()],
    };
    let exception = |relation: &str| ChainedException {
        exception_type: some(),
        exception_message: some(),
        relation: Some(relation.to_owned()),
        traceback: vec![line()],
        notes: vec![own()],
        ..ChainedException::default()
    };
    RecordErrorRequest {
        traceback: vec![line(), line()],
        exception_message: some(),
        hostname: some(),
        additional_info: some(),
        exception_type: some(),
        revision: some(),
        environment: some(),
        chain: vec![exception("cause"), exception(text)],
        request: Some(WebRequest {
            method: some(),
            path: some(),
            protocol: some(),
            headers: [(own(), own())].into(),
            body: some(),
            client_address: some(),
        }),
        notes: vec![own()],
        handled: Some(false),
        mechanism: some(),
        transaction: some(),
        user: facts(),
        tags: facts(),
        contexts: vec![Context { name: some(), values: facts() }],
        breadcrumbs: vec![Breadcrumb {
            at: Some(i64::MIN),
            category: some(),
            level: some(),
            message: some(),
            data: facts(),
        }],
        process: Some(Process {
            runtime: some(),
            arguments: vec![own()],
            modules_id: Some(format!("{}", text.len())),
            modules: facts(),
        }),
        thread: some(),
        task: some(),
        trace_id: some(),
        ..request(&[])
    }
}

/// The report with bytes that are not UTF-8 in every place.
fn broken_bytes() -> Vec<u8> {
    let stand_in = "BROKEN-BROKEN";
    let mut frame = encode_record_error(&report(stand_in), 7).expect("memory");
    let broken = b"\xff\xfe<b>\xc3(\xed\xa0\x80\xe2\x80>";
    assert_eq!(broken.len(), stand_in.len());
    for at in 0..frame.len() - stand_in.len() {
        if frame[at..].starts_with(stand_in.as_bytes()) {
            frame[at..at + broken.len()].copy_from_slice(broken);
        }
    }
    frame
}

/// A server with these reports, and with hostile rules, authors and addresses.
async fn hostile_app() -> (App, Vec<i64>) {
    let repository = TestRepository::shop();
    let author = ("Eve <script>window.hacked=1</script>\u{202e}", "eve'\"&@example.com");
    repository.commit(
        author,
        "2026-06-01",
        EVIL.replace('\0', "").as_str(),
        &[(EVIL_FILE, "boom('<i>')\n")],
    );
    let app = App::with("max_report_bytes", "30000000").repository(repository).start().await;
    let long = format!("{EVIL}{}", "W".repeat(100_000));
    // The longest text that a rule can have.
    let long_rule: String = long.chars().take(4_900).collect();
    for (filename, function, code) in [(EVIL, EVIL, EVIL), (ADDRESS, "", ""), (&long_rule, "", "")]
    {
        let pattern =
            json!({ "filename": filename, "function_name": function, "code_fragment": code });
        let known = json!({ "filename": filename, "email_header": EVIL, "code_fragment": code });
        let rules = [
            ("known_errors", known),
            ("building_blocks", pattern.clone()),
            ("third_party_whitelist", pattern),
            ("ignored_exceptions", json!(format!("x{filename}"))),
            ("watch_list", json!({ "filepath": filename, "email": "w@example.com" })),
            (
                "disownership_list",
                json!({ "filepath": filename, "email": EVIL, "designated_email": "d@example.com" }),
            ),
            ("email_remapping", json!({ "old_email": filename, "new_email": "n@example.com" })),
        ];
        for (list, rule) in rules {
            add_rule(&app, list, &rule.to_string()).await;
        }
    }
    let mut blamed = report(EVIL);
    let path = format!("/srv/app/{EVIL_FILE}");
    blamed.traceback.extend(request(&[(&path, 1, "", "boom('<i>')")]).traceback);
    blamed.revision = None;
    for report in [&blamed, &report("x"), &report(EVIL), &report(ADDRESS), &report(&long)] {
        app.report(report).await;
        app.settle().await;
    }
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    client.send_frame(&broken_bytes()).await;
    client.read_frame().await.expect("an answer");
    app.settle().await;
    let store = &app.server.app.store;
    let issues = store.issues_between(0, i64::MAX).await.expect("store");
    let issues: Vec<i64> = issues.iter().map(|issue| issue.issue.id).collect();
    assert!(issues.len() >= 5, "{issues:?}");
    let change = FixingChange { summary: EVIL.to_owned(), author: EVIL.to_owned() };
    let evil = Resolution::Fixed(Some(change));
    let mut tx = store.write().await.expect("store");
    tx.set_resolved(issues[0], app.clock.now(), Some(EVIL), &evil).await.expect("store");
    tx.add_unwanted(EVIL, UnwantedKind::Alerts, app.clock.now()).await.expect("store");
    tx.commit().await.expect("store");
    (app, issues)
}

/// The pages' paths, with each hostile issue where they name one.
fn paths(app: &App, issues: &[i64]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, _, path) in PAGES {
        match path.split_once('{') {
            None => drop(found.insert((*path).to_owned())),
            Some((before, rest)) if before.ends_with("issue=") || before.ends_with("/issues/") => {
                let after = rest.split_once('}').expect("a brace").1;
                found.extend(issues.iter().map(|issue| format!("{before}{issue}{after}")));
            }
            Some(_) => {
                let link = links::unsubscribe(&app.server.app, EVIL, "alerts");
                found.insert(link[link.find("/unsubscribe").expect("a path")..].to_owned());
            }
        }
    }
    found
}

/// The addresses that a page leads to.
#[derive(Debug, Deserialize)]
struct Found {
    faults: Vec<String>,
    /// Links and forms that query, with all of their parameters.
    queries: Vec<String>,
    /// The target and the names of the fields of each form that changes something.
    forms: Vec<String>,
}

const LOOK: &str = include_str!("hostile_pages.js");

/// Checks the page that the browser shows.
async fn look(browser: &Browser, what: &str, faults: &mut Vec<String>) -> Found {
    let status = browser.status().await;
    let found = browser.run(LOOK, vec![]).await;
    let found: Found = serde_json::from_value(found).expect("links and forms");
    let what = what.chars().take(100).collect::<String>();
    if status == 500 {
        faults.push(format!("{what}: status 500"));
    }
    faults.extend(found.faults.iter().map(|fault| format!("{what}: {fault}")));
    found
}

/// Every query of every link and form, each parameter in turn with hostile text.
fn hostile_queries(queries: &BTreeMap<String, String>) -> Vec<String> {
    let mut made = BTreeSet::new();
    for query in queries.values() {
        let url = url::Url::parse("http://x").expect("a URL").join(query).expect("a URL");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        for (changed, _) in &pairs {
            let mut url = url.clone();
            let value = |(name, value): &(String, String)| {
                let value = if name == changed { EVIL.to_owned() } else { value.clone() };
                (name.clone(), value.chars().take(1_000).collect::<String>())
            };
            url.query_pairs_mut().clear().extend_pairs(pairs.iter().map(value));
            made.insert(url[url::Position::BeforePath..].to_owned());
        }
    }
    made.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_neither_runs_nor_breaks_out_on_any_page() {
    let (app, issues) = hostile_app().await;
    let browser = Browser::start(&app).await;
    browser.without_policy().await;
    let mut faults = Vec::new();
    // By path and names of parameters: other values do not make another page.
    let mut queries = BTreeMap::new();
    let mut forms = BTreeMap::new();
    let paths = paths(&app, &issues);
    for path in &paths {
        let (_, page) = app.get(path).await;
        if page.len() > 2_000_000 {
            faults.push(format!("{path}: {} bytes", page.len()));
        }
        browser.open(path).await;
        let found = look(&browser, path, &mut faults).await;
        for query in found.queries {
            let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
            queries.entry(names.collect::<Vec<_>>().join("&")).or_insert(query.clone());
        }
        for (at, form) in found.forms.into_iter().enumerate() {
            forms.entry(form).or_insert((path.clone(), at));
        }
    }
    let hostile_queries = hostile_queries(&queries);
    assert!(hostile_queries.len() > 10, "{hostile_queries:?}");
    for path in &hostile_queries {
        browser.open(path).await;
        look(&browser, path, &mut faults).await;
    }
    assert!(forms.len() > 5, "{forms:?}");
    for (form, (path, at)) in &forms {
        for with_hidden in [false, true] {
            browser.open(path).await;
            let script = "const form = [...document.forms].filter((f) => f.method === 'post')[arguments[0]];
                if (!form) return location.reload();
                for (const field of form.elements) {
                    if (field.name === 'form_token' || !field.name) continue;
                    if (field.type === 'hidden' && !arguments[1]) continue;
                    if (field.tagName === 'SELECT' && arguments[1]) field.add(new Option(arguments[2]));
                    if (field.tagName !== 'BUTTON') field.value = arguments[2];
                    else if (arguments[1]) field.value = arguments[2];
                }
                HTMLFormElement.prototype.submit.call(form)";
            let arguments = vec![(*at).into(), with_hidden.into(), EVIL.into()];
            browser.leave_by(script, arguments).await;
            look(&browser, &format!("after {form}"), &mut faults).await;
        }
    }
    for path in paths.iter().filter(|path| !path.contains("issue")) {
        browser.open(path).await;
        look(&browser, &format!("after all forms: {path}"), &mut faults).await;
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
