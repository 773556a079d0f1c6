//! What people do about issues and addresses.
mod issues;
mod people;
