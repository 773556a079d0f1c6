//! Limits on new data per day, by sender and in total, so that nobody fills the store.
use std::collections::HashMap;

use sqlx::FromRow;

use super::outcomes::DAY_MS;
use crate::{Store, StoreError, WriteTx, db};

/// The limits of a day (UTC); 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// For all senders together.
    pub all: Quota,
    /// For each sender.
    pub sender: Quota,
}

/// Limits of a day; 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// New issues.
    pub issues: i64,
    /// Bytes of reports that are stored whole, in their stored form.
    pub bytes: i64,
}

/// The use of a sender on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Used {
    /// A key of the project, or an address; empty for all senders together.
    pub source: String,
    /// New issues.
    pub issues: i64,
    /// Bytes of reports that are stored whole.
    pub bytes: i64,
}

/// The quota that is used up, named like its option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp(pub &'static str);

impl Quotas {
    /// The limit that a sender with this use has reached; `None` while it is below all.
    pub fn issues_used_up(&self, of_sender: i64, of_all: i64) -> Option<UsedUp> {
        first_reached([
            (self.sender.issues, of_sender, "new_issues_per_sender_per_day"),
            (self.all.issues, of_all, "new_issues_per_day"),
        ])
    }

    /// The same for bytes.
    pub fn bytes_used_up(&self, of_sender: i64, of_all: i64) -> Option<UsedUp> {
        first_reached([
            (self.sender.bytes, of_sender, "new_bytes_per_sender_per_day"),
            (self.all.bytes, of_all, "new_bytes_per_day"),
        ])
    }
}

fn first_reached(limits: [(i64, i64, &'static str); 2]) -> Option<UsedUp> {
    let reached = |(limit, used, _): &(i64, i64, _)| *limit > 0 && used >= limit;
    limits.into_iter().find(reached).map(|(_, _, name)| UsedUp(name))
}

/// The use of a day by some senders, while a transaction adds to it.
#[derive(Debug)]
pub struct DayUse {
    day: i64,
    quotas: Quotas,
    /// Use by sender, and whether the transaction changed it.
    used: HashMap<String, (Used, bool)>,
    /// Whether there are too many senders: further ones are counted together.
    is_crowded: bool,
}

/// Senders of a day that are counted separately.
const MOST_SENDERS: usize = 1_000;
/// Key of the other senders together.
const OTHERS: &str = "others";
/// Key of all senders together.
const ALL: &str = "";

impl DayUse {
    fn name<'a>(&self, source: &'a str) -> &'a str {
        let is_new = !self.used.contains_key(source);
        if source == ALL || (self.is_crowded && is_new) { OTHERS } else { source }
    }

    fn of(&self, source: &str) -> (Used, Used) {
        let used = |name: &str| self.used.get(name).map(|(used, _)| used.clone());
        (used(self.name(source)).unwrap_or_default(), used(ALL).unwrap_or_default())
    }

    /// Why this sender may not open an issue today; `None` when it may.
    pub fn no_issue(&self, source: &str) -> Option<UsedUp> {
        let (sender, all) = self.of(source);
        self.quotas.issues_used_up(sender.issues, all.issues)
    }

    /// Why reports of this sender are not stored whole today; `None` when they are.
    pub fn no_bytes(&self, source: &str) -> Option<UsedUp> {
        let (sender, all) = self.of(source);
        self.quotas.bytes_used_up(sender.bytes, all.bytes)
    }

    /// Adds new use; negative numbers remove what is no longer stored.
    pub fn add(&mut self, source: &str, issues: i64, bytes: i64) {
        let name = self.name(source).to_owned();
        for name in [name.as_str(), ALL] {
            let (used, is_changed) = self.used.entry(name.to_owned()).or_default();
            used.issues += issues;
            used.bytes = (used.bytes + bytes).max(0);
            *is_changed = true;
        }
    }
}

impl WriteTx {
    /// The use on the day of `at`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn day_use(&mut self, quotas: Quotas, at: i64) -> Result<DayUse, StoreError> {
        let day = at.div_euclid(DAY_MS);
        let query = db::query(
            "SELECT source, issues, bytes FROM quota_use WHERE project_id = $1 AND day = $2",
        );
        let rows: Vec<Used> = query.bind(self.project).bind(day).fetch_all(&mut self.tx).await?;
        let is_crowded = rows.len() >= MOST_SENDERS;
        let used = rows.into_iter().map(|used| (used.source.clone(), (used, false))).collect();
        Ok(DayUse { day, quotas, used, is_crowded })
    }

    /// Stores what was added.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn save_day_use(&mut self, day_use: DayUse) -> Result<(), StoreError> {
        let changed = day_use.used.into_iter().filter(|(_, (_, is_changed))| *is_changed);
        let changed: Vec<(String, Used)> = changed.map(|(name, (used, _))| (name, used)).collect();
        for part in db::parts(&changed) {
            let sql = format!(
                "INSERT INTO quota_use (project_id, day, source, issues, bytes) VALUES {} \
                 ON CONFLICT (project_id, day, source) \
                 DO UPDATE SET issues = excluded.issues, bytes = excluded.bytes",
                db::rows(1, part.len(), 5)
            );
            let mut query = db::query(db::assembled(sql));
            for (source, used) in part {
                query = query.bind(self.project).bind(day_use.day).bind(source);
                query = query.bind(used.issues).bind(used.bytes);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(())
    }
}

impl Store {
    /// The use on the day of `at`, the total first, then the senders with the most issues.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn used_on_day(&self, at: i64) -> Result<Vec<Used>, StoreError> {
        let query = db::query(
            "SELECT source, issues, bytes FROM quota_use WHERE project_id = $1 AND day = $2 \
             ORDER BY CASE source WHEN '' THEN 0 ELSE 1 END, issues DESC, bytes DESC, source",
        );
        Ok(query.bind(self.project).bind(at.div_euclid(DAY_MS)).fetch_all(&self.readers).await?)
    }
}
