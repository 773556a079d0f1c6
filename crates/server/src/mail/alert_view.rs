//! The content of an alert mail, ready for its templates.
use flawless_base::dates::{date_time, date_time_zone};
use flawless_base::plural::times;
use flawless_base::text::{cut, one_line, plain};
use textwrap::{Options, WordSplitter, fill};

use super::AlertMail;
use super::alert_mail::alerts_list;
use crate::config::MailLocals;
use crate::show::alert::ShortAlert;
use crate::show::code::{CodeLine, code_lines};
use crate::show::frame::{ShownFrame, ShownValue, shown_frame};
use crate::show::report::ShownReport;
use crate::show::why::{author_of, considered, hint, other_origin, way_to_owner};
use crate::show::work::ShownWork;
use crate::show::{RenderLimits, links};

/// Width of the text part, in columns.
const TEXT_COLUMNS: usize = 78;

/// The content of a mail.
pub(super) struct AlertView {
    /// The `email_header` of the known error; empty when the issue is not a known error.
    pub header: String,
    pub short: ShortAlert,
    pub report: ShownReport,
    /// The facts under the title, a sentence each.
    pub facts: Vec<String>,
    /// The failing line with the lines around it.
    pub code: Vec<CodeLine>,
    pub why: Why,
    /// Whether variables are shown with their values, or by name only.
    pub values: bool,
    pub names: bool,
    /// At least one value is shortened.
    pub any_cut: bool,
    pub links: Vec<Link>,
    /// The link that unsubscribes the recipient from alerts.
    pub stop_url: Option<String>,
}

/// A link with its label.
pub(super) struct Link {
    pub words: &'static str,
    pub url: String,
}

/// Why the recipient gets it.
pub(super) struct Why {
    /// The line and how it was found; without a commit, why nobody is blamed.
    pub line: String,
    /// The commit that last changed the line; empty when nobody is blamed.
    pub commit: String,
    /// Each step that led from the author to the recipient.
    pub way: String,
    /// Who else was considered.
    pub considered: Vec<String>,
    /// Why the alert was raised now.
    pub now: String,
}

impl AlertView {
    /// As much of the alert as the limits allow.
    pub(super) fn of(
        mail: &AlertMail<'_>,
        recipient: &str,
        why: &str,
        limits: RenderLimits,
    ) -> Self {
        let AlertMail { app, alert, issue, sample, owner, known, .. } = *mail;
        let base = &app.base_url;
        let short = ShortAlert::of(app, alert, issue, Some(sample), owner);
        let locals = app.config.mails.locals;
        let mut report = ShownReport::of(sample, limits);
        report.frames.iter_mut().for_each(without_modules);
        let code = mail.frame().map(|frame| {
            let mut frame = shown_frame(frame, None, limits);
            without_modules(&mut frame);
            code_lines(frame)
        });
        let any_cut = report.frames.iter().flat_map(|frame| frame.locals.iter().flatten());
        let any_cut = any_cut.into_iter().any(|local| local.is_cut)
            || report.frames.iter().any(|frame| frame.locals_left_out > 0);
        let assigned = owner.address.as_deref().unwrap_or(recipient);
        let link = |words, url| Link { words, url };
        Self {
            header: cut(known.and_then(|k| k.email_header.as_deref()).unwrap_or_default(), 2_000),
            facts: facts(mail, &short, &report.work, recipient),
            why: why_of(mail, &short, recipient, why),
            short,
            code: code.unwrap_or_default(),
            values: locals == MailLocals::Values,
            names: locals == MailLocals::Names,
            any_cut: any_cut && locals == MailLocals::Values,
            report,
            stop_url: alerts_list(app, recipient)
                .map(|list| links::unsubscribe(app, recipient, list)),
            links: vec![
                link("Open the issue", links::issue(base, issue.id)),
                link("Assigned to you", links::issues_of(base, assigned)),
                link("Known error", links::add_known_error(base, issue)),
                link("Reassign", links::not_mine(base, issue.id)),
                link("Mute", links::mute(base, issue.id)),
            ],
        }
    }

    /// A labelled sentence of the text part, wrapped for terminals.
    pub(super) fn fill(&self, label: &str, sentence: &str) -> String {
        let options = Options::new(TEXT_COLUMNS).initial_indent("  ").subsequent_indent("    ");
        // Addresses and paths stay whole.
        let options = options.break_words(false).word_splitter(WordSplitter::NoHyphenation);
        fill(&format!("{label}: {sentence}"), options)
    }

    /// Values grouped under a heading: the user (unless the facts at the top already show all of
    /// it), the tags, and each context.
    pub(super) fn facts_by_name(&self) -> Vec<(String, &[ShownValue])> {
        let work = &self.report.work;
        let user = (!work.is_user_said()).then_some(("User".to_owned(), work.user.as_slice()));
        let tags = (!work.tags.is_empty()).then_some(("Tags".to_owned(), work.tags.as_slice()));
        let contexts = work.contexts.iter().map(|context| match context.name.as_str() {
            "" => ("Context".to_owned(), context.values.as_slice()),
            name => (format!("Context: {name}"), context.values.as_slice()),
        });
        user.into_iter().chain(tags).chain(contexts).collect()
    }

