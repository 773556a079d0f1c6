//! Notifies the default contact, once, that the database was missing and a new one was created.
use flawless_store::{StoreError, recreated_in_words};

use super::note_mail;
use crate::app::App;

/// Puts the note into the outbox, unless there is no such news or the contact was notified before.
pub async fn notify_recreated(app: &App) -> Result<(), StoreError> {
    let Some(contact) = &app.config.addresses.default_contact else { return Ok(()) };
    let mut tx = app.store.write().await?;
    if !tx.take_recreated_news(app.clock.now()).await? {
        return Ok(());
    }
    let text = format!("On the Flawless server, {}.\n", recreated_in_words(&app.config.data_dir));
    match note_mail(app, contact, "The Flawless database was missing", text) {
        Ok(note) => {
            tx.add_mail(&note, app.clock.now()).await?;
        }
        Err(error) => tracing::error!(%error, "a note could not be written"),
    }
    tx.commit().await
}
