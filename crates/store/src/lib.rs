//! The only place with SQL. It runs on SQLite, embedded in this program, and on PostgreSQL, which
//! several servers may share.
//!
//! A [`Store`] belongs to one project, and so does everything that its methods read and write,
//! except what all projects share: people, sign-ins, the queue of mails and the list of projects.
//!
//! Invariant: a method that writes belongs to [`WriteTx`]; changes that belong together are made in
//! one transaction. A missing row is `Ok(None)`.

pub mod alerts;
pub mod db;
pub mod erase;
pub mod issues;
pub mod lines;
pub mod people;
pub mod projects;
pub mod reports;
pub mod rules;
pub mod sealing;
pub use alerts::alert::{AlertRow, IssueAlert};
pub use alerts::channels::{ChannelRow, NewChannel, secret_parts};
pub use alerts::notifications::{NewNotification, NotificationRow, PendingDigestRow, RecentMail};
pub use alerts::outbox::{DueMessage, MailKind, MailState, OutboxMessage, Undelivered};
pub use alerts::posts::{DuePost, PostState};
pub use alerts::queues::QueueAge;
pub use alerts::recipient::Recipient;
pub use alerts::refused::RefusedAddress;
pub use alerts::unwanted::{UnwantedKind, UnwantedMail};
pub use db::check::{DatabaseProblem, DatabaseReport};
pub use db::connect::PostgresSettings;
pub use db::copy::{CopiedTable, CopyError, ExistingData};
pub use db::error::StoreError;
pub use db::history::{SENT_JOURNAL, recreated_in_words};
pub use db::open::{make_private_folder, schema_version};
pub use erase::issue::ErasedIssue;
pub use erase::person::{PersonsCounts, PersonsData};
pub use erase::retention::Retention;
pub use issues::count::{Counted, Seen};
pub use issues::facets::{Facet, FacetRow};
pub use issues::issue::{IssueFacts, IssueRow, WeekIssue, exception_types};
pub use issues::lists::{AlertStateRow, HourCount, HourState, IndexedIssue};
pub use issues::matched::{MatchedIssue, Wanted};
pub use issues::muted::MUTED_FOR_EVER;
pub use issues::resolved::{
    FixingChange, OpenIssue, Predecessor, Regression, Resolution, ResolutionRow,
};
pub use issues::samples::{KeptSample, NewSample, Sample, encode_sample};
pub use issues::weeks::TwoWeeksIssue;
pub use lines::line_facts::StoredFacts;
pub use lines::releases::ReleaseRow;
pub use lines::running::RunningRow;
pub use people::actions::{ActionRow, NewAction};
pub use people::api_tokens::{MAX_TOKENS, NewToken, TokenRow};
pub use people::authors::{AuthorRow, PersonMail};
pub use people::roles::{GivenRole, PersonRole, RoleScope};
pub use people::sessions::{NewSession, SessionRow};
pub use people::sign_in_links::{LINK_LIFE_MS, LinkKind, LinkRow, NewLink};
pub use projects::artifacts::{ArtifactRow, ArtifactUse};
pub use projects::keys::KeyRow;
pub use projects::project::{ProjectRow, ProjectWeeks};
pub use projects::remove::ProjectSize;
pub use projects::settings::SettingRow;
pub use reports::losses::LossRow;
pub use reports::outcomes::OutcomeRow;
pub use reports::pending::{CountedBefore, NewPending, PendingRow, TakenPending, WaitsFor};
pub use reports::quotas::{DayUse, Quota, Quotas, Used, UsedUp};
pub use reports::recorded_ids::RecordedIds;
pub use rules::document::{RuleDocument, is_pickle, read_document};
pub use rules::hits::{RuleHits, RuleMatches};
pub use rules::lists::{RULE_LISTS, RuleInputError, RuleList};
pub use rules::rule::{AddedRule, RuleEntry};

use std::collections::BTreeSet;

use crate::db::pool::{Pool, Tx};
use crate::issues::revision::Revisions;
use crate::sealing::Sealing;

/// The number of a project.
pub type ProjectId = i64;

/// The first project, which every store has.
pub const DEFAULT_PROJECT: ProjectId = 1;

/// An open database, as one project sees it.
#[derive(Debug, Clone)]
pub struct Store {
    readers: Pool,
    writer: Pool,
    sealing: Sealing,
    project: ProjectId,
}

/// A transaction that writes. Its changes take effect with [`WriteTx::commit`].
#[derive(Debug)]
pub struct WriteTx {
    tx: Tx,
    sealing: Sealing,
    project: ProjectId,
    revisions: Revisions,
}

impl Store {
    /// The same database for another project.
    #[must_use]
    pub fn of(&self, project: ProjectId) -> Self {
        Self { project, ..self.clone() }
    }

    /// The project that it belongs to.
    pub fn project_id(&self) -> ProjectId {
        self.project
    }

    /// Begins to write to the project. Whoever writes to it next waits for the end of this
    /// transaction.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn write(&self) -> Result<WriteTx, StoreError> {
        let tx = self.writer.begin_write(self.project).await?;
        let (sealing, project) = (self.sealing.clone(), self.project);
        Ok(WriteTx { tx, sealing, project, revisions: Revisions::default() })
    }
}

impl WriteTx {
    /// Goes on with another project, in the same transaction. On PostgreSQL it is locked like the
    /// first one: whoever writes to several projects enters them by number, so that two such
    /// transactions never wait for each other in turn.
    pub fn enter(&mut self, project: ProjectId) {
        self.project = project;
        self.tx.lock_projects(std::iter::once(project));
    }

    /// Locks several projects, and enters the last one. Returns those that are there: another
    /// process may have removed one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn enter_all(
        &mut self,
        projects: BTreeSet<ProjectId>,
    ) -> Result<BTreeSet<ProjectId>, StoreError> {
        let Some(last) = projects.last() else { return Ok(projects) };
        self.project = *last;
        self.tx.lock_projects(projects.iter().copied());
        let projects: Vec<ProjectId> = projects.into_iter().collect();
        self.projects_there(&projects).await
    }

    /// The project that it writes to.
    pub fn project_id(&self) -> ProjectId {
        self.project
    }

    /// Makes all changes durable before it returns.
    ///
    /// # Errors
    /// The disk or the database failed; then nothing was changed. Only when the connection to
    /// PostgreSQL breaks at this very moment may it be done all the same.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.tx.commit().await?)
    }
}
