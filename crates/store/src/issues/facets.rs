//! How often an issue occurred by exception type, host, environment and revision. Bounded: of each
//! kind a limited number of values is counted separately, and all further ones together.
use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// Values of a kind that are counted separately.
const MOST: usize = 50;
/// Characters of a value that are kept.
const LENGTH: usize = 200;

/// Occurrences that agree in everything that is counted separately; `None` stands for the values
/// that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    exception: Option<String>,
    host: Option<String>,
    environment: Option<String>,
    revision: Option<String>,
    occurrences: i64,
    first_at: i64,
    last_at: i64,
}

impl Facet {
    /// Occurrences at one time; an empty text means that the client did not say.
    pub fn new(
        [exception, host, environment, revision]: [&str; 4],
        occurrences: i64,
        at: i64,
    ) -> Self {
        let value = |text: &str| Some(text.trim().chars().take(LENGTH).collect());
        Self {
            exception: value(exception),
            host: value(host),
            environment: value(environment),
            revision: value(revision),
            occurrences,
            first_at: at,
            last_at: at,
        }
    }

    /// Counts it under another exception, one that the reported one carried.
    pub fn set_exception(&mut self, exception: &str) {
        self.exception = Some(exception.trim().chars().take(LENGTH).collect());
    }

    fn agrees(&self, other: &Self) -> bool {
        self.exception == other.exception
            && self.host == other.host
            && self.environment == other.environment
            && self.revision == other.revision
    }
}

/// The facets of waiting reports, as their row stores them.
pub(crate) fn add_to(stored: &str, new: &[Facet]) -> String {
    let mut facets = read(stored);
    for facet in new {
        let mut facet = facet.clone();
        // They have the same traceback: its exception and revision are one. Hosts are many,
        // environments few: these keep their own counts longer.
        if facets.len() >= MOST && !facets.iter().any(|known| known.agrees(&facet)) {
            facet.host = None;
        }
        if facets.len() >= 2 * MOST && !facets.iter().any(|known| known.agrees(&facet)) {
            facet.environment = None;
        }
        match facets.iter_mut().find(|known| known.agrees(&facet)) {
            Some(known) => {
                known.occurrences = known.occurrences.saturating_add(facet.occurrences);
                known.first_at = known.first_at.min(facet.first_at);
                known.last_at = known.last_at.max(facet.last_at);
            }
            None => facets.push(facet),
        }
    }
    serde_json::to_string(&facets).unwrap_or_else(|_| "[]".to_owned())
}

/// Parses the output of [`add_to`]; empty for a row of an older version.
pub(crate) fn read(stored: &str) -> Vec<Facet> {
    serde_json::from_str(stored).unwrap_or_default()
}

/// One value with its counts.
#[derive(Debug, Clone, FromRow)]
pub struct FacetRow {
    /// `exception`, `host`, `environment` or `revision`.
    pub kind: String,
    /// Whether it stands for all values that are not counted separately.
    pub is_others: bool,
    /// The value; empty when the program did not say.
    pub value: String,
    /// Occurrences with it.
    pub occurrences: i64,
    /// When the first one came in.
    pub first_at: i64,
    /// When the last one came in.
    pub last_at: i64,
}

/// Adds to values that are counted separately already, nearly always all of them.
fn add_to_known(rows: &str) -> String {
    format!(
        "UPDATE issue_facet SET occurrences = issue_facet.occurrences + column4, \
         first_at = CASE WHEN issue_facet.first_at < column5 THEN issue_facet.first_at \
         ELSE column5 END, last_at = CASE WHEN issue_facet.last_at > column6 \
         THEN issue_facet.last_at ELSE column6 END FROM (VALUES {rows}) AS new \
         WHERE issue_id = column1 AND kind = column2 AND is_others = 0 AND value = column3 \
         RETURNING issue_id, kind, value"
    )
}

