//! An index in memory of what lists need of every issue, refreshed by what has changed.
use std::sync::{Arc, PoisonError, RwLock};

use flawless_core::{Developer, Owners};
use flawless_store::issues::details::IssueDetails;
use flawless_store::{IndexedIssue, RefusedAddress, StoreError, exception_types};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::owner::ListedOwner;
use crate::app::App;

/// The facts of all issues, as of the last refresh.
#[derive(Debug, Default)]
pub(crate) struct Index {
    now: RwLock<Arc<Known>>,
    /// Held while the index is refreshed.
    looking: Mutex<()>,
}

/// The facts of all issues.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// By number.
    pub(crate) issues: FxHashMap<i64, Arc<Facts>>,
    revision: i64,
    owners_by: OwnersBy,
}

/// What owners depend on: when it changes, all owners are determined again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OwnersBy {
    rules: i64,
    refused: Vec<(String, bool)>,
}

/// The facts of an issue.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) is_merged: bool,
    pub(crate) path: String,
    /// Full type paths of its exceptions.
    pub(crate) exception_types: Vec<String>,
    /// All searchable texts, in lower case.
    pub(crate) words: String,
    pub(crate) is_known_error: bool,
    pub(crate) authored_at: Option<i64>,
    pub(crate) first_seen_at: i64,
    pub(crate) notified_at: Option<i64>,
    pub(crate) resolved_at: Option<i64>,
    pub(crate) muted_until: Option<i64>,
    pub(crate) owner: ListedOwner,
    developer: Option<Developer>,
    gone: Option<String>,
    code_owners: Option<Owners>,
}

/// The part of [`IssueDetails`] that decides who the owner is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answering {
    gone: Option<String>,
    code_owners: Option<Owners>,
}

/// At most this many characters of each text are searchable.
const LOOKED_IN: usize = 500;

impl Index {
    /// Brings the index up to date.
    pub(crate) async fn refresh(&self, app: &App) -> Result<Arc<Known>, StoreError> {
        let _alone = self.looking.lock().await;
        let before = self.now.read().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = app.store.refused_addresses(app.clock.now()).await?;
        let rules = app.rules.get();
        let owners_by = OwnersBy {
            rules: rules.revision,
            refused: refused.iter().map(|r| (r.address.clone(), r.words.is_some())).collect(),
        };
        let (mut heads, count) = app.store.issue_heads(before.revision).await?;
        let is_same = heads.is_empty() && owners_by == before.owners_by;
        if is_same && i64::try_from(before.issues.len()) == Ok(count) {
            return Ok(before);
        }
        let mut known = Known { owners_by, ..Known::clone(&before) };
        if known.owners_by != before.owners_by {
            for facts in known.issues.values_mut() {
                let mut renewed = Facts::clone(facts);
                renewed.find_owner(app, &rules.rules, &refused);
                *facts = Arc::new(renewed);
            }
        }
        known.take(heads, app, &refused);
        if i64::try_from(known.issues.len()) != Ok(count) {
            // Some issues were deleted.
            (heads, _) = app.store.issue_heads(0).await?;
            known.issues.clear();
            known.take(heads, app, &refused);
        }
        let known = Arc::new(known);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        Ok(known)
    }
}

impl Known {
    fn take(&mut self, heads: Vec<IndexedIssue>, app: &App, refused: &[RefusedAddress]) {
        let rules = app.rules.get();
        for head in heads {
            self.revision = self.revision.max(head.revision);
            let id = head.id;
            let mut facts = Facts::of(head);
            facts.find_owner(app, &rules.rules, refused);
            self.issues.insert(id, Arc::new(facts));
        }
    }
}

impl Facts {
    fn of(head: IndexedIssue) -> Self {
        let answering: Answering = serde_json::from_str(&head.details).unwrap_or_default();
        let texts = [
            &head.path,
            &head.function_name,
            &head.text,
            &head.exception_types,
            head.commit_summary.as_ref().unwrap_or(&head.path),
        ];
        let mut words = String::new();
        for text in texts {
            words.extend(text.chars().take(LOOKED_IN).flat_map(char::to_lowercase));
            words.push('\n');
        }
        Self {
            is_merged: head.merged_into.is_some(),
            words,
            path: head.path,
            exception_types: exception_types(&head.exception_types).map(str::to_owned).collect(),
            is_known_error: head.known_error_id.is_some(),
            authored_at: head.authored_at,
            first_seen_at: head.first_seen_at,
            notified_at: head.notified_at,
            resolved_at: head.resolved_at,
            muted_until: head.muted_until,
            owner: ListedOwner::default(),
            developer: (head.developer_name.zip(head.developer_email))
                .map(|(name, email)| Developer { name, email }),
            gone: answering.gone,
            code_owners: answering.code_owners,
        }
    }

    fn find_owner(&mut self, app: &App, rules: &flawless_core::Rules, refused: &[RefusedAddress]) {
        let details = IssueDetails {
            gone: self.gone.clone(),
            code_owners: self.code_owners.clone(),
            ..IssueDetails::default()
        };
        let policy = &app.config.addresses;
        let owner = details.owner(self.developer.as_ref(), &self.path, rules, policy, refused);
        self.owner = ListedOwner::new(owner.address);
    }
}
