//! How issues are presented, in mails, posts, pages and JSON alike.

pub mod alert;
pub mod code;
pub mod frame;
pub mod links;
pub mod regression;
pub mod render_limits;
pub mod report;
pub mod rules;
pub mod why;
pub mod work;

pub use render_limits::RenderLimits;
