//! Finds the issue of a report: first the line that is to blame, then the issue of that line, in
//! the store or as new facts. Nothing is written here.
use std::sync::Arc;

use flawless_core::{
    BlameFrame, BlamedLine, Choice, CommitId, Dropped, ExceptionAt, FrameKind, NoLine, OutcomeKind,
    Report, ResolvedFrame, RuleId, Verdict, is_foreign_folder, place_key,
};
use flawless_git::{GitError, Located, Mirror};
use flawless_store::{StoreError, WaitsFor};

use super::freshness::{Believed, Freshness};
use super::issue_facts::{Blamed, NewFacts, look_for_author, nobody, unblamed_names};
use super::regression::{RegressionCheck, find_regressed, known_issue};
use crate::app::{App, RulesAt};
use crate::attribution::unmapped::Unmapped;
use crate::attribution::{
    At, Fault, FoundFrames, HotFunctions, Repo, blame_line, choose_line, find_faults,
};

/// Why a report is not attributed yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Deferred {
    #[error("{0}")]
    Git(#[from] GitError),
    #[error("{0}")]
    Repository(String),
    /// The mirror may be too old to explain it; it is retried once the mirror has been fetched.
    #[error("the mirror may be outdated and is being fetched")]
    Fetch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A fault of a report with its attribution.
pub(super) struct Attributed {
    /// The exception of the report that carries it.
    pub(super) exception: ExceptionAt,
    /// That exception as a report of its own.
    pub(super) report: Report,
    pub(super) frames: Vec<ResolvedFrame>,
    pub(super) found: FoundIssue,
}

impl Attributed {
    /// Whether nobody is blamed for it.
    fn is_nobodys(&self) -> bool {
        matches!(&self.found, FoundIssue::Issue(new) if new.facts.origin_commit.is_none())
    }
}

/// The attributed faults of a report.
pub(super) struct Findings {
    pub(super) faults: Vec<Attributed>,
    pub(super) running: Option<CommitId>,
    /// A newer mirror or a source map could give another answer, but is not there.
    pub(super) waits_for: WaitsFor,
}

/// A report that is to be attributed.
#[derive(Clone, Copy)]
pub(super) struct Reported<'a> {
    pub(super) report: &'a Report,
    pub(super) unmapped: &'a Unmapped,
    /// When the first one like it came in.
    pub(super) first_at: i64,
}

/// How long a report waits for its source map.
const MAP_AWAITED_MS: i64 = 24 * 3_600_000;

/// The issue that attribution found.
pub(super) enum FoundIssue {
    Dropped(OutcomeKind, String, RuleId),
    /// The place is known: git was not needed.
    AtPlace {
        issue_id: i64,
        line: BlamedLine,
        /// Identities under which the issue was recorded while nobody could be blamed.
        unblamed: Vec<String>,
        regression_check: RegressionCheck,
    },
    Issue(Box<NewFacts>),
}

/// Finds the lines of a report and their issues. A report that a newer mirror could explain
/// differently waits for a fetch, but not forever: then the current answer is used.
pub(super) async fn find(
    app: &App,
    reported: Reported<'_>,
    rules: &RulesAt,
    freshness: &mut Freshness<'_>,
) -> Result<Findings, Deferred> {
    let (mirror, no_repository) = match app.repo.get().repo {
        Repo::Ready(mirror) => (Some(mirror), None),
        Repo::None => (None, Some("no repository is configured: set repo_dir or repo_url")),
        Repo::Opening => return Err(Deferred::Repository("the repository is being opened".into())),
        Repo::Failed(why) => return Err(Deferred::Repository(why)),
    };
    let look = || look(app, reported, rules, mirror.as_ref(), no_repository);
    let (mut found, at) = look().await?;
    let Some((mirror, at)) = mirror.as_ref().zip(at) else { return Ok(found) };
    if !is_doubtful(&found, &at) {
        return Ok(found);
    }
    if !mirror.is_fetched_by_us() {
        // The folder may have been fetched by others since it was last read.
        let is_newer = mirror.read_tip().await?.commit != at.tip.commit;
        return if is_newer { Ok(look().await?.0) } else { Ok(found) };
    }
    match freshness.of_mirror(mirror, at.missing.as_deref(), app.clock.now()) {
        Believed::Yes => {}
        Believed::Deferred => return Err(Deferred::Fetch),
        Believed::ForNow => found.waits_for = WaitsFor::Fetch,
    }
    Ok(found)
}

