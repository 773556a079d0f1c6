//! What people ask. It reads only.
pub mod health;
pub mod issues;
pub mod people;
pub mod rule_preview;
pub mod setup;

use health::HealthMemory;
use issues::ListMemory;
use people::AuthorWeeks;
use rule_preview::PreviewTurn;
use setup::MailServerAnswer;

/// What is kept in memory so that asking again is quick.
#[derive(Debug, Default)]
pub struct QueryMemory {
    /// Of lists of issues.
    pub lists: ListMemory,
    /// Of the parts of the server.
    pub health: HealthMemory,
    /// Of the mail server.
    pub mail_server: MailServerAnswer,
    /// Of the people.
    pub author_weeks: AuthorWeeks,
    /// Of rules that are not there yet.
    pub preview_turn: PreviewTurn,
}
