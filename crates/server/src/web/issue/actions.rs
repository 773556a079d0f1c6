//! What can be done about an issue, and what was done to it: a part of the issue's page.
use flawless_store::IssueRow;

use super::mute::muted_in_words;
use super::resolve::resolved_in_words;
use crate::app::App;
use crate::web::actions::done::{DoneNotice, done_notice};
use crate::web::actions::list::LogLine;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

/// What is shown of it at most.
const MAX_LOG: i64 = 50;

/// For `issue_actions.html`; a page embeds it as its field `actions`, beside its `frame`.
pub(crate) struct IssueActions {
    /// Where its actions are: `/issues/NUMBER`.
    pub(crate) at: String,
    pub(crate) muted: Option<String>,
    pub(crate) resolved: Option<String>,
    pub(crate) notified: bool,
    pub(crate) log: Vec<LogLine>,
    pub(crate) done: Option<DoneNotice>,
}

impl IssueActions {
    /// What can be done about `issue` by who looks at it.
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
            // Of another issue, it is not this page's to tell.
            done: done.filter(|done| done.issue == Some(issue.id)),
        })
    }
}
