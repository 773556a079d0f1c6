//! What happens to a report between "ok" and the outbox. Each step leaves its result in rows of
//! the store, so that the next one can take it up after a crash.

mod again;
mod attribute;
mod bare_report;
mod count_faults;
mod find_issue;
mod freshness;
mod groups;
mod issue_facts;
mod keep_mirror;
mod keep_rules;
mod maintain;
mod mend;
mod module_sets;
mod notify;
mod notify_channels;
mod record;
mod room;
mod rule_use;
mod sent_before;
mod tell;
mod verdicts;
mod weekly;

pub use attribute::run_attribution;
pub use keep_mirror::run_mirror;
pub use keep_rules::run_rules;
pub use maintain::run_maintenance;
pub use mend::run_mending;
pub use notify::{UNDO_MS, run_notify};
pub use record::{Recorder, record_refusals};
pub use verdicts::Verdicts;
pub use weekly::run_weekly;
