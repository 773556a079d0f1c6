//! The steps of a report between "ok" and the outbox. Each step leaves its result in rows of the
//! store, so that the next one can continue after a crash.

mod attribute;
mod bare_report;
mod batch_plan;
mod batch_writer;
mod capacity;
mod count_faults;
pub(crate) mod decide;
pub(crate) mod find_fixed;
mod find_issue;
mod freshness;
mod groups;
mod issue_facts;
mod module_sets;
mod record;
pub(crate) mod regression;
mod rule_use;
mod sent_before;
mod verdicts;

pub use attribute::run_attribution;

pub use find_fixed::run_find_fixed;

pub use record::{Recorder, record_refusals};
pub use verdicts::Verdicts;
