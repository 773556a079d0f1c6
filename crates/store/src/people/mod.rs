//! People, how they sign in, and what they did.

pub mod actions;
pub mod api_tokens;
pub mod authors;
pub mod roles;
pub mod sessions;
pub mod sign_in_links;
