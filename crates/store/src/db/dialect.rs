//! The SQL that differs between the databases.

/// The newest migration that was applied. The table belongs to sqlx.
pub(crate) const SCHEMA: &str = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";

/// What only SQLite has.
pub(crate) mod sqlite {
    /// Begins a transaction that will write, so that two never wait for each other in turn.
    pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

    /// Moves the journal into the database, so that deleted data is in no file any longer. The
    /// first column of the answer says whether an older state is still being read.
    pub(crate) const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

    /// Asks for the version of the database.
    pub(crate) const VERSION: &str = "SELECT sqlite_version()";

    /// The columns of a table, by name.
    pub(crate) const COLUMNS: &str = "SELECT name, type FROM pragma_table_info($1) ORDER BY name";

    /// Lets new issues get numbers above all that were ever in use.
    pub(crate) const CONTINUE_ISSUES: [&str; 2] = [
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'issue', 0 \
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'issue')",
        "UPDATE sqlite_sequence SET seq = MAX(seq, (SELECT COALESCE(MAX(value), 0) FROM setting \
         WHERE name = 'last_issue')) WHERE name = 'issue'",
    ];

    /// Asks how texts are stored.
    pub(crate) const ENCODING: &str = "PRAGMA encoding";
}

/// What only PostgreSQL has.
pub(crate) mod postgres {
    use crate::ProjectId;

    /// Begins a transaction whose statements all see the same state.
    pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

    /// Waits for the transaction that writes to this project, and then keeps others waiting until
    /// the end of this one. The first number keeps these locks apart from those of other programs
    /// in the same database.
    pub(crate) fn lock(project: ProjectId) -> String {
        let number = project.rem_euclid(i64::from(i32::MAX));
        format!("SELECT pg_advisory_xact_lock(1718384503, {number})")
    }

    /// Begins a transaction whose statements each see what was committed before them: those after
    /// a lock see what the one before has done.
    pub(crate) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

    /// Lets a transaction wait between two statements for as long as it takes.
    pub(crate) const WAIT_WITHOUT_LIMIT: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";

    /// Whether the server takes changes, and is not a standby of another one.
    pub(crate) const IS_PRIMARY: &str = "SELECT NOT pg_is_in_recovery()";

    /// All projects, in the order in which they are locked.
    pub(crate) const PROJECTS: &str = "SELECT id FROM project ORDER BY id";

    /// Asks for the version of the database, such as `15.18`.
    pub(crate) const VERSION: &str = "SELECT split_part(current_setting('server_version'), ' ', 1)";

    /// The columns of a table, by name.
    pub(crate) const COLUMNS: &str = "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) \
         FROM information_schema.columns WHERE table_schema = current_schema() \
         AND table_name = $1 ORDER BY CAST(column_name AS TEXT) COLLATE \"C\"";

    /// Lets new rows get numbers above those of a table, and issues above all that were ever in
    /// use.
    pub(crate) fn continue_numbers(table: &str) -> String {
        let used = match table {
            "issue" => "(SELECT COALESCE(MAX(value), 0) FROM setting WHERE name = 'last_issue')",
            _ => "0",
        };
        format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), \
             GREATEST((SELECT COALESCE(MAX(id), 0) FROM {table}), {used}) + 1, FALSE)"
        )
    }

    /// What `flawless check` wants to know.
    pub(crate) const FACTS: &str = "SELECT \
         CAST(current_setting('server_version_num') AS BIGINT) / 10000 AS major_version, \
         split_part(current_setting('server_version'), ' ', 1) AS version, \
         current_setting('server_encoding') AS encoding, \
         CAST(current_schema() AS TEXT) AS schema, \
         COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create, \
         pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' \
         AS is_read_only, \
         CASE WHEN inet_client_addr() IS NULL THEN NULL ELSE \
         (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) END AS is_encrypted, \
         (SELECT MIN(CAST(tablename AS TEXT)) FROM pg_tables \
          WHERE schemaname = current_schema() AND tablename IN ('issue', '_sqlx_migrations') \
          AND NOT pg_has_role(tableowner, 'USAGE')) AS foreign_table, \
         EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() \
         AND tablename = '_sqlx_migrations') AS has_migrations, \
         COALESCE((SELECT STRING_AGG(name, ' ' ORDER BY name) FROM pg_settings \
          WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'), '') AS off";
}