/// Adds values that are not counted separately yet: those that fit are from now on, the others are
/// counted together.
fn add_new(rows: &str) -> String {
    format!(
        "INSERT INTO issue_facet \
         (issue_id, kind, is_others, value, occurrences, first_at, last_at) \
         SELECT column1, column2, CASE WHEN fits THEN 0 ELSE 1 END, \
         CASE WHEN fits THEN column3 ELSE '' END, CAST(SUM(column4) AS BIGINT), MIN(column5), \
         MAX(column6) FROM (SELECT new.*, column3 IS NOT NULL AND \
          (SELECT COUNT(*) FROM issue_facet AS known WHERE known.issue_id = column1 \
           AND known.kind = column2 AND known.is_others = 0) \
          + ROW_NUMBER() OVER (PARTITION BY column1, column2, column3 IS NULL \
           ORDER BY column5, column3) <= $1 AS fits FROM (VALUES {rows}) AS new) AS judged \
         WHERE TRUE GROUP BY 1, 2, 3, 4 \
         ON CONFLICT (issue_id, kind, is_others, value) DO UPDATE SET \
         occurrences = issue_facet.occurrences + excluded.occurrences, \
         first_at = CASE WHEN issue_facet.first_at < excluded.first_at \
         THEN issue_facet.first_at ELSE excluded.first_at END, \
         last_at = CASE WHEN issue_facet.last_at > excluded.last_at \
         THEN issue_facet.last_at ELSE excluded.last_at END"
    )
}

/// A value of a kind, of an issue; `None` stands for those that are counted together.
type ValueOf<'f> = (i64, &'static str, Option<&'f str>);

/// Occurrences of a value, when the first came in, and when the last.
type Sum = (i64, i64, i64);

/// The occurrences of each value.
fn sums_of<'f>(facets: &[(i64, &'f Facet)]) -> BTreeMap<ValueOf<'f>, Sum> {
    let mut sums: BTreeMap<ValueOf<'f>, Sum> = BTreeMap::new();
    for (issue, facet) in facets {
        for (kind, value) in [
            ("exception", &facet.exception),
            ("host", &facet.host),
            ("environment", &facet.environment),
            ("revision", &facet.revision),
        ] {
            let (occurrences, first_at, last_at) = sums
                .entry((*issue, kind, value.as_deref()))
                .or_insert((0, facet.first_at, facet.last_at));
            *occurrences = occurrences.saturating_add(facet.occurrences);
            *first_at = facet.first_at.min(*first_at);
            *last_at = facet.last_at.max(*last_at);
        }
    }
    sums
}

