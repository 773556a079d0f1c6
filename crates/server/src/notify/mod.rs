//! Turns alerts into notifications, one per recipient, and notifications into mails and posts:
//! immediately while there are few, else as a digest. A pending notification is a row in the store.
pub(crate) mod channels;
pub mod digest;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use channels::{channel_notifications, write_posts};
use digest::{ScheduledDigest, scheduled_digests};
use flawless_core::{KnownError, Owner, Recipients, Rules, recipients};
use flawless_store::{
    AlertRow, IssueRow, NewNotification, NotificationRow, OutboxMessage, Recipient, RefusedAddress,
    RuleHits, Sample, StoreError,
};

use crate::app::App;
use crate::app::projects::Projects;
use crate::attribution::Repo;
use crate::mail::{AlertMail, DigestPart, MAX_WHOLE, MailError, digest_list_mails, digest_mail};
use crate::show::alert::ShortAlert;
use crate::show::code::read_around;

/// How long a mail to a new owner waits, so that a reassignment by mistake can be undone.
pub const UNDO_MS: i64 = 2 * 60_000;

const LOOK_AGAIN: Duration = Duration::from_millis(500);
const BATCH: i64 = 100;
/// A notification that is older than this when it is written has waited for the budget.
const WAITED_MS: i64 = 60_000;
/// In a digest of more issues than this, samples are not read.
const MAX_SAMPLED: usize = 25;

