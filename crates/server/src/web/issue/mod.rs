//! The page of an issue and the actions on it.

pub(crate) mod actions;
pub(crate) mod alert_history;
pub(crate) mod badges;
pub(crate) mod blame;
pub(crate) mod blame_instead;
pub(crate) mod counts;
pub(crate) mod find;
pub(crate) mod form;
pub(crate) mod mute;
pub(crate) mod notify;
pub(crate) mod reassign;
pub(crate) mod resolve;
pub(crate) mod rule;
pub(crate) mod samples;
pub(crate) mod show;
pub(crate) mod traceback;
