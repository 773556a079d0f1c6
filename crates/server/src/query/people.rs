//! Developers and everybody else named by mails and rules, for pages and the JSON API.
use std::collections::BTreeMap;
use std::sync::Arc;

use flawless_base::dates::week_of;
use flawless_base::plural::counted;
use flawless_base::remembered::Remembered;
use flawless_base::text::one_line;
use flawless_core::{Developer, Rules, answerable, owner_of};
use flawless_store::issues::details::unreachable;
use flawless_store::{AuthorRow, RefusedAddress, StoreError, UnwantedKind};
use jiff::civil::Weekday;
use serde::Serialize;

use super::QueryMemory;
use super::issues::by_owner;
use crate::app::App;

/// A person, by the address that they read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Person {
    /// The address after email aliases; as committed when it is not a valid address.
    pub address: String,
    /// The name in a commit; empty when none is known.
    pub name: String,
    /// Their addresses in commits.
    pub committed_as: Vec<String>,
    /// Number of issues in lines that they wrote.
    pub issues: i64,
    /// Those of `issues` that are not resolved.
    pub open_issues: i64,
    /// Occurrences of `issues` this week.
    pub week_occurrences: i64,
    /// Number of unresolved issues that they answer for, no matter who wrote the lines.
    pub answers_for: i64,
    /// Occurrences this week of the issues that they answer for.
    pub answers_for_week: i64,
    /// Date of their newest commit with a line that failed, milliseconds since 1970 UTC.
    pub last_commit_at: Option<i64>,
    /// When their newest issue was first seen, milliseconds since 1970 UTC.
    pub last_issue_at: Option<i64>,
    /// Where their mail goes; only filled in for people who are shown.
    pub mails: Option<MailsOf>,
}

/// Where a person's mail goes, and why.
#[derive(Debug, Clone, Serialize)]
pub struct MailsOf {
    /// Who is notified of their lines unless a rule for a path says otherwise; `None`: nobody.
    pub to: Option<String>,
    /// How `to` was found, step by step.
    pub steps: Vec<String>,
    /// The mail server's words, when it refuses the address.
    pub refused: Option<String>,
    /// They unsubscribed from alerts.
    pub no_alerts: bool,
    /// They unsubscribed from the weekly report.
    pub no_weekly: bool,
    /// Why they seem to have left.
    pub left: Option<String>,
    /// Number of reassignments of their issues to others.
    pub reassignments: usize,
    /// They are the default contact, who gets alerts without another recipient.
    pub is_default_contact: bool,
}

/// A rule that names a person.
#[derive(Debug, Clone, Serialize)]
pub struct RuleMention {
    /// Key of the list.
    pub list: &'static str,
    /// The rule in words.
    pub text: String,
}

/// Everybody, with the data that decides where their mail goes.
#[derive(Debug)]
pub struct People {
    /// Those with the most to fix come first.
    pub all: Vec<Person>,
    /// Addresses that get no alerts.
    pub refused: Vec<RefusedAddress>,
    /// Addresses in lower case, with the mails they unsubscribed from and when.
    pub unwanted: Vec<(String, UnwantedKind, i64)>,
    gone: Vec<String>,
    undeliverable: BTreeMap<String, i64>,
    /// Start of this week.
    pub week: i64,
}

/// A page of people.
#[derive(Debug, Serialize)]
pub struct PeoplePage {
    /// At most [`PAGE`].
    pub people: Vec<Person>,
    /// Number of people on all pages.
    pub total: usize,
    /// Number of the page, from 1.
    pub page: usize,
    /// Number of pages.
    pub pages: usize,
}

/// People on one page.
pub const PAGE: usize = 100;
/// Somebody whose address has refused mails for longer than this seems to have left.
const UNDELIVERABLE_MS: i64 = 30 * 86_400_000;
/// Maximum age of the week's cached occurrences.
const COUNTED_FOR_MS: i64 = 10_000;

