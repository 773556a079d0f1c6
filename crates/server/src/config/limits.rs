//! How much memory and storage reports may take.
use flawless_store::{Quota, Quotas};

use super::error::ConfigError;
use super::typed::Options;

/// A report takes memory as received and as stored, and one address gets half of it all.
const LARGEST_REPORTS: usize = 4;

impl Options<'_> {
    pub(super) fn memory_limit(&self) -> Result<usize, ConfigError> {
        let limit = self.count("memory_limit")?;
        let least = self.count("max_report_bytes")?.saturating_mul(LARGEST_REPORTS);
        if limit < least {
            let problem = format!("{limit} is too little for reports of max_report_bytes");
            let hint = format!("Write at least {least}, or set a smaller max_report_bytes.");
            return Err(self.wrong("memory_limit", problem, hint));
        }
        Ok(limit)
    }

    pub(super) fn quotas(&self) -> Result<Quotas, ConfigError> {
        let number = |name| Ok(i64::try_from(self.number(name)?).unwrap_or(i64::MAX));
        Ok(Quotas {
            all: Quota {
                issues: number("new_issues_per_day")?,
                bytes: number("new_bytes_per_day")?,
            },
            sender: Quota {
                issues: number("new_issues_per_sender_per_day")?,
                bytes: number("new_bytes_per_sender_per_day")?,
            },
        })
    }
}
