//! A table that a long transaction holds, so that a server stops in the middle of its work.
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::PATIENCE;
use super::postgres::{Database, program};

/// A table that is locked until this value is dropped.
pub struct HeldTable {
    url: String,
    psql: Child,
}

/// Longer than a test takes.
const HELD_FOR_S: u32 = 119;

impl HeldTable {
    /// Locks a table in a mode: `EXCLUSIVE` lets nobody write to it, `ACCESS EXCLUSIVE` lets nobody
    /// read it either.
    pub fn hold(database: &Database, table: &str, mode: &str) -> Self {
        let sql = format!("LOCK TABLE {table} IN {mode} MODE; SELECT pg_sleep({HELD_FOR_S})");
        let mut psql = psql(&database.url, &sql);
        psql.stdout(Stdio::null()).stderr(Stdio::null());
        let held = Self { url: database.url.clone(), psql: psql.spawn().expect("psql") };
        // Servers hold locks of other modes.
        let name = if mode == "EXCLUSIVE" { "ExclusiveLock" } else { "AccessExclusiveLock" };
        let is_held = format!("granted AND mode = '{name}' AND relation = '{table}'::regclass");
        let pause = Duration::from_millis(20);
        let mut tries = PATIENCE.as_millis() / pause.as_millis();
        while held.locks(&is_held) == 0 {
            tries -= 1;
            assert!(tries > 0, "{table} could not be locked");
            std::thread::sleep(pause);
        }
        held
    }

    /// Whether somebody waits for it.
    pub fn is_waited_for(&self) -> bool {
        self.locks("NOT granted") > 0
    }

    fn locks(&self, which: &str) -> u32 {
        let sql = format!(
            "SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
             WHERE datname = current_database() AND {which}"
        );
        query(&self.url, &sql).parse().expect("a number")
    }
}

impl Drop for HeldTable {
    fn drop(&mut self) {
        let sql = format!(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND query LIKE '%pg_sleep({HELD_FOR_S})%'"
        );
        query(&self.url, &sql);
        let _ = self.psql.wait();
    }
}

/// What a query for one value finds.
pub fn query(url: &str, sql: &str) -> String {
    let Output { status, stdout, stderr } = psql(url, sql).output().expect("psql");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).trim().to_owned()
}

fn psql(url: &str, sql: &str) -> Command {
    let mut psql = Command::new(program("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    psql.args(["--dbname", url, "--command", sql]).current_dir("/").stdin(Stdio::null());
    psql
}