impl People {
    /// Reads everybody.
    pub async fn read(app: &App, memory: &QueryMemory) -> Result<Self, StoreError> {
        let App { store, config, clock, .. } = app;
        let now = clock.now();
        let rules = app.rules.get();
        let (week, end) = week_of(now, &config.timezone, Weekday::Sunday);
        let occurrences = author_week(app, &memory.author_weeks, week, end).await?;
        let refused = store.refused_addresses(now).await?;
        let unwanted = store.unwanted_mails().await?.into_iter();
        let unwanted = unwanted
            .filter_map(|mail| Some((mail.address, UnwantedKind::parse(&mail.kind)?, mail.since)));
        let unwanted: Vec<_> = unwanted.collect();
        let mut found: BTreeMap<String, Person> = BTreeMap::new();
        // Only aliases identify people: reassigned issues still are in lines of the author.
        let aliases =
            Rules { email_aliases: rules.rules.email_aliases.clone(), ..Rules::default() };
        for author in store.authors().await? {
            let developer = Developer { name: author.name.clone(), email: author.address.clone() };
            let owner = owner_of(Some(&developer), "", &aliases, &config.addresses);
            let address = owner.address.filter(|_| !owner.is_fallback);
            let address = address.unwrap_or_else(|| author.address.trim().to_owned());
            let week = occurrences.get(&author.address).copied().unwrap_or_default();
            entry(&mut found, &address).add(author, week);
        }
        let named = named_in_rules(&rules.rules);
        let named = named.chain(config.addresses.default_contact.as_deref());
        let silent = refused.iter().map(|known| known.address.as_str());
        let silent = silent.chain(unwanted.iter().map(|(address, ..)| address.as_str()));
        for address in named.chain(silent).filter(|address| !address.trim().is_empty()) {
            entry(&mut found, address);
        }
        for (address, answers) in by_owner(app, &memory.lists, (week, end)).await? {
            if flawless_core::is_mailable(&address) {
                let person = entry(&mut found, &address);
                person.answers_for = answers.open_issues;
                person.answers_for_week = answers.occurrences;
            }
        }
        let mut all: Vec<Person> = found.into_values().collect();
        all.sort_by_key(|person| {
            std::cmp::Reverse((person.answers_for_week, person.answers_for, person.open_issues))
        });
        let gone = store.gone_authors().await?;
        let undeliverable = store.undeliverable_since().await?.into_iter().collect();
        Ok(Self { all, refused, unwanted, gone, undeliverable, week })
    }

    /// The person with this address, including addresses in commits.
    pub fn find(&self, app: &App, address: &str) -> Option<Person> {
        let is = |known: &str| known.eq_ignore_ascii_case(address.trim());
        let by_read = self.all.iter().find(|person| is(&person.address));
        let by_commit = || self.all.iter().find(|p| p.committed_as.iter().any(|known| is(known)));
        by_read.or_else(by_commit).map(|person| self.with_mails(app, person))
    }

    /// A page of the people whose name or address contains `text`.
    pub fn page(&self, app: &App, text: &str, page: usize) -> PeoplePage {
        let text = text.trim().to_lowercase();
        let holds = |field: &str| field.to_lowercase().contains(&text);
        let matches = |person: &&Person| {
            holds(&person.name)
                || holds(&person.address)
                || person.committed_as.iter().any(|known| holds(known))
        };
        let found: Vec<&Person> = self.all.iter().filter(matches).collect();
        let pages = found.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
        let people = shown.map(|person| self.with_mails(app, person)).collect();
        PeoplePage { people, total: found.len(), page, pages }
    }

    /// People who seem to have left and have open issues.
    pub fn leavers(&self, app: &App) -> Vec<Person> {
        let open = self.all.iter().filter(|person| person.open_issues > 0);
        let open = open.filter(|person| self.left(app, person).is_some());
        open.take(PAGE).map(|person| self.with_mails(app, person)).collect()
    }

    fn left(&self, app: &App, person: &Person) -> Option<String> {
        let now = app.clock.now();
        let address = person.address.to_ascii_lowercase();
        if self.gone.iter().any(|gone| gone.eq_ignore_ascii_case(&address)) {
            let days = counted(app.config.author_gone_days, "day", "days");
            return Some(format!("made no commit for {days} (author_gone_days)"));
        }
        let since = self.undeliverable.get(&address)?;
        let days = counted((now - since) / 86_400_000, "day", "days");
        (now - since > UNDELIVERABLE_MS).then(|| format!("no mail has been delivered for {days}"))
    }

    fn with_mails(&self, app: &App, person: &Person) -> Person {
        Person { mails: Some(self.mails_of(app, person)), ..person.clone() }
    }