async fn look(
    app: &App,
    Reported { report, unmapped, first_at }: Reported<'_>,
    rules: &RulesAt,
    mirror: Option<&Arc<Mirror>>,
    no_repository: Option<&str>,
) -> Result<(Findings, Option<At>), Deferred> {
    let found = find_faults(report, mirror, &app.config.choice, &rules.rules).await?;
    let at = found.first().and_then(|fault| fault.files.at.clone());
    let mut faults = Vec::with_capacity(found.len());
    let mut waits_for = WaitsFor::Nothing;
    for mut fault in found {
        clean_read_texts(app, &mut fault.report).await;
        let no_map = unmapped.explain(&fault.report.traceback);
        let why = no_repository.or(no_map.as_deref());
        let fault = attribute_fault(app, fault, rules, unmapped, why).await?;
        if no_map.is_some() && fault.is_nobodys() && app.clock.now() - first_at < MAP_AWAITED_MS {
            waits_for = WaitsFor::SourceMap;
        }
        faults.push(fault);
    }
    let running = at.as_ref().and_then(|at| at.revision.running().cloned());
    Ok((Findings { faults, running, waits_for }, at))
}

/// Removes the secrets from source lines that the server read itself: only those that came with the
/// report were searched before.
async fn clean_read_texts(app: &App, report: &mut Report) {
    let chain = report.chain.iter_mut().flat_map(|exception| &mut exception.traceback);
    for frame in report.traceback.iter_mut().chain(chain).filter(|frame| frame.is_text_read) {
        app.redaction.source(frame).await;
    }
}

/// Whether a newer mirror could give another answer: it lacks the revision that is named, or none
/// is named and nobody is blamed, or a frame behind a blamed one is a file that it lacks in a
/// folder that it has. A known revision never changes, except for its submodules.
fn is_doubtful(found: &Findings, at: &At) -> bool {
    let mut faults = found
        .faults
        .iter()
        .filter(|fault| !matches!(fault.found, FoundIssue::Dropped(..)))
        .peekable();
    let is_submodules =
        |fault: &Attributed| fault.frames.iter().any(|frame| frame.kind == FrameKind::Submodule);
    if found.running.is_some() {
        return faults.any(is_submodules);
    }
    (at.missing.is_some() && faults.peek().is_some()) || faults.any(may_be_elsewhere)
}

fn may_be_elsewhere<'a>(fault: &'a Attributed) -> bool {
    let blamed = match &fault.found {
        FoundIssue::Dropped(..) => return false,
        FoundIssue::Issue(_) if fault.is_nobodys() => return true,
        FoundIssue::Issue(new) => new.line.as_ref().map_or(0, |line| line.frame),
        FoundIssue::AtPlace { line, .. } => line.frame,
    };
    let paths = fault.report.traceback.iter().map(|frame| frame.path.as_str()).zip(&fault.frames);
    // Below these folders everything belongs to the project. At the root of the system, or where
    // paths are relative, only the folder of the repository does.
    let root = |(path, frame): (&'a str, &'a ResolvedFrame)| {
        let own = frame.path()?;
        let root = path.strip_suffix(own)?;
        if root.len() > 1 {
            return Some(root);
        }
        let folder = own.find('/')? + 1;
        Some(&path[..root.len() + folder])
    };
    let roots: Vec<&str> = paths.clone().filter_map(root).collect();
    let is_missing = |(path, frame): (&str, &ResolvedFrame)| {
        frame.kind == FrameKind::Foreign
            && !is_foreign_folder(path)
            && roots.iter().any(|root| path.starts_with(root))
    };
    paths.skip(blamed + 1).any(is_missing)
}

async fn attribute_fault(
    app: &App,
    fault: Fault,
    rules: &RulesAt,
    unmapped: &Unmapped,
    why: Option<&str>,
) -> Result<Attributed, Deferred> {
    let settings = &app.config.choice;
    let Fault { exception, report, files } = fault;
    let plain = choose_line(&report, &files.frames, settings, &HotFunctions::new(), &rules.rules);
    // The caller of code that cannot be read is not to blame for it.
    if let Verdict::Blamed(line) = &plain.verdict
        && let Some(why) = unmapped.explain_within(&report.traceback, line.frame)
    {
        let found = nobody(&report, &[], None, why);
        let found = nobodys(app, &files, found).await?;
        return Ok(Attributed { exception, report, frames: plain.frames, found });
    }
    let found = find_line(app, &report, &files, &plain, why).await?;
    if settings.blame_frame == BlameFrame::Innermost || matches!(found, FoundIssue::Dropped(..)) {
        return Ok(Attributed { exception, report, frames: plain.frames, found });
    }
    // A line with an issue keeps it, however many errors went through its function since.
    let has_issue = match &found {
        FoundIssue::AtPlace { .. } => true,
        FoundIssue::Issue(new) => new.is_known,
        FoundIssue::Dropped(..) => false,
    };
    if has_issue {
        return Ok(Attributed { exception, report, frames: plain.frames, found });
    }
    let hot_functions = app.store.hot_functions().await?;
    let choice = choose_line(&report, &files.frames, settings, &hot_functions, &rules.rules);
    let found = if choice.verdict == plain.verdict {
        found
    } else {
        find_line(app, &report, &files, &choice, why).await?
    };
    Ok(Attributed { exception, report, frames: choice.frames, found })
}

