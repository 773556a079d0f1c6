//! The values of a statement, and columns that hold JSON.
//!
//! A text never contains the character NUL: PostgreSQL refuses it, and it ends a text for many of
//! SQLite's functions. It is replaced when it is bound, on both databases alike.
use std::borrow::Cow;

use serde::Serialize;
use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

/// The value of a placeholder: of one of the three types that columns have, or NULL.
pub(crate) enum Value<'q> {
    Int(Option<i64>),
    Text(Option<Cow<'q, str>>),
    Bytes(Option<Cow<'q, [u8]>>),
}

/// A value that a column holds as JSON.
pub(crate) struct Json<'a, T>(pub(crate) &'a T);

/// What NUL becomes.
const REPLACEMENT: &str = "\u{fffd}";

fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', REPLACEMENT)),
        false => text,
    }
}

/// Values as SQLite takes them. Owned texts and bodies are moved, not copied.
pub(super) fn sqlite(values: Vec<Value<'_>>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Int(value) => Arguments::add(&mut arguments, value),
            Value::Text(value) => Arguments::add(&mut arguments, value.map(Cow::into_owned)),
            Value::Bytes(value) => Arguments::add(&mut arguments, value.map(Cow::into_owned)),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Values as PostgreSQL takes them: they are written into one buffer.
pub(super) fn postgres(values: Vec<Value<'_>>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match &value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value.as_deref()),
            Value::Bytes(value) => arguments.add(value.as_deref()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Conversions of what callers bind.
macro_rules! value_from {
    ($($from:ty => |$value:ident| $into:expr;)+) => {
        $(impl<'q> From<$from> for Value<'q> {
            fn from($value: $from) -> Self {
                $into
            }
        })+
    };
}

value_from! {
    i64 => |value| Self::Int(Some(value));
    &i64 => |value| Self::Int(Some(*value));
    Option<i64> => |value| Self::Int(value);
    bool => |value| Self::Int(Some(i64::from(value)));
    &'q str => |value| Self::Text(Some(without_nul(Cow::Borrowed(value))));
    &&'q str => |value| Self::from(*value);
    String => |value| Self::Text(Some(without_nul(Cow::Owned(value))));
    &'q String => |value| Self::from(value.as_str());
    Option<&'q str> => |value| value.map_or(Self::Text(None), Self::from);
    Option<String> => |value| value.map_or(Self::Text(None), Self::from);
    &'q Option<String> => |value| Self::from(value.as_deref());
    Cow<'q, str> => |value| Self::Text(Some(without_nul(value)));
    &'q [u8] => |value| Self::Bytes(Some(Cow::Borrowed(value)));
    &'q Vec<u8> => |value| Self::from(value.as_slice());
    Vec<u8> => |value| Self::Bytes(Some(Cow::Owned(value)));
}

impl<T: Serialize> From<Json<'_, T>> for Value<'_> {
    fn from(Json(value): Json<'_, T>) -> Self {
        // Fails only for maps with keys that are not texts, which none of the types has.
        Self::from(serde_json::to_string(value).unwrap_or_default())
    }
}

impl<T: Serialize> From<Option<Json<'_, T>>> for Value<'_> {
    fn from(value: Option<Json<'_, T>>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

/// Lets a type be read from a column of JSON. sqlx's own type for that does not read columns of
/// type TEXT on PostgreSQL.
macro_rules! read_from_json {
    ($($read:ty),+) => {
        $(impl<DB: sqlx::Database> sqlx::Type<DB> for $read
        where
            String: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <String as sqlx::Type<DB>>::type_info()
            }

            fn compatible(column: &DB::TypeInfo) -> bool {
                <String as sqlx::Type<DB>>::compatible(column)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $read
        where
            &'r str: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(serde_json::from_str(<&str as sqlx::Decode<DB>>::decode(value)?)?)
            }
        })+
    };
}
pub(crate) use read_from_json;
