//! The visitor's account: their sessions and API tokens.

pub(crate) mod session_end;
pub(crate) mod show;
pub(crate) mod sign_out;
pub(crate) mod token_create;
pub(crate) mod token_end;
