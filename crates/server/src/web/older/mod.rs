//! The addresses of 0.4.5.

pub(crate) mod forms;
pub(crate) mod traceback_view;
