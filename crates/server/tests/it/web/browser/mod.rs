//! Pages in a real browser, as people use them.

mod by_keyboard;
pub mod every_page;
pub mod filled;
mod sign_in;
mod ways;
