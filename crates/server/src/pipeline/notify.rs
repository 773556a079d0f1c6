//! Turns alerts into mails in the outbox: each alert once, in one transaction.
use std::time::Duration;

use flawless_core::{Recipients, recipients};

use crate::mail::{AlertMail, note_mail};
use crate::state::Shared;
use crate::store::{AlertRow, IssueRow, StoreError};

const LOOK_AGAIN: Duration = Duration::from_millis(500);
const BATCH: i64 = 100;

/// Composes mails for ever.
pub async fn run_notify(shared: Shared) {
    loop {
        match compose_open(&shared).await {
            Ok(0) => tokio::select! {
                () = shared.bells.alerts.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            },
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "alerts could not be turned into mails");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

async fn compose_open(shared: &Shared) -> Result<usize, StoreError> {
    let alerts = shared.store.open_alerts(BATCH).await?;
    for alert in &alerts {
        compose(shared, alert).await?;
    }
    Ok(alerts.len())
}

async fn compose(shared: &Shared, alert: &AlertRow) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let Some(issue) = shared.store.issue(alert.issue_id).await? else {
        return hold(shared, alert, "its issue is gone").await;
    };
    let sample = match shared.store.newest_sample(issue.id).await {
        Ok(Some((_, sample))) => sample,
        Ok(None) => return hold(shared, alert, "the issue has no sample any more").await,
        // One that cannot be read must not hold up the alerts behind it.
        Err(StoreError::Corrupt(why)) => return hold(shared, alert, &why).await,
        Err(error) => return Err(error),
    };
    let rules = shared.rules.get();
    let addresses = &shared.config.addresses;
    let details = issue.details();
    let refused = shared.store.refused_addresses(now).await?;
    let owner = issue.owner(&details, &rules.rules, addresses, &refused);
    let known = issue.facts.known_error_id.and_then(|id| rules.rules.known_error(id));
    let paths = sample.frames.iter().filter_map(|frame| frame.repo_path.as_deref());
    let found = recipients(&owner, &issue.facts.path, paths, known, &rules.rules);
    let found = with_fallback(found, addresses.default_contact.as_deref());
    if found.mailable.is_empty() {
        let why = match found.invalid.as_slice() {
            [] => owner.steps.join("; "),
            invalid => format!("no valid address: {}", invalid.join(", ")),
        };
        tracing::warn!(issue = issue.id, why, "nobody can be told");
        return hold(shared, alert, &why).await;
    }
    let mail = AlertMail {
        shared,
        alert,
        issue: &issue,
        details: &details,
        sample: &sample,
        owner: &owner,
        known,
    };
    let mut mails = Vec::new();
    for (address, why) in &found.mailable {
        match mail.write(address, why) {
            Ok(mail) => mails.push(mail),
            Err(error) => {
                tracing::error!(%error, address, "a mail could not be written");
                return hold(shared, alert, &format!("the mail cannot be written: {error}")).await;
            }
        }
    }
    if let Some(note) = invalid_note(shared, &issue, &found) {
        mails.push(note);
    }
    let mut tx = shared.store.write().await?;
    tx.compose(alert.id, &mails, now).await?;
    tx.commit().await?;
    let to = found.mailable.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>();
    tracing::info!(issue = issue.id, to = to.join(", "), reason = alert.reason, "telling");
    shared.bells.outbox.notify_one();
    Ok(())
}

/// When no address at all can be mailed, the default contact is told instead.
fn with_fallback(mut found: Recipients, default_contact: Option<&str>) -> Recipients {
    if found.mailable.is_empty()
        && let Some(contact) = default_contact
    {
        let why = "you are the default contact, and the owner's address cannot be mailed";
        found.mailable.push((contact.to_owned(), why.to_owned()));
    }
    found
}

fn invalid_note(
    shared: &Shared,
    issue: &IssueRow,
    found: &Recipients,
) -> Option<crate::store::NewMail> {
    let contact = shared.config.addresses.default_contact.as_deref()?;
    if found.invalid.is_empty() {
        return None;
    }
    let text = format!(
        "An alert about {} could not be sent to {}: that is no valid mail address.\n\n\
         Add an email alias for it on {}/remap_email, or correct the rule that names it.\n\
         The others were told.\n",
        issue.facts.path,
        found.invalid.join(", "),
        shared.base_url,
    );
    note_mail(shared, contact, "Flawless could not mail an address", text)
        .inspect_err(|error| tracing::error!(%error, "a note could not be written"))
        .ok()
}

async fn hold(shared: &Shared, alert: &AlertRow, why: &str) -> Result<(), StoreError> {
    let mut tx = shared.store.write().await?;
    tx.hold_alert(alert.id, why).await?;
    tx.commit().await
}
