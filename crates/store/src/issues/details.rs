//! What is known about an issue's line besides its author: how it was found, what happened to it
//! since, and the other suspects.
use flawless_core::{
    AddressPolicy, CommitId, Confidence, Developer, LaterChange, Owner, Owners, PathRule, Rules,
    answerable, is_mailable, is_read_by_nobody,
};
use serde::{Deserialize, Serialize};

use crate::{IssueRow, RefusedAddress};

/// Stored with the issue as JSON; fields that an older version did not write are empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IssueDetails {
    /// The author of the commit, if somebody else answers for the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Developer>,
    /// How certain it is that this is the line that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// How its file was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_rule: Option<PathRule>,
    /// The revision in which the line was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<CommitId>,
    /// How the developer was found, if they are not the commit's author.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What happened to the line since it was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<LaterChange>,
    /// Why the developer no longer answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// The person who recently changed the file most often, as a proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Developer>,
    /// The owner of the file by `CODEOWNERS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_owners: Option<Owners>,
    /// Further frames that may be at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
}

/// A frame that may be at fault instead of the blamed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Path in the repository.
    pub path: String,
    /// Line number in the running code.
    pub line: u32,
    /// Plain function name.
    pub function: String,
    /// The source line.
    pub text: String,
    /// Its author and commit; `None` when unknown.
    pub author: Option<SuspectAuthor>,
}

/// The author of a suspect's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspectAuthor {
    /// The person; `None` when only automation wrote it.
    pub developer: Option<Developer>,
    /// The commit.
    pub commit: CommitId,
    /// First line of its message.
    pub summary: String,
}

impl Suspect {
    /// The suspect in one line: place, function and author.
    pub fn in_words(&self) -> String {
        let Self { path, line, function, author, .. } = self;
        let function = if function.is_empty() { String::new() } else { format!(" in {function}") };
        let author = match author {
            Some(SuspectAuthor { developer: Some(developer), commit, .. }) => {
                format!(", {} <{}> in {}", developer.name, developer.email, commit.short())
            }
            Some(SuspectAuthor { developer: None, commit, .. }) => {
                format!(", automation in {}", commit.short())
            }
            None => String::new(),
        };
        format!("{path}:{line}{function}{author}")
    }
}

/// Why nobody reads mails to an address, as far as that is known.
pub fn unreachable(address: &str, refused: &[RefusedAddress]) -> Option<String> {
    if !is_mailable(address) {
        return Some(format!("{address:?} is not a valid mail address: give it an email alias"));
    }
    let known = refused.iter().find(|known| known.address.eq_ignore_ascii_case(address));
    match known {
        Some(known) => Some(known.why()),
        None if is_read_by_nobody(address) => {
            Some(format!("nobody reads {address}: give it an email alias"))
        }
        None => None,
    }
}

impl From<String> for IssueDetails {
    /// Empty when the text cannot be read, so that the rest of its issue is shown.
    fn from(json: String) -> Self {
        serde_json::from_str(&json).unwrap_or_default()
    }
}

impl IssueRow {
    /// The one who answers for it: see [`IssueDetails::owner`].
    pub fn owner(
        &self,
        rules: &Rules,
        policy: &AddressPolicy,
        refused: &[RefusedAddress],
    ) -> Owner {
        let facts = &self.facts;
        facts.details.owner(self.developer().as_ref(), &facts.path, rules, policy, refused)
    }
}

impl IssueDetails {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether its author no longer answers for it, because they have left.
    pub(crate) fn is_author_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// The one who answers for a line at `path` that `developer` wrote: its author, unless that
    /// address is refused or gone, else the file's owner, else the default contact. The steps
    /// explain each decision.
    pub fn owner(
        &self,
        developer: Option<&Developer>,
        path: &str,
        rules: &Rules,
        policy: &AddressPolicy,
        refused: &[RefusedAddress],
    ) -> Owner {
        let unreachable = |address: &str, is_authors: bool| -> Option<String> {
            unreachable(address, refused).or_else(|| self.gone.clone().filter(|_| is_authors))
        };
        let owners = self.code_owners.as_ref();
        let mut owner = answerable(developer, owners, path, rules, policy, &unreachable);
        let found = self.steps.iter().cloned();
        owner.steps.splice(0..0, found);
        if owner.is_fallback
            && let Some(Developer { name, email }) = &self.proposal
        {
            owner.steps.push(format!("{name} <{email}> recently changed the file most often"));
        }
        owner
    }
}
