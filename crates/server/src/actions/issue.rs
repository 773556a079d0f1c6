//! Actions on one issue: mute, resolve, reopen, notify; and on an address that gets no mails.
use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_core::CommitId;
use flawless_store::{IssueRow, MUTED_FOR_EVER, Resolution, UnwantedKind};

use super::undo::{ResolvedState, Undo};
use super::{ActionError, Done, issue_of, noted, rules_changed};
use crate::app::App;
use crate::attribution::Repo;

/// How an issue is named in the text of an action.
pub(super) fn place(issue: &IssueRow) -> String {
    format!("issue {} ({}:{})", issue.id, one_line(&issue.facts.path, 200), issue.facts.line)
}

pub(super) async fn mute(
    app: &App,
    who: &str,
    number: i64,
    until: Option<i64>,
) -> Result<Done, ActionError> {
    let issue = issue_of(app, number).await?;
    let now = app.clock.now();
    if until.is_some_and(|until| until <= now) {
        return Err(ActionError::field("until", "This time has passed. Write a future one."));
    }
    let place = place(&issue);
    let (kind, what) = match until {
        None => ("unmute", format!("{place} is no longer muted")),
        Some(MUTED_FOR_EVER..) => ("mute", format!("{place} is muted forever")),
        Some(until) => {
            let until = date_time(until, &app.config.timezone);
            ("mute", format!("{place} is muted until {until}"))
        }
    };
    let mut tx = app.store.write().await?;
    let before = tx.counted(issue.id).await?.muted_until;
    if until.is_none() && before.is_none_or(|before| before <= now) {
        return Err(ActionError::field("", "It is not muted."));
    }
    tx.mute(issue.id, until).await?;
    let undo = Undo::Mute { issue: issue.id, before, after: until };
    let action = noted(who, Some(issue.id), kind, what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    Ok(Done::of(id, action))
}

pub(super) async fn resolve(
    app: &App,
    who: &str,
    number: i64,
    commit: Option<&str>,
) -> Result<Done, ActionError> {
    let issue = issue_of(app, number).await?;
    let commit = match commit.map(str::trim) {
        None | Some("") => None,
        Some(name) => {
            let commit = commit_of(app, name).await;
            Some(commit.map_err(|text| ActionError::field("commit", text))?)
        }
    };
    let by = commit.as_ref().map(|commit| format!(" by {}", commit.short())).unwrap_or_default();
    let what = format!("{} is resolved{by}", place(&issue));
    let (now, commit) = (app.clock.now(), commit.as_ref().map(CommitId::as_str));
    let after =
        ResolvedState { at: now, by: commit.map(str::to_owned), resolution: Resolution::ByHand };
    set_resolved(app, who, &issue, "resolve", what, Some(after)).await
}

pub(super) async fn reopen(app: &App, who: &str, number: i64) -> Result<Done, ActionError> {
    let issue = issue_of(app, number).await?;
    if issue.resolved_at.is_none() {
        return Err(ActionError::field("", "It is open, not resolved."));
    }
    let what = format!("{} is reopened", place(&issue));
    set_resolved(app, who, &issue, "reopen", what, None).await
}

async fn set_resolved(
    app: &App,
    who: &str,
    issue: &IssueRow,
    kind: &'static str,
    what: String,
    after: Option<ResolvedState>,
) -> Result<Done, ActionError> {
    let mut tx = app.store.write().await?;
    let before = ResolvedState::of(&tx.counted(issue.id).await?);
    if let (Some(before), Some(after)) = (&before, &after)
        && before.by == after.by
        && before.resolution == after.resolution
    {
        return Err(ActionError::field("commit", "It is already resolved this way."));
    }
    ResolvedState::put(after.as_ref(), &mut tx, issue.id).await?;
    let undo = Undo::Resolved { issue: issue.id, before, after };
    let action = noted(who, Some(issue.id), kind, what, Some(&undo));
    let id = tx.add_action(&action, app.clock.now()).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}

/// The commit with this id, full or shortened; else a sentence about what is wrong.
async fn commit_of(app: &App, name: &str) -> Result<CommitId, String> {
    let shown = one_line(name, 80);
    let is_id = (7..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_id {
        return Err(format!(
            "{shown:?} is not a commit: write its ID, all of it or at least the first seven digits."
        ));
    }
    let Repo::Ready(mirror) = app.repo.get().repo else {
        let text = "This commit cannot be looked up now: /check_health says why. Try again later, \
                    or leave the commit empty.";
        return Err(text.to_owned());
    };
    match mirror.resolve(&name.to_ascii_lowercase()).await {
        Ok(Some(named)) => Ok(named.commit),
        Ok(None) => Err(format!(
            "There is no commit {shown} in the repository, or several begin with it. Push it \
             first, or write the full ID."
        )),
        Err(error) => {
            tracing::warn!(%error, "a commit could not be looked up");
            Err("git could not look up this commit; the server's log says why.".to_owned())
        }
    }
}

pub(super) async fn notify(
    app: &App,
    who: &str,
    number: i64,
    again: bool,
) -> Result<Done, ActionError> {
    let issue = issue_of(app, number).await?;
    if app.store.newest_sample(issue.id).await.is_ok_and(|sample| sample.is_none()) {
        let text = "Its samples are older than retention_days and were deleted: there is nothing \
                    left to send. Its owner is notified when it occurs again.";
        return Err(ActionError::field("", text));
    }
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let counted = tx.counted(issue.id).await?;
    if let (Some(notified_at), false) = (counted.notified_at, again) {
        let date = date_time(notified_at, &app.config.timezone);
        let text = format!("Its owner was notified on {date}. Confirm to notify them again.");
        return Err(ActionError::field("again", text));
    }
    let reason = format!("was requested by {}", one_line(who, 254));
    tx.notify(issue.id, counted.occurrences, &reason, None, now).await?;
    let what = format!("the owner of {} is notified", place(&issue));
    let action = noted(who, Some(issue.id), "notify", what, None);
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    app.wakeups.alerts.notify_one();
    Ok(Done::of(id, action))
}

pub(super) async fn retry_address(
    app: &App,
    who: &str,
    address: &str,
    unwanted: Option<UnwantedKind>,
) -> Result<Done, ActionError> {
    let (address, now) = (address.trim(), app.clock.now());
    let is_it = |known: &str| known.eq_ignore_ascii_case(address);
    // Only listed addresses, so that arbitrary ones do not fill the table.
    let is_listed = match unwanted {
        Some(kind) => {
            let unwanted = app.store.unwanted_mails().await?;
            unwanted.iter().any(|known| known.kind == kind.as_str() && is_it(&known.address))
        }
        None => {
            let refused = app.store.refused_addresses(now).await?;
            refused.iter().any(|known| known.words.is_some() && is_it(&known.address))
        }
    };
    if !is_listed {
        let text = "This address is no longer in the list. Reload /people.";
        return Err(ActionError::NotFound(text.to_owned()));
    }
    let mut tx = app.store.write().await?;
    let what = match unwanted {
        Some(kind) => {
            tx.want_mails(address, kind, true, now).await?;
            format!("{address} gets {} again", kind.in_words())
        }
        None => {
            tx.clear_refusal(address, now).await?;
            format!("mails to {address} are retried")
        }
    };
    // Alerts that reached nobody may have a recipient now.
    tx.release_alerts(now).await?;
    let action = noted(who, None, "retry_address", what, None);
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    app.wakeups.alerts.notify_one();
    Ok(Done::of(id, action))
}
