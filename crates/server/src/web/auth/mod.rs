//! Who sends a request, whether they may, and what protects the browser.

pub(crate) mod access;
pub(crate) mod cookies;
pub(crate) mod identify;
pub(crate) mod security;
