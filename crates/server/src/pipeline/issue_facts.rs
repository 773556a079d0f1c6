//! The facts of an issue, and the other names under which the same line may have been recorded
//! before.
use flawless_base::plural::counted;
use flawless_core::{
    BlamedLine, Choice, CommitId, Developer, QuotedText, Report, ResolvedFrame, author_gone,
    generated_identity, line_identity, line_to_show, text_identity,
};
use flawless_git::{LocatedLine, source_text};
use flawless_store::IssueFacts;
use flawless_store::issues::details::IssueDetails;

use super::regression::{RegressedIssue, RegressionCheck};
use crate::app::App;
use crate::attribution::{At, FoundFrames, other_suspects};

/// The facts of an issue that may be new.
pub(super) struct NewFacts {
    pub facts: IssueFacts,
    /// Other identities that this line had, or would have had, under other settings.
    pub also_known: Vec<String>,
    /// Identities under which the issue was recorded while nobody could be blamed.
    pub unblamed: Vec<String>,
    pub line: Option<BlamedLine>,
    /// The revision in which the line was found.
    pub revision: Option<CommitId>,
    /// The place, to be cached.
    pub place: Option<String>,
    /// An issue with one of these identities exists.
    pub is_known: bool,
    /// What the report says about the fix of that issue.
    pub regression_check: RegressionCheck,
    /// The resolved issue that regressed as this new one.
    pub regressed: Option<RegressedIssue>,
}

/// A line with its author.
pub(super) struct Blamed<'a> {
    pub report: &'a Report,
    pub files: &'a FoundFrames,
    pub choice: &'a Choice,
    pub line: BlamedLine,
    pub located: LocatedLine,
    pub place: String,
    pub gone: Gone,
}

/// Why an author does not answer for a line, and who could.
#[derive(Default)]
pub(super) struct Gone {
    why: Option<String>,
    proposal: Option<Developer>,
}

impl Blamed<'_> {
    pub(super) async fn facts(self) -> NewFacts {
        let Self { report, files, choice, line, located, place, gone } = self;
        let suspects = other_suspects(report, files, choice).await;
        let LocatedLine { how, confidence, revision, blame, .. } = located;
        let tip = files.at.as_ref().map(|at| &at.tip);
        let code_owners = tip.and_then(|tip| tip.code_owners.as_ref()?.owners_of(&line.path));
        let author = Some(blame.author).filter(|author| blame.developer.as_ref() != Some(author));
        let details = IssueDetails {
            author,
            confidence: Some(confidence),
            path_rule: choice.frames.get(line.frame).and_then(ResolvedFrame::path_rule),
            revision: Some(revision.clone()),
            steps: blame.steps,
            later: blame.later,
            gone: gone.why,
            proposal: gone.proposal,
            code_owners,
            suspects,
        };
        let also_known = blame.also_known.iter().map(line_identity).collect();
        let unblamed = unblamed_names(report, files, &revision, &line).await;
        let (name, email) = blame.developer.map(|who| (who.name, who.email)).unzip();
        let facts = IssueFacts {
            identity: line_identity(&blame.origin),
            origin_commit: Some(blame.origin.commit.to_string()),
            origin_path: Some(blame.origin.path),
            origin_line: Some(i64::from(blame.origin.line)),
            developer_name: name,
            developer_email: email,
            authored_at: Some(blame.authored_at),
            commit_summary: Some(blame.summary),
            details,
            ..facts_of(report, &line, how)
        };
        NewFacts {
            facts,
            also_known,
            unblamed,
            line: Some(line),
            revision: Some(revision),
            place: Some(place),
            is_known: false,
            regression_check: RegressionCheck::default(),
            regressed: None,
        }
    }
}

impl NewFacts {
    /// All names of the line.
    pub(super) fn identities(&self) -> Vec<&str> {
        let also_known = self.also_known.iter().map(String::as_str);
        std::iter::once(self.facts.identity.as_str()).chain(also_known).collect()
    }
}

