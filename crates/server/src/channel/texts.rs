//! What posts of all kinds say, before it is written in a service's markup.
use flawless_base::plural::{counted, times};
use flawless_base::text::one_line;

use crate::show::alert::ShortAlert;

/// What one post is to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Where the pages are.
    pub base_url: &'a str,
    /// What it tells of.
    pub alerts: &'a [&'a ShortAlert],
    /// How much it says of each.
    pub detail: Detail,
    /// Which of how many posts it is.
    pub part: (usize, usize),
    /// The post's name.
    pub id: &'a str,
    /// When it was written.
    pub at: i64,
}

/// How much a post says of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All that there is; of one alert alone.
    Full,
    /// A line with the owner and how often.
    Line,
    /// The shortest line that names it.
    Name,
}

impl Content<'_> {
    /// The one alert that is to be told in full.
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
            if regressed > 0 { format!(", {regressed} of them again") } else { String::new() };
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

    /// What a line of a summary says behind the linked title.
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

/// What it is, and whether it was notified before.
fn headline(alert: &ShortAlert) -> String {
    match alert.regression {
        Some(_) => format!("Regression: {}", alert.title),
        None => alert.title.clone(),
    }
}

/// Names and values of what is known of an alert, without title, message and source line.
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

/// `text` with a character without width where services would see a mention or a link.
pub(super) fn without_links(text: &str) -> String {
    text.replace('@', "@\u{200b}").replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// `text` that cannot end the code it stands in.
pub(super) fn within_code(text: &str) -> String {
    text.replace('`', "\u{2cb}")
}

/// How long services take a text to be: some count UTF-16.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
