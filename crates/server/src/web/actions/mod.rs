//! What was done, and its undo.

pub(crate) mod done;
pub(crate) mod list;
pub(crate) mod undo;
