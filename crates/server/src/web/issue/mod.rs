//! An issue: its page, and what can be done about it.

pub(crate) mod actions;
pub(crate) mod alert_history;
pub(crate) mod badges;
pub(crate) mod blame;
pub(crate) mod blame_instead;
pub(crate) mod counts;
pub(crate) mod find;
pub(crate) mod mute;
pub(crate) mod notify;
pub(crate) mod reassign;
pub(crate) mod resolve;
pub(crate) mod rule;
pub(crate) mod samples;
pub(crate) mod show;
pub(crate) mod traceback;
