//! When something that was not taken is tried again.

/// First wait after a failed attempt; doubled with each further one.
pub const FIRST_RETRY_MS: i64 = 15_000;
/// No wait is longer. What is due later than that was written by a clock that was ahead.
pub const LONGEST_RETRY_MS: i64 = 3_600_000;
/// What was put off for so long is given up.
pub const GIVE_UP_AFTER_MS: i64 = 5 * 86_400_000;

/// The wait after the attempt that follows `attempts` others, in milliseconds.
pub fn retry_after(attempts: i64) -> i64 {
    (FIRST_RETRY_MS << attempts.clamp(0, 8)).min(LONGEST_RETRY_MS)
}
