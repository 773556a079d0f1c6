//! Lists of rules, and the forms for one.

pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod index;
pub(crate) mod list;
