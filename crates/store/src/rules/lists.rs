//! The seven lists of rules: their names, and their entries with the names and the JSON of 0.4.5.
use flawless_core::{CodePattern, EmailAlias, KnownError, Reassignment, Watcher, is_mailable};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;

/// A list of rules, by the name it has had since 0.4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation: see `as_str`")]
pub enum RuleList {
    KnownErrors,
    BuildingBlocks,
    ThirdPartyWhitelist,
    IgnoredExceptions,
    WatchList,
    DisownershipList,
    EmailRemapping,
}

/// All lists, in the order in which they are shown.
pub const RULE_LISTS: [RuleList; 7] = [
    RuleList::KnownErrors,
    RuleList::BuildingBlocks,
    RuleList::ThirdPartyWhitelist,
    RuleList::IgnoredExceptions,
    RuleList::WatchList,
    RuleList::DisownershipList,
    RuleList::EmailRemapping,
];

/// Longest text in an entry.
const MAX_TEXT: usize = 5_000;
/// Most addresses in an entry.
const MAX_ADDRESSES: usize = 100;

/// Why a rule from outside is refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleInputError {
    /// It is not an entry of this list.
    #[error("{text}")]
    Invalid {
        /// The invalid field, if only one is.
        field: Option<&'static str>,
        /// What is wrong, in a sentence.
        text: String,
    },
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RuleList {
    /// The list with this name.
    pub fn parse(name: &str) -> Option<Self> {
        RULE_LISTS.into_iter().find(|list| list.as_str() == name)
    }

    /// Its name in commands, pages and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KnownErrors => "known_errors",
            Self::BuildingBlocks => "building_blocks",
            Self::ThirdPartyWhitelist => "third_party_whitelist",
            Self::IgnoredExceptions => "ignored_exceptions",
            Self::WatchList => "watch_list",
            Self::DisownershipList => "disownership_list",
            Self::EmailRemapping => "email_remapping",
        }
    }

    /// The name that people see.
    pub fn title(self) -> &'static str {
        match self {
            Self::KnownErrors => "Known errors",
            Self::BuildingBlocks => "Library code",
            Self::ThirdPartyWhitelist => "Third-party rules",
            Self::IgnoredExceptions => "Ignored exceptions",
            Self::WatchList => "Watchers",
            Self::DisownershipList => "Reassignments",
            Self::EmailRemapping => "Email aliases",
        }
    }

    /// The fields an entry may have.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::KnownErrors => &[
                "filename",
                "function_name",
                "code_fragment",
                "min_alert_threshold",
                "max_alert_threshold",
                "alert_every_n_occurrences",
                "email_recipients",
                "email_header",
            ],
            Self::BuildingBlocks | Self::ThirdPartyWhitelist => {
                &["filename", "function_name", "code_fragment"]
            }
            Self::IgnoredExceptions => &[],
            Self::WatchList => &["filepath", "email", "watch_all_errors"],
            Self::DisownershipList => &["filepath", "email", "designated_email"],
            Self::EmailRemapping => &["old_email", "new_email"],
        }
    }

    /// Checks an entry and returns its normal form.
    ///
    /// # Errors
    /// It is not an entry of this list; the text says what is wrong.
    pub fn normalize(self, entry: &Value) -> Result<Value, RuleInputError> {
        if let Value::Object(map) = entry
            && let Some(odd) = map.keys().find(|key| !self.fields().contains(&key.as_str()))
        {
            let known = self.fields().join(", ");
            let odd: String = odd.chars().take(100).collect();
            return Err(invalid(format!("unknown field {odd:?}; an entry may have: {known}")));
        }
        self.bounded(entry)?;
        match self {
            Self::KnownErrors => {
                let rule: KnownError = self.read(entry)?;
                required("filename", &rule.pattern.filename)?;
                let mut to = rule.email_recipients.iter();
                to.try_for_each(|address| mailable("email_recipients", address))?;
                normal(&rule)
            }
            Self::BuildingBlocks | Self::ThirdPartyWhitelist => {
                let rule: CodePattern = self.read(entry)?;
                required("filename", &rule.filename)?;
                normal(&rule)
            }
            Self::IgnoredExceptions => {
                let name: String = self.read(entry)?;
                required("exc_name", &name)?;
                normal(&name.trim())
            }
            Self::WatchList => {
                let rule: Watcher = self.read(entry)?;
                required("filepath", &rule.filepath)?;
                mailable("email", &rule.email)?;
                normal(&rule)
            }
            Self::DisownershipList => {
                let rule: Reassignment = self.read(entry)?;
                required("filepath", &rule.filepath)?;
                required("email", &rule.email)?;
                mailable("designated_email", &rule.designated_email)?;
                normal(&rule)
            }
            Self::EmailRemapping => {
                let rule: EmailAlias = self.read(entry)?;
                required("old_email", &rule.old_email)?;
                mailable("new_email", &rule.new_email)?;
                normal(&rule)
            }
        }
    }

    /// Bounds all texts of an entry: lists are read with each page.
    fn bounded(self, entry: &Value) -> Result<(), RuleInputError> {
        let is_long = |text: &str| text.chars().count() > MAX_TEXT;
        let field_is_long = |value: &Value| match value {
            Value::String(text) => is_long(text),
            Value::Array(texts) => {
                texts.len() > MAX_ADDRESSES
                    || texts.iter().any(|text| text.as_str().is_some_and(is_long))
            }
            _ => false,
        };
        let too_long = |field: Option<&'static str>| {
            let what = field.unwrap_or("the entry");
            let text = format!(
                "{what} is too long: at most {MAX_TEXT} characters, {MAX_ADDRESSES} addresses"
            );
            RuleInputError::Invalid { field, text }
        };
        match entry {
            Value::Object(map) => {
                let long =
                    self.fields().iter().find(|field| map.get(**field).is_some_and(field_is_long));
                long.map_or(Ok(()), |field| Err(too_long(Some(field))))
            }
            entry if field_is_long(entry) => Err(too_long(None)),
            _ => Ok(()),
        }
    }

    /// Checks entries and returns their normal forms.
    ///
    /// # Errors
    /// One of them is not an entry of this list; the text says which.
    pub fn normalize_all(self, entries: &[Value]) -> Result<Vec<Value>, RuleInputError> {
        let numbered = entries.iter().enumerate().map(|(at, entry)| {
            self.normalize(entry).map_err(|error| match error {
                RuleInputError::Invalid { text, field } => {
                    RuleInputError::Invalid { field, text: format!("entry {}: {text}", at + 1) }
                }
                other => other,
            })
        });
        numbered.collect()
    }

    fn read<T: DeserializeOwned>(self, entry: &Value) -> Result<T, RuleInputError> {
        let wrong = |error: serde_json::Error| {
            let text = error.to_string();
            let is_named = |field: &&&'static str| text.contains(&format!("`{field}`"));
            RuleInputError::Invalid { field: self.fields().iter().find(is_named).copied(), text }
        };
        match entry {
            // 0.4.5 writes null for unset fields, and its forms omit them.
            Value::Object(map) => {
                let set = |value: &Value| !value.is_null() && value != "";
                let trimmed = |value: &Value| match value {
                    Value::String(text) => Value::from(text.trim()),
                    other => other.clone(),
                };
                let map = map.iter().filter(|(_, value)| set(value));
                let map = map.map(|(key, value)| (key.clone(), trimmed(value))).collect();
                serde_json::from_value(Value::Object(map)).map_err(wrong)
            }
            other => serde_json::from_value(other.clone()).map_err(wrong),
        }
    }
}

