//! A server that has seen a few days of a shop: issues of several developers in every state that
//! an issue can have, and a rule in every list.
use std::collections::HashMap;

use flawless_protocol::thrift::{
    Breadcrumb, ChainedException, Context, Process, RecordErrorRequest, StackLine, WebRequest,
};
use flawless_server::show::links;
use flawless_store::{FixingChange, Resolution};

use crate::harness::{ANN, App, CLEO, NOW, SmtpServer, TestRepository, add_rule, request};
use crate::projects::{add_project, frame_in, report_to, repository_of, settle};

const RUN: &str = include_str!("../../mail/cases/run.py");
const INVOICES: &str = include_str!("../../mail/cases/invoices.py");
const PAYMENTS: &str = include_str!("../../mail/cases/payments.py");
const WEB: &str = include_str!("../../mail/cases/web.py");
const SYNC: &str = include_str!("../../mail/cases/sync.py");
const IMPORTS: &str = include_str!("../../mail/cases/imports.py");

/// Nobody reads mail at this address any longer.
const GONE: &str = "dora@example.com";
const HOUR: i64 = 3_600_000;

pub struct Filled {
    pub app: App,
    /// That of the other project.
    _repository: TestRepository,
    /// Values of the names in braces in the path of a page.
    names: HashMap<&'static str, String>,
}

impl Filled {
    pub async fn start() -> Self {
        let smtp = SmtpServer::refusing(GONE);
        let app = App::with("author_gone_days", "0").repository(crate::mail::cases::shop());
        let app = app.smtp(smtp).start().await;
        for (list, entry) in RULES {
            add_rule(&app, list, entry).await;
        }
        let reports = reports();
        // Some occur once, others repeatedly over three days.
        for (at, (_, report)) in reports.iter().cycle().take(30).enumerate() {
            let mut report = report.clone();
            report.error_count = i64::try_from(at * at % 23 + 1).ok();
            app.report(&report).await;
            if at < reports.len() {
                app.settle().await;
            }
            app.clock.advance(2 * HOUR);
        }
        let mut dropped = reports[0].1.clone();
        dropped.exception_type = Some("builtins.KeyboardInterrupt".into());
        app.report(&dropped).await;
        app.settle().await;
        let store = &app.server.app.store;
        let mut names = HashMap::new();
        for (name, report) in &reports {
            names.insert(*name, issue_of(&app, report).await.to_string());
        }
        let number = |name: &str| names[name].parse::<i64>().expect("a number");
        let mut tx = store.write().await.expect("store");
        tx.mute(number("muted"), Some(app.clock.now() + 24 * HOUR)).await.expect("store");
        let by = app.repository.git(&["rev-parse", "HEAD"]);
        let change = FixingChange {
            summary: "imports: suppliers' lists".to_owned(),
            author: "Ben Baker".to_owned(),
        };
        let how = Resolution::Fixed(Some(change));
        tx.set_resolved(number("resolved"), NOW + HOUR, Some(&by), &how).await.expect("store");
        tx.commit().await.expect("store");
        let repository = repository_of(CLEO, "pay/orders.py");
        let pay = add_project(&app, "pay", &repository).await;
        let frames = [frame_in("/srv/pay/orders.py")];
        report_to(&app, &pay, &frames).await.expect("accepted");
        settle(&app, &[&pay]).await;
        let issues = pay.store.issues_between(0, i64::MAX).await.expect("store");
        names.insert("pay", issues[0].issue.id.to_string());
        let unsubscribe = links::unsubscribe(&app.server.app, ANN.1, "alerts");
        let path = unsubscribe.find("/unsubscribe").expect("a path");
        names.insert("unsubscribe", unsubscribe[path..].to_owned());
        Self { app, _repository: repository, names }
    }

    /// A path of the table, with the numbers and links of this server.
    pub fn path(&self, path: &str) -> String {
        let named = |path: String, (name, value): (&&str, &String)| {
            path.replace(&format!("{{{name}}}"), value)
        };
        let path = self.names.iter().fold(path.to_owned(), named);
        assert!(!path.contains('{'), "{path}: there is no such name");
        path
    }
}

