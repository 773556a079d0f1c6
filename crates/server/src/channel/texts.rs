//! The texts of posts, before they are written in a service's markup.
use flawless_base::plural::{counted, times};
use flawless_base::text::one_line;

use crate::show::alert::ShortAlert;

/// The content of one post.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// Base URL of the pages.
    pub base_url: &'a str,
    /// The alerts that the post is about.
    pub alerts: &'a [&'a ShortAlert],
    /// How much it shows of each.
    pub detail: Detail,
    /// The number of this post, from 1, and of how many.
    pub part: (usize, usize),
    /// The post's id.
    pub id: &'a str,
    /// When the post was written, milliseconds since 1970 UTC.
    pub at: i64,
}

/// How much a post shows of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything, for a single alert.
    Full,
    /// A line with the owner and the number of occurrences.
    Line,
    /// The shortest line that names it.
    Name,
}

impl Content<'_> {
    /// The single alert that is shown in full.
    pub(super) fn lone(&self) -> Option<&ShortAlert> {
        match self.alerts {
            [alert] if self.detail == Detail::Full => Some(alert),
            _ => None,
        }
    }

    /// What the post is about, in one line.
    pub(super) fn headline(&self) -> String {
        if let Some(alert) = self.lone() {
            return headline(alert);
        }
        let issues = counted(self.alerts.len(), "issue", "issues");
        let regressed = self.alerts.iter().filter(|alert| alert.regression.is_some()).count();
        let regressed =
            if regressed > 0 { format!(", {regressed} regressed") } else { String::new() };
        let part = match self.part {
            (_, 1) => String::new(),
            (part, parts) => format!(" (part {part} of {parts})"),
        };
        format!("{issues} in {}{regressed}{part}", one_line(self.project, 60))
    }

    /// A short link to the issue's page.
    pub(super) fn link(&self, alert: &ShortAlert) -> String {
        crate::show::links::issue(self.base_url, alert.issue)
    }

    /// The text after the linked title, in a line of a digest.
    pub(super) fn line(&self, alert: &ShortAlert) -> String {
        match self.detail {
            Detail::Name => one_line(&alert.place(), 100),
            Detail::Full | Detail::Line => {
                let owner = alert.owner.as_deref().unwrap_or("nobody");
                format!("{}, {}, {}", alert.place(), one_line(owner, 100), times(alert.occurrences))
            }
        }
    }

    /// The linked title of a line.
    pub(super) fn line_title(&self, alert: &ShortAlert) -> String {
        match self.detail {
            Detail::Name => one_line(&headline(alert), 60),
            Detail::Full | Detail::Line => headline(alert),
        }
    }
}

/// The title, and whether it is a regression.
fn headline(alert: &ShortAlert) -> String {
    match alert.regression {
        Some(_) => format!("Regression: {}", alert.title),
        None => alert.title.clone(),
    }
}

/// The facts of an alert as names and values, without title, message and source line.
pub(super) fn facts(alert: &ShortAlert) -> Vec<(&'static str, String)> {
    let place = match alert.function.as_str() {
        "" => alert.place(),
        function => format!("{} in {function}", alert.place()),
    };
    let mut facts = vec![("Where", place)];
    if let Some(regressed) = &alert.regression {
        facts.push(("Regression", one_line(regressed, 450)));
    }
    facts.push(("Owner", alert.owner.as_deref().unwrap_or("nobody").to_owned()));
    if let Some(commit) = &alert.commit {
        let about = [&commit.summary, &commit.author, &commit.date];
        let about: Vec<&str> =
            about.into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        facts.push(("Change", format!("{} {}", commit.short_id(), about.join(", "))));
    }
    facts.push(("Why", one_line(&alert.reason, 450)));
    facts.push(("Seen", format!("{} since {}", times(alert.occurrences), alert.first_seen)));
    let revision = alert.revision.as_deref().map(|name| format!("revision {name}"));
    let running = [Some(alert.hostname.clone()), Some(alert.environment.clone()), revision];
    let running: Vec<String> =
        running.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if !running.is_empty() {
        facts.push(("Running", running.join(", ")));
    }
    facts
}

/// `text` with zero-width spaces where services would see a mention or a link.
pub(super) fn without_links(text: &str) -> String {
    text.replace('@', "@\u{200b}").replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// `text` without backticks, so that it cannot end the code block around it.
pub(super) fn within_code(text: &str) -> String {
    text.replace('`', "\u{2cb}")
}

/// The length of a text as services measure it: some count UTF-16.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
