//! What really differs between databases.

/// Begins a transaction that is going to write, so that two never wait for each other in turn.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Empties the journal into the database, so that what was deleted is in no file any more. The
/// first column of the answer says whether somebody still reads an older state.
pub(crate) const EMPTY_JOURNAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Asks for the version of the database.
pub(crate) const VERSION: &str = "SELECT sqlite_version()";
