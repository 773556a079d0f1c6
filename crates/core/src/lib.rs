//! The domain of Flawless: which line is to blame, who owns it, whether to notify.
//!
//! Invariant: nothing here does I/O, reads a clock or awaits; every function is a plain value in,
//! plain value out, and a decision ("nobody, because …") is a value, not an error. `clippy.toml`
//! and this crate's manifest enforce it.

mod address;
mod alert;
mod answerable;
mod automation;
mod blame;
mod breadcrumb;
mod carried;
mod chain;
mod choice;
mod code_owners;
mod code_owners_line;
mod code_pattern;
mod context;
mod deployed_path;
mod digest_schedule;
mod environments;
mod fingerprint;
mod frame_kind;
mod human;
mod issue_identity;
pub mod language;
mod one_program;
mod outcome;
mod owner;
mod path_glob;
mod path_index;
mod path_patterns;
mod process;
mod quoted_text;
mod report;
mod report_bounds;
mod role;
mod rules;
mod successor;
mod text;
mod text_stands;
mod trailers;
mod tree_links;
mod web_request;
mod wrapper;

pub use address::{AddressPolicy, is_mailable, is_read_by_nobody};
pub use alert::{
    AlertPolicy, Decision, QuietReason, Recipients, Recurrence, Tally, decide, recipients,
};
pub use answerable::answerable;
pub use automation::{AutomationPatterns, BUILT_IN_AUTOMATION};
pub use blame::{Blame, CommitId, Confidence, Developer, LaterChange, LaterKind, LineOrigin};
pub use breadcrumb::Breadcrumb;
pub use carried::{ExceptionAt, faults};
pub use chain::{ChainedException, Relation};
pub use choice::{
    BlameFrame, BlamedLine, Choice, ChoiceSettings, Dropped, FramePath, NoLine, ResolvedFrame,
    Verdict, choose, dropped, resolve_frames,
};
pub use code_owners::{CodeOwners, CodeOwnersWarning, Owners, code_owners_paths};
pub use code_pattern::CodePattern;
pub use context::Context;
pub use deployed_path::is_foreign_folder;
pub use digest_schedule::{Budget, HOUR_MS, PendingDigest, digest_due_at};
pub use environments::{NotifiedEnvironments, matches_pattern};
pub use fingerprint::{Fingerprint, NoFingerprint, place_key, trace_fingerprint};
pub use frame_kind::{FrameKind, hot_function_threshold};
pub use human::{CommitPeople, Human, human_of};
pub use issue_identity::{generated_identity, line_identity, line_to_show, text_identity};
pub use one_program::{SuggestedFile, of_one_program};
pub use outcome::OutcomeKind;
pub use owner::{Owner, owner_of};
pub use path_glob::CodeOwnersDialect;
pub use path_index::{PathIndex, PathMatch, PathPrefix, PathRule, PathSettings};
pub use path_patterns::{PathPatterns, PatternError};
pub use process::Process;
pub use quoted_text::{QuotedText, REDACTED};
pub use report::{Frame, Report};
pub use role::{ROLES, Role};
pub use rules::{
    EmailAlias, KnownError, LibraryCode, Reassignment, RuleId, Rules, ThirdPartyRule, Watcher,
};
pub use successor::{CodeOwner, author_gone, busiest_committer, owner_by_code_owners};
pub use text::fold_white_space;
pub use text_stands::{FileLines, QuotedLines};
pub use trailers::{TrailerPerson, TrailerRole, parse_trailers};
pub use web_request::WebRequest;
pub use wrapper::{WrapperSource, is_named_as_wrapper, is_wrapper};
