//! Actions on issues: done, logged with who and when, and undone.
use axum::extract::State;
use flawless_base::text::plain;
use flawless_store::{ActionRow, IssueRow, MUTED_FOR_EVER, RuleList};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Json, read_tagged};
use super::problem::Problem;
use super::rule_bodies::{CodeEntry, KnownErrorEntry, entry_of};
use super::time::Time;
use crate::actions::{self, Action, ReassignTo};
use crate::app::App;

/// Only the newest actions are listed.
const MOST_LISTED: i64 = 200;

/// An action on an issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum NewAction {
    /// Nobody is notified of the issue until then.
    Mute {
        /// The end; indefinitely when it is omitted.
        until: Option<Time>,
    },
    /// Ends a mute.
    Unmute {},
    /// Marks the issue as resolved.
    Resolve {
        /// The commit that fixes it, by its id or the first seven digits; as of now when it is
        /// omitted.
        #[schema(max_length = 200)]
        commit: Option<String>,
    },
    /// Reopens a resolved issue.
    Reopen {},
    /// Notifies the owner immediately.
    Notify {
        /// Even when they were notified before.
        #[serde(default)]
        again: bool,
    },
    /// Blames another suspect: the lines before it become library code.
    BlameInstead {
        /// Its place among the issue's suspects, from 0.
        #[schema(minimum = 0, maximum = 1_000)]
        suspect: u32,
    },
    /// The author of the line reads mail at another address.
    EmailAlias {
        /// The address at which they read mail.
        #[schema(min_length = 1, max_length = 254)]
        new_email: String,
    },
    /// Reassigns the issues of a path to somebody else.
    Reassign {
        /// The issue's file, or a folder above it.
        #[schema(min_length = 1, max_length = 5_000)]
        path: String,
        /// The address of the new owner.
        #[schema(min_length = 1, max_length = 254)]
        designated_email: String,
    },
    /// Makes the issue a known error.
    KnownError {
        /// The issue's line when it is omitted.
        #[schema(value_type = Option<KnownErrorEntry>)]
        entry: Option<Value>,
    },
    /// Makes its line library code, so that the caller is blamed.
    LibraryCode {
        /// The issue's line when it is omitted.
        #[schema(value_type = Option<CodeEntry>)]
        entry: Option<Value>,
    },
    /// Drops reports with such a frame.
    ThirdPartyRule {
        /// The issue's line when it is omitted.
        #[schema(value_type = Option<CodeEntry>)]
        entry: Option<Value>,
    },
    /// Drops reports of its exception type.
    IgnoreException {},
}

/// An action that was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// Its number, for `POST /actions/{id}/undo`.
    id: i64,
    /// The action in words.
    what: String,
    /// Whether it can be undone.
    can_undo: bool,
}

impl From<actions::Done> for Done {
    fn from(actions::Done { id, what, can_undo }: actions::Done) -> Self {
        Self { id, what: plain(&what), can_undo }
    }
}

/// The actions on an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActionLog {
    /// Newest first, at most 200.
    actions: Vec<LoggedAction>,
}

/// A logged action.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
pub(super) struct LoggedAction {
    id: i64,
    at: Time,
    /// An address, or the name of a token.
    who: String,
    /// The kind of action.
    kind: String,
    /// The action in words.
    what: String,
    /// Whether it can be undone.
    can_undo: bool,
    /// When it was undone.
    undone_at: Option<Time>,
    /// Who undid it.
    undone_by: Option<String>,
}

impl From<ActionRow> for LoggedAction {
    fn from(row: ActionRow) -> Self {
        Self {
            can_undo: row.undone_at.is_none() && row.has_undo,
            id: row.id,
            at: Time(row.at),
            who: plain(&row.who),
            kind: row.kind,
            what: plain(&row.what),
            undone_at: row.undone_at.map(Time),
            undone_by: row.undone_by.map(|by| plain(&by)),
        }
    }
}

/// The actions on an issue
#[utoipa::path(get, path = "/issues/{id}/actions", tag = "actions",
    params(("id" = i64, Path, minimum = 1)), responses((status = 200, body = ActionLog)))]
pub(super) async fn list(
    _caller: Caller,
    State(app): State<App>,
    At(id): At<i64>,
) -> Result<Answer<ActionLog>, Problem> {
    let issue = app.store.issue(id).await?.ok_or_else(|| Problem::no_issue(id))?;
    let rows = app.store.actions_of(issue.id, MOST_LISTED).await?;
    Ok(Answer::ok(ActionLog { actions: rows.into_iter().map(LoggedAction::from).collect() }))
}

