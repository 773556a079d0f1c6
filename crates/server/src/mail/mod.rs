//! Mails: written once as whole messages, sent from the outbox.

mod alert_mail;
mod note_mail;
mod send;
mod sent_journal;
mod smtp;

pub use alert_mail::AlertMail;
pub use note_mail::note_mail;
pub use send::run_sender;
pub use sent_journal::SentJournal;
pub use smtp::Smtp;

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Address, Message};

/// A mail that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is none.
    #[error("{address:?} is no mail address: {source}")]
    Address {
        /// The address.
        address: String,
        /// Why not.
        source: lettre::address::AddressError,
    },
    /// The message cannot be put together.
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
    /// The text cannot be made.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

fn address(text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|source| MailError::Address { address: text.to_owned(), source })
}

/// A message with the headers that all of ours have.
fn builder(
    from: &str,
    to: &str,
    subject: &str,
    message_id: &str,
    at: i64,
) -> Result<MessageBuilder, MailError> {
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or_default());
    Ok(Message::builder()
        .from(Mailbox::new(Some("Flawless".into()), address(from)?))
        .to(Mailbox::new(None, address(to)?))
        .subject(subject)
        .message_id(Some(format!("<{message_id}>")))
        .date(date))
}

/// The bytes that go over the wire. Machines must not answer them.
fn finish(mut message: Message) -> Vec<u8> {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".into()));
    message.formatted()
}
