//! Sockets: connections are accepted, bounded in number, memory and time, and peers take turns.

pub(crate) mod accept;
pub mod http;
pub mod memory;
pub mod peer;
pub(crate) mod places;
pub(crate) mod round_robin;
pub(crate) mod turns;
