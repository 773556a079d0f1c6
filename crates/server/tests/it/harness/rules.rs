//! Rules that tests add.
use flawless_store::RuleList;
use serde_json::Value;

use super::{App, NOW, wait_until};

/// Adds a rule from another connection, as the command line does, and waits for the server.
pub async fn add_rule(app: &App, list: &str, entry: &str) {
    let shared = &app.server.app;
    let before = shared.rules.get().revision;
    let list = RuleList::parse(list).expect("a list");
    let entry: Value = serde_json::from_str(entry).expect("JSON");
    let mut tx = shared.store.write().await.expect("store");
    tx.add_rule(list, &entry, NOW).await.expect("a rule").expect("a new one");
    tx.commit().await.expect("store");
    wait_until("the rule is in force", async || shared.rules.get().revision > before).await;
}
