//! The SQL that differs between databases.

/// Begins a transaction that will write, so that two never wait for each other in turn.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Moves the journal into the database, so that deleted data is in no file any longer. The first
/// column of the answer says whether an older state is still being read.
pub(crate) const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Asks for the version of the database.
pub(crate) const VERSION: &str = "SELECT sqlite_version()";
