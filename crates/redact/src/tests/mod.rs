//! What must vanish, what must stay, and what hostile texts do.

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

use super::{Redactor, Rules};

/// With all built-in rules and an empty environment.
static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(&Rules::default(), []).expect("the built-in rules are valid"));

fn redactor() -> &'static Redactor {
    &REDACTOR
}
