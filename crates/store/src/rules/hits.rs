//! How often rules mattered recently.
use std::collections::HashMap;

use flawless_core::RuleId;
use sqlx::FromRow;

use crate::reports::outcomes::DAY_MS;
use crate::{Store, StoreError, WriteTx, db};

/// Counts by rule, to be written together.
#[derive(Debug, Clone, Default)]
pub struct RuleHits(HashMap<RuleId, (i64, i64)>);

/// How often a rule mattered.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub struct RuleMatches {
    /// The rule.
    pub rule_id: RuleId,
    /// Number of reports, or of alerts for rules about people.
    pub reports: i64,
    /// The occurrences that they stand for.
    pub occurrences: i64,
    /// When it last mattered, however long ago.
    pub last_at: i64,
}

impl RuleHits {
    /// Adds to the counts of each of `rules`.
    pub fn add(&mut self, rules: &[RuleId], reports: i64, occurrences: i64) {
        for rule in rules {
            let (all_reports, all_occurrences) = self.0.entry(*rule).or_default();
            *all_reports = all_reports.saturating_add(reports);
            *all_occurrences = all_occurrences.saturating_add(occurrences);
        }
    }
}

impl WriteTx {
    /// Stores that rules mattered.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_rule_hits(&mut self, hits: &RuleHits, at: i64) -> Result<(), StoreError> {
        for (rule, (reports, occurrences)) in &hits.0 {
            db::query(
                "INSERT INTO rule_hit (rule_id, day, reports, occurrences, last_at) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (rule_id, day) DO UPDATE SET \
                 reports = rule_hit.reports + excluded.reports, \
                 occurrences = rule_hit.occurrences + excluded.occurrences, \
                 last_at = excluded.last_at",
            )
            .bind(rule)
            .bind(at.div_euclid(DAY_MS))
            .bind(reports)
            .bind(occurrences)
            .bind(at)
            .execute(&mut self.tx)
            .await?;
        }
        Ok(())
    }
}

impl Store {
    /// How often each rule mattered since the start of the day (UTC) that contains `since`, and
    /// when it last did, by rule.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rule_matches(
        &self,
        since: i64,
    ) -> Result<HashMap<RuleId, RuleMatches>, StoreError> {
        let query = db::query(
            "SELECT rule_id, CAST(SUM(CASE WHEN day >= $1 THEN reports ELSE 0 END) AS BIGINT) \
             AS reports, CAST(SUM(CASE WHEN day >= $1 THEN occurrences ELSE 0 END) AS BIGINT) \
             AS occurrences, MAX(last_at) AS last_at FROM rule_hit GROUP BY rule_id",
        );
        let rows: Vec<RuleMatches> =
            query.bind(since.div_euclid(DAY_MS)).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|row| (row.rule_id, row)).collect())
    }

    /// Since when the uses of rules are counted; 0: from the start.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules_counted_since(&self) -> Result<i64, StoreError> {
        let query = db::query_scalar("SELECT value FROM setting WHERE name = 'rule_hits_since'");
        Ok(query.fetch_optional(&self.readers).await?.unwrap_or(0))
    }
}
