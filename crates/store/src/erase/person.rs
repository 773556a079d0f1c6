//! Erases what the store holds about one person.
use serde_json::Value;
use sqlx::FromRow;

use super::mention::{ERASED, Person};
use crate::alerts::outbox;
use crate::issues::samples;
use crate::issues::samples::decode_sample;
use crate::reports::{module_sets, pending};
use crate::sealing::SealError;
use crate::{Store, StoreError, WriteTx};

/// What the store holds about a person.
#[derive(Debug, Clone, Default)]
pub struct PersonsData {
    /// Issues that name them, with the texts that stay.
    issues: Vec<IssueTexts>,
    /// Alerts, mails, notices and actions that name them in a text beside, with the texts that
    /// stay.
    beside: Vec<(Beside, i64, String)>,
    /// Samples that name them, by issue and slot.
    samples: Vec<(i64, i64)>,
    /// Waiting reports that name them.
    pending: Vec<String>,
    /// Sets of modules that name them, as in an address that one was installed from.
    module_sets: Vec<String>,
    /// Mails that go to them.
    mails_to: Vec<i64>,
    /// Mails to others that name them.
    mails_naming: Vec<i64>,
    /// Notices to them.
    notices: Vec<i64>,
    /// A pattern that finds the address in short texts.
    like: String,
    /// Names of hosts and the like that name them.
    facets: i64,
    /// Their channels.
    channels: Vec<i64>,
    /// What is remembered of their address: which mails they do not want, that they arrive again,
    /// their role, their sign-ins and tokens.
    wishes: Vec<String>,
    /// Rows that cannot be read: their key is gone.
    pub unreadable: usize,
}

/// How much the store holds about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonsCounts {
    /// Issues that name them.
    pub issues: usize,
    /// Samples that name them.
    pub samples: usize,
    /// Waiting reports that name them.
    pub waiting: usize,
    /// Mails to them.
    pub mails: usize,
    /// Mails to others that name them.
    pub mails_naming: usize,
    /// Notices to them and texts of alerts, mails and actions that name them.
    pub notes: usize,
    /// Their channels, what they wish about mails, and how they sign in.
    pub settings: usize,
}

#[derive(Debug, Clone, FromRow)]
struct IssueTexts {
    id: i64,
    developer_name: Option<String>,
    developer_email: Option<String>,
    commit_summary: Option<String>,
    reason: String,
    details: String,
    mended_how: Option<String>,
    /// The source line.
    text: String,
}

/// A column of texts.
#[derive(Debug, Clone, Copy)]
enum Beside {
    AlertReason,
    AlertNote,
    AlertAgain,
    NoticeWhy,
    MailError,
    ActionWho,
    ActionWhat,
    ActionUndo,
    ActionUndoneBy,
}

impl Beside {
    const ALL: [Self; 9] = [
        Self::AlertReason,
        Self::AlertNote,
        Self::AlertAgain,
        Self::NoticeWhy,
        Self::MailError,
        Self::ActionWho,
        Self::ActionWhat,
        Self::ActionUndo,
        Self::ActionUndoneBy,
    ];

    fn read(self) -> &'static str {
        match self {
            Self::AlertReason => "SELECT id, reason FROM alert",
            Self::AlertNote => "SELECT id, note FROM alert WHERE note IS NOT NULL",
            Self::AlertAgain => "SELECT id, again FROM alert WHERE again IS NOT NULL",
            Self::NoticeWhy => "SELECT id, why FROM notice WHERE why <> ''",
            Self::MailError => "SELECT id, last_error FROM outbox WHERE last_error IS NOT NULL",
            Self::ActionWho => "SELECT id, who FROM action",
            Self::ActionWhat => "SELECT id, what FROM action",
            Self::ActionUndo => "SELECT id, undo FROM action WHERE undo IS NOT NULL",
            Self::ActionUndoneBy => "SELECT id, undone_by FROM action WHERE undone_by IS NOT NULL",
        }
    }

    fn write(self) -> &'static str {
        match self {
            Self::AlertReason => "UPDATE alert SET reason = $2 WHERE id = $1",
            Self::AlertNote => "UPDATE alert SET note = $2 WHERE id = $1",
            Self::AlertAgain => "UPDATE alert SET again = $2 WHERE id = $1",
            Self::NoticeWhy => "UPDATE notice SET why = $2 WHERE id = $1",
            Self::MailError => "UPDATE outbox SET last_error = $2 WHERE id = $1",
            Self::ActionWho => "UPDATE action SET who = $2 WHERE id = $1",
            Self::ActionWhat => "UPDATE action SET what = $2 WHERE id = $1",
            // What would come back by it names them: it cannot be taken back any more.
            Self::ActionUndo => "UPDATE action SET undo = NULLIF($2, $2) WHERE id = $1",
            Self::ActionUndoneBy => "UPDATE action SET undone_by = $2 WHERE id = $1",
        }
    }
}