fn bind_sums<'q>(mut query: db::Query<'q>, part: &[(ValueOf<'q>, Sum)]) -> db::Query<'q> {
    for ((issue, kind, value), (occurrences, first_at, last_at)) in part {
        query = query.bind(*issue).bind(*kind).bind(*value);
        query = query.bind(*occurrences).bind(*first_at).bind(*last_at);
    }
    query
}

/// Adds the values of `$1` to those of `$2`, then counts those above the limit together.
pub(crate) const MERGE: [&str; 4] = [
    "INSERT INTO issue_facet (issue_id, kind, is_others, value, occurrences, first_at, last_at) \
     SELECT $2, kind, is_others, value, occurrences, first_at, last_at FROM issue_facet \
     WHERE issue_id = $1 ON CONFLICT (issue_id, kind, is_others, value) DO UPDATE SET \
     occurrences = issue_facet.occurrences + excluded.occurrences, \
     first_at = CASE WHEN issue_facet.first_at < excluded.first_at \
     THEN issue_facet.first_at ELSE excluded.first_at END, \
     last_at = CASE WHEN issue_facet.last_at > excluded.last_at \
     THEN issue_facet.last_at ELSE excluded.last_at END",
    "DELETE FROM issue_facet WHERE issue_id = $1 AND issue_id <> $2",
    "INSERT INTO issue_facet (issue_id, kind, is_others, value, occurrences, first_at, last_at) \
     SELECT $2, kind, 1, '', CAST(SUM(occurrences) AS BIGINT), MIN(first_at), MAX(last_at) FROM \
     (SELECT kind, occurrences, first_at, last_at, ROW_NUMBER() OVER \
      (PARTITION BY kind ORDER BY occurrences DESC, value) AS place FROM issue_facet \
      WHERE issue_id = $2 AND is_others = 0 AND $1 <> $2) AS ranked WHERE place > 50 \
     GROUP BY kind ON CONFLICT (issue_id, kind, is_others, value) DO UPDATE SET \
     occurrences = issue_facet.occurrences + excluded.occurrences, \
     first_at = CASE WHEN issue_facet.first_at < excluded.first_at \
     THEN issue_facet.first_at ELSE excluded.first_at END, \
     last_at = CASE WHEN issue_facet.last_at > excluded.last_at \
     THEN issue_facet.last_at ELSE excluded.last_at END",
    "DELETE FROM issue_facet WHERE issue_id = $2 AND is_others = 0 AND $1 <> $2 AND EXISTS \
     (SELECT 1 FROM (SELECT kind, value, ROW_NUMBER() OVER \
      (PARTITION BY kind ORDER BY occurrences DESC, value) AS place FROM issue_facet AS all_of \
      WHERE all_of.issue_id = $2 AND all_of.is_others = 0) AS ranked WHERE ranked.place > 50 \
      AND ranked.kind = issue_facet.kind AND ranked.value = issue_facet.value)",
];

impl WriteTx {
    /// Counts occurrences of issues by their facets.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_facets(&mut self, facets: &[(i64, &Facet)]) -> Result<(), StoreError> {
        let mut sums: Vec<(ValueOf<'_>, Sum)> = sums_of(facets).into_iter().collect();
        let mut known: HashSet<(i64, String, String)> = HashSet::new();
        for part in db::parts(&sums) {
            let query = db::query(db::assembled(add_to_known(&db::rows(1, part.len(), 6))));
            let added: Vec<_> = bind_sums(query, part).fetch_all(&mut self.tx).await?;
            known.extend(added);
        }
        if known.len() == sums.len() {
            return Ok(());
        }
        sums.retain(|((issue, kind, value), _)| {
            let key = value.map(|value| (*issue, (*kind).to_owned(), value.to_owned()));
            key.is_none_or(|key| !known.contains(&key))
        });
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        for part in db::parts(&sums) {
            let query = db::query(db::assembled(add_new(&db::rows(2, part.len(), 6)))).bind(most);
            bind_sums(query, part).execute(&mut self.tx).await?;
        }
        Ok(())
    }
}

impl Store {
    /// How often an issue occurred by each value in its reports: kind by kind, the most frequent
    /// first, those that are counted together last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn facets_of(&self, issue: i64) -> Result<Vec<FacetRow>, StoreError> {
        let query = db::query(
            "SELECT kind, is_others = 1 AS is_others, value, occurrences, first_at, last_at \
             FROM issue_facet WHERE issue_id = $1 \
             ORDER BY kind, is_others, occurrences DESC, value",
        );
        Ok(query.bind(issue).fetch_all(&self.readers).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_facets_are_added_up_and_bounded() {
        let facet = |host: &str, at| Facet::new(["E", host, "", "r"], 2, at);
        let stored = add_to("[]", &[facet("a", 5), facet("b", 6), facet("a", 9)]);
        let facets = read(&stored);
        assert_eq!((facets.len(), facets[0].occurrences), (2, 4));
        assert_eq!((facets[0].first_at, facets[0].last_at), (5, 9));
        let many: Vec<Facet> = (0..200).map(|n| facet(&n.to_string(), 7)).collect();
        let facets = read(&add_to(&stored, &many));
        assert_eq!(facets.len(), MOST + 1);
        assert_eq!(facets[MOST].host, None);
        assert_eq!(facets.iter().map(|facet| facet.occurrences).sum::<i64>(), 6 + 400);
        let of = |host: usize, environment: &str| {
            Facet::new(["E", &host.to_string(), environment, "r"], 1, 7)
        };
        let many: Vec<Facet> =
            (0..200).map(|n| of(n, if n % 2 == 0 { "live" } else { "test" })).collect();
        let facets = read(&add_to("[]", &many));
        let live = facets.iter().filter(|facet| facet.environment.as_deref() == Some("live"));
        assert_eq!(live.map(|facet| facet.occurrences).sum::<i64>(), 100, "hosts are folded first");
        let many: Vec<Facet> = (0..500).map(|n| of(n, &n.to_string())).collect();
        assert_eq!(read(&add_to("[]", &many)).len(), 2 * MOST + 1);
        assert_eq!(read("nonsense"), []);
        let long = "é".repeat(300);
        let cut = Facet::new([&long; 4], 1, 0).host.expect("a host");
        assert_eq!(cut.chars().count(), LENGTH);
    }
}
