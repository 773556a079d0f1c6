//! JSON for programs, described in docs/channels.md and signed by `signature.rs`.
use flawless_base::dates::rfc3339;
use serde_json::{Value, json};

use super::texts::Content;

/// A size that even a small program can be expected to accept.
const BYTES: usize = 256_000;

pub(super) fn body(content: &Content<'_>) -> Value {
    json!({
        "version": 1,
        "event": "alert",
        "id": content.id,
        "project": content.project,
        "sent_at": rfc3339(content.at),
        "alerts": content.alerts,
    })
}

pub(super) fn fits(body: &Value) -> bool {
    body.to_string().len() <= BYTES
}