pub(crate) fn invalid(text: String) -> RuleInputError {
    RuleInputError::Invalid { field: None, text }
}

fn normal(rule: &impl serde::Serialize) -> Result<Value, RuleInputError> {
    serde_json::to_value(rule).map_err(|error| invalid(error.to_string()))
}

fn required(field: &'static str, text: &str) -> Result<(), RuleInputError> {
    if text.trim().is_empty() {
        let text = format!("{field} is missing");
        return Err(RuleInputError::Invalid { field: Some(field), text });
    }
    Ok(())
}

fn mailable(field: &'static str, address: &str) -> Result<(), RuleInputError> {
    if is_mailable(address.trim()) {
        return Ok(());
    }
    let address: String = address.chars().take(254).collect();
    let text = format!("{address:?} is not a mail address");
    Err(RuleInputError::Invalid { field: Some(field), text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wrong_entry_is_reported_with_its_place() {
        let wrong = |list: RuleList, entries: Value| {
            let entries = entries.as_array().expect("a list");
            list.normalize_all(entries).expect_err("wrong").to_string()
        };
        assert_eq!(
            wrong(RuleList::KnownErrors, json!([{"filename": "a"}, {"function_name": "f"}])),
            "entry 2: missing field `filename`"
        );
        assert_eq!(
            wrong(RuleList::EmailRemapping, json!([{"old_email": "a", "new": "b@example.com"}])),
            "entry 1: unknown field \"new\"; an entry may have: old_email, new_email"
        );
        assert_eq!(
            wrong(RuleList::WatchList, json!([{"email": "nobody", "filepath": "a"}])),
            "entry 1: \"nobody\" is not a mail address"
        );
        assert!(wrong(RuleList::IgnoredExceptions, json!([1])).starts_with("entry 1: "));
    }
}
