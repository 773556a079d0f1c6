//! What people do to issues and rules, from pages and from the API alike: each is noted with who
//! and when in the transaction that does it, and can be taken back where that is possible.

mod issue;
mod people;
mod reassign;
mod rules;
mod strangers;
pub mod test_error;
mod undo;

use flawless_core::Role;
use flawless_store::{
    GivenRole, IssueRow, NewAction, RuleInputError, RuleList, StoreError, UnwantedKind,
};
use serde_json::Value;

use crate::app::App;
use crate::notify::UNDO_MS;

pub use people::is_default_contact;
pub use reassign::{Case, ReassignTo, alias_needs};
pub use rules::{ImportPlan, import_plan, rule_of_line};
pub use strangers::{colleagues, is_colleague};
pub use undo::{Undo, undo};

/// Something that somebody wants to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// A rule is added: a known error, library code, a third-party rule, an ignored exception, or
    /// one about people.
    AddRule {
        /// To which list.
        list: RuleList,
        /// In 0.4.5's field names.
        entry: Value,
        /// The issue that it is made for.
        issue: Option<i64>,
    },
    /// A rule is changed.
    EditRule {
        /// Of which list.
        list: RuleList,
        /// Which one.
        id: i64,
        /// What it shall be.
        entry: Value,
    },
    /// A rule is removed.
    RemoveRule {
        /// Of which list.
        list: RuleList,
        /// Which one.
        id: i64,
    },
    /// All rules of a document are added, or none.
    ImportRules {
        /// To which list.
        list: RuleList,
        /// As `flawless rules import` takes it.
        document: Value,
    },
    /// An issue is somebody else's: by an email alias or a reassignment.
    Reassign {
        /// Which one.
        issue: i64,
        /// To whom.
        to: ReassignTo,
    },
    /// Another suspect is to blame: what stands before it becomes library code.
    BlameInstead {
        /// Of which issue.
        issue: i64,
        /// Its place among the suspects behind the blamed line, from 0.
        suspect: usize,
    },
    /// Nobody is notified of an issue until then; `None` ends that.
    Mute {
        /// Which one.
        issue: i64,
        /// Until when.
        until: Option<i64>,
    },
    /// An issue is resolved.
    Resolve {
        /// Which one.
        issue: i64,
        /// The commit that fixes it; `None`: as of now.
        commit: Option<String>,
    },
    /// An issue is not resolved.
    Reopen {
        /// Which one.
        issue: i64,
    },
    /// Who answers for an issue is notified of it at once.
    Notify {
        /// Which one.
        issue: i64,
        /// Also when it was notified before.
        again: bool,
    },
    /// Mails to an address are tried again, or wanted again.
    RetryAddress {
        /// Which address.
        address: String,
        /// Which mails are wanted again; `None`: what was refused is tried again.
        unwanted: Option<UnwantedKind>,
    },
    /// An address has another role.
    GiveRole {
        /// Which address.
        address: String,
        /// `None`: what was given is taken back.
        role: Option<GivenRole>,
    },
    /// Mails of a kind are wanted, or not.
    WantMails {
        /// By whom.
        address: String,
        /// Which mails.
        kind: UnwantedKind,
        /// Whether they are.
        wanted: bool,
    },
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// The number it is noted under.
    pub id: i64,
    /// In words.
    pub what: String,
    /// Whether it can be taken back.
    pub can_undo: bool,
}

/// Why something is not done. Nothing of it was, then.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A field of what was asked for is wrong.
    #[error("{text}")]
    Field {
        /// Which one; empty when it is none in particular.
        name: &'static str,
        /// What is wrong and how it is resolved, in a sentence.
        text: String,
    },
    /// What it is about is not there.
    #[error("{0}")]
    NotFound(String),
    /// The store refuses.
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

/// Who may change a list: rules about code are made by who acts on issues, those about people
/// decide where mails go.
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
    /// What somebody has to be to do it.
    pub fn needs(&self) -> Role {
        match self {
            Self::AddRule { list, .. }
            | Self::EditRule { list, .. }
            | Self::RemoveRule { list, .. }
            | Self::ImportRules { list, .. } => role_to_change(*list),
            // Of themselves, everybody says which mails they want: the page sees to that.
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

/// Whoever acts.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// As it is noted.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
}

/// Does it for somebody, of whom it was looked at before that they may; whom alerts go to by it is
/// looked at here.
///
/// # Errors
/// A field is wrong, what it is about is not there, or the store refuses.
pub async fn act(
    app: &App,
    Actor { name: who, role }: Actor<'_>,
    action: Action,
) -> Result<Done, ActionError> {
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
            issue::retry_address(app, who, &address, unwanted).await
        }
        Action::GiveRole { address, role } => people::give_role(app, who, &address, role).await,
        Action::WantMails { address, kind, wanted } => {
            people::want_mails(app, who, &address, kind, wanted).await
        }
    }
}

/// The issue with this number; of one that was merged, the one that it lives on in.
async fn issue_of(app: &App, number: i64) -> Result<IssueRow, ActionError> {
    app.store.issue(number).await?.ok_or_else(|| {
        ActionError::NotFound(format!("There is no issue {number}. It may have been erased."))
    })
}

/// Takes up rules that were just changed, and lets alerts that wait for them go on, when the change
/// cannot be undone any more: they have code and values in them. The change is
/// made whatever happens here, and who changed it must not read otherwise; the server looks for
/// changed rules all the time.
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

/// A row for what is being done.
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
