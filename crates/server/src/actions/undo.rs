//! Undoes an action: only what it did, and only where nothing has changed since.
use flawless_core::Role;
use flawless_store::{
    ActionRow, Counted, GivenRole, Resolution, RoleScope, RuleEntry, RuleList, StoreError,
    UnwantedKind, WriteTx,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::people::{DEFAULT_CONTACT, OWN_ROLE, is_default_contact, is_own_role};
use super::{ActionError, Actor, Done, noted, role_to_change, rules_changed};
use crate::app::App;

/// How an action is undone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Undo {
    /// Rules were added: they are removed, and those that they replaced are restored.
    Added {
        list: String,
        /// What was added.
        added: Vec<StoredRule>,
        /// What was replaced.
        replaced: Vec<StoredRule>,
    },
    /// A rule was removed: it is restored.
    Removed {
        list: String,
        /// What it was.
        rule: StoredRule,
    },
    /// A rule was changed: it is changed back, and those that it replaced are restored.
    Changed {
        list: String,
        /// What it was.
        before: StoredRule,
        /// What it became.
        after: Value,
        /// What was replaced.
        replaced: Vec<StoredRule>,
    },
    /// An issue was muted or unmuted.
    Mute {
        issue: i64,
        /// Until when it was muted before.
        before: Option<i64>,
        /// Until when it is muted since.
        after: Option<i64>,
    },
    /// An issue was resolved or reopened.
    Resolved {
        issue: i64,
        /// Its state before.
        before: Option<ResolvedState>,
        /// Its state since.
        after: Option<ResolvedState>,
    },
    /// A role was given or removed.
    Role {
        /// To whom.
        address: String,
        /// Where it holds.
        scope: RoleScope,
        /// What was given before.
        before: Option<String>,
        /// What is given since.
        after: Option<String>,
    },
    /// Mails were turned off or on.
    Mails {
        /// To whom.
        address: String,
        /// Which mails.
        kind: String,
        /// Whether they were wanted before.
        before: bool,
        /// Whether they are since.
        after: bool,
    },
}

/// A rule as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredRule {
    id: i64,
    entry: Value,
    created_at: i64,
}

/// The state of a resolved issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedState {
    pub(super) at: i64,
    pub(super) by: Option<String>,
    pub(super) resolution: Resolution,
}

impl StoredRule {
    pub(super) fn new(id: i64, entry: Value, created_at: i64) -> Self {
        Self { id, entry, created_at }
    }

    pub(super) fn is(&self, id: i64) -> bool {
        self.id == id
    }

    fn entry(&self) -> RuleEntry {
        let Self { id, entry, created_at } = self.clone();
        RuleEntry { id, entry, created_at }
    }
}

impl From<RuleEntry> for StoredRule {
    fn from(RuleEntry { id, entry, created_at }: RuleEntry) -> Self {
        Self { id, entry, created_at }
    }
}

impl ResolvedState {
    /// The state of an issue; `None` when it is open.
    pub(super) fn of(counted: &Counted) -> Option<Self> {
        let (at, by) = (counted.resolved_at?, counted.resolved_by.clone());
        Some(Self { at, by, resolution: counted.resolution.clone()? })
    }

    /// Puts an issue into this state.
    pub(super) async fn put(
        state: Option<&Self>,
        tx: &mut WriteTx,
        issue: i64,
    ) -> Result<(), StoreError> {
        match state {
            Some(Self { at, by, resolution }) => {
                tx.set_resolved(issue, *at, by.as_deref(), resolution).await
            }
            None => tx.clear_resolved(issue).await,
        }
    }
}

impl Undo {
    /// Reads what the store keeps.
    fn read(json: Option<&str>) -> Option<Self> {
        serde_json::from_str(json?).ok()
    }

    /// The list of rules that it is about.
    pub fn list(&self) -> Option<&str> {
        match self {
            Self::Added { list, .. } | Self::Removed { list, .. } | Self::Changed { list, .. } => {
                Some(list)
            }
            _ => None,
        }
    }

    /// How an action is undone; `None` when it cannot be.
    pub async fn of(app: &App, action: i64) -> Result<Option<Self>, StoreError> {
        Ok(Self::read(app.store.undo_of(action).await?.as_deref()))
    }

    /// The role that it requires: the same as the action. Developers may reassign an issue although
    /// the rule for that is about people.
    pub(super) fn needs(&self, kind: &str) -> Role {
        match self {
            Self::Mute { .. } | Self::Resolved { .. } => Role::Developer,
            Self::Role { .. } | Self::Mails { .. } => Role::Administrator,
            Self::Added { list, .. } | Self::Removed { list, .. } | Self::Changed { list, .. } => {
                // An alias that replaced another one required an administrator.
                let passed_on = kind == "reassign"
                    && !matches!(self, Self::Added { replaced, .. } if !replaced.is_empty());
                RuleList::parse(list).filter(|_| !passed_on).map_or(Role::Developer, role_to_change)
            }
        }
    }
}

