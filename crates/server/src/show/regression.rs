//! Resolutions and regressions in words.
use flawless_base::text::one_line;
use flawless_core::CommitId;
use flawless_git::{Mirror, Tip};
use flawless_store::{FixingChange, Regression, Resolution};

/// A regression in a few sentences.
pub fn regression_in_words(regression: &Regression, date: impl Fn(i64) -> String) -> String {
    let short = |id: &str| id.chars().take(12).collect::<String>();
    let date = date(regression.resolved_at);
    let how = one_line(&resolution_in_words(&regression.resolution), 300);
    let seen = regression.seen_in.as_deref().map(|seen| format!(" in {}", short(seen)));
    let seen = seen.unwrap_or_default();
    let mut words = match &regression.resolved_by {
        Some(by) => format!(
            "Fixed by {} ({how}), found on {date}. It failed again{seen}, which contains that \
             commit.",
            short(by)
        ),
        None => format!("Resolved on {date} ({how}). It failed again{seen}."),
    };
    if let Some(read) = &regression.read {
        words += &format!(" Before that commit the line read: {}", one_line(read, 200));
    }
    words
}

/// How an issue was resolved, in words.
pub fn resolution_in_words(resolution: &Resolution) -> String {
    match resolution {
        Resolution::Fixed(Some(FixingChange { summary, author })) => {
            format!("“{summary}” by {author}")
        }
        Resolution::Fixed(None) => "the line was changed or removed".to_owned(),
        Resolution::Gone => {
            "the line is gone there, but it is not certain which commit removed it".to_owned()
        }
        Resolution::ByHand => "marked as resolved by hand".to_owned(),
    }
}

/// The resolution by a commit, with its summary and author.
pub async fn fixed_by(mirror: &Mirror, tip: &Tip, commit: &CommitId) -> Resolution {
    let change = mirror.change(tip, commit).await.ok();
    Resolution::Fixed(change.map(|change| FixingChange {
        summary: one_line(&change.summary, 200),
        author: one_line(&change.author.name, 100),
    }))
}
