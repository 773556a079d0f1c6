//! Read-only queries for pages, the JSON API and the command line.
pub mod health;
pub mod issues;
pub mod people;
pub mod projects;
pub mod rule_preview;
pub mod setup;

use health::HealthMemory;
use issues::ListMemory;
use people::AuthorWeeks;
use projects::WeeksMemory;
use rule_preview::PreviewTurn;
use setup::MailServerAnswer;

/// Cached answers, so that repeated queries are quick.
#[derive(Debug, Default)]
pub struct QueryMemory {
    /// For lists of issues.
    pub lists: ListMemory,
    /// For health checks.
    pub health: HealthMemory,
    /// The mail server's last answer.
    pub mail_server: MailServerAnswer,
    /// Occurrences of the week by author.
    pub author_weeks: AuthorWeeks,
    /// The weeks of all projects.
    pub project_weeks: WeeksMemory,
    /// Serializes rule previews.
    pub preview_turn: PreviewTurn,
}