/// Undoes an action for somebody whose role the caller has checked.
///
/// # Errors
/// There is no such action, something has changed since, or the store fails.
pub async fn undo(app: &App, actor: Actor<'_>, id: i64) -> Result<Done, ActionError> {
    let who = actor.name;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let Some(row) = tx.action(id).await? else {
        let text = "There is no action with this number, or it was more than a year ago.";
        return Err(ActionError::NotFound(text.to_owned()));
    };
    if let Some(by) = &row.undone_by {
        return Err(ActionError::field("", format!("{by} has already undone this.")));
    }
    let Some(undo) = Undo::read(tx.undo_of(id).await?.as_deref()) else {
        return Err(ActionError::field("", "This cannot be undone."));
    };
    match &undo {
        Undo::Role { scope: RoleScope::AllProjects, .. } => actor.must_administer_all()?,
        Undo::Mails { address, kind, .. } => {
            super::must_choose(actor, address, UnwantedKind::parse(kind))?;
        }
        _ => {}
    }
    match &undo {
        Undo::Role { address, .. } if is_own_role(app, who, address) => {
            return Err(ActionError::field("", OWN_ROLE));
        }
        Undo::Mails { address, before: false, kind, .. }
            if kind == UnwantedKind::Alerts.as_str() && is_default_contact(app, address) =>
        {
            return Err(ActionError::field("", DEFAULT_CONTACT));
        }
        _ => {}
    }
    take_back(&mut tx, undo, &row, (who, now)).await?;
    tx.set_undone(id, who, now).await?;
    let action = noted(who, row.issue_id, "undo", format!("undone: {}", row.what), None);
    let done = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    app.wakeups.alerts.notify_one();
    Ok(Done::of(done, action))
}

async fn take_back(
    tx: &mut WriteTx,
    undo: Undo,
    row: &ActionRow,
    (who, now): (&str, i64),
) -> Result<(), ActionError> {
    match undo {
        Undo::Added { list, added, replaced } => {
            let list = list_of(&list)?;
            for rule in &added {
                as_it_was(tx, list, rule.id, &rule.entry).await?;
                tx.remove_rule(list, rule.id).await?;
            }
            restore(tx, list, &replaced).await
        }
        Undo::Removed { list, rule } => restore(tx, list_of(&list)?, &[rule]).await,
        Undo::Changed { list, before, after, replaced } => {
            let list = list_of(&list)?;
            as_it_was(tx, list, before.id, &after).await?;
            if list == RuleList::EmailRemapping
                && tx.has_alias_of(&before.entry, Some(before.id)).await?
            {
                return Err(ActionError::field("", OTHER_ALIAS));
            }
            let changed = tx.change_rule(list, before.id, &before.entry).await?;
            if changed.is_none_or(|changed| changed.id.is_none()) {
                return Err(ActionError::field("", SAME_RULE));
            }
            restore(tx, list, &replaced).await
        }
        Undo::Mute { issue, before, after } => {
            // The recorded one may have been merged since.
            let issue = row.issue_id.unwrap_or(issue);
            if counted(tx, issue).await?.muted_until != after {
                return Err(ActionError::field(
                    "",
                    "It was muted or unmuted since: see the issue.",
                ));
            }
            Ok(tx.mute(issue, before).await?)
        }
        Undo::Resolved { issue, before, after } => {
            let issue = row.issue_id.unwrap_or(issue);
            if ResolvedState::of(&counted(tx, issue).await?) != after {
                let text = "It was resolved or reopened since: see the issue.";
                return Err(ActionError::field("", text));
            }
            Ok(ResolvedState::put(before.as_ref(), tx, issue).await?)
        }
        Undo::Role { address, scope, before, after } => {
            let role = |name: Option<String>| name.and_then(|name| GivenRole::parse(&name));
            if tx.given_role(&address, scope).await? != role(after) {
                let text = "Another role was given since: see /people/roles.";
                return Err(ActionError::field("", text));
            }
            Ok(tx.put_role(&address, scope, role(before), now, who).await?)
        }
        Undo::Mails { address, kind, before, after } => {
            let kind = UnwantedKind::parse(&kind)
                .ok_or_else(|| StoreError::Corrupt(format!("an action about mails {kind:?}")))?;
            if tx.is_unwanted(&address, kind).await? == after {
                return Err(ActionError::field("", "This was changed since: change it again."));
            }
            Ok(tx.want_mails(&address, kind, before, now).await?)
        }
    }
}

const OTHER_ALIAS: &str = "The address has another email alias now: remove that one first.";
const SAME_RULE: &str = "The list has the same rule again: there is nothing to undo.";

fn list_of(name: &str) -> Result<RuleList, ActionError> {
    RuleList::parse(name)
        .ok_or_else(|| StoreError::Corrupt(format!("an action about the list {name:?}")).into())
}

async fn counted(tx: &mut WriteTx, issue: i64) -> Result<Counted, ActionError> {
    tx.counted_if_there(issue)
        .await?
        .ok_or_else(|| ActionError::NotFound("The issue no longer exists.".to_owned()))
}

/// Fails if a rule was changed or removed since.
async fn as_it_was(
    tx: &mut WriteTx,
    list: RuleList,
    id: i64,
    entry: &Value,
) -> Result<(), ActionError> {
    match tx.rule(id).await? {
        Some((found, rule)) if found == list && rule.entry == *entry => Ok(()),
        Some(_) => {
            let at = list.as_str();
            let text = format!("The rule was changed since: see /rules/{at}/{id}.");
            Err(ActionError::field("", text))
        }
        None => {
            let text = "The rule was removed since: there is nothing to undo.";
            Err(ActionError::field("", text))
        }
    }
}

async fn restore(
    tx: &mut WriteTx,
    list: RuleList,
    rules: &[StoredRule],
) -> Result<(), ActionError> {
    for rule in rules {
        let rule = rule.entry();
        if list == RuleList::EmailRemapping && tx.has_alias_of(&rule.entry, None).await? {
            return Err(ActionError::field("", OTHER_ALIAS));
        }
        if !tx.restore_rule(list, &rule).await? {
            return Err(ActionError::field("", SAME_RULE));
        }
    }
    Ok(())
}
