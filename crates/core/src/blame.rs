//! Where a line of code was born and who wrote it.
use std::fmt;

use serde::{Deserialize, Serialize};

/// A full commit id: 40 or 64 lower-case hexadecimal digits. It can hold nothing else, so it is
/// safe as an argument of the git program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// The id, if `text` is a full one.
    pub fn parse(text: &str) -> Option<Self> {
        let full = matches!(text.len(), 40 | 64);
        let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (full && hex).then(|| Self(text.to_owned()))
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CommitId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a full commit id"))
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

/// Commit, path and line number where a line was born: the identity of a line of code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LineOrigin {
    /// The commit that introduced the line.
    pub commit: CommitId,
    /// The path of its file in that commit.
    pub path: String,
    /// Its line number there, from 1.
    pub line: u32,
}

/// A person as a commit names them, `.mailmap` applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Developer {
    /// Full name.
    pub name: String,
    /// Mail address as committed, without angle brackets; may be empty or not an address at all.
    pub email: String,
}

/// Where a line was born, and who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// Where the line was born: moves, reindenting and ignored commits are skipped.
    pub origin: LineOrigin,
    /// The author of the commit that introduced it, possibly automation.
    pub author: Developer,
    /// The person who answers for it; `None` when only automation wrote it.
    pub developer: Option<Developer>,
    /// How this developer was found, in sentences; empty when it is the commit's author.
    pub steps: Vec<String>,
    /// Author date of the commit that introduced the line, milliseconds since 1970 UTC.
    pub authored_at: i64,
    /// First line of that commit's message.
    pub summary: String,
    /// The text of the line in the revision that was searched, without its line break.
    pub text: String,
    /// What happened to the line since, the newest first.
    pub later: Vec<LaterChange>,
    /// Its origins when less is skipped: white space, moves and ignored commits. An issue may have
    /// been created under one of these.
    pub also_known: Vec<LineOrigin>,
    /// The history was cut here (a shallow clone): the line is this old or older.
    pub at_shallow_border: bool,
}

/// A change that did not alter what the line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterChange {
    /// The kind of change.
    pub kind: LaterKind,
    /// The commit that made it…
    pub commit: CommitId,
    /// …and its author.
    pub developer: Developer,
}

/// Kinds of changes that do not alter what a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaterKind {
    /// It was elsewhere before, in this file or another one.
    Moved,
    /// Only its white space was changed.
    Reindented,
    /// A commit on the ignore list changed it.
    PassedOver,
}

impl fmt::Display for LaterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, commit, developer } = self;
        let kind = match kind {
            LaterKind::Moved => "moved",
            LaterKind::Reindented => "reindented",
            LaterKind::PassedOver => "changed",
        };
        write!(f, "{kind} by {} <{}> in {}", developer.name, developer.email, commit.short())?;
        match self.kind {
            LaterKind::PassedOver => f.write_str(", which is on the ignore list"),
            _ => Ok(()),
        }
    }
}

/// How certain it is that a line is the one that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Its text agrees in the revision that ran.
    Exact,
    /// It is the line of the revision that ran; the report has no text to compare with.
    Unconfirmed,
    /// The running revision is not known; the text agrees at the tip of the branch.
    Tip,
    /// The running revision is not known, or not the one that was named: the text agrees in an
    /// earlier one.
    Earlier,
    /// The same text is elsewhere in the same function.
    ByText,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Unconfirmed => "unconfirmed",
            Self::Tip => "at the tip",
            Self::Earlier => "in an earlier revision",
            Self::ByText => "by text",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CommitId;

    #[test]
    fn commit_ids_are_full_and_lower_case() {
        assert!(CommitId::parse(&"0a".repeat(20)).is_some());
        assert!(CommitId::parse(&"0a".repeat(32)).is_some());
        for text in ["", "0a", "--contents=/etc/hostname", &"0A".repeat(20), &"g0".repeat(20)] {
            assert!(CommitId::parse(text).is_none(), "{text:?}");
        }
    }
}
