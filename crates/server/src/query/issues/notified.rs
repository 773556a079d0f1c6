//! Whether anybody was notified of an issue, and if not, why.
use std::collections::HashMap;

use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::{AlertStateRow, IssueRow, StoreError};

use crate::app::App;
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
    alerts: HashMap<i64, AlertStateRow>,
    /// When the digest of each recipient is due.
    held: HashMap<String, i64>,
}

impl<'a> AlertStates<'a> {
    pub(crate) async fn of(app: &'a App, numbers: &[i64]) -> Result<Self, StoreError> {
        let alerts = app.store.alert_states(numbers).await?;
        let held = match alerts.iter().any(|alert| alert.digest_for.is_some()) {
            true => scheduled_digests(app).await?,
            false => Vec::new(),
        };
        Ok(Self {
            app,
            alerts: alerts.into_iter().map(|alert| (alert.issue_id, alert)).collect(),
            held: held.into_iter().map(|held| (held.recipient, held.until)).collect(),
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
            let until = self.held.get(recipient).map(|until| format!(" at {}", self.date(*until)));
            return Some(format!("waits for the digest{}", until.unwrap_or_default()));
        }
        alert.is_open.then(|| "the mail is being written".to_owned())
    }

    /// Why it was decided to notify nobody; checks the same conditions as `core::decide`, in order.
    fn quiet(&self, issue: &IssueRow) -> String {
        let config = &self.app.config;
        if let Some(until) = issue.muted_at(self.app.clock.now()) {
            return match until >= flawless_store::MUTED_FOR_EVER {
                true => "muted forever".to_owned(),
                false => format!("muted until {}", self.date(until)),
            };
        }
        if issue.facts.kept_out {
            return "excluded by only_blame_filepaths_matching".to_owned();
        }
        if issue.facts.known_error_id.is_some() {
            return "a known error below its alert thresholds".to_owned();
        }
        if issue.resolved_at.is_some() {
            return "resolved before anybody was notified".to_owned();
        }
        if issue.first_seen_at < self.app.baseline_until {
            return "baseline: seen in the first baseline_hours".to_owned();
        }
        if issue.facts.authored_at.is_some_and(|date| date < config.minimum_date) {
            return format!("old code: before {}", &self.date(config.minimum_date)[..10]);
        }
        let threshold = config.error_threshold;
        if u64::try_from(issue.occurrences).unwrap_or_default() < threshold {
            return format!("below threshold {threshold}");
        }
        "the next occurrence decides, by its program's threshold".to_owned()
    }

    fn date(&self, at: i64) -> String {
        let mut date = date_time(at, &self.app.config.timezone);
        date.truncate(16);
        date
    }
}
