//! What was mended and is back: told to the owner once more.
use flawless_base::text::one_line;
use flawless_core::CommitId;
use flawless_git::{Change, Mirror, Tip};
use flawless_store::AlertRow;
use serde::{Deserialize, Serialize};

/// Why an issue is told again. Kept with the alert as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// When it was found to be mended.
    pub mended_at: i64,
    /// The commit that mended it; `None` when somebody only said that it is.
    pub mended_by: Option<String>,
    /// How that was known, in words.
    pub mended_how: String,
    /// How the line read before, when it is another one now.
    pub read: Option<String>,
    /// The revision in which it occurred again.
    pub seen_in: Option<String>,
}

impl Again {
    /// What the alert tells again; `None` when it tells of something new.
    pub fn of(alert: &AlertRow) -> Option<Self> {
        Self::read(alert.again.as_deref())
    }

    /// What is kept with an alert as JSON.
    pub fn read(again: Option<&str>) -> Option<Self> {
        serde_json::from_str(again?).ok()
    }

    /// In a few sentences.
    pub fn in_words(&self, date: impl Fn(i64) -> String) -> String {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        let date = date(self.mended_at);
        let how = one_line(&self.mended_how, 300);
        let seen = self.seen_in.as_deref().map(|seen| format!(" in {}", short(seen)));
        let seen = seen.unwrap_or_default();
        let mut words = match &self.mended_by {
            Some(by) => format!(
                "Mended by {} ({how}), as was found on {date}. It occurred again{seen}, which \
                 contains that commit.",
                short(by)
            ),
            None => format!("Mended on {date} ({how}). It occurred again{seen}."),
        };
        if let Some(read) = &self.read {
            words += &format!(" Before that commit the line read: {}", one_line(read, 200));
        }
        words
    }
}

/// A commit that mended something, in words.
pub async fn words_of(mirror: &Mirror, tip: &Tip, by: &CommitId) -> String {
    match mirror.change(tip, by).await {
        Ok(Change { author, summary, .. }) => {
            format!("“{}” by {}", one_line(&summary, 200), one_line(&author.name, 100))
        }
        Err(_) => "the line was changed or removed".to_owned(),
    }
}

/// The commit's summary and its author's name out of what [`words_of`] said; `None` when no
/// commit is known for certain.
pub fn summary_and_author(words: &str) -> Option<(&str, &str)> {
    words.strip_prefix('“')?.rsplit_once("” by ")
}

#[cfg(test)]
mod tests {
    use super::summary_and_author;

    #[test]
    fn a_commit_in_words_can_be_taken_apart() {
        for (words, expected) in [
            ("“cart: none” by Ben Baker", Some(("cart: none", "Ben Baker"))),
            ("“say “no” by hand” by Ann", Some(("say “no” by hand", "Ann"))),
            ("the line was changed or removed", None),
            ("marked as mended by hand", None),
        ] {
            assert_eq!(summary_and_author(words), expected);
        }
    }
}
