//! CPU-bound work, off the async threads, with a time limit.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::tracer::TraceError;

/// Runs `work` on a thread of its own, which must stop after `limit`, or when nobody waits for it
/// any longer.
pub(crate) async fn blocking<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(&AtomicBool) -> Result<T, TraceError> + Send + 'static,
) -> Result<T, TraceError> {
    struct StopOnDrop(Arc<AtomicBool>);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = StopOnDrop(Arc::default());
    let flag = stop.0.clone();
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(move || work(&flag))).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panicked)) => Err(TraceError::Corrupt("the tracer panicked".into())),
        Err(_too_late) => Err(TraceError::Stopped),
    }
}
