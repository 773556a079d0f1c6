//! Caches the origins of lines.
use std::time::Duration;

use flawless_core::{CommitId, LineOrigin};
use flawless_git::{Fact, FactKey, FactStore, Later};
use tokio::sync::mpsc;

use crate::db::key_text::LONGEST_KEY;
use crate::{Store, StoreError, db};

/// Limit of facts that wait to be written; further ones are found again later.
const MAX_WAITING: usize = 4_096;
/// Facts are written in batches: each transaction costs a wait for the disk.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// The facts in a store. Reads are immediate, writes are delayed a little.
#[derive(Debug)]
pub struct StoredFacts {
    store: Store,
    new: mpsc::Sender<(FactKey, Fact)>,
}

impl StoredFacts {
    /// Facts in `store`. The task that writes them ends when all owners of this value are gone.
    pub fn new(store: Store) -> Self {
        let (new, waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write_waiting(store.clone(), waiting));
        Self { store, new }
    }
}

impl FactStore for StoredFacts {
    fn get<'a>(&'a self, key: &'a FactKey) -> Later<'a, Option<Fact>> {
        Box::pin(async move {
            let found = self.store.line_fact(key).await;
            found.inspect_err(|error| tracing::warn!(%error, "a fact could not be read")).ok()?
        })
    }

    fn put<'a>(&'a self, key: &'a FactKey, fact: &'a Fact) -> Later<'a, ()> {
        Box::pin(async move {
            // When the queue is full, the fact is found again later.
            let _ = self.new.try_send((key.clone(), fact.clone()));
        })
    }
}

async fn write_waiting(store: Store, mut waiting: mpsc::Receiver<(FactKey, Fact)>) {
    let mut facts = Vec::new();
    while waiting.recv_many(&mut facts, MAX_WAITING).await > 0 {
        if let Err(error) = store.add_line_facts(&facts).await {
            tracing::warn!(%error, "facts about lines could not be kept");
        }
        facts.clear();
        tokio::time::sleep(WRITE_EVERY).await;
    }
}

type Row = (String, String, i64, i64);

impl Store {
    async fn line_fact(&self, key: &FactKey) -> Result<Option<Fact>, StoreError> {
        let row: Option<Row> = db::query(
            "SELECT origin_commit, origin_path, origin_line, is_guessed FROM line_fact \
             WHERE project_id = $1 AND commit_id = $2 AND path = $3 AND line = $4 AND options = $5",
        )
        .bind(self.project)
        .bind(key.commit.as_str())
        .bind(&key.path)
        .bind(i64::from(key.line))
        .bind(&key.options)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.and_then(|(commit, path, line, is_guessed)| {
            let commit = CommitId::parse(&commit)?;
            let line = u32::try_from(line).ok()?;
            let origin = LineOrigin { commit, path, line };
            Some(Fact { origin, is_guessed: is_guessed != 0 })
        }))
    }

    async fn add_line_facts(&self, facts: &[(FactKey, Fact)]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // What fits in no index is found again each time.
        let is_short =
            |(key, _): &&(FactKey, Fact)| key.path.len() + key.options.len() <= LONGEST_KEY;
        for (key, fact) in facts.iter().filter(is_short) {
            db::query(
                "INSERT INTO line_fact (project_id, commit_id, path, line, options, \
                 origin_commit, origin_path, origin_line, is_guessed) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                 ON CONFLICT (project_id, commit_id, path, line, options) DO UPDATE SET \
                 origin_commit = excluded.origin_commit, origin_path = excluded.origin_path, \
                 origin_line = excluded.origin_line, is_guessed = excluded.is_guessed",
            )
            .bind(self.project)
            .bind(key.commit.as_str())
            .bind(&key.path)
            .bind(i64::from(key.line))
            .bind(&key.options)
            .bind(fact.origin.commit.as_str())
            .bind(&fact.origin.path)
            .bind(i64::from(fact.origin.line))
            .bind(i64::from(fact.is_guessed))
            .execute(&mut tx.tx)
            .await?;
        }
        tx.commit().await
    }
}
