//! The seven lists of rules as rows, in the words and the JSON of 0.4.5.
use flawless_core::{
    CodePattern, EmailAlias, KnownError, Reassignment, RuleId, Rules, Watcher, is_mailable,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::{PROJECT, Store, StoreError, WriteTx};

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

/// All lists, in the order they are shown.
pub const RULE_LISTS: [RuleList; 7] = [
    RuleList::KnownErrors,
    RuleList::BuildingBlocks,
    RuleList::ThirdPartyWhitelist,
    RuleList::IgnoredExceptions,
    RuleList::WatchList,
    RuleList::DisownershipList,
    RuleList::EmailRemapping,
];

/// What is wrong with a rule that somebody gave.
#[derive(Debug, thiserror::Error)]
pub enum RuleInputError {
    /// It is no entry of this list.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One entry of a list.
#[derive(Debug, Clone)]
pub struct RuleEntry {
    /// For removing it.
    pub id: RuleId,
    /// In 0.4.5's field names.
    pub entry: Value,
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

    /// What it is for, in the words people read.
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

    /// The entry in its one normal form, checked.
    ///
    /// # Errors
    /// It is no entry of this list; the text says what is wrong.
    pub fn normalize(self, entry: &Value) -> Result<Value, RuleInputError> {
        if let Value::Object(map) = entry
            && let Some(odd) = map.keys().find(|key| !self.fields().contains(&key.as_str()))
        {
            let known = self.fields().join(", ");
            let text = format!("unknown field {odd:?}; an entry may have: {known}");
            return Err(RuleInputError::Invalid(text));
        }
        match self {
            Self::KnownErrors => {
                let rule: KnownError = read(entry)?;
                required("filename", &rule.pattern.filename)?;
                rule.email_recipients.iter().try_for_each(|address| mailable(address))?;
                normal(&rule)
            }
            Self::BuildingBlocks | Self::ThirdPartyWhitelist => {
                let rule: CodePattern = read(entry)?;
                required("filename", &rule.filename)?;
                normal(&rule)
            }
            Self::IgnoredExceptions => {
                let name: String = read(entry)?;
                required("the exception's full type path", &name)?;
                normal(&name.trim())
            }
            Self::WatchList => {
                let rule: Watcher = read(entry)?;
                required("filepath", &rule.filepath)?;
                mailable(&rule.email)?;
                normal(&rule)
            }
            Self::DisownershipList => {
                let rule: Reassignment = read(entry)?;
                required("filepath", &rule.filepath)?;
                required("email", &rule.email)?;
                mailable(&rule.designated_email)?;
                normal(&rule)
            }
            Self::EmailRemapping => {
                let rule: EmailAlias = read(entry)?;
                required("old_email", &rule.old_email)?;
                mailable(&rule.new_email)?;
                normal(&rule)
            }
        }
    }

    /// The entries in `document`: a list, a map old → new, or the whole object as 0.4.5's
    /// `view_config` shows it. Each in its normal form.
    ///
    /// # Errors
    /// One of them is no entry of this list; the text says which.
    pub fn entries_of(self, document: &Value) -> Result<Vec<Value>, RuleInputError> {
        let envelope = match self {
            Self::WatchList => "watches",
            Self::DisownershipList => "disownerships",
            Self::IgnoredExceptions => "exceptions",
            Self::EmailRemapping => "remap",
            _ => "identifiers",
        };
        let inner = document.get(envelope).unwrap_or(document);
        let entries: Vec<Value> = match inner {
            Value::Array(entries) => entries.clone(),
            Value::Object(map) if self == Self::EmailRemapping => map
                .iter()
                .filter(|(name, _)| *name != "last_update_ts")
                .map(|(old, new)| json!({"old_email": old, "new_email": new}))
                .collect(),
            Value::Null => Vec::new(),
            // An object of 0.4.5 whose list was never filled has only its time stamp.
            Value::Object(map) if map.keys().all(|key| key == "last_update_ts") => Vec::new(),
            _ => {
                let name = self.as_str();
                let text = format!("not a list of {name} entries, nor an object with {envelope:?}");
                return Err(RuleInputError::Invalid(text));
            }
        };
        let numbered = entries.iter().enumerate().map(|(at, entry)| {
            self.normalize(entry).map_err(|error| match error {
                RuleInputError::Invalid(text) => {
                    RuleInputError::Invalid(format!("entry {}: {text}", at + 1))
                }
                other => other,
            })
        });
        numbered.collect()
    }
}

fn read<T: DeserializeOwned>(entry: &Value) -> Result<T, RuleInputError> {
    let wrong = |error: serde_json::Error| RuleInputError::Invalid(error.to_string());
    match entry {
        // 0.4.5 writes null, and its forms send nothing, for what is not set.
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

fn normal(rule: &impl serde::Serialize) -> Result<Value, RuleInputError> {
    serde_json::to_value(rule).map_err(|error| RuleInputError::Invalid(error.to_string()))
}

fn required(what: &str, text: &str) -> Result<(), RuleInputError> {
    if text.trim().is_empty() {
        return Err(RuleInputError::Invalid(format!("{what} is missing")));
    }
    Ok(())
}

fn mailable(address: &str) -> Result<(), RuleInputError> {
    if is_mailable(address.trim()) {
        return Ok(());
    }
    Err(RuleInputError::Invalid(format!("{address:?} is no mail address")))
}

#[derive(FromRow)]
struct RuleRow {
    id: i64,
    list: String,
    body: String,
}

impl WriteTx {
    /// Adds an entry; `None` when the list has it already.
    ///
    /// # Errors
    /// It is no entry of this list, or the database refuses.
    pub async fn add_rule(
        &mut self,
        list: RuleList,
        entry: &Value,
        at: i64,
    ) -> Result<Option<RuleId>, RuleInputError> {
        let entry = list.normalize(entry)?;
        if list == RuleList::EmailRemapping {
            self.remove_older_alias(&entry).await?;
        }
        let body = entry.to_string();
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO rule (project_id, list, body, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, list, body) DO NOTHING RETURNING id",
        )
        .bind(PROJECT)
        .bind(list.as_str())
        .bind(body)
        .bind(at)
        .fetch_optional(&mut *self.0)
        .await
        .map_err(StoreError::from)?;
        self.forget_verdicts().await?;
        Ok(id)
    }

    /// Removes an entry; `false` when the list has none with this id.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn remove_rule(&mut self, list: RuleList, id: RuleId) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM rule WHERE project_id = $1 AND list = $2 AND id = $3");
        let removed =
            query.bind(PROJECT).bind(list.as_str()).bind(id).execute(&mut *self.0).await?;
        self.forget_verdicts().await?;
        Ok(removed.rows_affected() > 0)
    }

    /// An address has one alias: a new one takes the place of the older.
    async fn remove_older_alias(&mut self, entry: &Value) -> Result<(), StoreError> {
        let query = sqlx::query_as(
            "SELECT id, list, body FROM rule WHERE project_id = $1 AND list = $2 AND body <> $3",
        );
        let list = RuleList::EmailRemapping;
        let rows: Vec<RuleRow> = query
            .bind(PROJECT)
            .bind(list.as_str())
            .bind(entry.to_string())
            .fetch_all(&mut *self.0)
            .await?;
        let new: EmailAlias = parse(&entry.to_string())?;
        for row in rows {
            let old: EmailAlias = parse(&row.body)?;
            if old.old_email.eq_ignore_ascii_case(&new.old_email) {
                self.remove_rule(list, row.id).await?;
            }
        }
        Ok(())
    }

    /// Verdicts about tracebacks were made by what has changed now: each is made anew.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn forget_verdicts(&mut self) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('rules_revision', 1) \
             ON CONFLICT (name) DO UPDATE SET value = setting.value + 1",
        );
        query.execute(&mut *self.0).await?;
        Ok(())
    }
}

