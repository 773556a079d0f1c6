//! What must vanish, what must stay, and what hostile texts do.

mod environment;
mod harmless;
mod hostile;
mod names;
mod pairs;
mod rules;
mod values;

use super::{Redactor, Rules};

/// With all built-in rules and an empty environment.
fn redactor() -> Redactor {
    Redactor::new(&Rules::default(), []).expect("the built-in rules are valid")
}
