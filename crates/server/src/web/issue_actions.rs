//! What can be done about an issue, and what was done to it: a part of the issue's page.
use super::action_done::{DoneNotice, done_notice};
use super::action_list::LogLine;
use super::issue_mend::mended_in_words;
use super::issue_mute::muted_in_words;
use super::layout::PageError;
use super::visitor::Frame;
use crate::state::Shared;
use crate::store::IssueRow;

/// What is shown of it at most.
const MAX_LOG: i64 = 50;

/// For `issue_actions.html`; a page embeds it as its field `actions`, beside its `frame`.
pub(super) struct IssueActions {
    /// Where its actions are: `/issues/NUMBER`.
    pub(super) at: String,
    pub(super) muted: Option<String>,
    pub(super) mended: Option<String>,
    pub(super) told: bool,
    pub(super) log: Vec<LogLine>,
    pub(super) done: Option<DoneNotice>,
}

impl IssueActions {
    /// What can be done about `issue` by who looks at it.
    pub(super) async fn read(
        shared: &Shared,
        issue: &IssueRow,
        frame: &Frame,
    ) -> Result<Self, PageError> {
        let log = shared.store.actions_of(issue.id, MAX_LOG).await?;
        let done = done_notice(shared, frame).await?;
        Ok(Self {
            at: format!("/issues/{}", issue.id),
            muted: muted_in_words(shared, issue),
            mended: mended_in_words(shared, issue),
            told: issue.told_at.is_some(),
            log: log.iter().map(|action| LogLine::of(action, shared, frame)).collect(),
            // Of another issue, it is not this page's to tell.
            done: done.filter(|done| done.issue == Some(issue.id)),
        })
    }
}
