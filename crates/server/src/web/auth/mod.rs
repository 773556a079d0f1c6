//! Who sends a request, what they may do, and what protects the browser.

pub(crate) mod access;
pub(crate) mod cookies;
pub(crate) mod form_token;
pub(crate) mod identify;
pub(crate) mod security;
