//! How a store on PostgreSQL is opened, what it says when that is impossible, and what happens
//! when the database goes away.
use std::time::{Duration, Instant};

use flawless_base::secret::Secret;
use flawless_store::{DatabaseProblem, PostgresSettings, Store, StoreError, schema_version};

use crate::{START, connect, postgres, settings};

/// The message of a connection that has to fail.
async fn refused(settings: &PostgresSettings) -> String {
    let error = connect(settings).await.expect_err("it is refused").to_string();
    assert!(!error.contains("topsecret"), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_may_start_at_once() {
    let database = postgres::shared().database();
    let starting = (0..6).map(|_| {
        let settings = settings(&database.url);
        tokio::spawn(async move { connect(&settings).await })
    });
    for started in starting.collect::<Vec<_>>() {
        let store = started.await.expect("no panic").expect("it connects");
        assert_eq!(store.projects().await.expect("projects").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_name_the_database_and_no_password() {
    let secret = |url: &str| PostgresSettings { url: Secret::new(url), connections: 2 };
    let wrong = refused(&secret("mysql://ann:topsecret@localhost/errors")).await;
    assert!(wrong.contains("postgres://USER:PASSWORD@HOST"), "{wrong}");
    let wrong = refused(&secret("postgres://ann:topsecret@localhost:port/errors")).await;
    assert!(wrong.contains("is not the URL of a PostgreSQL database"), "{wrong}");
    let nobody = refused(&secret("postgres://ann:topsecret@127.0.0.1:1/errors")).await;
    assert!(nobody.contains("database errors on 127.0.0.1:1 (user ann)"), "{nobody}");
    assert!(nobody.contains("Connection refused"), "{nobody}");
    let server = postgres::shared();
    let missing = refused(&settings(&server.url("postgres", "no_such_database"))).await;
    assert!(missing.contains("no_such_database on the socket in"), "{missing}");
    assert!(missing.contains("does not exist"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_not_utf8_is_refused() {
    let server = postgres::shared();
    let name = format!("latin_{}", std::process::id());
    server.execute("postgres", &format!("DROP DATABASE IF EXISTS {name}"));
    let create = format!(
        "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    );
    server.execute("postgres", &create);
    let settings = settings(&server.url("postgres", &name));
    let message = refused(&settings).await;
    assert!(message.contains("stores texts as LATIN1"), "{message}");
    let report = Store::check_postgres(&settings).await.expect("it answers");
    assert_eq!(report.encoding, "LATIN1");
    assert!(report.problems.contains(&DatabaseProblem::Encoding("LATIN1".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn user_without_rights_is_told() {
    let server = postgres::shared();
    let database = server.database();
    let role = format!("reader_{}", std::process::id());
    let sql = format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; \
                       REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    );
    server.execute(&database.name, &sql);
    let settings = settings(&server.url(&role, &database.name));
    let error = connect(&settings).await.expect_err("it is refused");
    assert!(matches!(error, StoreError::Rights { .. }), "{error:?}");
    assert!(error.to_string().contains("permission denied"), "{error}");
    let report = Store::check_postgres(&settings).await.expect("it answers");
    assert!(report.problems.contains(&DatabaseProblem::CannotCreate("public".to_owned())));
    assert_eq!(report.schema, None);
    // Tables of another user: the next version could not change them.
    connect(&crate::settings(&database.url)).await.expect("it connects").close().await;
    let report = Store::check_postgres(&settings).await;
    let report = report.err().map(|error| error.to_string());
    assert!(report.is_some_and(|error| error.contains("permission denied")));
    server.execute(&database.name, &format!("GRANT SELECT ON _sqlx_migrations TO {role}"));
    let report = Store::check_postgres(&settings).await.expect("it answers");
    let foreign = DatabaseProblem::ForeignTable("_sqlx_migrations".to_owned());
    assert!(report.problems.contains(&foreign), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_of_a_newer_program_is_refused() {
    let server = postgres::shared();
    let database = server.database();
    let settings = settings(&database.url);
    connect(&settings).await.expect("it connects").close().await;
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'future', NOW(), TRUE, '\\x00', 1)";
    server.execute(&database.name, newer);
    let message = refused(&settings).await;
    assert!(message.contains("was written by a newer Flawless (schema 9999"), "{message}");
    let report = Store::check_postgres(&settings).await.expect("it answers");
    assert!(report.problems.contains(&DatabaseProblem::Newer(9999)), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_store_is_checked() {
    let sqlite = crate::sqlite().await.check().await.expect("it answers");
    assert_eq!((sqlite.kind, sqlite.encoding.as_str()), ("SQLite", "UTF-8"));
    assert_eq!((sqlite.schema, sqlite.problems.len()), (Some(schema_version()), 0));
    let postgres = crate::postgres().await.check().await.expect("it answers");
    assert_eq!((postgres.kind, postgres.encoding.as_str()), ("PostgreSQL", "UTF8"));
    assert!(postgres.version.starts_with(|c: char| c.is_ascii_digit()), "{}", postgres.version);
    assert_eq!((postgres.schema, postgres.is_encrypted), (Some(schema_version()), None));
    let off = |name: &str| DatabaseProblem::NotDurable(name.to_owned());
    assert_eq!(postgres.problems, [off("fsync"), off("full_page_writes")], "as tests start it");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connections_are_replaced() {
    let server = postgres::shared();
    let database = server.database();
    let store = connect(&settings(&database.url)).await.expect("it connects");
    store.projects().await.expect("projects");
    let mut tx = store.write().await.expect("a transaction");
    tx.touch(START).await.expect("it can be written to");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.execute(&database.name, end);
    let error = tx.touch(START).await.expect_err("its connection is broken");
    assert!(error.is_temporary(), "{error:?}");
    drop(tx);
    // Connections are trusted for a moment after their last use.
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(store.projects().await.expect("projects").len(), 1);
    let mut tx = store.write().await.expect("a transaction");
    tx.touch(START).await.expect("it can be written to");
    tx.commit().await.expect("it is committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn store_goes_on_when_the_database_is_back() {
    let folder = tempfile::Builder::new().prefix("flawless-pg-").tempdir_in("/tmp");
    let folder = folder.expect("a folder");
    let server = postgres::Server::start(folder.path());
    let database = server.database();
    let store = connect(&settings(&database.url)).await.expect("it connects");
    store.projects().await.expect("projects");
    server.halt();
    let began = Instant::now();
    for _ in 0..2 {
        let error = store.write().await.expect_err("the database is away");
        assert!(error.is_temporary(), "{error:?}");
        let error = store.projects().await.expect_err("the database is away");
        assert!(error.is_temporary(), "{error:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(30), "an answer takes a few seconds");
    server.run();
    assert_eq!(store.projects().await.expect("projects").len(), 1);
    let mut tx = store.write().await.expect("a transaction");
    tx.touch(START).await.expect("it can be written to");
    tx.commit().await.expect("it is committed");
    store.close().await;
    server.halt();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_network_are_encrypted() {
    let folder = tempfile::Builder::new().prefix("flawless-pg-").tempdir_in("/tmp");
    let folder = folder.expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let server = postgres::Server::start_at(folder.path(), Some(port));
    let certificate = server.encrypt();
    let url = |host: &str, mode: &str, root: &str| {
        settings(&format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}{root}"))
    };
    let root = format!("&sslrootcert={}", certificate.display());
    let store = connect(&url("localhost", "verify-full", &root)).await.expect("it is trusted");
    let report = store.check().await.expect("it answers");
    assert_eq!(report.is_encrypted, Some(true));
    store.close().await;
    for (host, mode, root, encrypted) in
        [("127.0.0.1", "verify-ca", root.as_str(), true), ("localhost", "disable", "", false)]
    {
        let report = Store::check_postgres(&url(host, mode, root)).await.expect("it answers");
        assert_eq!(report.is_encrypted, Some(encrypted), "{mode}");
    }
    let wrong_name = refused(&url("127.0.0.1", "verify-full", &root)).await;
    assert!(wrong_name.contains("certificate"), "{wrong_name}");
    let unknown = refused(&url("localhost", "verify-full", "")).await;
    assert!(unknown.contains("certificate"), "{unknown}");
    server.halt();
}
