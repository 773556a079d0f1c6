//! No statement reads a whole table that grows with the reports: each uses an index, on both
//! databases. The statements are those that all other tests here run.
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::OnceCell;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::{
    alerts, away, connect, copy, erase, issues, merges, people, postgres, projects, reports, rules,
    settings,
};

/// Tables that grow with the reports.
const LARGE: [&str; 7] =
    ["issue", "issue_hour", "sample", "alert", "notification", "outbox", "pending_report"];

/// Indexes of a few rows among many: reading all of them is fine.
const OF_FEW: [&str; 6] = [
    "alert_open",
    "alert_regression",
    "issue_gone",
    "issue_nobody",
    "notification_pending",
    "outbox_refused",
];

/// Beginnings of statements that read whole tables by their nature: a person is looked for in all
/// that there is.
const WHOLE: [&str; 10] = [
    "SELECT id, developer_name, developer_email, commit_summary, reason, details",
    "SELECT id, last_error FROM outbox",
    "SELECT id, note FROM alert",
    "SELECT id, reason FROM alert",
    "SELECT id, recipient FROM notification",
    "SELECT id, recipient FROM outbox",
    "SELECT id, why FROM notification",
    "SELECT issue_id, slot FROM sample",
    "SELECT project_id, fingerprint FROM pending_report",
    "UPDATE pending_report SET facets = '[]'",
];

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Collects the statements that sqlx logs.
struct Statements;

struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_better = field.name() == "db.statement" && !value.is_empty();
        if is_better || (field.name() == "summary" && self.0.is_empty()) {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let text = text.0.trim().trim_end_matches(" …").to_owned();
        SEEN.lock().expect("no panic").insert(text);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The statements of all tests. They are the same for both databases, and SQLite is faster.
async fn statements() -> &'static [String] {
    static ALL: OnceCell<Vec<String>> = OnceCell::const_new();
    ALL.get_or_init(collect).await
}

async fn collect() -> Vec<String> {
    tracing::subscriber::set_global_default(Statements).expect("it is the only one");
    let new = async || crate::sqlite().await;
    alerts::on_both::run(&new).await;
    away::on_both::run(&new).await;
    erase::on_both::run(&new).await;
    issues::on_both::run(&new).await;
    merges::on_both::run(&new).await;
    people::on_both::run(&new).await;
    projects::on_both::run(&new).await;
    reports::on_both::run(&new).await;
    rules::on_both::run(&new).await;
    let seen = SEEN.lock().expect("no panic").clone();
    let verbs = ["SELECT", "UPDATE", "DELETE", "INSERT"];
    // Of one database, or of a test that runs beside this one.
    let others = ["sqlx_", "sqlite_", "pg_", "_schema", "_setting(", "_config(", "generate_series"];
    let is_ours = |sql: &String| {
        verbs.iter().any(|verb| sql.starts_with(verb))
            && !others.iter().any(|other| sql.contains(other))
    };
    let seen: Vec<String> = seen.into_iter().filter(is_ours).collect();
    assert!(seen.len() > 150, "only {} statements were seen", seen.len());
    seen
}

/// The plans are those of all statements only if the tests run all of them.
#[test]
fn each_function_with_statements_is_tested_on_both() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests: String = sources(&root.join("tests/conformance")).concat();
    let words: BTreeSet<&str> = tests.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let sources = sources(&root.join("src"));
    let functions = sources.iter().flat_map(|source| source.split("    pub async fn ").skip(1));
    let names: Vec<&str> = functions.filter_map(|text| text.split(['(', '<']).next()).collect();
    assert!(names.len() > 150, "only {} functions were found", names.len());
    let untested: Vec<_> = names.iter().filter(|name| !words.contains(**name)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

/// The sources in a folder and those below it.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push(std::fs::read_to_string(path).expect("a source")),
        }
    }
    found
}

