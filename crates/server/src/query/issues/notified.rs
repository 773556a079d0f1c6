//! Whether anybody was notified of an issue, and if not, why.
use std::collections::HashMap;
use std::sync::Arc;

use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_core::{AlertPolicy, Decision, QuietReason, Recurrence, Tally, decide};
use flawless_store::{AlertStateRow, IssueRow, MUTED_FOR_EVER, StoreError};

use crate::app::{App, RulesAt};
use crate::notify::digest::scheduled_digests;

/// Whether anybody was notified, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifiedState {
    /// Somebody was notified, or will be by a mail in the outbox.
    pub is_notified: bool,
    /// When somebody was notified, or why nobody was.
    pub why: String,
}

/// Whether anybody was notified of an issue.
pub async fn notified_state(app: &App, issue: &IssueRow) -> Result<NotifiedState, StoreError> {
    Ok(AlertStates::of(app, &[issue.id]).await?.notified_state(issue))
}

/// The alert states of the issues of a list.
pub(crate) struct AlertStates<'a> {
    app: &'a App,
    rules: Arc<RulesAt>,
    alerts: HashMap<i64, AlertStateRow>,
    /// When the digest of each recipient is due.
    digests: HashMap<String, i64>,
}

impl<'a> AlertStates<'a> {
    pub(crate) async fn of(app: &'a App, numbers: &[i64]) -> Result<Self, StoreError> {
        let alerts = app.store.alert_states(numbers).await?;
        let digests = match alerts.iter().any(|alert| alert.digest_for.is_some()) {
            true => scheduled_digests(app).await?,
            false => Vec::new(),
        };
        Ok(Self {
            app,
            rules: app.rules.get(),
            alerts: alerts.into_iter().map(|alert| (alert.issue_id, alert)).collect(),
            digests: digests
                .into_iter()
                .map(|digest| (digest.recipient.to_string(), digest.due_at))
                .collect(),
        })
    }

    pub(crate) fn is_regressed(&self, issue: i64) -> bool {
        self.alerts.get(&issue).is_some_and(|alert| alert.is_regressed)
    }

    pub(crate) fn notified_state(&self, issue: &IssueRow) -> NotifiedState {
        let is_notified = issue.mailed;
        match (issue.notified_at, self.alerts.get(&issue.id)) {
            (Some(at), alert) => {
                let why = alert.and_then(|alert| self.not_sent(alert));
                let why = why.filter(|_| !is_notified);
                NotifiedState {
                    is_notified,
                    why: why.unwrap_or_else(|| match is_notified {
                        true => self.date(at),
                        false => "its mails were given up, or had no recipient".to_owned(),
                    }),
                }
            }
            (None, _) => NotifiedState { is_notified: false, why: self.quiet(issue) },
        }
    }

    /// Why an alert has reached nobody yet.
    fn not_sent(&self, alert: &AlertStateRow) -> Option<String> {
        if let Some(note) = &alert.note {
            return Some(one_line(note, 200));
        }
        if let Some(recipient) = &alert.digest_for {
            let due = self.digests.get(recipient).map(|at| format!(" at {}", self.date(*at)));
            return Some(format!("waits for the digest{}", due.unwrap_or_default()));
        }
        alert.is_open.then(|| "the mail is being written".to_owned())
    }

    /// Why nobody is notified, as `core` decides about the issue as it is now.
    fn quiet(&self, issue: &IssueRow) -> String {
        let Self { app, .. } = self;
        let (config, now) = (&app.config, app.clock.now());
        let whole = |number: i64| u64::try_from(number).unwrap_or_default();
        let notifiable = issue.occurrences - issue.only_listed;
        let tally = Tally {
            decided: whole(notifiable),
            now: whole(notifiable),
            only_listed: notifiable == 0,
            notified: false,
            first_seen_at: issue.first_seen_at,
            recurrence: match issue.resolved_at {
                Some(_) => Recurrence::OlderRevision,
                None => Recurrence::Open,
            },
            muted: issue.muted_at(now).is_some(),
            kept_out: issue.facts.kept_out,
        };
        let policy = AlertPolicy {
            minimum_date: config.minimum_date,
            threshold: config.error_threshold,
            baseline_until: app.baseline_until,
        };
        let known = issue.facts.known_error_id.and_then(|id| self.rules.rules.known_error(id));
        match decide(tally, issue.facts.authored_at, known, policy) {
            Decision::Quiet(reason) => self.in_words(reason, issue),
            Decision::Notify(_) => "the next occurrence decides".to_owned(),
        }
    }

    fn in_words(&self, reason: QuietReason, issue: &IssueRow) -> String {
        let words = match reason {
            QuietReason::Muted => match issue.muted_until {
                Some(until) if until < MUTED_FOR_EVER => {
                    return format!("muted until {}", self.date(until));
                }
                _ => "muted forever",
            },
            QuietReason::KeptOut => "excluded by only_blame_filepaths_matching",
            QuietReason::OnlyListed => "seen only where nobody is notified (notify_environments)",
            QuietReason::KnownError => "a known error below its alert thresholds",
            QuietReason::Resolved => "resolved before anybody was notified",
            QuietReason::Notified => "notified already",
            QuietReason::Baseline => "baseline: seen in the first baseline_hours",
            QuietReason::OldCode => {
                let date = self.date(self.app.config.minimum_date);
                return format!("old code: before {}", &date[..10]);
            }
            QuietReason::BelowThreshold { threshold } => {
                let elsewhere = match issue.only_listed {
                    0 => String::new(),
                    only_listed => format!(" without {only_listed} where nobody is notified"),
                };
                return format!("below threshold {threshold}{elsewhere}");
            }
        };
        words.to_owned()
    }

    fn date(&self, at: i64) -> String {
        let mut date = date_time(at, &self.app.config.timezone);
        date.truncate(16);
        date
    }
}