    /// The frames whose variables are shown.
    pub(super) fn frames_with_locals(&self) -> impl Iterator<Item = &ShownFrame> {
        let any = self.values || self.names;
        self.report.frames_with_locals().filter(move |_| any)
    }
}

/// Drops imported modules from the variables: they only clutter a mail; the page shows them.
fn without_modules(frame: &mut ShownFrame) {
    if let Some(locals) = &mut frame.locals {
        locals.retain(|local| !local.value.starts_with("<module '"));
    }
}

/// The facts at the top: how often and where it occurred, for whom, in which revision, and which
/// commit is blamed.
fn facts(
    mail: &AlertMail<'_>,
    short: &ShortAlert,
    work: &ShownWork,
    recipient: &str,
) -> Vec<String> {
    let AlertMail { app, issue, .. } = *mail;
    let details = &issue.facts.details;
    // Only the first time in the mail names the time zone.
    let date = if short.regression.is_some() { date_time } else { date_time_zone };
    let since = date(issue.first_seen_at, &app.config.timezone);
    let (how_often, last) = match short.occurrences {
        1 => (format!("once, on {since}"), ""),
        number => (format!("{} since {since}", times(number)), "last "),
    };
    let host = if short.hostname.is_empty() {
        String::new()
    } else {
        format!(", {last}on {}", short.hostname)
    };
    let environment = if short.environment.is_empty() {
        String::new()
    } else {
        format!(", in {}", short.environment)
    };
    let mut facts = vec![format!("Occurred {how_often}{host}{environment}")];
    let user = work.user_in_words();
    facts.extend(match (work.transaction.as_str(), user.as_str()) {
        ("", "") => None,
        ("", user) => Some(format!("For {user}")),
        (transaction, "") => Some(format!("Running {transaction}")),
        (transaction, user) => Some(format!("Running {transaction} for {user}")),
    });
    facts.extend(Some(work.handled_in_words()).filter(|words| !words.is_empty()));
    let read = details.revision.as_ref().map(|revision| revision.short().to_owned());
    facts.push(match (&short.revision, read) {
        (Some(named), Some(read)) if !named.starts_with(&read) => {
            format!("Revision {named} ({read})")
        }
        (Some(named), _) => format!("Revision {}", named.get(..12).unwrap_or(named)),
        (None, Some(read)) => {
            format!("The program did not name its revision; the line was found at {read}")
        }
        (None, None) => "The program did not name its revision".to_owned(),
    });
    facts.push(match &short.commit {
        Some(commit) => {
            let is_theirs = issue.facts.developer_email.as_deref().is_some_and(|address| {
                address.eq_ignore_ascii_case(recipient) && details.author.is_none()
            });
            let (id, day, summary) =
                (commit.short_id(), commit.date.get(..10).unwrap_or_default(), &commit.summary);
            if is_theirs {
                format!("Your commit {id} of {day}: {summary}")
            } else {
                format!("Commit {id} of {day} by {}: {summary}", commit.author)
            }
        }
        None => "Nobody is blamed: the reason is below".to_owned(),
    });
    facts
}

fn why_of(mail: &AlertMail<'_>, short: &ShortAlert, recipient: &str, why: &str) -> Why {
    let AlertMail { app, alert, issue, owner, .. } = *mail;
    let details = &issue.facts.details;
    let within =
        if short.function.is_empty() { String::new() } else { format!(" in {}", short.function) };
    let place = format!("{}{within}", short.place());
    let is_owner = owner.address.as_deref().is_some_and(|o| o.eq_ignore_ascii_case(recipient));
    let (line, commit) = match &short.commit {
        Some(commit) => {
            let origin = other_origin(issue).map(|origin| format!(", as {origin}"));
            let origin = origin.unwrap_or_default();
            (
                format!("{place}: {}", short.reason),
                format!(
                    "{} “{}” of {}, last changed by {}{origin}",
                    commit.short_id(),
                    commit.summary,
                    commit.date,
                    author_of(issue),
                ),
            )
        }
        None => (format!("{place}. Nobody is blamed: {}", short.reason), String::new()),
    };
    let mut steps = way_to_owner(details, owner);
    if is_owner && !owner.is_fallback && steps.is_empty() {
        steps.push(format!("the commit names your address, {recipient}"));
    } else {
        steps.push(one_line(why, 200));
    }
    steps.extend(hint(app, issue, owner));
    Why {
        line,
        commit,
        way: steps.join(" → "),
        considered: considered(details),
        now: plain(&format!("it {}", alert.reason)),
    }
}
