//! What people do to issues and rules, from pages and from the API alike. Each action is recorded,
//! with who and when, in the transaction that does it, and can be undone where that is possible.

pub mod artifacts;
mod issue;
mod people;
pub mod projects;
mod reassign;
pub mod releases;
mod rules;
mod strangers;
pub mod test_error;
mod undo;

use flawless_core::Role;
use flawless_store::{
    GivenRole, IssueRow, NewAction, RoleScope, RuleInputError, RuleList, StoreError, UnwantedKind,
};
use serde_json::Value;

use crate::app::App;
use crate::notify::UNDO_MS;

pub use people::is_default_contact;
pub use reassign::{Case, ReassignTo, alias_needs};
pub use rules::{ImportPlan, import_plan, rule_of_line};
pub use strangers::{colleagues, is_colleague};
pub use undo::{Undo, undo};

/// An action that somebody wants to take.
#[derive(Debug, Clone)]
pub enum Action {
    /// A rule is added: a known error, library code, a third-party rule, an ignored exception, or
    /// one about people.
    AddRule {
        list: RuleList,
        /// In 0.4.5's field names.
        entry: Value,
        /// The issue that it is added for.
        issue: Option<i64>,
    },
    /// A rule is changed.
    EditRule {
        list: RuleList,
        id: i64,
        /// The new entry.
        entry: Value,
    },
    /// A rule is removed.
    RemoveRule { list: RuleList, id: i64 },
    /// All rules of a document are added, or none.
    ImportRules {
        list: RuleList,
        /// As `flawless rules import` takes it.
        document: Value,
    },
    /// An issue is reassigned, by an email alias or a reassignment.
    Reassign {
        issue: i64,
        /// To whom, and how.
        to: ReassignTo,
    },
    /// Another suspect is to blame: the frames before it become library code.
    BlameInstead {
        issue: i64,
        /// Its place among the suspects after the blamed line, from 0.
        suspect: usize,
    },
    /// Nobody is notified of an issue for a while.
    Mute {
        issue: i64,
        /// Until when; `None` unmutes it.
        until: Option<i64>,
    },
    /// An issue is resolved.
    Resolve {
        issue: i64,
        /// The commit that fixes it; `None`: as of now.
        commit: Option<String>,
    },
    /// An issue is reopened.
    Reopen { issue: i64 },
    /// The owner of an issue is notified of it immediately.
    Notify {
        issue: i64,
        /// Even if the owner was notified before.
        again: bool,
    },
    /// Mails to an address are retried, or wanted again.
    RetryAddress {
        address: String,
        /// Which mails are wanted again; `None`: refused ones are retried.
        unwanted: Option<UnwantedKind>,
    },
    /// An address gets another role.
    GiveRole {
        address: String,
        /// Where it holds.
        scope: RoleScope,
        /// `None` removes the role that it was given.
        role: Option<GivenRole>,
    },
    /// Somebody turns a kind of mail on or off.
    WantMails {
        /// Whose mails.
        address: String,
        /// Which mails.
        kind: UnwantedKind,
        /// Whether they are wanted.
        wanted: bool,
    },
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// The number of its record.
    pub id: i64,
    /// A sentence about it.
    pub what: String,
    /// Whether it can be undone.
    pub can_undo: bool,
}

/// Why an action was not done; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A field of the request is wrong.
    #[error("{text}")]
    Field {
        /// The field; empty if it is none in particular.
        name: &'static str,
        /// What is wrong, and a hint.
        text: String,
    },
    /// What the action is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActionError {
    fn field(name: &'static str, text: impl Into<String>) -> Self {
        Self::Field { name, text: text.into() }
    }
}

impl From<RuleInputError> for ActionError {
    fn from(error: RuleInputError) -> Self {
        match error {
            RuleInputError::Invalid { field, text } => {
                Self::Field { name: field.unwrap_or_default(), text }
            }
            RuleInputError::Store(error) => Self::Store(error),
        }
    }
}

/// Who may change a list. Developers change rules about code; those about people decide where mails
/// go.
pub fn role_to_change(list: RuleList) -> Role {
    match list {
        RuleList::KnownErrors
        | RuleList::BuildingBlocks
        | RuleList::ThirdPartyWhitelist
        | RuleList::IgnoredExceptions => Role::Developer,
        RuleList::WatchList | RuleList::DisownershipList | RuleList::EmailRemapping => {
            Role::Administrator
        }
    }
}

