//! When notifications go out: immediately while they are few, otherwise in a digest.

/// The notifications that wait for one recipient, in milliseconds of one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingDigest {
    /// When the oldest of them was created.
    pub oldest_at: i64,
    /// When the newest of them was created.
    pub newest_at: i64,
}

/// How many mails may be written within an hour; `None` for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    /// Limit for one recipient.
    pub per_recipient: Option<u32>,
    /// Limit for all recipients together.
    pub in_all: Option<u32>,
}

/// The span of the budget.
pub const HOUR_MS: i64 = 3_600_000;
/// A pause of this fraction of `digest_minutes` without new notifications closes a digest.
const QUIET_PART: i64 = 5;

/// When `pending` is to be sent, all in one mail. `to_recipient` and `to_all` are the times of
/// the mails of the last hour, oldest first. `gather` is `digest_minutes` in milliseconds: a
/// recipient who got a mail within this time gets the next notifications in a digest, after a fifth
/// of it without new ones, and no later than when the oldest has waited for all of it.
///
/// The first mail goes out immediately, so that a single error is known without delay. A deploy or
/// an outage that raises many within minutes causes one more mail instead of hundreds.
pub fn digest_due_at(
    pending: PendingDigest,
    to_recipient: &[i64],
    to_all: &[i64],
    gather: i64,
    budget: Budget,
) -> i64 {
    let just_notified = to_recipient.last().is_some_and(|last| pending.oldest_at - last < gather);
    let gathered = if just_notified {
        (pending.newest_at + gather / QUIET_PART).min(pending.oldest_at + gather)
    } else {
        pending.oldest_at
    };
    let room = budget_allows_at(to_recipient, budget.per_recipient)
        .max(budget_allows_at(to_all, budget.in_all));
    gathered.max(room)
}

/// When the budget allows the next mail.
fn budget_allows_at(mails: &[i64], limit: Option<u32>) -> i64 {
    let Some(limit) = limit.map(|limit| limit as usize) else { return i64::MIN };
    // At the limit, a mail waits until the first of the counted ones is an hour old.
    let first = mails.len().checked_sub(limit.max(1));
    first.and_then(|first| mails.get(first)).map_or(i64::MIN, |at| at + HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn pending(oldest: i64, newest: i64) -> PendingDigest {
        PendingDigest { oldest_at: oldest * MINUTE, newest_at: newest * MINUTE }
    }

    fn minutes(mails: &[i64]) -> Vec<i64> {
        mails.iter().map(|at| at * MINUTE).collect()
    }

    #[test]
    fn first_alert_is_sent_at_once_and_later_ones_in_a_digest() {
        let when = |pending, mails: &[i64]| {
            let (mails, none) = (minutes(mails), Budget::default());
            digest_due_at(pending, &mails, &mails, 5 * MINUTE, none) / MINUTE
        };
        assert_eq!(when(pending(100, 100), &[]), 100);
        assert_eq!(when(pending(100, 100), &[95]), 100, "the last mail is five minutes old");
        assert_eq!(when(pending(100, 100), &[96]), 101, "a minute of quiet");
        assert_eq!(when(pending(100, 103), &[99]), 104);
        assert_eq!(when(pending(100, 110), &[99]), 105, "no longer than five minutes");
        let none = Budget::default();
        let at_once = digest_due_at(pending(100, 110), &minutes(&[100]), &[], 0, none) / MINUTE;
        assert_eq!(at_once, 100, "nothing is gathered");
    }

    #[test]
    fn alerts_over_budget_wait_until_first_mail_is_an_hour_old() {
        let budget = Budget { per_recipient: Some(2), in_all: Some(4) };
        let when = |to_one: &[i64], to_all: &[i64]| {
            let (to_one, to_all) = (minutes(to_one), minutes(to_all));
            digest_due_at(pending(100, 100), &to_one, &to_all, 5 * MINUTE, budget) / MINUTE
        };
        assert_eq!(when(&[50], &[50]), 100);
        assert_eq!(when(&[50, 60], &[50, 60]), 110);
        assert_eq!(when(&[45, 50, 60], &[45, 50, 60]), 110, "the newest two count");
        assert_eq!(when(&[], &[50, 51, 52, 53]), 110, "the others used up what there is for all");
        assert_eq!(when(&[], &[30, 31, 32, 33]), 100, "and that was more than an hour ago");
    }
}
