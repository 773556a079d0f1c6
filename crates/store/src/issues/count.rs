//! Counts occurrences of issues, and stores the results of attribution.
use std::collections::{BTreeMap, HashMap};

use sqlx::FromRow;

use super::issue::{HOUR_MS, IssueFacts, exception_types};
use crate::db::key_text::{beginning, key_text};
use crate::{ProjectId, Resolution, StoreError, WriteTx, db};

/// Bytes of an author's name or address. Longer ones are not names.
const MAX_AUTHOR: usize = 400;

/// The name or address of an author, as it is stored and indexed.
fn bounded(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(|text| beginning(text, MAX_AUTHOR))
}

/// Issue numbers in one statement.
const MOST_NUMBERS: usize = 500;

/// Limit of exception types that are kept per issue.
const MAX_TYPES: usize = 50;

/// Occurrences to be added to an issue.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Number of occurrences.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Number of reports with them.
    pub reports: i64,
    /// When the first came in.
    pub first_at: i64,
    /// When the last came in.
    pub last_at: i64,
    /// Number of samples of them that are kept.
    pub samples: i64,
}

impl Seen {
    /// Adds later occurrences.
    fn add(&mut self, later: Self) {
        self.occurrences = self.occurrences.saturating_add(later.occurrences);
        self.only_listed = self.only_listed.saturating_add(later.only_listed);
        self.reports += later.reports;
        self.samples += later.samples;
        self.last_at = self.last_at.max(later.last_at);
    }
}

/// The state of an issue after occurrences were added.
#[derive(Debug, Clone, FromRow)]
pub struct Counted {
    /// Its number.
    pub id: i64,
    /// Its project.
    pub project_id: ProjectId,
    /// All occurrences, the new ones included.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Samples taken so far, including that of the new ones.
    pub samples: i64,
    /// Author date of the line.
    pub authored_at: Option<i64>,
    /// When it was decided to notify somebody.
    pub notified_at: Option<i64>,
    /// When it was first seen.
    pub first_seen_at: i64,
    /// When it was fixed or resolved.
    pub resolved_at: Option<i64>,
    /// The commit that fixed it.
    pub resolved_by: Option<String>,
    /// How that is known.
    pub resolution: Option<Resolution>,
    /// Nobody is notified of it before this time.
    pub muted_until: Option<i64>,
    /// Nobody is notified of it: see [`IssueFacts::kept_out`].
    pub kept_out: bool,
}

