//! A short note to the default contact about something the server could not do.
use flawless_store::{MailKind, OutboxMessage};

use super::MailError;
use super::envelope::{Body, Envelope};
use crate::app::App;

/// Writes the note.
///
/// # Errors
/// `to` or the sender's address is invalid.
pub fn note_mail(
    app: &App,
    to: &str,
    subject: &str,
    text: String,
) -> Result<OutboxMessage, MailError> {
    let at = app.clock.now();
    let envelope = Envelope {
        app,
        kind: MailKind::Note,
        recipient: to,
        subject: subject.to_owned(),
        name: format!("note.{at}.{}", app.next_number()),
        at,
        issue: None,
        list: None,
    };
    envelope.seal(Body::Text(text))
}
