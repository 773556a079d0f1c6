//! A short note to the default contact about something the server could not do.
use lettre::message::header::ContentType;

use super::{MailError, builder, finish};
use crate::state::Shared;
use crate::store::NewMail;

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
    let (from, now) = (&shared.config.smtp.from, shared.clock.now());
    let domain = &shared.config.addresses.domain;
    let message_id = format!("note.{now}.{}@{domain}", shared.next_number());
    let message =
        builder(from, to, subject, &message_id, now)?.header(ContentType::TEXT_PLAIN).body(text)?;
    Ok(NewMail {
        recipient: to.to_owned(),
        subject: subject.to_owned(),
        message_id,
        message: finish(message),
    })
}
