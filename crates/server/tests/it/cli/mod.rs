//! The command line.
mod blame_languages;
mod blame_texts;
mod command_line;
mod configure;
mod projects;
mod start_errors;
mod store_copy;
