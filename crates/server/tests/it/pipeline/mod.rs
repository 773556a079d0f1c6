//! From a report to its issue.
mod attribution;
mod carried;
mod fresh_mirror;
mod line_identity;
mod module_sets;
mod regressions;
mod reported_cases;
mod which_frame;
