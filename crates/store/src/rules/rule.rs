//! Rules as rows.
use flawless_core::{EmailAlias, RuleId, Rules};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::FromRow;

use super::lists::{RuleInputError, RuleList};
use crate::db::key_text::hash;
use crate::{Store, StoreError, WriteTx, db};

/// One entry of a list.
#[derive(Debug, Clone)]
pub struct RuleEntry {
    /// Its number, by which it is removed.
    pub id: RuleId,
    /// In 0.4.5's field names.
    pub entry: Value,
    /// When it was added.
    pub created_at: i64,
}

/// The result of adding an entry.
#[derive(Debug, Clone)]
pub struct AddedRule {
    /// Its id; `None` when the list has it already.
    pub id: Option<RuleId>,
    /// The entry in its normal form.
    pub entry: Value,
    /// The entries that it replaced.
    pub replaced: Vec<RuleEntry>,
}

#[derive(FromRow)]
struct RuleRow {
    id: i64,
    list: String,
    body: String,
    created_at: i64,
}

impl RuleRow {
    fn entry(self) -> Result<RuleEntry, StoreError> {
        let entry = parse(&self.body)?;
        Ok(RuleEntry { id: self.id, entry, created_at: self.created_at })
    }
}

impl WriteTx {
    /// Adds an entry; `None` when the list has it already.
    ///
    /// # Errors
    /// It is not an entry of this list, or the database cannot be written.
    pub async fn add_rule(
        &mut self,
        list: RuleList,
        entry: &Value,
        at: i64,
    ) -> Result<Option<RuleId>, RuleInputError> {
        Ok(self.put_rule(list, entry, at).await?.id)
    }

    /// Adds an entry, and returns which ones it replaced.
    ///
    /// # Errors
    /// It is not an entry of this list, or the database cannot be written.
    pub async fn put_rule(
        &mut self,
        list: RuleList,
        entry: &Value,
        at: i64,
    ) -> Result<AddedRule, RuleInputError> {
        let entry = list.normalize(entry)?;
        let mut replaced = Vec::new();
        if list == RuleList::EmailRemapping {
            replaced = self.remove_older_aliases(&entry, None).await?;
        }
        let id = self.next_rule().await?;
        let added = self.insert_rule(list, id, &entry, at).await?;
        Ok(AddedRule { id: added.then_some(id), entry, replaced })
    }

