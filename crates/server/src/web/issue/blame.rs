//! The box on an issue's page that says who is blamed, why, and who the owner is.
use flawless_base::text::{one_line, plain};
use flawless_core::{Owner, Rules};
use flawless_store::{IssueRow, Sample, StoreError};

use crate::app::App;
use crate::show::why::{
    author_of, confidence_in_words, hint, other_origin, passed_over, way_to_owner,
};
use crate::web::layout::moment::Moment;

pub(crate) struct BlameBox {
    /// `None` when nobody is blamed.
    pub(crate) commit: Option<CommitPart>,
    /// How the line was found, or why nobody is blamed.
    pub(crate) reason: String,
    pub(crate) confidence: Option<&'static str>,
    /// Frames that were passed over, innermost first.
    pub(crate) passed_over: Vec<String>,
    /// The steps from the author to the owner.
    pub(crate) way: Vec<String>,
    pub(crate) hint: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) suspects: Vec<SuspectPart>,
}

pub(crate) struct CommitPart {
    pub(crate) short_id: String,
    pub(crate) id: String,
    pub(crate) url: Option<String>,
    pub(crate) summary: String,
    pub(crate) author: String,
    pub(crate) date: Option<Moment>,
    pub(crate) origin: Option<String>,
}

/// A frame that may be at fault instead.
pub(crate) struct SuspectPart {
    pub(crate) words: String,
    pub(crate) text: String,
    pub(crate) url: Option<String>,
}

impl BlameBox {
    pub(crate) async fn of(
        app: &App,
        issue: &IssueRow,
        rules: &Rules,
        sample: Option<&Sample>,
    ) -> Result<Self, StoreError> {
        let refused = app.store.refused_addresses(app.clock.now()).await?;
        let details = &issue.facts.details;
        let owner: Owner = issue.owner(rules, &app.config.addresses, &refused);
        let facts = &issue.facts;
        let commit = facts.origin_commit.as_ref().map(|id| CommitPart {
            short_id: id.chars().take(12).collect(),
            id: one_line(id, 64),
            url: app.config.forges.origin(facts.origin_commit.as_deref(), &facts.path),
            summary: one_line(facts.commit_summary.as_deref().unwrap_or_default(), 200),
            author: author_of(issue),
            date: facts.authored_at.map(|at| Moment::new(at, app)),
            origin: other_origin(issue),
        });
        let forges = &app.config.forges;
        let suspect = |suspect: &flawless_store::issues::details::Suspect| SuspectPart {
            words: one_line(&suspect.in_words(), 400),
            text: one_line(&suspect.text, 300),
            url: details.revision.as_ref().and_then(|revision| {
                forges.line(revision.as_str(), &suspect.path, i64::from(suspect.line))
            }),
        };
        Ok(Self {
            reason: plain(&facts.reason),
            confidence: details.confidence.filter(|_| commit.is_some()).map(confidence_in_words),
            passed_over: sample.map(passed_over).unwrap_or_default(),
            way: way_to_owner(details, &owner),
            hint: hint(app, issue, &owner),
            suspects: details.suspects.iter().map(suspect).collect(),
            owner: owner.address,
            commit,
        })
    }
}
