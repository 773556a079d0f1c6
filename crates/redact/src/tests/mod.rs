//! Tests of texts that must vanish or stay, and of hostile texts.

mod environment;
mod harmless;
mod hostile;
mod missing;
mod names;
mod near_misses;
mod pairs;
mod rules;
mod slow;
mod values;
mod written;

use std::sync::LazyLock;
use std::time::Duration;

use super::{Redactor, Rules};

/// With all built-in rules and an empty environment.
static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(&Rules::default(), []).expect("the built-in rules are valid"));

fn redactor() -> &'static Redactor {
    &REDACTOR
}

/// CPU time of this thread, because other tests run at the same time.
fn time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a system like Linux");
    let ran = stat.split(' ').next().expect("a number").parse().expect("a number");
    Duration::from_nanos(ran)
}