    /// Where a person's mail goes, and why.
    pub fn mails_of(&self, app: &App, person: &Person) -> MailsOf {
        let rules = &app.rules.get().rules;
        let policy = &app.config.addresses;
        let address = person.address.as_str();
        let is_theirs = |known: &str| {
            known.eq_ignore_ascii_case(address)
                || person.committed_as.iter().any(|other| other.eq_ignore_ascii_case(known))
        };
        let left = self.left(app, person);
        let cannot = |to: &str, is_authors: bool| {
            let gone = || left.clone().filter(|_| is_authors);
            unreachable(to, &self.refused).or_else(|| gone().map(|why| format!("{address} {why}")))
        };
        let mut steps: Vec<String> = Vec::new();
        let mut to = None;
        let itself = [person.address.clone()];
        let names = if person.committed_as.is_empty() { &itself[..] } else { &person.committed_as };
        for email in names {
            let developer = Developer { name: person.name.clone(), email: email.clone() };
            let owner = answerable(Some(&developer), None, "", rules, policy, &cannot);
            to = to.or(owner.address);
            for step in owner.steps {
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
        }
        let is_address = |known: &str| known.eq_ignore_ascii_case(address);
        let unwanted = |wanted: UnwantedKind| {
            self.unwanted.iter().any(|(known, kind, _)| is_address(known) && *kind == wanted)
        };
        let refused = self.refused.iter().find(|known| is_address(&known.address));
        MailsOf {
            to,
            steps,
            refused: refused.and_then(|known| known.words.clone()),
            no_alerts: unwanted(UnwantedKind::Alerts),
            no_weekly: unwanted(UnwantedKind::Weekly),
            left,
            reassignments: rules.reassignments.iter().filter(|(_, r)| is_theirs(&r.email)).count(),
            is_default_contact: policy.default_contact.as_deref().is_some_and(is_address),
        }
    }
}

/// Occurrences of a week by the author's address in commits.
type AuthorWeek = Arc<BTreeMap<String, i64>>;

/// The cached occurrences by author, with the start of their week.
pub type AuthorWeeks = Remembered<(i64, AuthorWeek)>;

/// Occurrences of the week by author. In a large store, counting them takes longer than the rest of
/// the page, so they may be a few seconds old.
async fn author_week(
    app: &App,
    memory: &AuthorWeeks,
    from: i64,
    to: i64,
) -> Result<AuthorWeek, StoreError> {
    let count = async {
        let counted = app.store.author_occurrences(from, to).await?;
        Ok::<_, StoreError>((from, Arc::new(counted.into_iter().collect::<BTreeMap<_, _>>())))
    };
    let lasts = |(of, _): &(i64, AuthorWeek)| if *of == from { COUNTED_FOR_MS } else { 0 };
    Ok(memory.get_or_try(app.clock.now(), lasts, count).await?.1)
}

impl Person {
    fn add(&mut self, author: AuthorRow, week: i64) {
        if self.name.is_empty() {
            self.name = author.name;
        }
        self.committed_as.push(author.address);
        self.issues += author.issues;
        self.open_issues += author.open_issues;
        self.week_occurrences += week;
        self.last_commit_at = self.last_commit_at.max(author.last_commit_at);
        self.last_issue_at = self.last_issue_at.max(Some(author.last_issue_at));
    }
}

fn entry<'a>(found: &'a mut BTreeMap<String, Person>, address: &str) -> &'a mut Person {
    let address = address.trim();
    found
        .entry(address.to_ascii_lowercase())
        .or_insert_with(|| Person { address: address.to_owned(), ..Person::default() })
}

/// The addresses that rules send mails to.
fn named_in_rules(rules: &Rules) -> impl Iterator<Item = &str> {
    let watchers = rules.watchers.iter().map(|(_, rule)| rule.email.as_str());
    let given = rules.reassignments.iter().map(|(_, rule)| rule.designated_email.as_str());
    let aliases = rules.email_aliases.iter().map(|(_, rule)| rule.new_email.as_str());
    let notified = rules.known_errors.iter().flat_map(|(_, rule)| &rule.email_recipients);
    watchers.chain(given).chain(aliases).chain(notified.map(String::as_str))
}

/// The rules that name a person.
pub fn rules_naming(rules: &Rules, person: &Person) -> Vec<RuleMention> {
    let is = |known: &str| {
        known.eq_ignore_ascii_case(&person.address)
            || person.committed_as.iter().any(|other| other.eq_ignore_ascii_case(known))
    };
    let path = |path: &str| match path.trim_matches('/') {
        "" => "the whole repository".to_owned(),
        path => one_line(path, 300),
    };
    let mut found = Vec::new();
    let mut add = |list, text: String| found.push(RuleMention { list, text: one_line(&text, 700) });
    for (_, alias) in &rules.email_aliases {
        if is(&alias.old_email) || is(&alias.new_email) {
            add("email_remapping", format!("{} → {}", alias.old_email, alias.new_email));
        }
    }
    for (_, rule) in &rules.reassignments {
        let (scope, from, to) = (path(&rule.filepath), &rule.email, &rule.designated_email);
        if is(from) {
            add("disownership_list", format!("{scope}: their issues go to {to}"));
        } else if is(to) {
            add("disownership_list", format!("{scope}: they get the issues of {from}"));
        }
    }
    for (_, rule) in rules.watchers.iter().filter(|(_, rule)| is(&rule.email)) {
        let which = if rule.watch_all_errors { "every traceback through" } else { "issues in" };
        add("watch_list", format!("watches {which} {}", path(&rule.filepath)));
    }
    for (_, rule) in &rules.known_errors {
        if rule.email_recipients.iter().any(|address| is(address)) {
            let place = &rule.pattern.filename;
            add("known_errors", format!("is notified of a known error in {place}"));
        }
    }
    found
}