impl PersonsData {
    /// How much it is.
    pub fn counts(&self) -> PersonsCounts {
        PersonsCounts {
            issues: self.issues.len(),
            samples: self.samples.len(),
            waiting: self.pending.len(),
            mails: self.mails_to.len(),
            mails_naming: self.mails_naming.len(),
            notes: self.notices.len()
                + self.beside.len()
                + self.module_sets.len()
                + usize::try_from(self.facets).unwrap_or_default(),
            settings: self.channels.len() + self.wishes.len(),
        }
    }

    /// Whether there is nothing to erase.
    pub fn is_empty(&self) -> bool {
        self.counts()
            == PersonsCounts {
                issues: 0,
                samples: 0,
                waiting: 0,
                mails: 0,
                mails_naming: 0,
                notes: 0,
                settings: 0,
            }
    }

    /// Notes a row of values when it names the person.
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
    /// Whether anything of it names the person; then without them.
    fn erase(&mut self, person: &Person) -> bool {
        let mut any = false;
        if self.developer_email.as_deref().is_some_and(|email| person.is(email)) {
            // Not the word: a domain would be put behind it, and mails sent there.
            (self.developer_email, self.developer_name) =
                (Some(String::new()), Some(ERASED.to_owned()));
            any = true;
        }
        let optional = [&mut self.commit_summary, &mut self.mended_how];
        for text in optional.into_iter().flatten().chain([&mut self.reason, &mut self.text]) {
            if let Some(erased) = person.erase(text) {
                (*text, any) = (erased, true);
            }
        }
        if let Ok(mut details) = serde_json::from_str::<Value>(&self.details)
            && person.erase_json(&mut details)
        {
            (self.details, any) = (details.to_string(), true);
        }
        any
    }
}

/// Whether a report, or a sample, names the person anywhere.
fn report_names(person: &Person, body: &[u8]) -> bool {
    decode_sample::<Value>(body).is_ok_and(|value| person.is_in_json(&value))
}

