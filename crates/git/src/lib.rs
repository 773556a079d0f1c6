//! A mirror of a repository: which files it has, what a line says, where a line was born.
//!
//! Invariant: everything that comes from a report or a repository is hostile. A revision becomes an
//! argument of git only as a full commit id, a path only after `--` or after a commit id and a
//! colon, and only when it came from git's own list of files.

mod blamer;
mod blocking;
mod branches;
mod clock;
mod clone;
mod commit_info;
mod error;
mod facts;
mod fetching;
mod function_lines;
mod git_blame;
mod history;
mod ignore_revs;
mod line_tracer;
mod locate;
mod mirror;
mod mirror_blame;
mod natural_order;
mod open_mirrors;
mod pins;
pub mod process;
mod repository;
mod revision_name;
mod source;
mod source_text;
mod standing;
mod submodules;
mod tip;
pub mod tracer;
mod tree;

pub use branches::probe_remote;
pub use error::GitError;
pub use facts::{Fact, FactKey, FactStore, Later};
pub use fetching::{FETCH_ASKED_EVERY, FetchTicket};
pub use history::Change;
pub use ignore_revs::IgnoreRevs;
pub use line_tracer::{Engine, Judgement};
pub use locate::{Located, LocatedLine, NotBlamed, ReportedLine, Revision};
pub use mirror::{Mirror, MirrorSettings};
pub use open_mirrors::close_idle;
pub use repository::{Named, Repository};
pub use source::{Source, hide_credentials};
pub use source_text::source_text;
pub use standing::Standing;
pub use tip::Tip;
