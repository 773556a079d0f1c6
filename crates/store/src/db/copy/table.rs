//! All tables, with their keys and columns.
use super::row::{AnyRow, Cell, Kind};
use crate::StoreError;
use crate::db::pool::Tx;
use crate::db::{self, dialect};

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns of its primary key.
    key: &'static [&'static str],
    /// Whether a new store has rows in it.
    pub(super) is_in_a_new_store: bool,
    /// How many rows are copied at once.
    pub(super) rows_at_once: usize,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, is_in_a_new_store: false, rows_at_once: ROWS_AT_ONCE }
}

/// A table with rows of megabytes.
const fn large(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { rows_at_once: 1, ..table(name, key) }
}

const fn begun(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { is_in_a_new_store: true, ..table(name, key) }
}

/// Rows that are copied at once. Some of them hold whole reports.
const ROWS_AT_ONCE: usize = 200;

/// All tables, those that others refer to first.
pub(super) const TABLES: [Table; 39] = [
    begun("setting", &["name"]),
    begun("project", &["id"]),
    table("project_setting", &["project_id", "option_name"]),
    table("project_key", &["id"]),
    table("server_secret", &["name"]),
    table("node", &["name"]),
    table("rule", &["id"]),
    table("rule_hit", &["rule_id", "day"]),
    table("issue", &["id"]),
    table("issue_alias", &["project_id", "identity"]),
    table("place", &["project_id", "place_key"]),
    table("issue_hour", &["issue_id", "hour"]),
    table("hour_revision", &["project_id", "hour"]),
    table("issue_facet", &["issue_id", "kind", "is_others", "value"]),
    table("sample", &["issue_id", "slot"]),
    table("module_set", &["project_id", "modules_id"]),
    table("pending_report", &["project_id", "fingerprint"]),
    table("recorded_ids", &["id"]),
    table("outcome", &["project_id", "day", "kind", "reason"]),
    table("client_loss", &["project_id", "day"]),
    table("quota_use", &["project_id", "day", "source"]),
    table("function_seen", &["project_id", "path", "function_name"]),
    table("line_fact", &["project_id", "commit_id", "path", "line", "options"]),
    table("running_revision", &["id"]),
    table("release", &["project_id", "version"]),
    table("artifact", &["project_id", "release_version", "dist", "url", "debug_id"]),
    large("artifact_body", &["project_id", "hash"]),
    large("upload_chunk", &["uploader", "checksum"]),
    table("alert", &["id"]),
    table("outbox", &["id"]),
    table("notification", &["id"]),
    table("channel", &["id"]),
    table("unwanted_mail", &["project_id", "address", "kind"]),
    table("retried_address", &["project_id", "address"]),
    table("action", &["id"]),
    table("person_role", &["address", "project_id"]),
    table("session", &["id"]),
    table("sign_in_link", &["hash"]),
    table("api_token", &["id"]),
];

/// The columns of a table, by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns(pub(super) Vec<(String, Kind)>);

impl Columns {
    /// The columns of a table as the database has them.
    pub(super) async fn of(tx: &mut Tx, table: &Table) -> Result<Self, StoreError> {
        let query = match tx {
            Tx::Sqlite(_) => dialect::sqlite::COLUMNS,
            Tx::Postgres(_) => dialect::postgres::COLUMNS,
        };
        let columns: Vec<(String, String)> =
            db::query(query).bind(table.name).fetch_all(&mut *tx).await?;
        let kind = |(name, kind): (String, String)| {
            let unknown = || StoreError::Corrupt(format!("{}.{name} is {kind}", table.name));
            Ok((name.clone(), Kind::parse(&kind).ok_or_else(unknown)?))
        };
        columns.into_iter().map(kind).collect::<Result<_, _>>().map(Self)
    }

    fn names(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().map(|(_, kind)| *kind)
    }
}

impl Table {
    /// Whether the database numbers its rows.
    pub(super) fn is_numbered(&self) -> bool {
        self.key == ["id"] && self.name != "project"
    }

    /// The key of a row.
    pub(super) fn key_of(&self, columns: &Columns, row: &[Cell]) -> Vec<(Cell, Kind)> {
        let cell = |name: &&str| {
            let at = columns.0.iter().position(|(column, _)| column == name)?;
            Some((row.get(at)?.clone(), columns.0[at].1))
        };
        self.key.iter().filter_map(cell).collect()
    }

    /// The next rows by key after one of them; `None` when there are no more.
    pub(super) async fn batch(
        &self,
        tx: &mut Tx,
        columns: &Columns,
        after: Option<&[(Cell, Kind)]>,
    ) -> Result<Option<Vec<Vec<Cell>>>, StoreError> {
        let (names, name, key) = (columns.names(), self.name, self.key.join(", "));
        let limit = self.rows_at_once;
        let from = match after {
            Some(_) => format!("WHERE ({key}) > ({})", db::places(1, self.key.len())),
            None => String::new(),
        };
        let sql = format!("SELECT {names} FROM {name} {from} ORDER BY {key} LIMIT {limit}");
        let mut query = db::query(db::assembled(sql)).once();
        for (cell, kind) in after.unwrap_or_default() {
            query = query.bind(cell.clone().into_value(*kind));
        }
        let rows: Vec<AnyRow> = query.fetch_all(tx).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        rows.into_iter().map(|row| row.of(columns.kinds())).collect::<Result<_, _>>().map(Some)
    }

    /// Adds rows.
    pub(super) async fn insert(
        &self,
        tx: &mut Tx,
        columns: &Columns,
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let width = columns.0.len();
        let places: Vec<String> = (0..rows.len())
            .map(|row| format!("({})", db::places(row * width + 1, width)))
            .collect();
        let (name, names, places) = (self.name, columns.names(), places.join(", "));
        let sql = format!("INSERT INTO {name} ({names}) VALUES {places}");
        let mut query = db::query(db::assembled(sql)).once();
        for (cell, kind) in rows.into_iter().flat_map(|row| row.into_iter().zip(columns.kinds())) {
            query = query.bind(cell.into_value(kind));
        }
        query.execute(tx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::Store;
    use crate::sealing::Sealing;

    #[tokio::test(flavor = "multi_thread")]
    async fn list_has_every_table_with_its_key_after_those_it_refers_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("it opens");
        let keys: Vec<(String, String)> = db::query(
            "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND m.name <> '_sqlx_migrations' AND c.pk > 0 ORDER BY m.name, c.pk",
        )
        .fetch_all(&store.readers)
        .await
        .expect("the schema");
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in keys {
            found.entry(table).or_default().push(column);
        }
        let names = |key: &[&str]| key.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let listed: BTreeMap<String, Vec<String>> =
            TABLES.iter().map(|table| (table.name.to_owned(), names(table.key))).collect();
        assert_eq!(found, listed);
        let refers: BTreeSet<(String, String)> = db::query(
            "SELECT m.name, f.\"table\" FROM sqlite_master AS m \
             JOIN pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'",
        )
        .fetch_all(&store.readers)
        .await
        .expect("the schema")
        .into_iter()
        .collect();
        let place = |name: &str| TABLES.iter().position(|table| table.name == name);
        for (from, to) in refers {
            assert!(place(&from) > place(&to) || from == to, "{from} refers to {to}");
        }
    }
}
