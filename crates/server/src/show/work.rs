//! What a program was doing when it failed, ready to be shown in mails and on pages: for whom,
//! where, and what happened before. Unknown fields are empty.
use std::collections::BTreeMap;

use flawless_base::dates::rfc3339;
use flawless_base::text::{cut, one_line};
use flawless_core::{Breadcrumb, Context, Process, Report};
use flawless_store::{Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::RenderLimits;
use super::frame::ShownValue;

/// What a program was doing when it failed.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ShownWork {
    /// The endpoint, task or command that ran.
    pub transaction: String,
    /// Whether the program went on; `None` when it is not known.
    pub handled: Option<bool>,
    /// The hook that saw the exception, e.g. `excepthook`.
    pub mechanism: String,
    /// The user that it ran for.
    pub user: Vec<ShownValue>,
    /// Tags.
    pub tags: Vec<ShownValue>,
    /// Named groups of facts.
    pub contexts: Vec<ShownContext>,
    /// What happened before, newest first.
    pub breadcrumbs: Vec<ShownBreadcrumb>,
    /// How many older ones are not shown.
    pub breadcrumbs_left_out: usize,
    /// The process that failed.
    pub process: Option<ShownProcess>,
    /// The name of the thread.
    pub thread: String,
    /// The name of the task.
    pub task: String,
    /// The trace id of OpenTelemetry.
    pub trace_id: String,
}

/// A named group of facts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownContext {
    /// Name of the group.
    pub name: String,
    /// The facts.
    pub values: Vec<ShownValue>,
}

/// Something that happened before the exception.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownBreadcrumb {
    /// When it happened by the program's clock, RFC 3339 in UTC.
    pub at: Option<String>,
    /// How long before the last one, e.g. `−2.4 s`; empty when its time is not known.
    pub before_last: String,
    /// The kind of event, e.g. `query`.
    pub category: String,
    /// Level, e.g. `info`.
    pub level: String,
    /// The event in words.
    pub message: String,
    /// Additional values.
    pub data: Vec<ShownValue>,
}

/// A process.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownProcess {
    /// Interpreter and system, e.g. `CPython 3.13.0 on Linux x86_64`.
    pub runtime: String,
    /// The command line as one could type it.
    pub command_line: String,
    /// Modules and their versions, if known.
    pub modules: Vec<ShownValue>,
}

impl ShownBreadcrumb {
    /// Whether the level is not worth showing.
    pub fn is_usual(&self) -> bool {
        self.level.is_empty() || self.level.eq_ignore_ascii_case("info")
    }

    /// Whether the event was a failure itself.
    pub fn is_bad(&self) -> bool {
        let level = self.level.to_ascii_lowercase();
        matches!(level.as_str(), "error" | "critical" | "fatal")
    }
}

impl ShownWork {
    /// What a report says, within the limits.
    pub fn of(report: &Report, limits: RenderLimits) -> Self {
        let breadcrumbs = &report.breadcrumbs;
        let last_at = breadcrumbs.iter().rev().find_map(|breadcrumb| breadcrumb.at);
        // An empty context would be a heading with nothing below it.
        let contexts = report.contexts.iter().filter(|context| !context.values.is_empty());
        let contexts = contexts.take(limits.locals);
        let newest = breadcrumbs.iter().rev().take(limits.breadcrumbs);
        Self {
            transaction: one_line(&report.transaction, NAME),
            handled: report.handled,
            mechanism: one_line(&report.mechanism, NAME),
            user: values(&report.user, limits),
            tags: values(&report.tags, limits),
            contexts: contexts.map(|context| shown_context(context, limits)).collect(),
            breadcrumbs: newest.map(|one| shown_breadcrumb(one, last_at, limits)).collect(),
            breadcrumbs_left_out: breadcrumbs.len().saturating_sub(limits.breadcrumbs),
            process: report.process.as_ref().and_then(|process| shown_process(process, limits)),
            thread: one_line(&report.thread, NAME),
            task: one_line(&report.task, NAME),
            trace_id: one_line(&report.trace_id, NAME),
        }
    }