/// Asks for the plans of statements; what reads too much is a failure.
fn judge(found: Vec<(String, Vec<String>)>) {
    let is_known = |sql: &str| WHOLE.iter().any(|start| sql.starts_with(start));
    let bad: Vec<_> =
        found.iter().filter(|(sql, scans)| !scans.is_empty() && !is_known(sql)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    for start in WHOLE {
        let scans = found.iter().any(|(sql, scans)| sql.starts_with(start) && !scans.is_empty());
        assert!(scans, "{start} no longer reads all: it need not be listed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_reads_no_large_table_whole() {
    let statements = statements().await;
    let store = crate::sqlite().await;
    copy::fill(&store).await;
    let file = store.path().join("flawless.db");
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("it opens");
    let mut found = Vec::new();
    for sql in statements {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain)
            .fetch_all(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        // In the order of an index, a limit ends the scan.
        let is_sorted = plan.iter().any(|(_, _, _, step)| step.contains("FOR ORDER BY"));
        let ends = sql.contains(" LIMIT $") && !is_sorted;
        let scans = plan.into_iter().filter_map(|(_, _, _, step)| {
            let scanned = step.strip_prefix("SCAN ")?;
            let table = scanned.split(' ').next()?;
            let real = real_name(sql, table);
            let is_fine = OF_FEW.iter().any(|index| scanned.contains(index))
                || (ends && scanned.contains(" INDEX "));
            (LARGE.contains(&real.as_str()) && !is_fine).then_some(step)
        });
        let scans = scans.collect();
        found.push((sql.clone(), scans));
    }
    judge(found);
}

/// The table behind a name: SQLite's plans have the alias.
fn real_name(sql: &str, name: &str) -> String {
    let alias = format!(" AS {name}");
    let before = sql.match_indices(&alias).find(|(at, _)| {
        let after = sql[at + alias.len()..].chars().next();
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    });
    let table = before.and_then(|(at, _)| sql[..at].rsplit([' ', '(']).next());
    table.unwrap_or(name).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_no_large_table_whole() {
    let statements = statements().await;
    let database = postgres::shared().database();
    let store = connect(&settings(&database.url)).await.expect("it connects");
    copy::fill(&store).await;
    let mut connection = PgConnection::connect(&database.url).await.expect("a connection");
    sqlx::raw_sql(MANY).execute(&mut connection).await.expect("they are added");
    let mut found = Vec::new();
    for sql in statements {
        let plan = explain(&mut connection, sql).await;
        let mut scans = Vec::new();
        scans_of(&plan[0]["Plan"], false, &mut scans);
        found.push((sql.clone(), scans));
    }
    judge(found);
}

/// Enough rows that no good plan reads all of them.
const MANY: &str = "
INSERT INTO project (id, name, created_at) SELECT n, 'p' || n, n FROM generate_series(10, 60) AS n;
INSERT INTO issue (id, project_id, identity, path, line, function_name, text, exception_type,
    reason, occurrences, samples, first_seen_at, last_seen_at, developer_email, origin_commit)
    SELECT n, 10 + n % 50, 'i' || n, 'path/' || n % 90, n, 'f' || n % 9, 'text', 'E', 'r', 1, 1, n, n,
    'a' || n % 70, 'c' FROM generate_series(1000, 9000) AS n;
INSERT INTO issue_hour SELECT n, 10 + n % 50, h, 1, 1, n
    FROM generate_series(1000, 9000) AS n, generate_series(1, 4) AS h;
INSERT INTO sample SELECT n, s, n, '' FROM generate_series(1000, 9000) AS n, generate_series(0, 1) AS s;
INSERT INTO alert (id, project_id, issue_id, decided_at, occurrences, reason, composed_at)
    SELECT n, 10 + n % 50, n, n, 1, 'r', n FROM generate_series(1000, 9000) AS n;
INSERT INTO outbox (id, project_id, kind, recipient, subject, message_id, message, created_at,
    attempts, next_attempt_at, sent_at)
    SELECT n, 10 + n % 50, 'alert', 'a' || n % 70, 's', 'm' || n, '', n, 0, n, n
    FROM generate_series(1000, 9000) AS n;
INSERT INTO notification (id, project_id, alert_id, recipient, why, is_owner, created_at, outbox_id)
    SELECT n, 10 + n % 50, n, 'a' || n % 70, '', 1, n, n FROM generate_series(1000, 9000) AS n;
INSERT INTO pending_report (project_id, fingerprint, occurrences, reports, error_threshold,
    first_at, last_at, attempts, next_attempt_at, source, body)
    SELECT 10 + n % 50, 'f' || n, 1, 1, 1, n, n, 0, n, 's' || n % 9, ''
    FROM generate_series(1000, 9000) AS n;
ANALYZE;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// The plan for any values. The statement is prepared, because its values are not known here.
async fn explain(connection: &mut PgConnection, sql: &str) -> Value {
    let count = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
    let nulls = vec!["NULL"; count].join(", ");
    let prepare = async |connection: &mut PgConnection, types: &str| {
        let sql = format!("PREPARE planned {types} AS {sql}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await
    };
    let run = async |connection: &mut PgConnection, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await
    };
    let values = if count == 0 { String::new() } else { format!("({nulls})") };
    // Without the types of its values, PostgreSQL takes some of them for texts.
    if prepare(connection, "").await.is_err() {
        let is_text = |place: &usize| match sql.starts_with("INSERT INTO issue_facet") {
            // The limit, then six columns for each value.
            true => *place > 0 && (1..3).contains(&((place - 1) % 6)),
            false if sql.starts_with("UPDATE issue_facet") => (1..3).contains(&(place % 6)),
            false => sql.starts_with("INSERT INTO function_seen") && *place > 1,
        };
        let kind = |place: usize| if is_text(&place) { "TEXT" } else { "BIGINT" };
        let types = (0..count).map(kind).collect::<Vec<_>>().join(", ");
        let prepared = prepare(connection, &format!("({types})")).await;
        prepared.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE planned {values}");
    let rows = run(connection, explain).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    run(connection, "DEALLOCATE planned".to_owned()).await.expect("it was prepared");
    let text: String = sqlx::Row::try_get_unchecked(&rows[0], 0).expect("a plan");
    serde_json::from_str(&text).expect("JSON")
}

/// The steps of a plan that read all of a large table.
/// In the order of an index, a limit ends the scan.
fn scans_of(plan: &Value, ends: bool, scans: &mut Vec<String>) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let is_large = |table: &str| LARGE.contains(&table);
    let kind = text("Node Type");
    let has_condition = plan.get("Index Cond").is_some();
    let table = match kind {
        // Its name begins with that of its table.
        "Bitmap Index Scan" => text("Index Name").split("_pkey").next().unwrap_or_default(),
        _ => text("Relation Name"),
    };
    let reads_all = match kind {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            !has_condition && !ends && !OF_FEW.contains(&text("Index Name"))
        }
        _ => false,
    };
    if reads_all && is_large(table) {
        scans.push(format!("{kind} of {table} by {}", text("Index Name")));
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        scans_of(part, kind == "Limit", scans);
    }
}
