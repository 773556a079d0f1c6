//! The modules of programs. A client sends them until a report that contains them is recorded, and
//! from then on only their id: they are stored once, for all reports that name them.
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flawless_core::Report;
use flawless_store::{ProjectId, StoreError, WriteTx, encode_sample};

use super::capacity::Capacity;
use crate::project::redaction::Redaction;

/// Minimum time between two notes that a set was seen.
const SEEN_EVERY_MS: i64 = 3_600_000;
/// An encoded set larger than this is not kept; a thousand modules take a tenth of it.
const MAX_SET: usize = 128 * 1024;
/// Number of sets unknown to the store that one transaction looks up, so that a flood of made-up
/// sets does not delay reports.
const MOST_AT_ONCE: usize = 16;
/// Number of ids in memory.
const MOST_REMEMBERED: usize = 2_000;

/// The sets that the reports of a batch name.
#[derive(Debug, Default)]
pub(super) struct NamedModules(HashMap<String, Brought>);

/// What a report sent of a set.
#[derive(Debug)]
struct Brought {
    /// Empty when the report only named it.
    modules: BTreeMap<String, String>,
    is_clean: bool,
    /// The sender whose quota is charged.
    source: Arc<str>,
}

impl NamedModules {
    /// Takes the modules out of a report.
    pub(super) fn take_from(&mut self, report: &mut Report, is_clean: bool, source: &Arc<str>) {
        let Some(process) = &mut report.process else { return };
        let modules = std::mem::take(&mut process.modules);
        if process.modules_id.is_empty() {
            return;
        }
        let is_new = self.0.get(&process.modules_id).is_none_or(|known| known.modules.is_empty());
        if is_new {
            let brought = Brought { modules, is_clean, source: source.clone() };
            self.0.insert(process.modules_id.clone(), brought);
        }
    }
}

/// Which sets the store is known to have, or not to have, and when that was noted.
#[derive(Debug, Default)]
pub(super) struct ModuleSets(HashMap<(ProjectId, String), Noted>);

/// What is known of a set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    at: i64,
    is_stored: bool,
}

/// What a transaction has noted, to be adopted once it is durable.
pub(super) type Written = Vec<((ProjectId, String), Noted)>;

impl ModuleSets {
    /// Notes that sets were seen, and stores the new ones.
    pub(super) async fn write(
        &self,
        tx: &mut WriteTx,
        capacity: &mut Capacity,
        named: NamedModules,
        redaction: &Redaction,
        now: i64,
    ) -> Result<Written, StoreError> {
        let project = tx.project_id();
        let is_noted = |id: &String, brought: &Brought| {
            self.0.get(&(project, id.clone())).is_some_and(|noted| {
                now - noted.at < SEEN_EVERY_MS && (noted.is_stored || brought.modules.is_empty())
            })
        };
        let unnoted = named.0.into_iter().filter(|(id, brought)| !is_noted(id, brought));
        let mut written = Written::new();
        for (id, brought) in unnoted.take(MOST_AT_ONCE) {
            let is_stored = tx.see_module_set(&id, now).await?
                || store_new(tx, capacity, &id, brought, redaction, now).await?;
            written.push(((project, id), Noted { at: now, is_stored }));
        }
        Ok(written)
    }

    /// Adopts what was written, once it is durable.
    pub(super) fn take_over(&mut self, written: Written) {
        if self.0.len() + written.len() > MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.extend(written);
    }
}

async fn store_new(
    tx: &mut WriteTx,
    capacity: &mut Capacity,
    id: &str,
    brought: Brought,
    redaction: &Redaction,
    now: i64,
) -> Result<bool, StoreError> {
    let Brought { mut modules, is_clean, source } = brought;
    if modules.is_empty() || !capacity.has_bytes(tx, &source).await? {
        return Ok(false);
    }
    if !is_clean {
        redaction.modules(&mut modules);
    }
    let body = encode_sample(&modules)?;
    if body.len() > MAX_SET {
        return Ok(false);
    }
    let bytes = tx.add_module_set(id, &body, now).await?;
    capacity.add_bytes(tx, &source, bytes).await?;
    Ok(true)
}
