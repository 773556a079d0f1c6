//! Channels: alerts as posts to webhooks of Slack, Discord, Microsoft Teams or Mattermost, or as
//! signed JSON. One file per kind writes the body; `run_posts` sends the posts in the outbox.

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

/// The service, and with it the format of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ChannelKind {
    /// An incoming webhook of Slack.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A workflow of Microsoft Teams that starts with a webhook.
    Teams,
    /// An incoming webhook of Mattermost.
    Mattermost,
    /// A program of one's own that receives signed JSON.
    Json,
}

impl ChannelKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Slack, Self::Discord, Self::Teams, Self::Mattermost, Self::Json];

    /// The name in the store and on the command line.
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
