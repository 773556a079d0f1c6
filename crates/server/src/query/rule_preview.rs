//! Previews of rules: which issues a rule would match, and who would be blamed.
use std::time::Duration;

use flawless_base::plural::{counted, times};
use flawless_base::text::one_line;
use flawless_core::{BlamedLine, CodePattern, FrameKind, KnownError, RuleId, Rules, Verdict};
use flawless_git::Located;
use flawless_store::issues::details::IssueDetails;
use flawless_store::{IssueRow, MatchedIssue, RuleList, StoreError, Wanted};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::actions::ActionError;
use crate::app::App;
use crate::attribution::{At, Fault, HotFunctions, Repo, blame_line, choose_line, find_faults};

/// The effect that a rule would have.
#[derive(Debug, Clone, Default)]
pub struct RulePreview {
    /// The effect in a sentence.
    pub summary: String,
    /// Some of the matching issues, most recently seen first.
    pub issues: Vec<MatchedIssue>,
    /// Number of matching issues.
    pub in_all: usize,
    /// Who would be blamed, with an example; only for library code.
    pub blamed_then: Option<String>,
}

/// Held while a preview asks git.
#[derive(Debug, Default)]
pub struct PreviewTurn(Mutex<()>);

/// At most this many issues are named.
const MAX_NAMED: usize = 10;
/// The samples of at most this many of the most recently seen issues are read.
const MAX_SAMPLED: i64 = 100;
const WEEK_MS: i64 = 7 * 86_400_000;
/// Time limit for git to name an author.
const GIT_TIME: Duration = Duration::from_secs(10);
/// Stands for the id of the rule that does not exist yet.
const NEW: RuleId = 0;

/// The effect of `entry` in `list`, in place of the rule `edited` or as a new rule. `issue` is the
/// issue that the rule is made for. `None` for rules about people.
///
/// # Errors
/// `entry` does not fit the list, or the database cannot be used.
pub async fn rule_preview(
    app: &App,
    turn: &PreviewTurn,
    list: RuleList,
    entry: &Value,
    edited: Option<RuleId>,
    issue: Option<&IssueRow>,
) -> Result<Option<RulePreview>, ActionError> {
    let entry = list.normalize(entry)?;
    let since = app.clock.now() - WEEK_MS;
    let mut rules = app.rules.get().rules.clone();
    // The first matching rule counts, so the old version must not stand before the new one.
    rules.third_party.retain(|(id, _)| Some(*id) != edited);
    rules.library_code.retain(|(id, _)| Some(*id) != edited);
    Ok(match list {
        RuleList::KnownErrors => {
            let KnownError { pattern, .. } = read(&entry)?;
            let in_file = Wanted::InFile(&pattern.filename);
            let mut issues = app.store.matched_issues(in_file, since).await?;
            issues.retain(|is| pattern.matches(&is.path, &is.function_name, &is.text));
            Some(RulePreview::of(issues, |issues, often| format!("It matches {issues}, {often}.")))
        }
        RuleList::IgnoredExceptions => {
            let name: String = read(&entry)?;
            let issues = app.store.matched_issues(Wanted::OfException(&name), since).await?;
            Some(RulePreview::of(issues, |issues, often| {
                format!("It would have dropped the reports of {issues}, {often}.")
            }))
        }
        RuleList::ThirdPartyWhitelist => {
            put(&mut rules.third_party, edited, read(&entry)?);
            let is_meant = |kind: FrameKind| kind == FrameKind::ThirdParty(NEW);
            let (looked_at, found) = in_samples(app, &rules, is_meant).await?;
            Some(RulePreview::of(found, |issues, often| {
                format!(
                    "Of the {}, it would have dropped the reports of {issues}, {often}.",
                    seen_last(looked_at)
                )
            }))
        }
        RuleList::BuildingBlocks => {
            put::<CodePattern>(&mut rules.library_code, edited, read(&entry)?);
            let is_meant = |kind: FrameKind| kind == FrameKind::LibraryCode(NEW);
            let (looked_at, found) = in_samples(app, &rules, is_meant).await?;
            let first = found.first().map(|issue| issue.id);
            let mut preview = RulePreview::of(found, |issues, often| {
                format!(
                    "Of the {}, {issues} went through such a line, {often}.",
                    seen_last(looked_at)
                )
            });
            let example = match (issue, first) {
                (Some(issue), _) => Some(issue.clone()),
                (None, Some(first)) => app.store.issue(first).await?,
                (None, None) => None,
            };
            if let Some(issue) = example {
                preview.blamed_then = Some(blamed_then(app, turn, &issue, &rules).await?);
            }
            Some(preview)
        }
        RuleList::WatchList | RuleList::DisownershipList | RuleList::EmailRemapping => None,
    })
}