    /// Fills in the modules of the process.
    pub fn with_modules(mut self, modules: &BTreeMap<String, String>) -> Self {
        if !modules.is_empty() {
            let empty = || ShownProcess {
                runtime: String::new(),
                command_line: String::new(),
                modules: Vec::new(),
            };
            self.process.get_or_insert_with(empty).modules = values(modules, RenderLimits::PAGE);
        }
        self
    }

    /// The newest breadcrumbs.
    pub fn newest_breadcrumbs(&self) -> &[ShownBreadcrumb] {
        &self.breadcrumbs[..self.breadcrumbs.len().min(AT_A_GLANCE)]
    }

    /// The breadcrumbs before [`Self::newest_breadcrumbs`].
    pub fn older_breadcrumbs(&self) -> &[ShownBreadcrumb] {
        &self.breadcrumbs[self.newest_breadcrumbs().len()..]
    }

    /// The user in a few words: `ann@example.com (id 7)`; empty when none is named.
    pub fn user_in_words(&self) -> String {
        let named = |name: &str| self.user.iter().position(|value| value.name == name);
        let first = ["email", "username", "name", "id"].into_iter().find_map(named);
        let Some(first) = first.or((!self.user.is_empty()).then_some(0)) else {
            return String::new();
        };
        let others = self.user.iter().enumerate().filter(|(at, _)| *at != first);
        let others: Vec<String> = others
            .take(BESIDE)
            .map(|(_, value)| format!("{} {}", value.name, value.value))
            .collect();
        let first = &self.user[first].value;
        match others.is_empty() {
            true => one_line(first, 100),
            false => one_line(&format!("{first} ({})", others.join(", ")), 200),
        }
    }

    /// Whether [`Self::user_in_words`] shows everything that is known of the user.
    pub fn is_user_said(&self) -> bool {
        self.user.len() <= BESIDE + 1 && !self.user_in_words().ends_with('…')
    }

    /// Whether the program went on and what saw the exception, as far as known.
    pub fn handled_in_words(&self) -> String {
        let seen = |text: &str| match self.mechanism.is_empty() {
            true => text.to_owned(),
            false => format!("{text}, seen by {}", self.mechanism),
        };
        match self.handled {
            Some(true) => seen("Handled: the program went on"),
            Some(false) => seen("Not handled"),
            None if self.mechanism.is_empty() => String::new(),
            None => format!("Seen by {}", self.mechanism),
        }
    }

