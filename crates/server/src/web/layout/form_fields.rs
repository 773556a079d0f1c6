//! The fields of a form as data, so that all forms show errors in the same way.
use std::collections::HashMap;

use flawless_store::StoreError;

use crate::actions::ActionError;

/// The values of a sent form, by the name of the field.
pub(crate) type Typed = HashMap<String, String>;

/// One field, for `layout/form_fields.html`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormField {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) value: String,
    /// The `type` of an input.
    pub(crate) kind: &'static str,
    /// Rows of a text area; 0 for a field that is not one.
    pub(crate) rows: usize,
    /// Value and text of each choice; empty for a field that is not a selection.
    pub(crate) choices: Vec<(String, String)>,
    /// Suggestions of an input; other values may be typed.
    pub(crate) offers: Vec<String>,
    pub(crate) required: bool,
    pub(crate) problem: Option<String>,
}

/// An error, for the top of a form.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// The name of the field; empty when the error is not about one field.
    pub(crate) field: &'static str,
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

    pub(crate) fn is_chosen(&self, value: &str) -> bool {
        self.value == value
    }
}

/// Fills in the typed values.
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
    Some(ActionError::Field { name: field.name, text: "This field is required.".to_owned() })
}

/// Puts an error next to its field, and returns it for the top of the form. An error of the store
/// is passed through: a form cannot help with it.
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