impl Action {
    /// The role that it requires.
    pub fn needs(&self) -> Role {
        match self {
            Self::AddRule { list, .. }
            | Self::EditRule { list, .. }
            | Self::RemoveRule { list, .. }
            | Self::ImportRules { list, .. } => role_to_change(*list),
            // Everybody may choose their own mails: the page takes care of that.
            Self::RetryAddress { .. } | Self::GiveRole { .. } | Self::WantMails { .. } => {
                Role::Administrator
            }
            Self::Reassign { .. }
            | Self::BlameInstead { .. }
            | Self::Mute { .. }
            | Self::Resolve { .. }
            | Self::Reopen { .. }
            | Self::Notify { .. } => Role::Developer,
        }
    }
}

/// The person who acts.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The recorded name.
    pub name: &'a str,
    /// What they may do in this project.
    pub role: Role,
    /// What they may do in all projects.
    pub role_in_all: Option<Role>,
}

impl Actor<'_> {
    /// Refuses what concerns all projects to those who administer only some of them.
    fn must_administer_all(&self) -> Result<(), ActionError> {
        if self.role_in_all >= Some(Role::Administrator) {
            return Ok(());
        }
        let text = "This holds in all projects, so it requires the role administrator for all of \
                    them. Choose this project only, or ask such an administrator.";
        Err(ActionError::field("", text))
    }
}

/// Takes an action for somebody, whose role the caller has checked. Whether alerts may go to the
/// people whom it names is checked here.
///
/// # Errors
/// A field is wrong, what it is about does not exist, or the store fails.
pub async fn act(app: &App, actor: Actor<'_>, action: Action) -> Result<Done, ActionError> {
    let Actor { name: who, role, .. } = actor;
    strangers::check(app, role, &action).await?;
    match action {
        Action::AddRule { list, entry, issue } => rules::add(app, who, list, &entry, issue).await,
        Action::EditRule { list, id, entry } => rules::edit(app, who, list, id, &entry).await,
        Action::RemoveRule { list, id } => rules::remove(app, who, list, id).await,
        Action::ImportRules { list, document } => rules::import(app, who, list, &document).await,
        Action::Reassign { issue, to } => reassign::reassign(app, who, issue, &to).await,
        Action::BlameInstead { issue, suspect } => {
            rules::blame_instead(app, who, issue, suspect).await
        }
        Action::Mute { issue, until } => issue::mute(app, who, issue, until).await,
        Action::Resolve { issue, commit } => {
            issue::resolve(app, who, issue, commit.as_deref()).await
        }
        Action::Reopen { issue } => issue::reopen(app, who, issue).await,
        Action::Notify { issue, again } => issue::notify(app, who, issue, again).await,
        Action::RetryAddress { address, unwanted } => {
            must_choose(actor, &address, unwanted)?;
            issue::retry_address(app, who, &address, unwanted).await
        }
        Action::GiveRole { address, scope, role } => {
            people::give_role(app, actor, &address, scope, role).await
        }
        Action::WantMails { address, kind, wanted } => {
            must_choose(actor, &address, Some(kind))?;
            people::want_mails(app, who, &address, kind, wanted).await
        }
    }
}

/// Refuses to change the weekly mail of somebody else, which is about all projects, to those who
/// administer only some of them.
fn must_choose(
    actor: Actor<'_>,
    address: &str,
    kind: Option<UnwantedKind>,
) -> Result<(), ActionError> {
    let is_own = actor.name.eq_ignore_ascii_case(address.trim());
    match kind {
        Some(UnwantedKind::Weekly) if !is_own => actor.must_administer_all(),
        _ => Ok(()),
    }
}

/// The issue with this number, or the one that it was merged into.
async fn issue_of(app: &App, number: i64) -> Result<IssueRow, ActionError> {
    app.store.issue(number).await?.ok_or_else(|| {
        ActionError::NotFound(format!("There is no issue {number}. It may have been erased."))
    })
}

/// Reads rules that were just changed. Alerts that wait for them contain code and values, so they
/// are sent only when the change can no longer be undone. A failure here is not one of the action:
/// the change is made, and the server polls for changed rules anyway.
async fn rules_changed(app: &App) {
    let take_up = async {
        app.rules.refresh(&app.store).await?;
        let mut tx = app.store.write().await?;
        tx.release_alerts(app.clock.now() + UNDO_MS).await?;
        tx.commit().await
    };
    if let Err(error) = take_up.await {
        tracing::error!(%error, "changed rules could not be read: they are read again soon");
    }
    app.wakeups.alerts.notify_one();
}

/// The record of an action.
fn noted(
    who: &str,
    issue_id: Option<i64>,
    kind: &'static str,
    what: String,
    undo: Option<&Undo>,
) -> NewAction {
    let undo_role = undo.map(|undo| undo.needs(kind));
    let undo = undo.and_then(|undo| serde_json::to_string(undo).ok());
    NewAction { who: who.to_owned(), issue_id, kind, what, undo, undo_role }
}

impl Done {
    fn of(id: i64, action: NewAction) -> Self {
        Self { id, what: action.what, can_undo: action.undo.is_some() }
    }
}
