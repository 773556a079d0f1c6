//! The lists of rules, and the form of a rule.

pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod index;
pub(crate) mod list;
