//! Caches with bounded memory.
use std::hash::Hash;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::error::TraceError;

/// A cache of at most `bytes`, as `weighter` counts them, with about `items` values.
pub(super) fn bounded<K, V, W>(
    bytes: u64,
    items: usize,
    weighter: W,
) -> Result<Cache<K, V, W>, TraceError>
where
    K: Eq + Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(items)
        .weight_capacity(bytes)
        .build()
        .map_err(TraceError::corrupt)?;
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Ok(Cache::with_options(options, weighter, hasher, lifecycle))
}
