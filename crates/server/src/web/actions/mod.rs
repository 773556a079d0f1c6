//! The log of actions, and their undo.

pub(crate) mod done;
pub(crate) mod list;
pub(crate) mod undo;
