//! The part of an issue's page with its buttons and the log of actions.
use flawless_store::IssueRow;

use super::mute::muted_in_words;
use super::resolve::resolved_in_words;
use crate::app::App;
use crate::web::actions::done::{DoneNotice, done_notice};
use crate::web::actions::list::LogLine;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

/// The log shows at most this many actions.
const MAX_LOG: i64 = 50;

/// For `issue/actions.html`; a page embeds it as its field `actions`, next to `context`.
pub(crate) struct IssueActions {
    /// The address that the forms post below: `/issues/NUMBER`.
    pub(crate) at: String,
    pub(crate) muted: Option<String>,
    pub(crate) resolved: Option<String>,
    pub(crate) notified: bool,
    pub(crate) log: Vec<LogLine>,
    pub(crate) done: Option<DoneNotice>,
}

impl IssueActions {
    /// Reads the state and the log of `issue`, with the undos that the visitor may use.
    pub(crate) async fn read(
        app: &App,
        issue: &IssueRow,
        context: &PageContext,
    ) -> Result<Self, PageError> {
        let log = app.store.actions_of(issue.id, MAX_LOG).await?;
        let done = done_notice(app, context).await?;
        Ok(Self {
            at: format!("/issues/{}", issue.id),
            muted: muted_in_words(app, issue),
            resolved: resolved_in_words(app, issue),
            notified: issue.notified_at.is_some(),
            log: log.iter().map(|action| LogLine::of(action, app, context)).collect(),
            // An action on another issue does not belong on this page.
            done: done.filter(|done| done.issue == Some(issue.id)),
        })
    }
}
