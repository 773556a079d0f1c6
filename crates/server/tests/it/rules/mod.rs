//! The rules, and those of 0.4.5.
mod lists;
mod older;