/// Finds the issue of the line that was chosen. `why` says why nobody may be blamed.
async fn find_line(
    app: &App,
    report: &Report,
    files: &FoundFrames,
    choice: &Choice,
    why: Option<&str>,
) -> Result<FoundIssue, Deferred> {
    let line = match &choice.verdict {
        Verdict::Dropped(dropped) => return Ok(dropped_by(*dropped)),
        Verdict::Nobody(verdict) => {
            let why = why.filter(|_| *verdict != NoLine::NotToBlame).unwrap_or(verdict.explain());
            let mut found = nobody(report, &choice.frames, None, why.to_owned());
            found.facts.kept_out = matches!(verdict, NoLine::NotToBlame);
            return nobodys(app, files, found).await;
        }
        Verdict::Blamed(line) => line.clone(),
    };
    let Some(at) = &files.at else {
        let why = why.unwrap_or_default().to_owned();
        return Ok(not_blamed(report, &[], Some(line), why));
    };
    // Without a known revision the place holds for this tip only: at the next one the same text may
    // be a new line.
    let commit = at.revision.commit().as_str();
    let place = place_key(commit, &line.path, line.line, &line.function, &line.text).to_string();
    if let Some(issue_id) = app.store.issue_at_place(&place).await? {
        let seen_in = seen_in(app, at, issue_id).await?;
        let regression_check = known_issue(app, at, issue_id, seen_in).await?;
        let unblamed = unblamed_names(report, files, at.revision.commit(), &line).await;
        return Ok(FoundIssue::AtPlace { issue_id, line, unblamed, regression_check });
    }
    Ok(match blame_line(report, files, &line).await? {
        Located::Line(located) => {
            let gone = look_for_author(app, files, &located, &line.path).await;
            let found = Blamed { report, files, choice, line, located: *located, place, gone };
            let mut new = found.facts().await;
            let known = app.store.issue_named(&new.identities()).await?;
            new.is_known = known.is_some();
            match known {
                Some(issue) => {
                    new.regression_check =
                        known_issue(app, at, issue, new.revision.clone()).await?;
                }
                None => new.regressed = find_regressed(app, at, &new).await?,
            }
            FoundIssue::Issue(Box::new(new))
        }
        Located::NotBlamed(why) => {
            let found = nobody(report, &[], Some(line), why.to_string());
            return nobodys(app, files, found).await;
        }
    })
}

/// An issue that nobody is blamed for, and what the report says about its fix.
async fn nobodys(
    app: &App,
    files: &FoundFrames,
    mut new: NewFacts,
) -> Result<FoundIssue, Deferred> {
    if let Some(at) = &files.at
        && let Some(issue) = app.store.issue_named(&new.identities()).await?
    {
        let seen_in = Some(at.revision.commit().clone());
        new.regression_check = known_issue(app, at, issue, seen_in).await?;
    }
    Ok(FoundIssue::Issue(Box::new(new)))
}

/// The revision that contains the line of a known place: the running one, else the one in which it
/// was found.
async fn seen_in(app: &App, at: &At, issue: i64) -> Result<Option<CommitId>, StoreError> {
    match at.revision.running() {
        Some(running) => Ok(Some(running.clone())),
        None => {
            let issue = app.store.issue(issue).await?;
            Ok(issue.and_then(|issue| issue.facts.details.revision))
        }
    }
}

/// Makes the facts of an issue that nobody is blamed for.
pub(super) fn not_blamed(
    report: &Report,
    frames: &[ResolvedFrame],
    line: Option<BlamedLine>,
    why: String,
) -> FoundIssue {
    FoundIssue::Issue(Box::new(nobody(report, frames, line, why)))
}

fn dropped_by(dropped: Dropped) -> FoundIssue {
    match dropped {
        Dropped::IgnoredException(id) => {
            let why = format!("ignored_exceptions rule {id}");
            FoundIssue::Dropped(OutcomeKind::IgnoredException, why, id)
        }
        Dropped::ThirdParty(id) => {
            let why = format!("third_party_whitelist rule {id}");
            FoundIssue::Dropped(OutcomeKind::ThirdParty, why, id)
        }
    }
}
