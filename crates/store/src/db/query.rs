//! Statements that are written once, with `$1` placeholders, and run on both databases. A statement
//! is prepared once for each connection; after that only its values are sent.
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, SqlSafeStr, SqlStr};

use super::pool::Target;
use super::postgres_tx::{Lent, answered};
use super::value::{Value, postgres, sqlite};

/// A row that both databases can give.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// A statement with its values.
#[must_use]
pub(crate) struct Query<'q> {
    sql: SqlStr,
    values: Vec<Value<'q>>,
    /// Whether it stays prepared.
    stays: bool,
}

/// A statement of which only the first column is wanted.
#[must_use]
pub(crate) struct ScalarQuery<'q>(Query<'q>);

/// A statement. Its rows, if it gives any, are decoded as what the caller asks for.
pub(crate) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q> {
    Query { sql: sql.into_sql_str(), values: Vec::new(), stays: true }
}

/// A statement of which only the first column is wanted.
pub(crate) fn query_scalar<'q>(sql: impl SqlSafeStr) -> ScalarQuery<'q> {
    ScalarQuery(query(sql))
}

/// A statement put together from constants and placeholders only.
pub(crate) fn assembled(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}

/// The values, the last one repeated up to a power of two. A list of values is then one of few
/// statements, and these stay prepared.
pub(crate) fn padded<T: Clone>(values: &[T]) -> Vec<T> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(values.len().next_power_of_two(), last.clone());
    }
    padded
}

/// `count` placeholders from `$first` on, separated by commas.
pub(crate) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

/// Rows of one statement, so that no statement has too many values.
const MOST_ROWS: usize = 64;

/// Parts of a batch whose sizes are powers of two. Statements that take many rows are few then, and
/// stay prepared.
pub(crate) fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << rows.len().min(MOST_ROWS).checked_ilog2()?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

/// Placeholders for `count` rows with this number of columns, from `$first` on.
pub(crate) fn rows(first: usize, count: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", places(first + row * columns, columns));
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// What a statement did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done(u64);

impl Done {
    /// How many rows it wrote or deleted.
    pub(crate) fn rows_affected(self) -> u64 {
        self.0
    }
}

/// Runs a statement where it is meant to run.
macro_rules! run {
    ($query:ident, $target:ident, $with:ident, $run:ident) => {
        run!($query, $target, $with, $run => |found| found)
    };
    ($query:ident, $target:ident, $with:ident, $run:ident => |$found:ident| $as:expr) => {{
        let Query { sql, values, stays } = $query;
        match $target {
            Target::SqlitePool(pool) => {
                sqlx::$with(sql, sqlite(values)?).persistent(stays).$run(pool).await.map(|$found| $as)
            }
            Target::Sqlite(tx) => {
                let result = sqlx::$with(sql, sqlite(values)?).persistent(stays).$run(tx.connection()).await;
                tx.noted(result).map(|$found| $as)
            }
            Target::PostgresPool(pool) => {
                let mut lent = Lent::of(pool).await?;
                let query = sqlx::$with(sql, postgres(values)?).persistent(stays);
                let result = answered(query.$run(lent.connection()?)).await;
                lent.give_back(&result);
                result.map(|$found| $as)
            }
            Target::Postgres(tx) => {
                let query = sqlx::$with(sql, postgres(values)?).persistent(stays);
                let result = answered(query.$run(tx.connection().await?)).await;
                tx.noted(result).map(|$found| $as)
            }
        }
    }};
}

impl<'q> Query<'q> {
    /// Adds the value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it without preparing it for the next time: there is none with the same text.
    pub(crate) fn once(mut self) -> Self {
        self.stays = false;
        self
    }

    pub(crate) async fn execute(self, target: impl Into<Target<'_>>) -> Result<Done, sqlx::Error> {
        let target = target.into();
        // On the heap: callers await several at once, and four ways to run would fill their stacks.
        Box::pin(async move {
            run!(self, target, query_with, execute => |done| Done(done.rows_affected()))
        })
        .await
    }

    pub(crate) async fn fetch_all<T: Row>(
        self,
        target: impl Into<Target<'_>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let target = target.into();
        Box::pin(async move { run!(self, target, query_as_with, fetch_all) }).await
    }

    pub(crate) async fn fetch_optional<T: Row>(
        self,
        target: impl Into<Target<'_>>,
    ) -> Result<Option<T>, sqlx::Error> {
        let target = target.into();
        Box::pin(async move { run!(self, target, query_as_with, fetch_optional) }).await
    }

    pub(crate) async fn fetch_one<T: Row>(
        self,
        target: impl Into<Target<'_>>,
    ) -> Result<T, sqlx::Error> {
        let target = target.into();
        Box::pin(async move { run!(self, target, query_as_with, fetch_one) }).await
    }
}

impl<'q> ScalarQuery<'q> {
    /// Adds the value of the next placeholder.
    pub(crate) fn bind(self, value: impl Into<Value<'q>>) -> Self {
        Self(self.0.bind(value))
    }

    pub(crate) async fn fetch_all<T>(
        self,
        target: impl Into<Target<'_>>,
    ) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Row,
    {
        let rows = self.0.fetch_all::<(T,)>(target).await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    pub(crate) async fn fetch_optional<T>(
        self,
        target: impl Into<Target<'_>>,
    ) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.0.fetch_optional::<(T,)>(target).await?.map(|(value,)| value))
    }

    pub(crate) async fn fetch_one<T>(self, target: impl Into<Target<'_>>) -> Result<T, sqlx::Error>
    where
        (T,): Row,
    {
        Ok(self.0.fetch_one::<(T,)>(target).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_is_split_into_parts_of_few_sizes() {
        let sizes = |count: usize| parts(&vec![(); count]).map(<[()]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(21), [16, 4, 1]);
        assert_eq!(sizes(130), [64, 64, 2]);
        assert_eq!(rows(2, 2, 2), "($2, $3), ($4, $5)");
    }
}
