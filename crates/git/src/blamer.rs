//! Finds who wrote a line: its origin behind moves and reindenting, and the person behind the
//! commit.
use std::sync::Arc;
use std::time::Duration;

use flawless_core::{
    AutomationPatterns, Blame, CommitId, Developer, LaterChange, LaterKind, LineOrigin, human_of,
};
use gix_mailmap::Snapshot;

use crate::blocking::blocking;
use crate::commit_info::CommitInfo;
use crate::error::GitError;
use crate::facts::{Fact, FactKey};
use crate::line_tracer::{ANSWERS_VERSION, LineTracer, Traced, line_origin, object_id};
use crate::repository::Repository;
use crate::source_text::line_of;
use crate::tracer::{Place, TraceError, WhiteSpace};

/// How many moves of a line are followed.
const MAX_MOVES: usize = 10;
/// How many commits by automation are skipped.
const MAX_OLDER: usize = 10;
const MOVE_LIMIT: Duration = Duration::from_secs(5);

/// Finds the author of a line, with the ignore list and mailmap of one tip.
#[derive(Debug, Clone)]
pub(crate) struct Blamer {
    pub(crate) tracer: LineTracer,
    pub(crate) mailmap: Arc<Snapshot>,
    pub(crate) automation: Arc<AutomationPatterns>,
    /// The tip that the lists come from.
    pub(crate) tip: CommitId,
}

impl Blamer {
    pub(crate) fn repository(&self) -> &Repository {
        &self.tracer.repository
    }

    /// Blames line `line` (from 1) of `path` at `commit`.
    ///
    /// # Errors
    /// The line does not exist, or the repository cannot be read.
    pub(crate) async fn blame(
        &self,
        commit: &CommitId,
        path: &str,
        line: u32,
    ) -> Result<Blame, GitError> {
        let traced = self.tracer.trace(commit, path, line, WhiteSpace::Ignored).await?;
        let mut later = Vec::new();
        let mut also_known = vec![traced.origin.clone()];
        // A line can only have been reindented if its text changed on the way.
        if self.reads_otherwise(&traced).await
            && let Ok(plain) = self.tracer.trace(commit, path, line, WhiteSpace::Counts).await
            && plain.origin != traced.origin
        {
            later.push(self.later(LaterKind::Reindented, plain.origin.commit.clone()).await?);
            also_known.push(plain.origin.clone());
        }
        if traced.is_guessed
            && let Some(all) = self.tracer.passing_over_none()
            && let Ok(plain) = all.trace(commit, path, line, WhiteSpace::Ignored).await
            && plain.origin != traced.origin
        {
            later.push(self.later(LaterKind::PassedOver, plain.origin.commit.clone()).await?);
            also_known.push(plain.origin.clone());
        }
        let mut origin = traced.origin.clone();
        let mut at_shallow_border = traced.at_shallow_border;
        for _ in 0..MAX_MOVES {
            let Some(place) = self.moved_from(&origin).await? else { break };
            let before = self
                .tracer
                .trace(&place.commit, &place.path, place.line, WhiteSpace::Ignored)
                .await?;
            later.push(self.later(LaterKind::Moved, origin.commit).await?);
            origin = before.origin.clone();
            at_shallow_border |= before.at_shallow_border;
            also_known.push(origin.clone());
        }
        also_known.retain(|other| *other != origin);
        also_known.dedup();
        let info = self.commit_info(&origin.commit).await?;
        let (developer, steps) = self.person(&origin, &info).await?;
        Ok(Blame {
            origin,
            author: info.people.author,
            developer,
            steps,
            authored_at: info.authored_at,
            summary: info.summary,
            text: traced.text.clone(),
            later,
            also_known,
            at_shallow_border,
        })
    }