/// Act on an issue
///
/// Requires the role developer; `email_alias` requires administrator when the address already has
/// an alias, or when the new address may not sign in.
#[utoipa::path(post, path = "/issues/{id}/actions", tag = "actions",
    params(("id" = i64, Path, minimum = 1)), request_body = NewAction,
    responses((status = 200, body = Done)))]
pub(super) async fn act(
    caller: Caller,
    State(app): State<App>,
    At(id): At<i64>,
    Json(body): Json<Value>,
) -> Result<Answer<Done>, Problem> {
    let issue = app.store.issue(id).await?.ok_or_else(|| Problem::no_issue(id))?;
    let new: NewAction = read_tagged(body, "action")?;
    let within = match &new {
        NewAction::KnownError { .. }
        | NewAction::LibraryCode { .. }
        | NewAction::ThirdPartyRule { .. } => "entry.",
        _ => "",
    };
    let action = new.of(&issue)?;
    caller.needs(action.needs())?;
    if let Action::Reassign { to: ReassignTo::Alias { .. }, .. } = &action {
        caller.needs(actions::alias_needs(&app, &issue))?;
    }
    let done = actions::act(&app, caller.actor(), action).await;
    Ok(Answer::ok(done.map_err(|error| Problem::of_action(error, within))?.into()))
}

/// Undo an action
///
/// Requires the role that the action itself requires.
#[utoipa::path(post, path = "/actions/{id}/undo", tag = "actions",
    params(("id" = i64, Path, minimum = 1)), responses(
        (status = 200, body = Done),
        (status = 409, description = "The action cannot be undone, or something changed since.",
            body = super::problem::Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn undo(
    caller: Caller,
    State(app): State<App>,
    At(id): At<i64>,
) -> Result<Answer<Done>, Problem> {
    caller.needs(flawless_core::Role::Developer)?;
    if let Some(row) = app.store.action(id).await?
        && let Some(role) = row.undo_needs()
    {
        caller.needs(role)?;
    }
    Ok(Answer::ok(actions::undo(&app, caller.actor(), id).await?.into()))
}

impl NewAction {
    fn of(self, issue: &IssueRow) -> Result<Action, Problem> {
        let id = issue.id;
        let of_line = |list, entry| for_line(list, entry, issue);
        Ok(match self {
            Self::Mute { until } => {
                let until = until.map_or(MUTED_FOR_EVER, |Time(until)| until);
                Action::Mute { issue: id, until: Some(until) }
            }
            Self::Unmute {} => Action::Mute { issue: id, until: None },
            Self::Resolve { commit } => Action::Resolve { issue: id, commit },
            Self::Reopen {} => Action::Reopen { issue: id },
            Self::Notify { again } => Action::Notify { issue: id, again },
            Self::BlameInstead { suspect } => {
                let suspect = usize::try_from(suspect).unwrap_or(usize::MAX);
                Action::BlameInstead { issue: id, suspect }
            }
            Self::EmailAlias { new_email } => {
                Action::Reassign { issue: id, to: ReassignTo::Alias { new_email } }
            }
            Self::Reassign { path, designated_email } => {
                Action::Reassign { issue: id, to: ReassignTo::Reassign { path, designated_email } }
            }
            Self::KnownError { entry } => of_line(RuleList::KnownErrors, entry)?,
            Self::LibraryCode { entry } => of_line(RuleList::BuildingBlocks, entry)?,
            Self::ThirdPartyRule { entry } => of_line(RuleList::ThirdPartyWhitelist, entry)?,
            Self::IgnoreException {} => {
                let entry = json!(issue.facts.exception_type);
                Action::AddRule { list: RuleList::IgnoredExceptions, entry, issue: Some(id) }
            }
        })
    }
}

/// The given rule, or else one that matches the issue's line.
fn for_line(list: RuleList, entry: Option<Value>, issue: &IssueRow) -> Result<Action, Problem> {
    let entry = match entry {
        Some(entry) => entry_of(list, entry, "entry")?,
        None => {
            let facts = &issue.facts;
            actions::rule_of_line(&facts.path, &facts.function_name, &facts.text)?
        }
    };
    Ok(Action::AddRule { list, entry, issue: Some(issue.id) })
}