    /// Restores a removed entry under its old id. Returns whether it did: not when the list has the
    /// same entry, or that id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn restore_rule(
        &mut self,
        list: RuleList,
        rule: &RuleEntry,
    ) -> Result<bool, StoreError> {
        if self.rule(rule.id).await?.is_some() {
            return Ok(false);
        }
        self.insert_rule(list, rule.id, &rule.entry, rule.created_at).await
    }

    async fn insert_rule(
        &mut self,
        list: RuleList,
        id: RuleId,
        entry: &Value,
        at: i64,
    ) -> Result<bool, StoreError> {
        let query = db::query(
            "INSERT INTO rule (id, project_id, list, body, created_at, body_hash) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (project_id, list, body_hash) DO NOTHING",
        );
        let query = query.bind(id).bind(self.project).bind(list.as_str());
        let body = entry.to_string();
        let query = query.bind(&body).bind(at).bind(hash(&body));
        let done = query.execute(&mut self.tx).await?;
        self.changed(list, &[entry]).await?;
        Ok(done.rows_affected() > 0)
    }

    /// An id that no rule ever had: issues, counts and actions refer to rules by it.
    async fn next_rule(&mut self) -> Result<RuleId, StoreError> {
        let query = db::query_scalar(
            "UPDATE setting SET value = value + 1 WHERE name = 'last_rule' RETURNING value",
        );
        Ok(query.fetch_one(&mut self.tx).await?)
    }

    /// Replaces an entry; `None` when the list has none with this id, else whether it was changed:
    /// not when the list has the new one already. Other aliases of the same address are removed.
    ///
    /// # Errors
    /// It is not an entry of this list, or the database cannot be written.
    pub async fn change_rule(
        &mut self,
        list: RuleList,
        id: RuleId,
        entry: &Value,
    ) -> Result<Option<AddedRule>, RuleInputError> {
        let entry = list.normalize(entry)?;
        let before = self.rule(id).await?;
        let Some((_, before)) = before.filter(|(found, _)| *found == list) else { return Ok(None) };
        let mut replaced = vec![before];
        if list == RuleList::EmailRemapping {
            replaced.extend(self.remove_older_aliases(&entry, Some(id)).await?);
        }
        let query = db::query(
            "UPDATE rule SET body = $4, body_hash = $5 WHERE project_id = $1 AND list = $2 \
             AND id = $3 AND NOT EXISTS (SELECT 1 FROM rule AS other WHERE other.project_id = $1 \
             AND other.list = $2 AND other.body_hash = $5 AND other.id <> $3)",
        );
        let body = entry.to_string();
        let query = query.bind(self.project).bind(list.as_str()).bind(id);
        let query = query.bind(&body).bind(hash(&body));
        let done = query.execute(&mut self.tx).await.map_err(StoreError::from)?;
        self.changed(list, &[&replaced[0].entry, &entry]).await?;
        Ok(Some(AddedRule { id: (done.rows_affected() > 0).then_some(id), entry, replaced }))
    }

    /// Removes an entry; `false` when the list has none with this id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_rule(&mut self, list: RuleList, id: RuleId) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "DELETE FROM rule WHERE project_id = $1 AND list = $2 AND id = $3 RETURNING body",
        );
        let query = query.bind(self.project).bind(list.as_str()).bind(id);
        let removed: Option<String> = query.fetch_optional(&mut self.tx).await?;
        let Some(body) = removed else { return Ok(false) };
        self.changed(list, &[&parse(&body)?]).await?;
        Ok(true)
    }

    /// Updates what depends on entries of a list that were added or removed.
    async fn changed(&mut self, list: RuleList, entries: &[&Value]) -> Result<(), StoreError> {
        if list == RuleList::KnownErrors {
            for entry in entries {
                self.renew_known_errors(entry).await?;
            }
        }
        self.invalidate_verdicts().await
    }

    /// The entry with this id, and its list.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rule(&mut self, id: RuleId) -> Result<Option<(RuleList, RuleEntry)>, StoreError> {
        let query = db::query(
            "SELECT id, list, body, created_at FROM rule WHERE project_id = $1 AND id = $2",
        );
        let row: Option<RuleRow> =
            query.bind(self.project).bind(id).fetch_optional(&mut self.tx).await?;
        let Some(row) = row else { return Ok(None) };
        let Some(list) = RuleList::parse(&row.list) else { return Ok(None) };
        Ok(Some((list, row.entry()?)))
    }

    /// An address has one alias: removes older ones, except that with the id `but`, and returns
    /// them.
    async fn remove_older_aliases(
        &mut self,
        entry: &Value,
        but: Option<RuleId>,
    ) -> Result<Vec<RuleEntry>, StoreError> {
        let mut older = self.aliases_of(entry, but).await?;
        older.retain(|rule| rule.entry != *entry);
        for rule in &older {
            self.remove_rule(RuleList::EmailRemapping, rule.id).await?;
        }
        Ok(older)
    }

    /// Whether the address of an alias has another one than that with the id `but`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_alias_of(
        &mut self,
        entry: &Value,
        but: Option<RuleId>,
    ) -> Result<bool, StoreError> {
        Ok(!self.aliases_of(entry, but).await?.is_empty())
    }

    async fn aliases_of(
        &mut self,
        entry: &Value,
        but: Option<RuleId>,
    ) -> Result<Vec<RuleEntry>, StoreError> {
        let query = db::query(
            "SELECT id, list, body, created_at FROM rule WHERE project_id = $1 AND list = $2 \
             ORDER BY id",
        );
        let query = query.bind(self.project).bind(RuleList::EmailRemapping.as_str());
        let rows: Vec<RuleRow> = query.fetch_all(&mut self.tx).await?;
        let wanted: EmailAlias = parse(&entry.to_string())?;
        let mut found = Vec::new();
        for row in rows.into_iter().filter(|row| Some(row.id) != but) {
            let known: EmailAlias = parse(&row.body)?;
            if known.old_email.eq_ignore_ascii_case(&wanted.old_email) {
                found.push(row.entry()?);
            }
        }
        Ok(found)
    }

    /// Makes the project's cached verdicts invalid, because something they rest on has changed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn invalidate_verdicts(&mut self) -> Result<(), StoreError> {
        // Once is enough: all that the transaction changes becomes visible as one.
        if !self.revisions.rules.insert(self.project) {
            return Ok(());
        }
        let query =
            db::query("UPDATE project SET rules_revision = rules_revision + 1 WHERE id = $1");
        query.bind(self.project).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Grows with each change of any list, and of what else cached verdicts rest on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules_revision(&self) -> Result<i64, StoreError> {
        let query = db::query_scalar("SELECT rules_revision FROM project WHERE id = $1");
        Ok(query.bind(self.project).fetch_optional(&self.readers).await?.unwrap_or(0))
    }

    /// The entries of a list, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rule_entries(&self, list: RuleList) -> Result<Vec<RuleEntry>, StoreError> {
        let rows = self.rule_rows().await?;
        let rows = rows.into_iter().filter(|row| row.list == list.as_str());
        rows.map(RuleRow::entry).collect()
    }

    /// All rules, and their revision.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules(&self) -> Result<(i64, Rules), StoreError> {
        // The revision is read first: rules that change in between are read again.
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
        let query = db::query(
            "SELECT id, list, body, created_at FROM rule WHERE project_id = $1 ORDER BY id",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::Corrupt(format!("a rule: {error}")))
}