/// Notifies forever, in all projects.
pub async fn run_notify(projects: Arc<Projects>) {
    loop {
        let wakeups = projects.first().wakeups;
        match notify_all(&projects).await {
            Ok(0) => tokio::select! {
                () = wakeups.alerts.notified() => {}
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

/// One round in all projects; returns how many alerts and mails it processed.
async fn notify_all(projects: &Projects) -> Result<usize, StoreError> {
    let (mut done, mut failed) = (0, None);
    for project in projects.store().projects_with_alerts().await? {
        let Some(app) = projects.get(project) else { continue };
        // One project that fails must not hold up the others.
        match notify(&app).await {
            Ok(more) => done += more,
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// One round; returns how many alerts and mails it processed.
async fn notify(app: &App) -> Result<usize, StoreError> {
    let erasures = app.store.erasures().await?;
    let alerts = app.store.open_alerts(app.clock.now(), BATCH).await?;
    let mut done = 0;
    let mut failed = None;
    for alert in &alerts {
        // One that fails must not hold up the others.
        match address(app, alert, erasures).await {
            Ok(()) => done += 1,
            // Its data is unreadable and will stay so.
            Err(error) if error.is_unreadable() => {
                tracing::error!(%error, alert = alert.id, "nobody could be notified of an alert");
                hold(app, alert, &error.to_string(), erasures).await?;
            }
            Err(error) => failed = Some(error),
        }
    }
    let written = write_due(app).await?;
    // A database error is not the alert's fault: it is tried again.
    failed.map_or(Ok(done + written), Err)
}

/// The data that the mail or post of an alert is written from.
pub(super) struct AlertContext {
    pub(super) issue: IssueRow,
    pub(super) sample: Sample,
    pub(super) owner: Owner,
}

/// Why an alert cannot be shown.
pub(super) enum Unshown {
    /// It will stay so, for this reason.
    Always(String),
    Store(StoreError),
}

impl From<StoreError> for Unshown {
    fn from(error: StoreError) -> Self {
        // An unreadable sample must not hold up the alerts behind it.
        match error {
            StoreError::Corrupt(why) => Self::Always(why),
            error if error.is_unreadable() => Self::Always(error.to_string()),
            error => Self::Store(error),
        }
    }
}

impl AlertContext {
    pub(super) async fn read(
        app: &App,
        alert: &AlertRow,
        rules: &Rules,
        refused: &[RefusedAddress],
    ) -> Result<Self, Unshown> {
        let Some(issue) = app.store.issue(alert.issue_id).await? else {
            return Err(Unshown::Always("its issue is gone".to_owned()));
        };
        let Some((_, sample)) = app.store.newest_sample(issue.id).await? else {
            return Err(Unshown::Always("the issue no longer has a sample".to_owned()));
        };
        let owner = issue.owner(rules, &app.config.addresses, refused);
        Ok(Self { issue, sample, owner })
    }

    /// Fills in the lines around the blamed one when the client sent none.
    async fn read_code(&mut self, app: &App) {
        if let Repo::Ready(mirror) = app.repo.get().repo
            && let (Some(revision), Some(blamed)) =
                (&self.issue.facts.details.revision, self.sample.blamed_frame)
            && let Some(frame) = self.sample.report.traceback.get_mut(blamed)
        {
            read_around(&mirror, revision, &self.issue.facts.path, frame).await;
            app.redaction.source(frame).await;
        }
    }

    fn known<'a>(&self, rules: &'a Rules) -> Option<&'a KnownError> {
        self.issue.facts.known_error_id.and_then(|id| rules.known_error(id))
    }
}

/// Records the notifications of an alert. `erasures` is the number of erasures before it was read.
async fn address(app: &App, alert: &AlertRow, erasures: i64) -> Result<(), StoreError> {
    let now = app.clock.now();
    let rules = app.rules.get();
    let refused = app.store.refused_addresses(now).await?;
    let context = match AlertContext::read(app, alert, &rules.rules, &refused).await {
        Ok(context) => context,
        Err(Unshown::Always(why)) => return hold(app, alert, &why, erasures).await,
        Err(Unshown::Store(error)) => return Err(error),
    };
    let AlertContext { issue, sample, owner, .. } = &context;
    let paths = sample.frames.iter().filter_map(|frame| frame.path());
    let known = context.known(&rules.rules);
    let mut found = recipients(owner, &issue.facts.path, paths, known, &rules.rules);
    let is_refused =
        |address: &str| refused.iter().any(|known| known.address.eq_ignore_ascii_case(address));
    found.mailable.retain(|(address, _)| !is_refused(address));
    let contact = app.config.addresses.default_contact.as_deref();
    let found = with_fallback(found, contact.filter(|contact| !is_refused(contact)));
    if found.mailable.is_empty() {
        let why = owner.steps.join("; ");
        tracing::warn!(issue = issue.id, why, "nobody can be notified");
        return hold(app, alert, &why, erasures).await;
    }
    let mut notifications: Vec<NewNotification> =
        found.mailable.iter().map(|recipient| notification(recipient, owner)).collect();
    notifications.extend(channel_notifications(app, owner).await?);
    let mut tx = app.store.write().await?;
    if tx.erased_since(erasures).await? {
        // The alert is read again in the next round, or gone.
        return Ok(());
    }
    if !tx.is_uncomposed(alert.id).await? {
        return Ok(());
    }
    tx.add_notifications(alert.id, &notifications, now).await?;
    let mut hits = RuleHits::default();
    hits.add(&found.rules, 1, 1);
    tx.count_rule_hits(&hits, now).await?;
    tx.commit().await?;
    let to = found.mailable.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>();
    tracing::info!(issue = issue.id, to = to.join(", "), reason = alert.reason, "notifying");
    Ok(())
}

fn notification((address, why): &(String, String), owner: &Owner) -> NewNotification {
    let is_owner = owner.address.as_ref().is_some_and(|owner| owner.eq_ignore_ascii_case(address));
    NewNotification { recipient: Recipient::Address(address.clone()), why: why.clone(), is_owner }
}

/// Writes the mails and posts that are due; returns how many.
async fn write_due(app: &App) -> Result<usize, StoreError> {
    let now = app.clock.now();
    let mut written = 0;
    // The schedule is read again after each mail, because each uses up the common budget.
    let mut failed: HashSet<Recipient> = HashSet::new();
    let is_due = |digest: &ScheduledDigest, failed: &HashSet<Recipient>| {
        digest.due_at <= now && !failed.contains(&digest.recipient)
    };
    while let Some(due) =
        scheduled_digests(app).await?.into_iter().find(|digest| is_due(digest, &failed))
    {
        match write(app, &due.recipient, now).await {
            Ok(true) => written += 1,
            Ok(false) => {
                failed.insert(due.recipient);
            }
            Err(error) => {
                tracing::error!(%error, to = %due.recipient, "a digest could not be written");
                failed.insert(due.recipient);
            }
        }
    }
    if written > 0 {
        app.wakeups.outbox.notify_one();
        app.wakeups.posts.notify_one();
    }
    Ok(written)
}

/// Writes the pending notifications of a recipient: one mail, or several where one would be too
/// long. Returns whether mails were written.
async fn write(app: &App, recipient: &Recipient, now: i64) -> Result<bool, StoreError> {
    let address = match recipient {
        Recipient::Address(address) => address,
        Recipient::Channel(channel) => return write_posts(app, *channel, now).await,
    };
    let rules = app.rules.get();
    let erasures = app.store.erasures().await?;
    let refused = app.store.refused_addresses(now).await?;
    let mut notifications = app.store.digest_notifications(recipient).await?;
    // Without a digest, only notifications that waited for the budget share a mail.
    let waited = notifications.iter().any(|notification| now - notification.since >= WAITED_MS);
    if app.config.mails.digest.is_zero() && !waited {
        notifications.truncate(1);
    }
    let numbers: Vec<i64> =
        notifications.iter().map(|notification| notification.notification_id).collect();
    let mails = match whole(app, address, &notifications, &rules.rules, &refused).await {
        Ok(mail) => Ok(vec![(numbers.clone(), mail)]),
        Err(Unwritable::InFull) => {
            let alerts = short_alerts(app, &notifications, &rules.rules, &refused).await?;
            digest_list_mails(app, address, &alerts, now)
        }
        Err(Unwritable::Mail(error)) => Err(error),
        Err(Unwritable::Store(error)) => return Err(error),
    };
    let mut tx = app.store.write().await?;
    if tx.erased_since(erasures).await? {
        return Ok(false);
    }
    match mails {
        Ok(mails) => {
            for (notifications, mail) in mails {
                if tx.write_notifications(&notifications, &mail, now).await?.is_none() {
                    // Erased or written in the meantime: the next round retries.
                    return Ok(false);
                }
            }
        }
        Err(error) => {
            tracing::error!(%error, recipient = address, "a mail could not be written");
            let name = format!("{}.{now}", app.next_number());
            let mail = OutboxMessage::unwritten(recipient.clone(), &name);
            if let Some(mail) = tx.write_notifications(&numbers, &mail, now).await? {
                tx.mail_given_up(mail, now, &error.to_string(), true).await?;
                tx.reopen_alerts(mail).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Why a mail with each issue in full cannot be written.
enum Unwritable {
    /// There are too many issues, they are too large, or one of them cannot be shown.
    InFull,
    Mail(MailError),
    Store(StoreError),
}

/// One mail with each issue in full.
async fn whole(
    app: &App,
    recipient: &str,
    notifications: &[NotificationRow],
    rules: &Rules,
    refused: &[RefusedAddress],
) -> Result<OutboxMessage, Unwritable> {
    if notifications.len() > MAX_WHOLE {
        return Err(Unwritable::InFull);
    }
    let mut read = Vec::with_capacity(notifications.len());
    for notification in notifications {
        let mut context = match AlertContext::read(app, &notification.alert, rules, refused).await {
            Ok(context) => context,
            Err(Unshown::Always(_)) => return Err(Unwritable::InFull),
            Err(Unshown::Store(error)) => return Err(Unwritable::Store(error)),
        };
        context.read_code(app).await;
        read.push((notification, context));
    }
    let parts: Vec<DigestPart<'_>> = read
        .iter()
        .map(|(notification, context)| DigestPart {
            notification: notification.notification_id,
            why: &notification.why,
            mail: AlertMail {
                app,
                alert: &notification.alert,
                issue: &context.issue,
                sample: &context.sample,
                owner: &context.owner,
                known: context.known(rules),
                since: notification.since,
            },
        })
        .collect();
    let mail = match &parts[..] {
        [] => None,
        [only] => Some(only.mail.write(recipient, only.why).map_err(Unwritable::Mail)?),
        parts => digest_mail(app, recipient, parts, app.clock.now()).map_err(Unwritable::Mail)?,
    };
    mail.ok_or(Unwritable::InFull)
}

/// The alerts of notifications in short, each with the notification's number.
pub(super) async fn short_alerts(
    app: &App,
    notifications: &[NotificationRow],
    rules: &Rules,
    refused: &[RefusedAddress],
) -> Result<Vec<(i64, ShortAlert)>, StoreError> {
    let mut alerts = Vec::with_capacity(notifications.len());
    for NotificationRow { notification_id, alert, .. } in notifications {
        // An issue is not deleted while one of its alerts waits.
        let Some(issue) = app.store.issue(alert.issue_id).await? else { continue };
        let owner = issue.owner(rules, &app.config.addresses, refused);
        let sample = match notifications.len() {
            ..=MAX_SAMPLED => app.store.readable_sample(issue.id).await?,
            _ => None,
        };
        let alert = ShortAlert::of(app, alert, &issue, sample.as_ref(), &owner);
        alerts.push((*notification_id, alert));
    }
    Ok(alerts)
}

/// Falls back to the default contact when no address can be mailed.
fn with_fallback(mut found: Recipients, default_contact: Option<&str>) -> Recipients {
    if found.mailable.is_empty()
        && let Some(contact) = default_contact
    {
        let why = "you are the default contact, and the owner's address cannot be mailed";
        found.mailable.push((contact.to_owned(), why.to_owned()));
    }
    found
}

async fn hold(app: &App, alert: &AlertRow, why: &str, erasures: i64) -> Result<(), StoreError> {
    let mut tx = app.store.write().await?;
    if tx.erased_since(erasures).await? {
        // Its number may belong to another alert by now.
        return Ok(());
    }
    tx.hold_alert(alert.id, why).await?;
    tx.commit().await
}
