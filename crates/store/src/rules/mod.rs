//! Rules, and how often each mattered.

pub mod document;
pub mod hits;
pub mod lists;
pub mod rule;