impl RulePreview {
    fn of(mut issues: Vec<MatchedIssue>, summary: impl FnOnce(&str, &str) -> String) -> Self {
        let in_all = issues.len();
        let often: i64 = issues.iter().map(|issue| issue.occurrences).sum();
        let count = match in_all {
            0 => "no open issue".to_owned(),
            in_all => counted(in_all, "open issue", "open issues"),
        };
        let often = format!("which occurred {} in the last 7 days", times(often));
        let summary = match in_all {
            0 => summary(&count, "as far as is known"),
            _ => summary(&count, &often),
        };
        issues.truncate(MAX_NAMED);
        Self { summary, issues, in_all, blamed_then: None }
    }
}

fn seen_last(looked_at: usize) -> String {
    counted(looked_at, "latest open issue", "latest open issues")
}

/// Inserts the new rule, in place of the edited one: the first matching rule counts.
fn put<T>(rules: &mut Vec<(RuleId, T)>, edited: Option<RuleId>, new: T) {
    match rules.iter_mut().find(|(id, _)| Some(*id) == edited) {
        Some(rule) => *rule = (NEW, new),
        None => rules.push((NEW, new)),
    }
}

fn read<T: DeserializeOwned>(entry: &Value) -> Result<T, ActionError> {
    let wrong = |error: serde_json::Error| StoreError::Corrupt(format!("a rule: {error}"));
    Ok(serde_json::from_value(entry.clone()).map_err(wrong)?)
}

/// How many of the most recently seen open issues were checked, and which of them have a frame of
/// that kind under `rules` in their newest sample.
async fn in_samples(
    app: &App,
    rules: &Rules,
    is_meant: impl Fn(FrameKind) -> bool,
) -> Result<(usize, Vec<MatchedIssue>), StoreError> {
    let since = app.clock.now() - WEEK_MS;
    let issues = app.store.matched_issues(Wanted::SeenLast(MAX_SAMPLED), since).await?;
    let looked_at = issues.len();
    let mut found = Vec::new();
    for issue in issues {
        let Some(sample) = app.store.readable_sample(issue.id).await? else { continue };
        let settings = &app.config.choice;
        let none = HotFunctions::new();
        let choice = choose_line(&sample.report, &sample.frames, settings, &none, rules);
        if choice.frames.iter().any(|frame| is_meant(frame.kind)) {
            found.push(issue);
        }
    }
    Ok((looked_at, found))
}