impl Store {
    /// Looks for a person in all that the store holds; takes their names from their commits.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn look_for_person(&self, person: &mut Person) -> Result<PersonsData, StoreError> {
        let mut found = PersonsData { like: person.like(), ..PersonsData::default() };
        let issues: Vec<IssueTexts> = sqlx::query_as(
            "SELECT id, developer_name, developer_email, commit_summary, reason, details, \
             mended_how, text FROM issue ORDER BY id",
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
                sqlx::query_as(column.read()).fetch_all(&self.readers).await?;
            let erased = rows.into_iter().filter_map(|(id, text)| {
                let text = person.erase(&text)?;
                Some((column, id, text))
            });
            found.beside.extend(erased);
        }
        let notices: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, recipient FROM notice").fetch_all(&self.readers).await?;
        let theirs = notices.into_iter().filter(|(_, recipient)| person.is(recipient));
        found.notices = theirs.map(|(id, _)| id).collect();
        let facets = sqlx::query_scalar(
            "SELECT COUNT(*) FROM issue_facet WHERE LOWER(value) LIKE $1 ESCAPE '\\'",
        );
        found.facets = facets.bind(&found.like).fetch_one(&self.readers).await?;
        let channels: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, owner FROM channel WHERE owner IS NOT NULL")
                .fetch_all(&self.readers)
                .await?;
        let theirs = channels.into_iter().filter(|(_, owner)| person.is(owner));
        found.channels = theirs.map(|(id, _)| id).collect();
        let wishes: Vec<String> = sqlx::query_scalar(
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

    /// Rows that hold values are read one after the other: together they may be large.
    async fn look_at_values(
        &self,
        person: &Person,
        found: &mut PersonsData,
    ) -> Result<(), StoreError> {
        let keys: Vec<(i64, i64)> =
            sqlx::query_as("SELECT issue_id, slot FROM sample").fetch_all(&self.readers).await?;
        for key in keys {
            let query =
                sqlx::query_scalar("SELECT body FROM sample WHERE issue_id = $1 AND slot = $2");
            let body: Option<Vec<u8>> =
                query.bind(key.0).bind(key.1).fetch_optional(&self.readers).await?;
            let Some(body) = body else { continue };
            let body = self.sealing.open(samples::TABLE, body);
            found.look(body, key, |found| &mut found.samples, |body| report_names(person, body));
        }
        let keys: Vec<String> = sqlx::query_scalar("SELECT fingerprint FROM pending_report")
            .fetch_all(&self.readers)
            .await?;
        for key in keys {
            let query =
                sqlx::query_scalar("SELECT body FROM pending_report WHERE fingerprint = $1");
            let body: Option<Vec<u8>> = query.bind(&key).fetch_optional(&self.readers).await?;
            let Some(body) = body else { continue };
            let body = self.sealing.open(pending::TABLE, body);
            found.look(body, key, |found| &mut found.pending, |body| report_names(person, body));
        }
        let sets: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT modules_id, body FROM module_set")
                .fetch_all(&self.readers)
                .await?;
        for (key, body) in sets {
            let body = self.sealing.open(module_sets::TABLE, body);
            let names = |body: &[u8]| report_names(person, body);
            found.look(body, key, |found| &mut found.module_sets, names);
        }
        let keys: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, recipient FROM outbox").fetch_all(&self.readers).await?;
        for (key, recipient) in keys {
            if person.is(&recipient) {
                found.mails_to.push(key);
                continue;
            }
            let query = sqlx::query_as("SELECT subject, message FROM outbox WHERE id = $1");
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

impl WriteTx {
    /// Erases what was found about a person.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn erase_person(&mut self, found: &PersonsData, now: i64) -> Result<(), StoreError> {
        self.note_erasure().await?;
        for issue in &found.issues {
            sqlx::query(
                "UPDATE issue SET developer_name = $2, developer_email = $3, \
                 commit_summary = $4, reason = $5, details = $6, mended_how = $7, text = $8 \
                 WHERE id = $1",
            )
            .bind(issue.id)
            .bind(&issue.developer_name)
            .bind(&issue.developer_email)
            .bind(&issue.commit_summary)
            .bind(&issue.reason)
            .bind(&issue.details)
            .bind(&issue.mended_how)
            .bind(&issue.text)
            .execute(&mut *self.0)
            .await?;
        }
        for (column, id, text) in &found.beside {
            sqlx::query(column.write()).bind(id).bind(text).execute(&mut *self.0).await?;
        }
        for notice in &found.notices {
            // What its owner was not told yet is told to who answers next.
            let reopen = sqlx::query(
                "UPDATE alert SET composed_at = NULL, note = NULL WHERE id IN \
                 (SELECT notice.alert_id FROM notice LEFT JOIN outbox \
                  ON outbox.id = notice.outbox_id WHERE notice.id = $1 AND notice.is_owner = 1 \
                  AND outbox.sent_at IS NULL AND outbox.gave_up_at IS NULL)",
            );
            reopen.bind(notice).execute(&mut *self.0).await?;
            let query = sqlx::query("DELETE FROM notice WHERE id = $1");
            query.bind(notice).execute(&mut *self.0).await?;
        }
        for mail in found.mails_to.iter().chain(&found.mails_naming) {
            self.erase_mail(*mail, now).await?;
        }
        for mail in &found.mails_to {
            let query = sqlx::query("UPDATE outbox SET recipient = $2 WHERE id = $1");
            query.bind(mail).bind(ERASED).execute(&mut *self.0).await?;
        }
        // Examples of dropped reports and names of hosts: nothing but an aid for people.
        for table in [
            "UPDATE outcome SET example = '' WHERE LOWER(example) LIKE $1 ESCAPE '\\'",
            "UPDATE client_loss SET example = '' WHERE LOWER(example) LIKE $1 ESCAPE '\\'",
            "DELETE FROM issue_facet WHERE LOWER(value) LIKE $1 ESCAPE '\\'",
            "UPDATE pending_report SET facets = '[]' WHERE LOWER(facets) LIKE $1 ESCAPE '\\'",
        ] {
            sqlx::query(table).bind(&found.like).execute(&mut *self.0).await?;
        }
        for channel in &found.channels {
            self.remove_channel(*channel, now).await?;
            let query = sqlx::query("UPDATE channel SET owner = $2 WHERE id = $1");
            query.bind(channel).bind(ERASED).execute(&mut *self.0).await?;
        }
        for address in &found.wishes {
            for table in [
                "DELETE FROM unwanted_mail WHERE address = $1",
                "DELETE FROM retried_address WHERE address = $1",
                "DELETE FROM person_role WHERE address = $1",
                "DELETE FROM session WHERE address = $1",
                "DELETE FROM sign_in_link WHERE address = $1",
                "DELETE FROM api_token WHERE created_by = $1",
                "UPDATE person_role SET set_by = '' WHERE set_by = $1",
            ] {
                sqlx::query(table).bind(address).execute(&mut *self.0).await?;
            }
        }
        for (issue, slot) in &found.samples {
            let query = sqlx::query("DELETE FROM sample WHERE issue_id = $1 AND slot = $2");
            query.bind(issue).bind(slot).execute(&mut *self.0).await?;
        }
        for set in &found.module_sets {
            let query = sqlx::query("DELETE FROM module_set WHERE modules_id = $1");
            query.bind(set).execute(&mut *self.0).await?;
        }
        self.erase_waiting(&found.pending, now).await
    }
}