    /// The person behind the commit of `origin`, else behind the merge that brought it, else behind
    /// the previous line; and a sentence for each step.
    async fn person(
        &self,
        origin: &LineOrigin,
        info: &CommitInfo,
    ) -> Result<(Option<Developer>, Vec<String>), GitError> {
        let mut human = human_of(&info.people, &self.automation);
        let mut steps = std::mem::take(&mut human.steps);
        let mut at = origin.clone();
        let mut passed = Vec::new();
        while human.developer.is_none() && passed.len() < MAX_OLDER {
            if let Some(merge) = self.repository().merge_of(&at.commit, &self.tip).await? {
                let people = self.commit_info(&merge).await?.people;
                if !self.automation.is_automation(&people.author) {
                    let Developer { name, email } = &people.author;
                    steps.push(format!("{name} <{email}> merged it in {}", merge.short()));
                    return Ok((Some(people.author), steps));
                }
            }
            passed.push(at.commit.clone());
            let older = self.tracer.passing_over(&passed);
            let before =
                older.trace(&origin.commit, &origin.path, origin.line, WhiteSpace::Ignored).await?;
            if passed.contains(&before.origin.commit) {
                steps.push("there was no line in its place before".into());
                break;
            }
            if before.at_shallow_border {
                steps.push("the history is cut before that (a shallow clone)".into());
                break;
            }
            at = before.origin.clone();
            human = human_of(&self.commit_info(&at.commit).await?.people, &self.automation);
            steps.push(format!("the line before it is from {}", at.commit.short()));
            steps.append(&mut human.steps);
        }
        if let (Some(Developer { name, email }), false) = (&human.developer, passed.is_empty()) {
            steps.push(format!("{name} <{email}> wrote that line"));
        }
        Ok((human.developer, steps))
    }

    async fn later(&self, kind: LaterKind, commit: CommitId) -> Result<LaterChange, GitError> {
        let developer = self.commit_info(&commit).await?.people.author;
        Ok(LaterChange { kind, commit, developer })
    }

    /// Whether the line had other text where it was born, white space included.
    async fn reads_otherwise(&self, traced: &Traced) -> bool {
        let LineOrigin { commit, path, line } = &traced.origin;
        let content = self.repository().file(commit, path).await.ok().flatten().unwrap_or_default();
        line_of(&content, *line).is_none_or(|born| born != traced.text)
    }

    /// The place where the commit that introduced the line removed the same line. If the tracer
    /// cannot answer, git is asked.
    async fn moved_from(&self, origin: &LineOrigin) -> Result<Option<LineOrigin>, GitError> {
        let key = FactKey {
            commit: origin.commit.clone(),
            path: origin.path.clone(),
            line: origin.line,
            options: format!("{ANSWERS_VERSION}moved"),
        };
        if let Some(facts) = &self.tracer.facts
            && let Some(fact) = facts.get(&key).await
        {
            return Ok((fact.origin != *origin).then_some(fact.origin));
        }
        let found = match self.tracer.tracer().await.zip(object_id(&origin.commit)) {
            Some((tracer, commit)) => {
                let options = self.tracer.options(WhiteSpace::Ignored);
                let path = origin.path.clone().into_bytes();
                let asked = Place { commit, path, line: origin.line };
                blocking(MOVE_LIMIT, move |stop| tracer.moved_from(&asked, &options, stop)).await
            }
            None => Err(TraceError::Unsupported("this repository")),
        };
        let before = match found {
            Ok(found) => found.as_ref().map(line_origin),
            Err(error) => {
                tracing::debug!(%error, "git is asked whether a line was moved");
                self.tracer.moved_by_git(origin).await?
            }
        };
        let kept = before.clone().unwrap_or_else(|| origin.clone());
        if let Some(facts) = &self.tracer.facts {
            facts.put(&key, &Fact { origin: kept, is_guessed: false }).await;
        }
        Ok(before)
    }

    /// A commit's people and dates.
    ///
    /// # Errors
    /// The commit is missing or cannot be read.
    pub(crate) async fn commit_info(&self, commit: &CommitId) -> Result<CommitInfo, GitError> {
        let raw = self.repository().commit(commit).await?;
        let hash = object_id(commit).map_or(gix_hash::Kind::Sha1, |id| id.kind());
        CommitInfo::parse(&raw, hash, &self.mailmap)
            .map_err(|message| GitError::Unexpected { command: "git cat-file".into(), message })
    }
}
