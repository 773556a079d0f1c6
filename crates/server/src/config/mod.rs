//! Configuration in two stages: as typed (`file`), then resolved and validated (`resolve`).
//! The rest of the program sees only [`Config`].

mod browsed_url;
mod choosing;
mod client_url;
mod error;
mod file;
pub mod forge;
mod forge_page;
mod ini;
mod limits;
mod mailing;
mod mirror_intervals;
mod of_project;
mod option_def;
mod options;
mod print;
mod projects_file;
mod redacting;
mod resolve;
mod signing_in;
mod typed;
mod write;

pub use browsed_url::with_port;
pub use error::ConfigError;
pub use file::RawConfig;
pub use mailing::{Leaderboard, MailLocals, MailSettings, SmtpConfig, SmtpSecurity, SubjectStyle};
pub use mirror_intervals::MirrorIntervals;
pub use of_project::{PROJECT_OPTIONS, check_project_option, for_administrators_of_all};
pub use option_def::{OptionDef, OptionType};
pub use options::{OPTIONS, find_option};
pub use print::{options_markdown, options_text};
pub use projects_file::{ProjectSection, read_projects};
pub use redacting::RedactionConfig;
pub use resolve::Config;
pub use signing_in::{OpenIdConfig, SignInConfig};
pub use write::write_config;
