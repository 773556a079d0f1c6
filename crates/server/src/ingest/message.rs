//! A message while it arrives: its buffer grows with the bytes that arrive, not with the announced
//! length, and only as far as memory allows.
use flawless_protocol::DecodeError;
use flawless_protocol::thrift::decode_call_head;

use crate::listen::memory::{Held, NoMemory};

/// The bytes of one message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) held: Held,
    /// Maximum size.
    most: usize,
}

/// Initial buffer of a message of which nothing has arrived.
const FIRST_ROOM: usize = 8 * 1024;
/// Bytes that are kept of a message that is refused: the name of the method and the sequence id.
const HEAD: usize = 256;

impl Message {
    pub(super) fn new(held: Held, most: usize) -> Self {
        Self { bytes: Vec::new(), held, most }
    }

    /// Makes room for the next bytes, at least `wanted` of them as far as the maximum allows.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(super) fn make_room(&mut self, wanted: usize) -> Result<(), NoMemory> {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if capacity - length >= wanted.max(1) {
            return Ok(());
        }
        let capacity = (length + wanted).max(2 * capacity).max(FIRST_ROOM).min(self.most);
        self.held.resize(capacity)?;
        self.bytes.reserve_exact(capacity.saturating_sub(length));
        Ok(())
    }

    /// Keeps only the head of the message.
    pub(super) fn into_head(self) -> Head {
        Head(self.bytes[..self.bytes.len().min(HEAD)].to_vec())
    }
}

/// Why a message is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unkept {
    NoMemory(NoMemory),
    /// Larger than `max_report_bytes`.
    TooLarge,
}

impl Unkept {
    /// The reason under which it is counted.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "larger than max_report_bytes",
            Self::NoMemory(NoMemory::Now) => "over memory_limit for a moment",
            Self::NoMemory(NoMemory::Ever) => "needs more than memory_limit alone",
        }
    }

    /// What its sender is told.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::TooLarge => "the report is larger than max_report_bytes",
            Self::NoMemory(NoMemory::Now) => {
                "the server is out of memory at the moment (memory_limit)"
            }
            Self::NoMemory(NoMemory::Ever) => "the report needs more memory than memory_limit",
        }
    }

    /// Whether it is worth sending again.
    pub(super) fn may_be_kept_later(self) -> bool {
        self == Self::NoMemory(NoMemory::Now)
    }
}

/// The start of a message that is not kept.
#[derive(Debug)]
pub(super) struct Head(Vec<u8>);

impl Head {
    /// Appends to the start.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let missing = HEAD - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(missing)]);
    }

    /// The method that is called, and the sequence id.
    ///
    /// # Errors
    /// It is not the start of a call.
    pub(super) fn decode(&self) -> Result<(String, i32), DecodeError> {
        decode_call_head(&self.0)
    }
}
