//! Handles mails that cannot be delivered, because the mail server refused them or they bounced.
use flawless_base::text::plain;
use flawless_store::{StoreError, Undelivered, WriteTx};

use super::note_mail;
use crate::app::App;

/// Records that a mail cannot be delivered. When the address itself does not work, its alerts go to
/// the next owner. When the mail's content was refused, or the recipient was not the owner, the
/// default contact gets a note instead.
pub(super) async fn give_up(
    app: &App,
    tx: &mut WriteTx,
    mail: &Undelivered,
    words: &str,
    address_refused: bool,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    tracing::error!(to = mail.recipient, words, "a mail cannot be delivered");
    tx.mail_given_up(mail.id, now, words, address_refused).await?;
    if address_refused && tx.reopen_alerts(mail.id).await? {
        app.wakeups.alerts.notify_one();
        return Ok(());
    }
    let contact = app.config.addresses.default_contact.as_deref();
    let Some(contact) = contact.filter(|contact| !contact.eq_ignore_ascii_case(&mail.recipient))
    else {
        return Ok(());
    };
    let hint = if address_refused {
        let page = &app.base_url;
        format!(
            "Add an email alias for this address at {page}/remap_email, or correct the rule that \
             names it."
        )
    } else {
        let page = &app.base_url;
        format!("Later mails to this address are still sent. The issues are listed at {page}/.")
    };
    let text = format!(
        "A mail to {} could not be delivered:\n\n  {}\n\nIts subject: {}\n\n{hint}\n",
        mail.recipient,
        plain(words),
        mail.subject,
    );
    match note_mail(app, contact, "Flawless could not deliver a mail", text) {
        Ok(note) => {
            tx.add_mail(&note, now).await?;
        }
        Err(error) => tracing::error!(%error, "a note could not be written"),
    }
    Ok(())
}
