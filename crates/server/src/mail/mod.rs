//! Mails: each is written once, as a whole message, and sent from the outbox.

mod alert_mail;
mod alert_view;
mod bounce;
mod digest_list_mail;
mod digest_mail;
mod envelope;
mod give_up;
mod note_mail;
mod recreated_mail;
mod refusal;
mod send;
mod sent_journal;
mod sign_in_mail;
mod smtp;
mod weekly_mail;
pub mod weekly_report;
mod weekly_view;

pub use alert_mail::AlertMail;
pub use bounce::{BounceError, MAX_BOUNCE, take_bounce};
pub use digest_list_mail::digest_list_mails;
pub use digest_mail::{DigestPart, MAX_WHOLE, digest_mail};
pub use note_mail::note_mail;
pub use recreated_mail::notify_recreated;
pub(crate) use send::is_ours;
pub use send::run_sender;
pub use sent_journal::SentJournal;
pub use sign_in_mail::sign_in_mail;
pub use smtp::Smtp;
pub use weekly_mail::{WeekPart, weekly_mail, weekly_text};

use lettre::Address;

/// Why a mail cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is invalid.
    #[error("{address:?} is not a mail address: {source}")]
    Address {
        address: String,
        /// What is wrong with it.
        source: lettre::address::AddressError,
    },
    /// The message cannot be assembled.
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
    /// A template cannot be rendered.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

fn address(text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|source| MailError::Address { address: text.to_owned(), source })
}
