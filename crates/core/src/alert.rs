//! Decides whether to notify, and whom.
use crate::address::is_mailable;
use crate::owner::Owner;
use crate::rules::{KnownError, RuleId, Rules, path_is_within};

/// How often an issue has occurred, and what was decided before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Occurrences at the last decision, without those that are only listed.
    pub decided: u64,
    /// The same now; not below `decided`.
    pub now: u64,
    /// What occurred since then is only listed, because of its environment.
    pub only_listed: bool,
    /// Somebody was notified of it already.
    pub notified: bool,
    /// When it was first seen, milliseconds since 1970 UTC.
    pub first_seen_at: i64,
    /// Whether it was resolved before.
    pub recurrence: Recurrence,
    /// Somebody muted it for now.
    pub muted: bool,
    /// `only_blame_filepaths_matching` excludes all of its frames.
    pub kept_out: bool,
}

/// What a new occurrence says about an issue that was resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recurrence {
    /// It was not resolved.
    #[default]
    Open,
    /// It was resolved, and the revision that runs here is older than the fix.
    OlderRevision,
    /// It was resolved, and it regressed.
    Regressed,
}

/// The settings of the configuration and the report.
#[derive(Debug, Clone, Copy)]
pub struct AlertPolicy {
    /// `report_only_after_minimum_date`, milliseconds since 1970 UTC.
    pub minimum_date: i64,
    /// The report's `error_threshold`, else `report_error_threshold`.
    pub threshold: u64,
    /// Issues first seen before this time existed before anybody looked, milliseconds since 1970
    /// UTC.
    pub baseline_until: i64,
}

/// Whether to notify, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Notify, for this reason.
    Notify(String),
    /// Do not notify, for this reason.
    Quiet(QuietReason),
}

/// Why nobody is notified of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuietReason {
    /// Somebody muted it.
    Muted,
    /// `only_blame_filepaths_matching` excludes all of its frames.
    KeptOut,
    /// It occurred only in environments of which nobody is notified.
    OnlyListed,
    /// It is a known error below its alert thresholds.
    KnownError,
    /// It is resolved, and nothing shows that it has regressed.
    Resolved,
    /// Somebody was notified already.
    Notified,
    /// It was there in the first `baseline_hours`.
    Baseline,
    /// The line was last changed before `report_only_after_minimum_date`.
    OldCode,
    /// It has not occurred often enough.
    BelowThreshold {
        /// The occurrences that it takes.
        threshold: u64,
    },
}

/// Decides about an issue whose tally has just grown. `authored_at` is the date of the blamed line;
/// `None` when nobody is blamed. `known` is the known error that it matches.
///
/// A tally may grow by many occurrences at once: each of them is considered, so a threshold between
/// two reports is not missed.
pub fn decide(
    tally: Tally,
    authored_at: Option<i64>,
    known: Option<&KnownError>,
    policy: AlertPolicy,
) -> Decision {
    if tally.muted {
        return Decision::Quiet(QuietReason::Muted);
    }
    if tally.kept_out {
        return Decision::Quiet(QuietReason::KeptOut);
    }
    if tally.only_listed {
        return Decision::Quiet(QuietReason::OnlyListed);
    }
    match known {
        Some(known) => decide_known(tally, known),
        None => decide_unknown(tally, authored_at, policy),
    }
}

fn decide_unknown(tally: Tally, authored_at: Option<i64>, policy: AlertPolicy) -> Decision {
    match tally.recurrence {
        Recurrence::OlderRevision => return Decision::Quiet(QuietReason::Resolved),
        Recurrence::Regressed => {
            let occurred = times(tally.now - tally.decided);
            return Decision::Notify(format!("occurred {occurred} after it was resolved"));
        }
        Recurrence::Open => {}
    }
    if tally.notified {
        return Decision::Quiet(QuietReason::Notified);
    }
    if tally.first_seen_at < policy.baseline_until {
        return Decision::Quiet(QuietReason::Baseline);
    }
    if authored_at.is_some_and(|date| date < policy.minimum_date) {
        return Decision::Quiet(QuietReason::OldCode);
    }
    let (now, threshold) = (tally.now, policy.threshold);
    if now < threshold {
        return Decision::Quiet(QuietReason::BelowThreshold { threshold });
    }
    Decision::Notify(format!("occurred {} (threshold {threshold})", times(now)))
}

fn decide_known(tally: Tally, known: &KnownError) -> Decision {
    let within_maximum =
        |occurrence: u64| known.max_alert_threshold.is_none_or(|maximum| occurrence <= maximum);
    if let Some(minimum) = known.min_alert_threshold.filter(|minimum| *minimum > 0)
        && !tally.notified
        && tally.now >= minimum
        && within_maximum(minimum.max(tally.decided + 1))
    {
        let occurred = times(tally.now);
        return Decision::Notify(format!(
            "occurred {occurred} (a known error, min_alert_threshold {minimum})"
        ));
    }
    if let Some(every) = known.alert_every_n_occurrences.filter(|every| *every > 0) {
        let crossed = (tally.decided / every + 1) * every;
        if crossed <= tally.now && within_maximum(crossed) {
            let occurred = times(tally.now);
            return Decision::Notify(format!(
                "occurred {occurred} (a known error, alert_every_n_occurrences {every})"
            ));
        }
    }
    Decision::Quiet(QuietReason::KnownError)
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// Who is notified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Addresses, each once, each mailable, the owner first; each with the reason in words.
    pub mailable: Vec<(String, String)>,
    /// Addresses that cannot be mailed.
    pub invalid: Vec<String>,
    /// The rules that led to them: those of the owner, and the watchers.
    pub rules: Vec<RuleId>,
}

/// Everyone to notify of an issue whose blamed line is in `blamed_path`. The other paths are those
/// of the repository that its traceback goes through.
pub fn recipients<'a>(
    owner: &Owner,
    blamed_path: &str,
    traceback_paths: impl IntoIterator<Item = &'a str>,
    known: Option<&KnownError>,
    rules: &Rules,
) -> Recipients {
    let paths: Vec<&str> = traceback_paths.into_iter().collect();
    let mut found = Recipients { rules: owner.rules.clone(), ..Recipients::default() };
    if let Some(address) = &owner.address {
        let why = match (owner.is_fallback, owner.steps.is_empty()) {
            (true, _) => "you are the default contact",
            (false, true) => "the line is yours",
            (false, false) => "so you answer for the line",
        };
        found.add(address, why.to_owned());
    }
    for (id, watcher) in &rules.watchers {
        let scope = &watcher.filepath;
        let any = || watcher.watch_all_errors && paths.iter().any(|at| path_is_within(at, scope));
        let why = if path_is_within(blamed_path, scope) {
            format!("you watch {scope}")
        } else if any() {
            format!("you watch {scope} for any error")
        } else {
            continue;
        };
        found.rules.push(*id);
        found.add(&watcher.email, why);
    }
    for address in known.iter().flat_map(|known| &known.email_recipients) {
        found.add(address, "named by the known error".to_owned());
    }
    found
}

impl Recipients {
    fn add(&mut self, address: &str, why: String) {
        let address = address.trim();
        if !is_mailable(address) {
            if !self.invalid.iter().any(|known| known == address) {
                self.invalid.push(address.to_owned());
            }
        } else if !self.mailable.iter().any(|(known, _)| known.eq_ignore_ascii_case(address)) {
            self.mailable.push((address.to_owned(), why));
        }
    }
}
