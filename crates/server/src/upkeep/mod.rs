//! Jobs that run on a schedule, independent of reports.

pub(crate) mod mirror;
pub(crate) mod node;
pub(crate) mod projects;
pub(crate) mod retention;
pub(crate) mod rules;
pub(crate) mod weekly;

pub use mirror::run_mirrors;
pub use node::{node_name, run_node};
pub use projects::run_projects;
pub use retention::run_maintenance;
pub use rules::run_rules;
pub use weekly::run_weekly;
