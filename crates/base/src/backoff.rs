//! When a failed delivery is tried again.

/// First wait after a failed attempt; doubled with each further one.
pub const FIRST_RETRY_MS: i64 = 15_000;
/// Longest wait. A row that is due later than this was written by a clock that was ahead.
pub const LONGEST_RETRY_MS: i64 = 3_600_000;
/// A delivery that was postponed for this long is given up.
pub const GIVE_UP_AFTER_MS: i64 = 5 * 86_400_000;

/// The wait after the attempt that follows `attempts` others, in milliseconds.
pub fn retry_after(attempts: i64) -> i64 {
    (FIRST_RETRY_MS << attempts.clamp(0, 8)).min(LONGEST_RETRY_MS)
}
