//! A mirror of a repository: which files it has, what a line says, where a line was born.
//!
//! Invariant: everything that comes from a report or a repository is hostile. A revision
//! becomes an argument of git only as a full commit id, a path only behind `--` or behind a
//! commit id and a colon, and only when it came out of git's own list of files.

mod branches;
mod error;
mod git_blame;
mod ignore_revs;
mod locate;
mod mirror;
mod natural_order;
pub mod process;
mod repository;
mod source;
pub mod tracer;

pub use branches::probe_remote;
pub use error::GitError;
pub use git_blame::{GitBlame, LineTracer};
pub use locate::{Located, NotLocated, ReportedLine};
pub use mirror::{Mirror, MirrorSettings, Tip};
pub use repository::Repository;
pub use source::{Source, hide_credentials};
