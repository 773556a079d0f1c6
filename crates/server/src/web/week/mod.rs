//! The issues of a week or another span.

pub(crate) mod filters;
pub(crate) mod show;
pub(crate) mod table;
