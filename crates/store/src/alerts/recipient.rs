//! Whom a notification, a mail or a post goes to.
use std::fmt;

/// A person or a channel. Columns hold its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// The mail address of a person.
    Address(String),
    /// The number of a channel.
    Channel(i64),
}

/// An address cannot be taken for a channel: it contains an `@`, so what follows the prefix is not a
/// number.
const CHANNEL: &str = "channel:";

impl Recipient {
    /// The one spelling that stands for all spellings of an address that differ only in case.
    pub fn folded(&self) -> Self {
        match self {
            Self::Address(address) => Self::Address(address.to_ascii_lowercase()),
            Self::Channel(number) => Self::Channel(*number),
        }
    }
}

impl From<String> for Recipient {
    fn from(text: String) -> Self {
        match text.strip_prefix(CHANNEL).and_then(|number| number.parse().ok()) {
            Some(number) => Self::Channel(number),
            None => Self::Address(text),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Channel(number) => write!(f, "{CHANNEL}{number}"),
        }
    }
}
