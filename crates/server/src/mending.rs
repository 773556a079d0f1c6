//! What was mended and is back: told to the owner once more.
use serde::{Deserialize, Serialize};

use crate::present::one_line;
use crate::store::AlertRow;

/// Why an issue is told again. Kept with the alert as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// When it was found to be mended.
    pub mended_at: i64,
    /// The commit that mended it; `None` when somebody only said that it is.
    pub mended_by: Option<String>,
    /// How that was known, in words.
    pub mended_how: String,
    /// The revision in which it occurred again.
    pub seen_in: Option<String>,
}

impl Again {
    /// What the alert tells again; `None` when it tells of something new.
    pub fn of(alert: &AlertRow) -> Option<Self> {
        serde_json::from_str(alert.again.as_deref()?).ok()
    }

    /// In one sentence.
    pub fn in_words(&self, date: impl Fn(i64) -> String) -> String {
        let short = |id: &String| id.chars().take(12).collect::<String>();
        let by = self.mended_by.as_ref().map(|id| format!(" by {}", short(id)));
        let seen = match (&self.seen_in, &self.mended_by) {
            (Some(seen), Some(_)) => {
                format!(" It occurred again in {}, which contains that.", short(seen))
            }
            (Some(seen), None) => format!(" It occurred again in {}.", short(seen)),
            (None, _) => " It occurred again.".to_owned(),
        };
        let how = one_line(&self.mended_how, 300);
        format!("Mended{} on {}: {how}.{seen}", by.unwrap_or_default(), date(self.mended_at))
    }
}
