//! The exceptions besides the reported one: those that led to it, and the members of a group.
use serde::{Deserialize, Serialize};

use crate::report::Frame;

/// An exception that led to the reported one, or is a member of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChainedException {
    /// Full type path; empty when the client sent none.
    pub exception_type: String,
    /// The exception as the client printed it.
    pub exception_message: String,
    /// Its relation to the exception that it belongs to.
    pub relation: Relation,
    /// Index in the chain of the exception that it belongs to, smaller than its own; `None` for the
    /// reported one.
    pub parent: Option<usize>,
    /// The frames, outermost first.
    pub traceback: Vec<Frame>,
    /// Notes that were added to it.
    pub notes: Vec<String>,
}

/// The relation of an exception to the one that it belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// That one was raised because of this one.
    Cause,
    /// That one was raised while this one was handled.
    #[default]
    Context,
    /// That one is a group, and this is a member.
    Member,
    /// The same exception as it was in another process, such as a worker: that one only brought it
    /// here.
    Remote,
    /// The same, found in the message of that one. It can be forged by anybody who can put a text
    /// into a message.
    Quoted,
    /// It carried that one here: a group, a retry or a pool of workers.
    Carrier,
}
