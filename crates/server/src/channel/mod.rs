//! Channels: alerts as posts to Slack, Discord, Microsoft Teams, Mattermost, or signed JSON, by
//! webhook. One file per kind writes its body; `run_posts` sends what is in the outbox.

mod client;
mod discord;
mod json;
mod mattermost;
mod post;
mod public_addresses;
mod send;
mod signature;
mod slack;
mod target;
mod teams;
mod texts;

pub use client::{Answer, PostClient};
pub use post::{NewPosts, posts, trial_body};
pub use send::run_posts;
pub use signature::new_signing_key;
pub use target::{belongs_to, check_resolved, check_url, shown};

/// What understands a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ChannelKind {
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A workflow of Microsoft Teams that posts what a webhook gets.
    Teams,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// A program of your own that gets signed JSON.
    Json,
}

impl ChannelKind {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Slack, Self::Discord, Self::Teams, Self::Mattermost, Self::Json];

    /// As the store and the command line name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Teams => "teams",
            Self::Mattermost => "mattermost",
            Self::Json => "json",
        }
    }

    /// The kind with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
