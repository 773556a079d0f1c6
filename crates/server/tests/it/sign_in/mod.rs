//! Who may sign in, and how.
mod links;
mod open_id;
mod roles;