const RULES: [(&str, &str); 7] = [
    (
        "known_errors",
        r#"{"filename": "shop/web.py", "function_name": "pay_order", "min_alert_threshold": 1000,
            "email_header": "The gateway answers nothing at night."}"#,
    ),
    ("building_blocks", r#"{"filename": "shop/payments.py", "function_name": "rate_of"}"#),
    ("third_party_whitelist", r#"{"filename": "redis/client.py", "function_name": "get"}"#),
    ("ignored_exceptions", r#""builtins.KeyboardInterrupt""#),
    ("watch_list", r#"{"email": "wanda@example.com", "filepath": "shop/invoices.py"}"#),
    (
        "disownership_list",
        r#"{"email": "ben@example.com", "filepath": "shop/imports.py",
            "designated_email": "dora@example.com"}"#,
    ),
    (
        "email_remapping",
        r#"{"old_email": "cleo@example.com", "new_email": "cleo.clark@example.com"}"#,
    ),
];

/// Each kind of issue with a name.
fn reports() -> Vec<(&'static str, RecordErrorRequest)> {
    let flask = || foreign("flask/app.py", 917, "dispatch_request", "return self.view(**args)");
    let run = || frame("run.py", RUN, "wrap_function(failing)", "<module>", &[]);
    let print = || {
        let title =
            &[("customer", "'ACME Ltd.'"), ("items", "[]"), ("title", "'Invoice for ACME Ltd.'")];
        frame("shop/invoices.py", INVOICES, "title + \"\\n\"", "print_invoice", title)
    };
    let average = &[("count", "0"), ("currency", "'EUR'"), ("items", "[]"), ("total", "0.0")];
    let average = frame("shop/invoices.py", INVOICES, "total / count", "average_price", average);
    let order = "{'id': 4711, 'total': 99.5, 'customer': 'Zoë Müller'}";
    let pay = &[
        ("api_key", "'***'"),
        ("form", "ImmutableMultiDict([('currency', 'CHF')])"),
        ("order", order),
    ];
    let pay = frame("shop/payments.py", PAYMENTS, "return charge(", "pay", pay);
    let charge = |needle: &str| {
        frame(
            "shop/payments.py",
            PAYMENTS,
            needle,
            "charge",
            &[("currency", "'CHF'"), ("order", order)],
        )
    };
    let rate =
        frame("shop/payments.py", PAYMENTS, "return RATES", "rate_of", &[("currency", "'CHF'")]);
    let amount = frame("shop/web.py", WEB, "amount, _ = pay", "pay_order", &[]);
    let paid = frame("shop/web.py", WEB, "return \"paid", "pay_order", &[("amount", "None")]);
    let stock = &[("warehouse", "{'city': 'Genève', 'items': None}")];
    let stock = || frame("shop/sync.py", SYNC, "return len(", "stock_of", stock);
    let all = frame("shop/sync.py", SYNC, "asyncio.TaskGroup()", "sync_all", &[]);
    let row = "['sku-99999', 'A garden chair of many colours', 'on request'], ".repeat(80);
    let row = &[("columns", "['sku', 'name', 'price']"), ("row", row.as_str())];
    let row = frame("shop/imports.py", IMPORTS, "= float(record", "parse_row", row);
    let item = &[("item", "Item(name='Chair', quantity=None, price=12.5)")];
    let item = frame("shop/invoices.py", INVOICES, "total += item.price", "average_price", item);
    let nightly = [("/srv/cron/nightly.py", 5, "nightly", "return {}['report-%s' % day]")];
    let nightly = request(&nightly).traceback.remove(0);

    let mut payment = report(
        "shop.payments.PaymentError",
        "no rate for CHF in order 4711",
        vec![flask(), amount.clone(), pay.clone(), charge("raise PaymentError")],
    );
    payment.hostname = Some("web-03".into());
    payment.chain = vec![ChainedException {
        exception_type: Some("builtins.KeyError".into()),
        exception_message: Some("KeyError('CHF')".into()),
        relation: Some("cause".into()),
        traceback: vec![charge("amount = order"), rate],
        notes: vec!["rates are those of 2026-11-20".into()],
        ..ChainedException::default()
    }];
    payment.request = Some(WebRequest {
        method: Some("POST".into()),
        path: Some("/pay?from=cart".into()),
        protocol: Some("HTTP/1.1".into()),
        headers: [("Accept-Language", "de-CH"), ("Host", "shop.example.com")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: Some("currency=CHF&customer=Zo%C3%AB+M%C3%BCller&card=***".into()),
        client_address: Some("192.0.2.44".into()),
    });
    let facts = |facts: &[(&str, &str)]| {
        facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let breadcrumb = |before, category: &str, level: &str, message: &str, data| Breadcrumb {
        at: Some(NOW - before),
        category: Some(category.into()),
        level: Some(level.into()),
        message: Some(message.into()),
        data: facts(data),
    };
    let select =
        "SELECT id, total, customer_id FROM orders WHERE id = %s AND state = 'open' FOR UPDATE";
    payment.breadcrumbs = vec![
        breadcrumb(75_300, "log", "warning", "rates are two days old", &[]),
        breadcrumb(
            2_410,
            "http",
            "error",
            "GET https://rates.example.com/chf",
            &[("status", "503")],
        ),
        breadcrumb(380, "query", "info", select, &[("params", "(4711,)"), ("rows", "1")]),
    ];
    payment.transaction = Some("shop.web.pay_order".into());
    payment.handled = Some(false);
    payment.mechanism = Some("wsgi".into());
    payment.user = facts(&[("email", "zoe.mueller@customer.example"), ("id", "42")]);
    payment.tags = facts(&[("region", "eu-central-1"), ("tenant", "acme")]);
    let order = facts(&[("currency", "CHF"), ("items", "3"), ("number", "4711")]);
    payment.contexts = vec![Context { name: Some("order".into()), values: order }];
    payment.thread = Some("Thread-7".into());
    payment.trace_id = Some("0af7651916cd43dd8448eb211c80319c".into());
    let words = ["gunicorn", "shop.wsgi:application", "--workers", "4", "--bind", "0.0.0.0:8000"];
    payment.process = Some(Process {
        runtime: Some("CPython 3.13.0 on Linux x86_64".into()),
        arguments: words.map(str::to_owned).into(),
        modules_id: Some("5f2c".into()),
        modules: facts(&[("Django", "5.2.1"), ("gunicorn", "23.0.0"), ("psycopg", "3.2.9")]),
    });
    let mut group = report(
        "builtins.ExceptionGroup",
        "unhandled errors in a TaskGroup (1 sub-exception)",
        vec![run(), all],
    );
    group.chain = vec![ChainedException {
        exception_type: Some("builtins.TypeError".into()),
        exception_message: Some("TypeError(\"object of type 'NoneType' has no len()\")".into()),
        relation: Some("member".into()),
        traceback: vec![stock()],
        ..ChainedException::default()
    }];
    let long = format!("could not convert string to float: '{}'", "on request ".repeat(200));
    vec![
        (
            "plain",
            report(
                "builtins.ZeroDivisionError",
                "float division by zero",
                vec![run(), print(), average],
            ),
        ),
        ("request", payment),
        ("group", group),
        ("long", report("builtins.ValueError", &long, vec![run(), row])),
        ("nobody", report("builtins.KeyError", "'report-2026-11-22'", vec![nightly])),
        (
            "known",
            report("builtins.TypeError", "must be real number, not NoneType", vec![flask(), paid]),
        ),
        (
            "muted",
            report(
                "builtins.TypeError",
                "unsupported operand",
                vec![flask(), pay, charge("amount = order")],
            ),
        ),
        (
            "resolved",
            report("builtins.TypeError", "unsupported operand", vec![run(), print(), item]),
        ),
        ("stock", report("builtins.TypeError", "no len()", vec![run(), stock()])),
    ]
}

fn report(kind: &str, message: &str, traceback: Vec<StackLine>) -> RecordErrorRequest {
    let name = kind.rsplit('.').next().unwrap_or(kind);
    RecordErrorRequest {
        traceback,
        exception_type: Some(kind.to_owned()),
        exception_message: Some(format!("{name}({message:?})")),
        hostname: Some("batch-01".into()),
        environment: Some("production".into()),
        ..RecordErrorRequest::default()
    }
}

/// The line of a file of the shop that contains these words, with the lines around it.
fn frame(
    path: &str,
    text: &str,
    needle: &str,
    function: &str,
    locals: &[(&str, &str)],
) -> StackLine {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains(needle)).expect("a line");
    let owned = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    StackLine {
        filename: Some(format!("/srv/app/{path}")),
        line_number: i64::try_from(at + 1).ok(),
        function_name: Some(function.to_owned()),
        text: Some(lines[at].to_owned()),
        frame_locals: Some(locals.iter().map(pair).collect()),
        before: owned(&lines[at.saturating_sub(3)..at]),
        after: owned(&lines[at + 1..(at + 4).min(lines.len())]),
    }
}

fn foreign(path: &str, line: i64, function: &str, text: &str) -> StackLine {
    let path = format!("/srv/venv/lib/python3.13/site-packages/{path}");
    request(&[(&path, line, function, text)]).traceback.remove(0)
}

/// The issue that counts this report: that of one of its lines, innermost first; what a group
/// carries is the fault.
async fn issue_of(app: &App, report: &RecordErrorRequest) -> i64 {
    let is_member = |chained: &&ChainedException| chained.relation.as_deref() == Some("member");
    let carried = report.chain.iter().filter(is_member).flat_map(|chained| &chained.traceback);
    for line in report.traceback.iter().chain(carried).rev() {
        let path = line.filename.clone().unwrap_or_default();
        let path = path.strip_prefix("/srv/app/").unwrap_or(&path);
        let (function, text) = (line.function_name.as_deref(), line.text.as_deref());
        let (function, text) = (function.unwrap_or_default(), text.unwrap_or_default());
        let line = line.line_number.unwrap_or_default();
        let store = &app.server.app.store;
        let found = store.issues_of_line(path, function, text).await.expect("store");
        if let Some(issue) = found.iter().find(|issue| issue.facts.line == line) {
            return issue.id;
        }
    }
    panic!("no issue of {:?}", report.exception_message);
}
