//! Limits how many mirrors hold memory: the least recently used ones are closed, and open again
//! when they are asked something.
use std::sync::Arc;
use std::time::Duration;

use crate::clock::now;
use crate::mirror::Mirror;

/// Closes the mirrors that were not used for `idle`, and of the others the least recently used, so
/// that `most` stay open.
pub async fn close_idle(mirrors: impl Iterator<Item = Arc<Mirror>>, most: usize, idle: Duration) {
    let mut open: Vec<_> = mirrors.filter_map(|mirror| Some((mirror.used_at()?, mirror))).collect();
    open.sort_by_key(|(used_at, _)| std::cmp::Reverse(*used_at));
    let now = now();
    for (place, (used_at, mirror)) in open.into_iter().enumerate() {
        if place >= most || now.duration_since(used_at) >= idle {
            mirror.close().await;
        }
    }
}
