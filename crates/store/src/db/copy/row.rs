//! Rows of any table.
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, FromRow, Row, TypeInfo, ValueRef};

use crate::StoreError;
use crate::db::value::Value;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

impl Kind {
    /// The type with this name, in either database.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Some(Self::Int),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row as a database gives it.
pub(super) struct AnyRow(Vec<Cell>);

impl FromRow<'_, SqliteRow> for AnyRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let cell = |at: usize| {
            let value = row.try_get_raw(at)?;
            let name = value.type_info().name().to_owned();
            Ok(match name.as_str() {
                _ if value.is_null() => Cell::Null,
                "INTEGER" => Cell::Int(row.try_get(at)?),
                "TEXT" => Cell::Text(row.try_get(at)?),
                _ => Cell::Bytes(row.try_get(at)?),
            })
        };
        (0..row.len()).map(cell).collect::<Result<_, _>>().map(Self)
    }
}

impl FromRow<'_, PgRow> for AnyRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let cell = |at: usize| {
            if row.try_get_raw(at)?.is_null() {
                return Ok(Cell::Null);
            }
            Ok(match row.column(at).type_info().name() {
                "INT8" => Cell::Int(row.try_get(at)?),
                "TEXT" => Cell::Text(row.try_get(at)?),
                _ => Cell::Bytes(row.try_get(at)?),
            })
        };
        (0..row.len()).map(cell).collect::<Result<_, _>>().map(Self)
    }
}

impl AnyRow {
    /// The cells, each of the type of its column. SQLite lets a column hold a text among bytes.
    pub(super) fn of(self, kinds: impl Iterator<Item = Kind>) -> Result<Vec<Cell>, StoreError> {
        let typed = |(cell, kind): (Cell, Kind)| match (cell, kind) {
            (Cell::Null, _) => Ok(Cell::Null),
            (cell @ Cell::Int(_), Kind::Int)
            | (cell @ Cell::Text(_), Kind::Text)
            | (cell @ Cell::Bytes(_), Kind::Bytes) => Ok(cell),
            (Cell::Text(text), Kind::Bytes) => Ok(Cell::Bytes(text.into_bytes())),
            (cell, kind) => Err(StoreError::Corrupt(format!("{cell:?} in a column of {kind:?}"))),
        };
        self.0.into_iter().zip(kinds).map(typed).collect()
    }
}

impl Cell {
    /// The value to bind. A missing one has a type too: PostgreSQL asks for it.
    pub(super) fn into_value(self, kind: Kind) -> Value<'static> {
        match (self, kind) {
            (Self::Int(value), _) => Value::from(value),
            (Self::Text(value), _) => Value::from(value),
            (Self::Bytes(value), _) => Value::from(value),
            (Self::Null, Kind::Int) => Value::Int(None),
            (Self::Null, Kind::Text) => Value::Text(None),
            (Self::Null, Kind::Bytes) => Value::Bytes(None),
        }
    }

    /// Adds the value to a checksum, so that no two lists of values add the same.
    pub(super) fn add_to(&self, hash: &mut Sha256) {
        let (tag, bytes) = match self {
            Self::Null => (0, &[][..]),
            Self::Int(value) => {
                hash.update([1]);
                hash.update(value.to_be_bytes());
                return;
            }
            Self::Text(text) => (2, text.as_bytes()),
            Self::Bytes(bytes) => (3, bytes.as_slice()),
        };
        hash.update([tag]);
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    }
}
