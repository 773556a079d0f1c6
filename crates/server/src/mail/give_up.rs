//! What becomes of a mail that reaches nobody, whether the mail server refused it or it came back.
use flawless_base::text::plain;
use flawless_store::{StoreError, Undelivered, WriteTx};

use super::note_mail;
use crate::app::App;

/// Remembers that a mail cannot be delivered. Where nobody gets mail at that address, its alerts
/// go to who answers next; of a mail that was refused for what it says, and of one to somebody who
/// only wanted to know, the default contact is notified.
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
            "Add an email alias for this address on {page}/remap_email, or correct the rule that \
             names it, so that later ones arrive."
        )
    } else {
        let page = &app.base_url;
        format!("Later mails to that address are tried as ever. What it was about is on {page}/.")
    };
    let text = format!(
        "A mail to {} cannot be delivered:\n\n  {}\n\nIt was about: {}\n\n{hint}\n",
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
