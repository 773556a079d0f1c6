//! A short note to the default contact about something the server could not do.
use flawless_store::{MailKind, NewMail};

use super::MailError;
use super::envelope::{Body, Envelope};
use crate::app::Shared;

/// Writes a note.
///
/// # Errors
/// `to` or the sender is no address.
pub fn note_mail(
    shared: &Shared,
    to: &str,
    subject: &str,
    text: String,
) -> Result<NewMail, MailError> {
    let at = shared.clock.now();
    let envelope = Envelope {
        shared,
        kind: MailKind::Note,
        recipient: to,
        subject: subject.to_owned(),
        name: format!("note.{at}.{}", shared.next_number()),
        at,
        issue: None,
        list: None,
    };
    envelope.seal(Body::Text(text))
}