impl WriteTx {
    /// Adds occurrences to an issue, or to the one that it was merged into; `None` when it does not
    /// exist.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count(
        &mut self,
        issue_id: i64,
        seen: Seen,
    ) -> Result<Option<Counted>, StoreError> {
        Ok(self.count_all(&[(issue_id, seen)]).await?.pop().flatten())
    }

    /// Adds occurrences to issues, or to those that they were merged into. Returns the state of each
    /// after its occurrences, in the same order, `None` for an issue that does not exist; an issue
    /// may be there several times.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_all(
        &mut self,
        seen: &[(i64, Seen)],
    ) -> Result<Vec<Option<Counted>>, StoreError> {
        let mut states = self.count_unmerged(seen).await?;
        let left: Vec<usize> = (0..seen.len()).filter(|at| states[*at].is_none()).collect();
        if left.is_empty() {
            return Ok(states);
        }
        let numbers: Vec<i64> = left.iter().map(|at| seen[*at].0).collect();
        let current = self.current_issues(&numbers).await?;
        let merged = left.iter().filter_map(|at| Some((*at, *current.get(&seen[*at].0)?)));
        let (places, merged): (Vec<usize>, Vec<(i64, Seen)>) =
            merged.map(|(at, issue)| (at, (issue, seen[at].1))).unzip();
        for (at, state) in places.into_iter().zip(self.count_unmerged(&merged).await?) {
            states[at] = state;
        }
        Ok(states)
    }

    /// Which of these issues exist, each with itself or the one that it was merged into.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn current_issues(
        &mut self,
        issues: &[i64],
    ) -> Result<HashMap<i64, i64>, StoreError> {
        let mut found = HashMap::new();
        for part in issues.chunks(MOST_NUMBERS) {
            let part = db::padded(part);
            let sql = format!(
                "SELECT id, COALESCE(merged_into, id) FROM issue WHERE id IN ({})",
                db::places(1, part.len())
            );
            let query = db::query(db::assembled(sql));
            let query = part.iter().fold(query, |query, number| query.bind(*number));
            let rows: Vec<(i64, i64)> = query.fetch_all(&mut self.tx).await?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The same, without issues that were merged.
    async fn count_unmerged(
        &mut self,
        seen: &[(i64, Seen)],
    ) -> Result<Vec<Option<Counted>>, StoreError> {
        let mut sums: BTreeMap<i64, Seen> = BTreeMap::new();
        for (issue, seen) in seen {
            sums.entry(*issue).and_modify(|sum| sum.add(*seen)).or_insert(*seen);
        }
        let sums: Vec<(i64, Seen)> = sums.into_iter().collect();
        let mut counted: HashMap<i64, Counted> = HashMap::new();
        for part in db::parts(&sums) {
            let sql = format!(
                "UPDATE issue SET occurrences = issue.occurrences + column2, \
                 samples = issue.samples + column3, only_listed = issue.only_listed + column4, \
                 last_seen_at = CASE WHEN issue.last_seen_at > column5 THEN issue.last_seen_at \
                 ELSE column5 END FROM (VALUES {}) AS new \
                 WHERE issue.id = column1 AND issue.merged_into IS NULL \
                 RETURNING id, project_id, occurrences, only_listed, samples, authored_at, \
                 notified_at, first_seen_at, resolved_at, resolved_by, resolution, muted_until, \
                 kept_out = 1 AS kept_out",
                db::rows(1, part.len(), 5)
            );
            let mut query = db::query(db::assembled(sql));
            for (issue, sum) in part {
                query = query.bind(*issue).bind(sum.occurrences).bind(sum.samples);
                query = query.bind(sum.only_listed).bind(sum.last_at);
            }
            let rows: Vec<Counted> = query.fetch_all(&mut self.tx).await?;
            counted.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        let of_project = |(issue, seen)| Some((counted.get(&issue)?.project_id, issue, seen));
        self.count_hours(sums.into_iter().filter_map(of_project).collect()).await?;
        // From the last one back: each is without what came after it.
        let state = |(issue, seen): &(i64, Seen)| {
            let counted = counted.get_mut(issue)?;
            let state = counted.clone();
            counted.occurrences -= seen.occurrences;
            counted.only_listed -= seen.only_listed;
            counted.samples -= seen.samples;
            Some(state)
        };
        let mut states: Vec<Option<Counted>> = seen.iter().rev().map(state).collect();
        states.reverse();
        Ok(states)
    }

    /// Adds occurrences to the issue with the identity of `facts`; creates it when it is new. For
    /// an existing issue, the current line and the known error are updated.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_attributed(
        &mut self,
        facts: &IssueFacts,
        seen: Seen,
    ) -> Result<Counted, StoreError> {
        if let Some((known, is_itself)) = self.issue_of_identity(&facts.identity).await? {
            // Facts found under an older name must not replace the current ones.
            if is_itself {
                self.renew(known, facts).await?;
            }
            if let Some(counted) = self.count(known, seen).await? {
                return Ok(counted);
            }
        }
        self.add_issue(facts, seen).await
    }

    /// Creates an issue with an identity that none has or had: see [`Self::is_issue`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_issue(
        &mut self,
        facts: &IssueFacts,
        seen: Seen,
    ) -> Result<Counted, StoreError> {
        let revision = self.next_revision().await?;
        let counted: Counted = db::query(
            "INSERT INTO issue (project_id, identity, path, line, function_name, text, \
             exception_type, known_error_id, origin_commit, origin_path, origin_line, \
             developer_name, developer_email, authored_at, commit_summary, reason, details, \
             occurrences, samples, first_seen_at, last_seen_at, revision, kept_out, exception_types, \
             author_gone, only_listed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
             $15, $16, $17, $18, $19, $20, $21, $22, $23, $7, $24, $25) \
             RETURNING id, project_id, occurrences, only_listed, samples, authored_at, notified_at, \
             first_seen_at, resolved_at, resolved_by, resolution, muted_until, \
             kept_out = 1 AS kept_out",
        )
        .bind(self.project)
        .bind(key_text(&facts.identity))
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(&facts.exception_type)
        .bind(facts.known_error_id)
        .bind(&facts.origin_commit)
        .bind(&facts.origin_path)
        .bind(facts.origin_line)
        .bind(bounded(&facts.developer_name))
        .bind(bounded(&facts.developer_email))
        .bind(facts.authored_at)
        .bind(&facts.commit_summary)
        .bind(&facts.reason)
        .bind(facts.details.to_json())
        .bind(seen.occurrences)
        .bind(seen.samples)
        .bind(seen.first_at)
        .bind(seen.last_at)
        .bind(revision)
        .bind(facts.kept_out)
        .bind(facts.details.is_author_gone())
        .bind(seen.only_listed)
        .fetch_one(&mut self.tx)
        .await?;
        self.count_hours(vec![(self.project, counted.id, seen)]).await?;
        Ok(counted)
    }

    /// Updates the line as it runs now and its facts.
    async fn renew(&mut self, issue: i64, facts: &IssueFacts) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        db::query(
            "UPDATE issue SET path = $2, line = $3, function_name = $4, text = $5, \
             known_error_id = $6, reason = $7, details = $8, developer_name = $9, \
             developer_email = $10, kept_out = $11, author_gone = $12, revision = $13 \
             WHERE id = $1",
        )
        .bind(issue)
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(facts.known_error_id)
        .bind(&facts.reason)
        .bind(facts.details.to_json())
        .bind(bounded(&facts.developer_name))
        .bind(bounded(&facts.developer_email))
        .bind(facts.kept_out)
        .bind(facts.details.is_author_gone())
        .bind(revision)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// The state of an issue.
    ///
    /// # Errors
    /// The database cannot be read, or the issue does not exist.
    pub async fn counted(&mut self, issue: i64) -> Result<Counted, StoreError> {
        let query = db::query(
            "SELECT id, project_id, occurrences, only_listed, samples, authored_at, notified_at, \
             first_seen_at, resolved_at, resolved_by, resolution, muted_until, kept_out = 1 AS kept_out \
             FROM issue WHERE id = $1",
        );
        Ok(query.bind(issue).fetch_one(&mut self.tx).await?)
    }

    /// The same; `None` when the issue does not exist.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn counted_if_there(&mut self, issue: i64) -> Result<Option<Counted>, StoreError> {
        match self.counted(issue).await {
            Ok(counted) => Ok(Some(counted)),
            Err(StoreError::Database(sqlx::Error::RowNotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds occurrences to the hours of issues, each at most once.
    async fn count_hours(
        &mut self,
        mut seen: Vec<(ProjectId, i64, Seen)>,
    ) -> Result<(), StoreError> {
        seen.retain(|(_, _, seen)| seen.occurrences > 0);
        let hour = |seen: &Seen| seen.last_at.div_euclid(HOUR_MS);
        let changed = seen.iter().map(|(project, _, seen)| (*project, hour(seen), seen.last_at));
        self.hours_change(changed.collect()).await?;
        for part in db::parts(&seen) {
            let sql = format!(
                "INSERT INTO issue_hour \
                 (project_id, issue_id, hour, occurrences, last_at, reports) VALUES {} \
                 ON CONFLICT (issue_id, hour) DO UPDATE SET \
                 occurrences = issue_hour.occurrences + excluded.occurrences, \
                 reports = issue_hour.reports + excluded.reports, last_at = excluded.last_at",
                db::rows(1, part.len(), 6)
            );
            let mut query = db::query(db::assembled(sql));
            for (project, issue, seen) in part {
                query = query.bind(*project).bind(*issue).bind(hour(seen));
                query = query.bind(seen.occurrences).bind(seen.last_at).bind(seen.reports);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Sets the known error that the issue matches now.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_known_error(
        &mut self,
        issue: i64,
        rule: Option<i64>,
    ) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        db::query("UPDATE issue SET known_error_id = $2, revision = $3 WHERE id = $1")
            .bind(issue)
            .bind(rule)
            .bind(revision)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Notes that an issue was seen with an exception of this type.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_exception_type(&mut self, issue: i64, name: &str) -> Result<(), StoreError> {
        let query = db::query_scalar("SELECT exception_types FROM issue WHERE id = $1");
        let known: Option<String> = query.bind(issue).fetch_optional(&mut self.tx).await?;
        let Some(mut known) = known else { return Ok(()) };
        let name = name.lines().next().unwrap_or_default().trim();
        let is_known = exception_types(&known).any(|other| other == name);
        if name.is_empty() || is_known || exception_types(&known).count() >= MAX_TYPES {
            return Ok(());
        }
        if !known.is_empty() {
            known.push('\n');
        }
        known.push_str(name);
        let revision = self.next_revision_of(issue).await?;
        let query = db::query("UPDATE issue SET exception_types = $2, revision = $3 WHERE id = $1");
        query.bind(issue).bind(known).bind(revision).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Stores that a place belongs to an issue.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_place(
        &mut self,
        place_key: &str,
        issue_id: i64,
        at: i64,
    ) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO place (project_id, place_key, issue_id, created_at) \
             VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, place_key) DO NOTHING",
        )
        .bind(self.project)
        .bind(place_key)
        .bind(issue_id)
        .bind(at)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}