/// The names of issues that a line had while nobody could be blamed for it.
pub(super) async fn unblamed_names(
    report: &Report,
    files: &FoundFrames,
    revision: &CommitId,
    line: &BlamedLine,
) -> Vec<String> {
    // Before its source map was there, the innermost frame stood for the report.
    let generated = report.traceback[line.frame..].iter().rev().take(MOST_GENERATED);
    let generated = generated.filter(|frame| !frame.generated_at.is_empty());
    let mut names: Vec<String> =
        generated.map(|frame| generated_identity(&frame.generated_at)).collect();
    if !is_only_one(files, revision, line).await {
        return names;
    }
    // While the repository could not be read, only the deployed path was known.
    let deployed = report.traceback[line.frame].path.clone();
    names.push(text_identity(line));
    names.push(text_identity(&BlamedLine { path: deployed, ..line.clone() }));
    names
}

/// Frames of generated code under which an issue may have been recorded.
const MOST_GENERATED: usize = 5;

/// Whether the text occurs only once in its file, so that path, function and text identify this
/// line alone.
async fn is_only_one(files: &FoundFrames, revision: &CommitId, line: &BlamedLine) -> bool {
    let wanted = QuotedText::of(&line.text);
    let Some(At { mirror, .. }) = files.at.as_ref().filter(|_| !wanted.is_vague()) else {
        return false;
    };
    let content = mirror.file(revision, &line.path).await.ok().flatten().unwrap_or_default();
    let content = source_text(&content);
    content.lines().filter(|line| wanted.reads(line)).count() == 1
}

/// An issue that nobody is blamed for, at the line that was chosen or that stands for its report.
pub(super) fn nobody(
    report: &Report,
    frames: &[ResolvedFrame],
    line: Option<BlamedLine>,
    why: String,
) -> NewFacts {
    let shown = line.clone().unwrap_or_else(|| line_to_show(report, frames));
    let generated = report.traceback.get(shown.frame);
    let generated = generated.filter(|frame| frame.column > 0 && frame.text.is_empty());
    let identity = match generated {
        Some(frame) => generated_identity(&frame.generated_place()),
        None => text_identity(&shown),
    };
    let facts = IssueFacts { identity, ..facts_of(report, &shown, why) };
    NewFacts {
        facts,
        also_known: Vec::new(),
        unblamed: Vec::new(),
        line,
        revision: None,
        place: None,
        is_known: false,
        regression_check: RegressionCheck::default(),
        regressed: None,
    }
}

/// Whether the author still answers for the line, and who could instead.
pub(super) async fn look_for_author(
    app: &App,
    files: &FoundFrames,
    located: &LocatedLine,
    path: &str,
) -> Gone {
    let days = app.config.author_gone_days;
    let (Some(developer), Some(At { mirror, tip, .. }), true) =
        (&located.blame.developer, &files.at, days > 0)
    else {
        return Gone::default();
    };
    let last = match mirror.last_commit_of(tip, developer).await {
        Ok(last) => last,
        Err(error) => {
            tracing::warn!(%error, "the last commit of an author could not be found");
            return Gone::default();
        }
    };
    if !author_gone(last, app.clock.now(), days) {
        return Gone::default();
    }
    let proposal = mirror.busiest_committer(tip, path, &developer.email).await.ok().flatten();
    let days = counted(days, "day", "days");
    let why = format!("{} <{}> made no commit for {days}", developer.name, developer.email);
    Gone { why: Some(why), proposal }
}

fn facts_of(report: &Report, line: &BlamedLine, reason: String) -> IssueFacts {
    IssueFacts {
        path: line.path.clone(),
        line: i64::from(line.line),
        function_name: line.function.clone(),
        text: line.text.trim().to_owned(),
        exception_type: report.exception_type.clone(),
        known_error_id: line.known_error,
        reason,
        ..IssueFacts::default()
    }
}
