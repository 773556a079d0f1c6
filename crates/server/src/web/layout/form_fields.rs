//! The fields of a form as data, so that all forms show what is wrong in the same way.
use std::collections::HashMap;

use flawless_store::StoreError;

use crate::actions::ActionError;

/// What was typed, by the name of the field.
pub(crate) type Typed = HashMap<String, String>;

/// One field, for `form_fields.html`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormField {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) value: String,
    /// Of an input.
    pub(crate) kind: &'static str,
    /// Of a text of several lines; 0: it is no such field.
    pub(crate) rows: usize,
    /// Value and words of each choice; empty: there is nothing to choose from.
    pub(crate) choices: Vec<(String, String)>,
    /// Of an input: what is offered, and need not be taken.
    pub(crate) offers: Vec<String>,
    pub(crate) required: bool,
    pub(crate) problem: Option<String>,
}

/// What is wrong, for the top of a form.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// The field's name; empty when it is none in particular.
    pub(crate) field: &'static str,
    /// Its label.
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

impl FormField {
    pub(crate) fn text(name: &'static str, label: &'static str) -> Self {
        Self { name, label, kind: "text", ..Self::default() }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) fn choices(self, choices: &[(&str, &str)]) -> Self {
        let owned = |(value, words): &(&str, &str)| ((*value).to_owned(), (*words).to_owned());
        Self { choices: choices.iter().map(owned).collect(), ..self }
    }

    /// Whether it is the chosen one.
    pub(crate) fn is_chosen(&self, value: &str) -> bool {
        self.value == value
    }
}

/// Fills in what was typed.
pub(crate) fn fill_in(fields: &mut [FormField], typed: &Typed) {
    for field in fields {
        if let Some(value) = typed.get(field.name) {
            field.value.clone_from(value);
        }
    }
}

/// The first required field that is empty.
pub(crate) fn missing(fields: &[FormField]) -> Option<ActionError> {
    let field = fields.iter().find(|field| field.required && field.value.trim().is_empty())?;
    Some(ActionError::Field { name: field.name, text: "This is missing.".to_owned() })
}

/// Puts what is wrong beside its field, and returns it for the top; what is not the user's fault
/// is no problem of a form.
pub(crate) fn mark(fields: &mut [FormField], error: ActionError) -> Result<Problem, StoreError> {
    let (name, text) = match error {
        ActionError::Field { name, text } => (name, text),
        ActionError::NotFound(text) => ("", text),
        ActionError::Store(error) => return Err(error),
    };
    let field = fields.iter_mut().find(|field| field.name == name && !name.is_empty());
    let (name, label) = field.as_ref().map_or(("", ""), |field| (field.name, field.label));
    if let Some(field) = field {
        field.problem = Some(text.clone());
    }
    Ok(Problem { field: name, label, text })
}
