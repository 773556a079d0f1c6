//! The parts that all pages share.

pub(crate) mod asked;
pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod form_fields;
pub(crate) mod moment;
pub(crate) mod page;
pub(crate) mod visitor;
