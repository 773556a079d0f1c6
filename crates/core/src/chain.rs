//! The exceptions beside the one that is reported: where it came from, and what it is a group of.
use serde::{Deserialize, Serialize};

use crate::report::Frame;

/// An exception that led to the reported one, or a member of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChainedException {
    /// Full type path; empty when the client sent none.
    pub exception_type: String,
    /// The exception as the client printed it.
    pub exception_message: String,
    /// What it is to the exception that it belongs to.
    pub relation: Relation,
    /// Index in the chain of the exception that it belongs to, smaller than its own; `None`: the
    /// reported one.
    pub parent: Option<usize>,
    /// The frames, outermost first.
    pub traceback: Vec<Frame>,
    /// Notes that were added to it.
    pub notes: Vec<String>,
}

/// What an exception is to the one that it belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It was raised because of this one.
    Cause,
    /// It was raised while this one was handled.
    #[default]
    Context,
    /// This is one of the exceptions that it is a group of.
    Member,
    /// The same exception as it was in another process, a worker's: the one that it belongs to
    /// only brought it here.
    Remote,
    /// The same, found in the message of the one that it belongs to: whoever can bring a text into a
    /// message can make it say so.
    Quoted,
    /// It carried the one that it belongs to here: a group, a retry or a pool of workers.
    Carrier,
}
