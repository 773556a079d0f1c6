//! The database, its schema, and how SQL is written so that it runs on SQLite and PostgreSQL.

pub mod check;
pub mod connect;
pub mod copy;
pub(crate) mod dialect;
pub mod error;
pub mod health;
pub mod history;
pub(crate) mod key_text;
pub mod nodes;
pub mod open;
pub(crate) mod pool;
mod postgres_tx;
pub(crate) mod query;
pub(crate) mod value;

pub(crate) use query::{Query, assembled, padded, parts, places, query, query_scalar, rows};