impl Store {
    /// Grows with each change of any list.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn rules_revision(&self) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar("SELECT value FROM setting WHERE name = 'rules_revision'");
        Ok(query.fetch_optional(&self.readers).await?.unwrap_or(0))
    }

    /// The entries of a list, oldest first.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn rule_entries(&self, list: RuleList) -> Result<Vec<RuleEntry>, StoreError> {
        let rows = self.rule_rows().await?;
        let rows = rows.into_iter().filter(|row| row.list == list.as_str());
        let entry = |row: RuleRow| Ok(RuleEntry { id: row.id, entry: parse(&row.body)? });
        rows.map(entry).collect()
    }

    /// All rules with the revision they belong to.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn rules(&self) -> Result<(i64, Rules), StoreError> {
        // The revision first: rules that change in between are read again.
        let revision = self.rules_revision().await?;
        let mut rules = Rules::default();
        for row in self.rule_rows().await? {
            let (id, body) = (row.id, row.body.as_str());
            match RuleList::parse(&row.list) {
                Some(RuleList::KnownErrors) => rules.known_errors.push((id, parse(body)?)),
                Some(RuleList::BuildingBlocks) => rules.library_code.push((id, parse(body)?)),
                Some(RuleList::ThirdPartyWhitelist) => rules.third_party.push((id, parse(body)?)),
                Some(RuleList::IgnoredExceptions) => {
                    rules.ignored_exceptions.push((id, parse(body)?));
                }
                Some(RuleList::WatchList) => rules.watchers.push((id, parse(body)?)),
                Some(RuleList::DisownershipList) => rules.reassignments.push((id, parse(body)?)),
                Some(RuleList::EmailRemapping) => rules.email_aliases.push((id, parse(body)?)),
                None => return Err(StoreError::Corrupt(format!("a rule list {:?}", row.list))),
            }
        }
        Ok((revision, rules))
    }

    async fn rule_rows(&self) -> Result<Vec<RuleRow>, StoreError> {
        let query =
            sqlx::query_as("SELECT id, list, body FROM rule WHERE project_id = $1 ORDER BY id");
        Ok(query.bind(PROJECT).fetch_all(&self.readers).await?)
    }
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(format!("a rule: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_0_4_5_is_read() {
        let aliases = RuleList::EmailRemapping.entries_of(&json!({"a": "b@example.com"}));
        let expected = json!([{"old_email": "a", "new_email": "b@example.com"}]);
        assert_eq!(json!(aliases.expect("a map")), expected);
        let whole = json!({"remap": {"a": "b@example.com"}, "last_update_ts": 5});
        assert_eq!(json!(RuleList::EmailRemapping.entries_of(&whole).expect("whole")), expected);

        let known = json!({"last_update_ts": 1, "identifiers": [
            {"filename": "a.py", "function_name": "", "code_fragment": null,
             "min_alert_threshold": 5, "email_recipients": ["x@example.com"]}]});
        assert_eq!(
            json!(RuleList::KnownErrors.entries_of(&known).expect("whole object")),
            json!([{"filename": "a.py", "min_alert_threshold": 5,
                    "email_recipients": ["x@example.com"]}])
        );
        let names = RuleList::IgnoredExceptions.entries_of(&json!(["a.B", "c.D"]));
        assert_eq!(names.expect("names").len(), 2);
        let never_filled = json!({"last_update_ts": 0});
        assert!(RuleList::WatchList.entries_of(&never_filled).expect("empty").is_empty());
    }

    #[test]
    fn what_is_wrong_with_an_entry_is_said_with_its_place() {
        let wrong = |list: RuleList, entries: Value| {
            list.entries_of(&entries).expect_err("wrong").to_string()
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
            "entry 1: \"nobody\" is no mail address"
        );
        assert!(wrong(RuleList::WatchList, json!("x")).starts_with("not a list of watch_list"));
        assert!(wrong(RuleList::IgnoredExceptions, json!([1])).starts_with("entry 1: "));
    }
}