    /// Where the program ran, as names and values.
    pub fn places(&self) -> Vec<(&'static str, &str)> {
        let (runtime, command) = match &self.process {
            Some(process) => (process.runtime.as_str(), process.command_line.as_str()),
            None => ("", ""),
        };
        let places = [
            ("Thread", self.thread.as_str()),
            ("Task", &self.task),
            ("Trace", &self.trace_id),
            ("Command", command),
            ("Runtime", runtime),
        ];
        places.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// The modules of a report's process; none when they are unknown, or encrypted with a lost key.
pub async fn modules_of(
    store: &Store,
    report: &Report,
) -> Result<BTreeMap<String, String>, StoreError> {
    let Some(process) = report.process.as_ref().filter(|p| !p.modules_id.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    match store.module_set(&process.modules_id).await {
        Err(StoreError::Sealed { .. }) => Ok(BTreeMap::new()),
        found => Ok(found?.unwrap_or_default()),
    }
}

/// How many breadcrumbs are visible without unfolding the rest.
const AT_A_GLANCE: usize = 15;
/// How many facts of a user are shown besides the first.
const BESIDE: usize = 3;
/// Longest name, in characters.
const NAME: usize = 300;

fn values(values: &BTreeMap<String, String>, limits: RenderLimits) -> Vec<ShownValue> {
    // One line each, so that no value looks like another entry.
    let shown = |(name, value): (&String, &String)| ShownValue {
        name: one_line(name, limits.value.min(200)),
        value: one_line(value, limits.value),
        is_cut: value.ends_with('…') || value.chars().nth(limits.value).is_some(),
    };
    values.iter().take(limits.locals).map(shown).collect()
}

fn shown_context(context: &Context, limits: RenderLimits) -> ShownContext {
    ShownContext { name: one_line(&context.name, 200), values: values(&context.values, limits) }
}

fn shown_breadcrumb(
    breadcrumb: &Breadcrumb,
    last_at: Option<i64>,
    limits: RenderLimits,
) -> ShownBreadcrumb {
    let Breadcrumb { at, category, level, message, data } = breadcrumb;
    ShownBreadcrumb {
        at: at.map(rfc3339),
        before_last: at.zip(last_at).map(|(at, last)| before_last(at, last)).unwrap_or_default(),
        category: one_line(category, 100),
        level: one_line(level, 100),
        message: cut(message.trim_end(), limits.value.max(200)),
        data: values(data, limits),
    }
}

fn shown_process(process: &Process, limits: RenderLimits) -> Option<ShownProcess> {
    let command_line = one_line(&process.command_line(), limits.value.max(200));
    let runtime = one_line(&process.runtime, NAME);
    let is_empty = command_line.is_empty() && runtime.is_empty();
    (!is_empty).then(|| ShownProcess { runtime, command_line, modules: Vec::new() })
}

/// The time before the last one; clocks may be set back in between.
fn before_last(at: i64, last: i64) -> String {
    let before = last.saturating_sub(at);
    let sign = if before < 0 { '+' } else { '−' };
    let length = before.unsigned_abs();
    match length {
        0 => "0 s".to_owned(),
        1..60_000 => format!("{sign}{}.{} s", length / 1_000, length % 1_000 / 100),
        60_000..3_600_000 => format!("{sign}{} min {} s", length / 60_000, length / 1_000 % 60),
        _ => format!("{sign}{} h {} min", length / 3_600_000, length / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(facts: &[(&str, &str)]) -> BTreeMap<String, String> {
        facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn breadcrumbs_count_back_from_the_last_newest_first() {
        let breadcrumb = |at| Breadcrumb { at, ..Breadcrumb::default() };
        let times = [-90_000_000, 9_938_000, 9_997_650, 10_000_050, 10_000_000];
        let breadcrumbs = times.map(Some).into_iter().chain([None]).map(breadcrumb).collect();
        let report = Report { breadcrumbs, ..Report::default() };
        let shown = ShownWork::of(&report, RenderLimits::PAGE);
        let before: Vec<&str> = shown.breadcrumbs.iter().map(|b| b.before_last.as_str()).collect();
        assert_eq!(before, ["", "0 s", "+0.0 s", "−2.3 s", "−1 min 2 s", "−27 h 46 min"]);
        assert_eq!(before_last(i64::MIN, i64::MAX), "−2562047788015 h 12 min");
    }

    #[test]
    fn mail_has_the_last_breadcrumbs_and_counts_those_left_out() {
        let breadcrumbs =
            (0..30).map(|n| Breadcrumb { message: format!("{n}"), ..Default::default() });
        let report = Report { breadcrumbs: breadcrumbs.collect(), ..Report::default() };
        let shown = ShownWork::of(&report, RenderLimits::MAIL[0]);
        assert_eq!((shown.breadcrumbs.len(), shown.breadcrumbs_left_out), (10, 20));
        assert_eq!(shown.breadcrumbs[0].message, "29");
        assert_eq!(ShownWork::of(&report, RenderLimits::PAGE).breadcrumbs.len(), 30);
    }

    #[test]
    fn user_is_named_as_people_know_them() {
        let said = |user: &[(&str, &str)]| {
            let report = Report { user: facts(user), ..Report::default() };
            ShownWork::of(&report, RenderLimits::PAGE).user_in_words()
        };
        assert_eq!(said(&[("id", "7"), ("email", "ann@example.com")]), "ann@example.com (id 7)");
        assert_eq!(said(&[("id", "7")]), "7");
        assert_eq!(said(&[("tenant", "acme\nx")]), "acme x");
        assert_eq!(said(&[]), "");
    }

    #[test]
    fn outcome_for_the_program_is_stated_only_as_far_as_known() {
        let said = |handled, mechanism: &str| {
            let mechanism = mechanism.to_owned();
            ShownWork { handled, mechanism, ..ShownWork::default() }.handled_in_words()
        };
        assert_eq!(said(None, ""), "");
        assert_eq!(said(None, "logging"), "Seen by logging");
        assert_eq!(said(Some(true), ""), "Handled: the program went on");
        assert_eq!(said(Some(false), "excepthook"), "Not handled, seen by excepthook");
    }
}
