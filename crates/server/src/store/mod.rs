//! The only place with SQL: one embedded database, one writer, many readers.
//!
//! Invariant: a method that writes belongs to [`WriteTx`]; what has to happen together happens
//! in one. A missing row is `Ok(None)`.

mod actions;
mod alerts;
mod api_tokens;
mod channels;
mod dialect;
mod erase;
mod erase_person;
mod error;
mod facets;
mod functions_seen;
mod history;
mod issue_hours;
mod issue_merge;
mod issues;
mod known_errors;
mod line_facts;
mod lists;
mod losses;
mod maintenance;
mod matched;
mod mended;
mod module_sets;
mod muted;
mod notices;
mod open;
mod outbox;
mod outcomes;
mod pending;
mod people;
mod person_roles;
mod posts;
mod projects;
mod quotas;
mod recorded_ids;
mod refused;
mod rule_document;
mod rule_hits;
mod rule_list;
mod rules;
mod running;
mod samples;
mod secrets;
mod sessions;
mod sign_in_links;
mod unwanted;
mod weeks;

pub use actions::{ActionRow, NewAction};
pub use alerts::{AlertRow, IssueAlert};
pub use api_tokens::{MAX_TOKENS, NewToken, TokenRow};
pub use channels::{ChannelRow, NewChannel, channel_number, channel_recipient, secret_parts};
pub use erase::ErasedIssue;
pub use erase_person::{PersonsCounts, PersonsData};
pub use error::StoreError;
pub use facets::{Facet, FacetRow};
pub use history::{SENT_JOURNAL, begun_anew_in_words};
pub use issues::{Counted, IssueFacts, IssueRow, Seen, WeekIssue, exception_types};
pub use line_facts::StoredFacts;
pub use lists::{HOUR_SUM_BOUND, HourCount, HourSums, IssueHead, ToldRow};
pub use losses::LossRow;
pub use maintenance::{QueueAge, Retention};
pub use matched::{MatchedIssue, Wanted};
pub use mended::{MendedRow, OpenIssue, Predecessor};
pub use muted::MUTED_FOR_EVER;
pub use notices::{HeldRow, NewNotice, NoticeRow, RecentMail};
pub use open::{make_private_folder, schema_version};
pub use outbox::{DueMail, MailKind, MailState, NewMail, Undelivered};
pub use outcomes::OutcomeRow;
pub use pending::{CountedBefore, NewPending, PendingRow, TakenPending};
pub use people::{AuthorRow, PersonMail};
pub use person_roles::{GivenRole, PersonRole};
pub use posts::{DuePost, PostState};
pub use projects::ProjectRow;
pub use quotas::{DayUse, Quota, Quotas, Used, UsedUp};
pub use recorded_ids::RecordedIds;
pub use refused::RefusedAddress;
pub use rule_document::{RuleDocument, is_pickle, read_document};
pub use rule_hits::{RuleHits, RuleMatches};
pub use rule_list::{RULE_LISTS, RuleInputError, RuleList};
pub use rules::{AddedRule, RuleEntry};
pub use running::RunningRow;
pub use samples::{KeptSample, Sample, encode_sample};
pub use sessions::{NewSession, SessionRow};
pub use sign_in_links::{LINK_LIFE_MS, LinkKind, LinkRow, NewLink};
pub use unwanted::{UnwantedKind, UnwantedMail};
pub use weeks::TwoWeeksIssue;

use sqlx::sqlite::SqlitePool;

use crate::sealing::Sealing;

/// The one project there is for now; every table that needs it has it from the start.
pub const PROJECT: i64 = 1;

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    sealing: Sealing,
}

/// A transaction that writes. Nothing it did counts before [`WriteTx::commit`].
#[derive(Debug)]
pub struct WriteTx(sqlx::Transaction<'static, sqlx::Sqlite>, Sealing);

impl Store {
    /// Begins to write; waits for the writer before.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn write(&self) -> Result<WriteTx, StoreError> {
        let transaction = self.writer.begin_with(dialect::BEGIN_WRITE).await?;
        Ok(WriteTx(transaction, self.sealing.clone()))
    }
}

impl WriteTx {
    /// Makes everything durable. When this returns, it is.
    ///
    /// # Errors
    /// The disk or the database refuses; then nothing was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}
