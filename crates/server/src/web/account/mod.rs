//! Who is signed in, with their sign-ins and tokens.

pub(crate) mod session_end;
pub(crate) mod show;
pub(crate) mod sign_out;
pub(crate) mod token_create;
pub(crate) mod token_end;