/// Who would be blamed for the newest sample of an issue under `rules`, in a sentence.
async fn blamed_then(
    app: &App,
    turn: &PreviewTurn,
    issue: &IssueRow,
    rules: &Rules,
) -> Result<String, StoreError> {
    let Some(sample) = app.store.readable_sample(issue.id).await? else {
        return Ok("It is not known who will be blamed: the issue has no sample left.".to_owned());
    };
    let Repo::Ready(mirror) = app.repo.get().repo else {
        let text = "It is not known who will be blamed: the repository is not available.";
        return Ok(text.to_owned());
    };
    let hot_functions = app.store.hot_functions().await?;
    let settings = &app.config.choice;
    let look = async {
        // One preview at a time, so that pages leave git to the reports.
        let _turn = turn.0.lock().await;
        let faults = find_faults(&sample.report, Some(&mirror), settings, rules).await?;
        // A sample has a single fault.
        let Some(Fault { report, files, .. }) = faults.into_iter().next() else { return Ok(None) };
        let choice = choose_line(&report, &files.frames, settings, &hot_functions, rules);
        let located = match &choice.verdict {
            Verdict::Blamed(line) => Some(blame_line(&report, &files, line).await?),
            _ => None,
        };
        Ok::<_, flawless_git::GitError>(Some((files, choice, located)))
    };
    let (files, choice, located) = match tokio::time::timeout(GIT_TIME, look).await {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => return Ok("It is not known who will be blamed.".to_owned()),
        Ok(Err(error)) => {
            tracing::warn!(%error, issue = issue.id, "who would be blamed could not be found");
            let text = "It is not known who will be blamed: git does not answer; the server's log \
                        says why.";
            return Ok(text.to_owned());
        }
        Err(_) => return Ok("It is not known who will be blamed: git took too long.".to_owned()),
    };
    let line = match (&choice.verdict, sample.blamed_frame) {
        (Verdict::Blamed(line), before) if before == Some(line.frame) => {
            let is_meant = choice.frames.iter().any(|f| f.kind == FrameKind::LibraryCode(NEW));
            let why = if is_meant { "" } else { ": the rule does not match it" };
            return Ok(format!("For issue {}, the same line stays blamed{why}.", issue.id));
        }
        (Verdict::Blamed(line), _) => line,
        (Verdict::Nobody(why), _) => {
            return Ok(format!(
                "For issue {}, nobody will be blamed: {}.",
                issue.id,
                why.explain()
            ));
        }
        (Verdict::Dropped(_), _) => {
            return Ok(format!("A rule drops the reports of issue {}.", issue.id));
        }
    };
    blamed_sentence(app, issue, rules, files.at.as_ref(), line, located).await
}

/// Who will be blamed for `line`, and where the mails go.
async fn blamed_sentence(
    app: &App,
    issue: &IssueRow,
    rules: &Rules,
    at: Option<&At>,
    line: &BlamedLine,
    located: Option<Located>,
) -> Result<String, StoreError> {
    let function = match line.function.as_str() {
        "" => String::new(),
        function => format!(" in {}", one_line(function, 100)),
    };
    let place = format!("{}:{}{function}", one_line(&line.path, 300), line.line);
    let start = format!("For issue {}, {place} will be blamed", issue.id);
    let located = match located {
        Some(Located::Line(located)) => located,
        Some(Located::NotBlamed(why)) => return Ok(format!("{start}, but no developer: {why}.")),
        None => return Ok(format!("{start}.")),
    };
    let developer = located.blame.developer;
    let words = match &developer {
        Some(who) => one_line(&format!("{} <{}>", who.name, who.email), 300),
        None => "automation wrote it".to_owned(),
    };
    let tip = at.map(|At { tip, .. }| tip);
    let code_owners = tip.and_then(|tip| tip.code_owners.as_ref()?.owners_of(&line.path));
    let details = IssueDetails { code_owners, ..IssueDetails::default() };
    let refused = app.store.refused_addresses(app.clock.now()).await?;
    let policy = &app.config.addresses;
    let owner = details.owner(developer.as_ref(), &line.path, rules, policy, &refused);
    let address = owner.address.filter(|address| {
        developer.as_ref().is_none_or(|who| !who.email.eq_ignore_ascii_case(address))
    });
    let mails = address.map(|address| format!("; mails go to {}", one_line(&address, 254)));
    Ok(format!("{start}: {words}{}.", mails.unwrap_or_default()))
}
