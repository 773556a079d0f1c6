//! Searches the whole store for one person.
use serde_json::Value;

use super::mention::{ERASED, ErasedPerson};
use super::person::{Beside, IssueTexts, PersonsData};
use crate::alerts::outbox;
use crate::issues::samples;
use crate::issues::samples::decode_sample;
use crate::reports::{module_sets, pending};
use crate::sealing::SealError;
use crate::{ProjectId, Store, StoreError, db};

impl Store {
    /// Searches the whole store, with all projects, for a person; takes their names from their commits.
    /// # Errors
    /// The database cannot be read.
    pub async fn look_for_person(
        &self,
        person: &mut ErasedPerson,
    ) -> Result<PersonsData, StoreError> {
        let mut found = PersonsData { like: person.like(), ..PersonsData::default() };
        let issues: Vec<IssueTexts> = db::query(
            "SELECT id, developer_name, developer_email, commit_summary, reason, details, \
             resolution, text FROM issue ORDER BY id",
        )
        .fetch_all(&self.readers)
        .await?;
        for issue in &issues {
            if let (Some(name), Some(email)) = (&issue.developer_name, &issue.developer_email)
                && person.is(email)
            {
                person.add_name(name);
            }
        }
        found.issues = issues;
        found.issues.retain_mut(|issue| issue.erase(person));
        for column in Beside::ALL {
            let rows: Vec<(i64, String)> =
                db::query(column.read()).fetch_all(&self.readers).await?;
            let erased = rows.into_iter().filter_map(|(id, text)| {
                let erased = match column {
                    Beside::AlertRegression => person.erase_json_text(&text)?,
                    _ => person.erase(&text)?,
                };
                Some((column, id, erased))
            });
            found.beside.extend(erased);
        }
        let notifications: Vec<(i64, String)> =
            db::query("SELECT id, recipient FROM notification").fetch_all(&self.readers).await?;
        let theirs = notifications.into_iter().filter(|(_, recipient)| person.is(recipient));
        found.notifications = theirs.map(|(id, _)| id).collect();
        let facets = db::query_scalar(
            "SELECT COUNT(*) FROM issue_facet WHERE LOWER(value) LIKE $1 ESCAPE '\\'",
        );
        found.facets = facets.bind(&found.like).fetch_one(&self.readers).await?;
        let channels: Vec<(ProjectId, i64, String)> = db::query(
            "SELECT project_id, id, owner FROM channel \
             WHERE owner IS NOT NULL AND removed_at IS NULL",
        )
        .fetch_all(&self.readers)
        .await?;
        let theirs = channels.into_iter().filter(|(_, _, owner)| person.is(owner));
        found.channels = theirs.map(|(project, id, _)| (project, id)).collect();
        let wishes: Vec<String> = db::query_scalar(
            "SELECT address FROM unwanted_mail UNION SELECT address FROM retried_address \
             UNION SELECT address FROM person_role UNION SELECT set_by FROM person_role UNION SELECT address FROM session \
             UNION SELECT created_by FROM api_token \
             UNION SELECT address FROM sign_in_link WHERE address IS NOT NULL",
        )
        .fetch_all(&self.readers)
        .await?;
        found.wishes = wishes.into_iter().filter(|address| person.is(address)).collect();
        self.look_at_values(person, &mut found).await?;
        Ok(found)
    }

    /// Rows with values are read one at a time: together they may be large.
    async fn look_at_values(
        &self,
        person: &ErasedPerson,
        found: &mut PersonsData,
    ) -> Result<(), StoreError> {
        let keys: Vec<(i64, i64)> =
            db::query("SELECT issue_id, slot FROM sample").fetch_all(&self.readers).await?;
        for key in keys {
            let query =
                db::query_scalar("SELECT body FROM sample WHERE issue_id = $1 AND slot = $2");
            let body: Option<Vec<u8>> =
                query.bind(key.0).bind(key.1).fetch_optional(&self.readers).await?;
            let Some(body) = body else { continue };
            let body = self.sealing.open(samples::TABLE, body);
            found.look(body, key, |found| &mut found.samples, |body| report_names(person, body));
        }
        let keys: Vec<(ProjectId, String)> =
            db::query("SELECT project_id, fingerprint FROM pending_report")
                .fetch_all(&self.readers)
                .await?;
        for key in keys {
            let query = db::query_scalar(
                "SELECT body FROM pending_report WHERE project_id = $1 AND fingerprint = $2",
            );
            let query = query.bind(key.0).bind(&key.1);
            let body: Option<Vec<u8>> = query.fetch_optional(&self.readers).await?;
            let Some(body) = body else { continue };
            let body = self.sealing.open(pending::TABLE, body);
            found.look(body, key, |found| &mut found.pending, |body| report_names(person, body));
        }
        let sets: Vec<(String, Vec<u8>)> =
            db::query("SELECT modules_id, body FROM module_set").fetch_all(&self.readers).await?;
        for (key, body) in sets {
            let body = self.sealing.open(module_sets::TABLE, body);
            let names = |body: &[u8]| report_names(person, body);
            found.look(body, key, |found| &mut found.module_sets, names);
        }
        let keys: Vec<(i64, String)> =
            db::query("SELECT id, recipient FROM outbox").fetch_all(&self.readers).await?;
        for (key, recipient) in keys {
            if person.is(&recipient) {
                found.mails_to.push(key);
                continue;
            }
            let query = db::query("SELECT subject, message FROM outbox WHERE id = $1");
            let mail: Option<(String, Vec<u8>)> =
                query.bind(key).fetch_optional(&self.readers).await?;
            let Some((subject, message)) = mail else { continue };
            let message = self.sealing.open(outbox::TABLE, message);
            let names = |message: &[u8]| {
                person.is_in(&subject) || person.is_in_mail(message) || person.is_in_post(message)
            };
            found.look(message, key, |found| &mut found.mails_naming, names);
        }
        Ok(())
    }
}

impl PersonsData {
    /// Notes a row of values that names the person.
    fn look<K>(
        &mut self,
        body: Result<Vec<u8>, SealError>,
        key: K,
        list: impl Fn(&mut Self) -> &mut Vec<K>,
        names: impl Fn(&[u8]) -> bool,
    ) {
        match body {
            Ok(body) if names(&body) => list(self).push(key),
            Ok(_) => {}
            Err(_) => self.unreadable += 1,
        }
    }
}

impl IssueTexts {
    /// Erases the person from these texts; whether they were named.
    fn erase(&mut self, person: &ErasedPerson) -> bool {
        let mut any = false;
        if self.developer_email.as_deref().is_some_and(|email| person.is(email)) {
            // Not replaced by the word: a domain would be appended to it, and mails sent there.
            (self.developer_email, self.developer_name) =
                (Some(String::new()), Some(ERASED.to_owned()));
            any = true;
        }
        let summary = self.commit_summary.iter_mut();
        for text in summary.chain([&mut self.reason, &mut self.text]) {
            if let Some(erased) = person.erase(text) {
                (*text, any) = (erased, true);
            }
        }
        for json in self.resolution.iter_mut().chain([&mut self.details]) {
            if let Some(erased) = person.erase_json_text(json) {
                (*json, any) = (erased, true);
            }
        }
        any
    }
}

/// Whether a report, or a sample, names the person anywhere.
fn report_names(person: &ErasedPerson, body: &[u8]) -> bool {
    decode_sample::<Value>(body).is_ok_and(|value| person.is_in_json(&value))
}
