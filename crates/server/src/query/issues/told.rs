//! Whether anybody was told of an issue, and why not.
use std::collections::HashMap;

use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::{IssueRow, StoreError, ToldRow};

use crate::app::App;
use crate::notify::digest::held_back;

/// Whether anybody was told, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Somebody was, or will be by a mail that waits.
    pub is_told: bool,
    /// When, or why not.
    pub why: String,
}

/// Whether anybody was told of an issue.
///
/// # Errors
/// The database refuses.
pub async fn told(app: &App, issue: &IssueRow) -> Result<Told, StoreError> {
    Ok(Telling::of(app, &[issue.id]).await?.told(issue))
}

/// What all issues of a list share.
pub(crate) struct Telling<'a> {
    app: &'a App,
    alerts: HashMap<i64, ToldRow>,
    /// Until when what waits for a recipient is held back.
    held: HashMap<String, i64>,
}

impl<'a> Telling<'a> {
    pub(crate) async fn of(app: &'a App, numbers: &[i64]) -> Result<Self, StoreError> {
        let alerts = app.store.told_of(numbers).await?;
        let held = match alerts.iter().any(|alert| alert.held_for.is_some()) {
            true => held_back(app).await?,
            false => Vec::new(),
        };
        Ok(Self {
            app,
            alerts: alerts.into_iter().map(|alert| (alert.issue_id, alert)).collect(),
            held: held.into_iter().map(|held| (held.recipient, held.until)).collect(),
        })
    }

    pub(crate) fn is_again(&self, issue: i64) -> bool {
        self.alerts.get(&issue).is_some_and(|alert| alert.is_again)
    }

    pub(crate) fn told(&self, issue: &IssueRow) -> Told {
        let is_told = issue.mailed;
        match (issue.told_at, self.alerts.get(&issue.id)) {
            (Some(at), alert) => {
                let why = alert.and_then(|alert| self.not_sent(alert));
                let why = why.filter(|_| !is_told);
                Told {
                    is_told,
                    why: why.unwrap_or_else(|| match is_told {
                        true => self.date(at),
                        false => "its mails were given up, or nobody was to get one".to_owned(),
                    }),
                }
            }
            (None, _) => Told { is_told: false, why: self.quiet(issue) },
        }
    }

    /// Why an alert has reached nobody yet.
    fn not_sent(&self, alert: &ToldRow) -> Option<String> {
        if let Some(note) = &alert.note {
            return Some(one_line(note, 200));
        }
        if let Some(recipient) = &alert.held_for {
            let until =
                self.held.get(recipient).map(|until| format!(" until {}", self.date(*until)));
            return Some(format!("held back{}", until.unwrap_or_default()));
        }
        alert.is_open.then(|| "the mail is being written".to_owned())
    }

    /// Why it was decided to tell nobody: what `core::decide` asks, in its order.
    fn quiet(&self, issue: &IssueRow) -> String {
        let config = &self.app.config;
        if let Some(until) = issue.muted_at(self.app.clock.now()) {
            return match until >= flawless_store::MUTED_FOR_EVER {
                true => "muted for ever".to_owned(),
                false => format!("muted until {}", self.date(until)),
            };
        }
        if issue.facts.kept_out {
            return "kept out by only_blame_filepaths_matching".to_owned();
        }
        if issue.facts.known_error_id.is_some() {
            return "a known error below its alert thresholds".to_owned();
        }
        if issue.mended_at.is_some() {
            return "mended before anybody was told".to_owned();
        }
        if issue.first_seen_at < self.app.baseline_until {
            return "baseline: it was there in the first baseline_hours".to_owned();
        }
        if issue.facts.authored_at.is_some_and(|date| date < config.minimum_date) {
            return format!("old code: before {}", &self.date(config.minimum_date)[..10]);
        }
        let threshold = config.error_threshold;
        if u64::try_from(issue.occurrences).unwrap_or_default() < threshold {
            return format!("below threshold {threshold}");
        }
        "the next occurrence decides, by the threshold of its program".to_owned()
    }

    fn date(&self, at: i64) -> String {
        let mut date = date_time(at, &self.app.config.timezone);
        date.truncate(16);
        date
    }
}
