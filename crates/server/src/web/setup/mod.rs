//! What is left to set up.

pub(crate) mod show;
pub(crate) mod snippets;
pub(crate) mod test_error;
