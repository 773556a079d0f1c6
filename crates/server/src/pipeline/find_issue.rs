//! Finds the issue of a report: the line that is to blame in it, and the issue of that line, in the
//! store or as new facts. Nothing is written here.
use std::sync::Arc;

use flawless_core::{
    BlameFrame, BlamedLine, Choice, ClassifiedFrame, CommitId, Dropped, FrameKind, OutcomeKind,
    Report, RuleId, Verdict, is_foreign_folder, place_key,
};
use flawless_git::{GitError, Mirror};

use super::again::{Mending, come_back, known_issue};
use super::issue_facts::{Blamed, NewFacts, look_for_author, nobody};
use crate::attribution::{At, FoundFiles, MuchSeen, Repo, blame_line, choose_line, find_files};
use crate::state::{RulesAt, Shared};
use crate::store::StoreError;

/// Why a report is not attributed yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotYet {
    #[error("{0}")]
    Git(#[from] GitError),
    #[error("{0}")]
    Repository(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a report's frames are, and what follows.
pub(super) struct Attributed {
    pub(super) frames: Vec<ClassifiedFrame>,
    pub(super) found: Found,
    pub(super) running: Option<CommitId>,
}

/// What attribution found.
pub(super) enum Found {
    Dropped(OutcomeKind, String, RuleId),
    /// The place is known: no git was needed.
    AtPlace {
        issue_id: i64,
        line: BlamedLine,
        mending: Mending,
    },
    Issue(Box<NewFacts>),
}

/// Finds the line of a report and its issue; with a mirror that may be too old once more.
pub(super) async fn find(
    shared: &Shared,
    report: &Report,
    rules: &RulesAt,
) -> Result<Attributed, NotYet> {
    let (mirror, no_repository) = match shared.repo.get().repo {
        Repo::Ready(mirror) => (Some(mirror), None),
        Repo::None => (None, Some("no repository is configured: set repo_dir or repo_url")),
        Repo::Opening => return Err(NotYet::Repository("the repository is being opened".into())),
        Repo::Failed(why) => return Err(NotYet::Repository(why)),
    };
    let found = find_at_tip(shared, report, rules, mirror.as_ref(), no_repository).await?;
    // The mirror may be older than what runs; before nobody is blamed, or a caller instead of a
    // file that is not there yet, it is brought up to date.
    if let Some(mirror) = &mirror
        && is_doubtful(report, &found)
        && let Some(before) = mirror.tip()
        && mirror.fetch_on_demand().await?.commit != before.commit
    {
        return find_at_tip(shared, report, rules, Some(mirror), no_repository).await;
    }
    Ok(found)
}

/// Whether a newer revision could give another answer: nobody is blamed, or a frame behind the
/// blamed one is a file that this revision does not have, in the folder of those it has.
fn is_doubtful(report: &Report, Attributed { frames, found, .. }: &Attributed) -> bool {
    let blamed = match found {
        Found::Dropped(..) => return false,
        Found::Issue(new) if new.facts.origin_commit.is_none() => return true,
        Found::Issue(new) => new.line.as_ref().map_or(0, |line| line.frame),
        Found::AtPlace { line, .. } => line.frame,
    };
    let paths = report.traceback.iter().map(|frame| frame.path.as_str()).zip(frames);
    let roots: Vec<&str> = paths
        .clone()
        .filter_map(|(path, frame)| path.strip_suffix(frame.repo_path.as_deref()?))
        .filter(|root| root.len() > 1)
        .collect();
    let is_missing = |(path, frame): (&str, &ClassifiedFrame)| {
        frame.kind == FrameKind::Foreign
            && !is_foreign_folder(path)
            && roots.iter().any(|root| path.starts_with(root))
    };
    paths.skip(blamed + 1).any(is_missing)
}

async fn find_at_tip(
    shared: &Shared,
    report: &Report,
    rules: &RulesAt,
    mirror: Option<&Arc<Mirror>>,
    no_repository: Option<&str>,
) -> Result<Attributed, NotYet> {
    let settings = &shared.config.choice;
    let files = find_files(report, mirror, settings).await?;
    let running = files.at.as_ref().and_then(|at| at.revision.running().cloned());
    let plain = choose_line(report, &files, settings, &MuchSeen::new(), &rules.rules);
    let found = find_line(shared, report, &files, &plain, no_repository).await?;
    if settings.blame_frame == BlameFrame::Innermost || matches!(found, Found::Dropped(..)) {
        return Ok(Attributed { frames: plain.frames, found, running });
    }
    // A line that has its issue keeps it, however many errors went through its function since.
    let has_issue = match &found {
        Found::AtPlace { .. } => true,
        Found::Issue(new) => new.is_known,
        Found::Dropped(..) => false,
    };
    if has_issue {
        return Ok(Attributed { frames: plain.frames, found, running });
    }
    let much_seen = shared.store.much_seen_functions().await?;
    let choice = choose_line(report, &files, settings, &much_seen, &rules.rules);
    let found = if choice.verdict == plain.verdict {
        found
    } else {
        find_line(shared, report, &files, &choice, no_repository).await?
    };
    Ok(Attributed { frames: choice.frames, found, running })
}

/// The issue of the line that was chosen.
async fn find_line(
    shared: &Shared,
    report: &Report,
    files: &FoundFiles,
    choice: &Choice,
    no_repository: Option<&str>,
) -> Result<Found, NotYet> {
    let line = match &choice.verdict {
        Verdict::Dropped(dropped) => return Ok(dropped_by(*dropped)),
        Verdict::Nobody(why) => {
            let why = no_repository.unwrap_or(why.explain());
            return Ok(not_blamed(report, &choice.frames, None, why.to_owned()));
        }
        Verdict::Blamed(line) => line.clone(),
    };
    let Some(at) = &files.at else {
        let why = no_repository.unwrap_or_default().to_owned();
        return Ok(not_blamed(report, &[], Some(line), why));
    };
    // Where the revision is not known the place is one of this tip only: at the next one the
    // same text may stand there anew.
    let commit = at.revision.commit().as_str();
    let place = place_key(commit, &line.path, line.line, &line.function, &line.text).to_string();
    if let Some(issue_id) = shared.store.issue_at_place(&place).await? {
        let seen_in = seen_in(shared, at, issue_id).await?;
        let mending = known_issue(shared, at, issue_id, seen_in).await?;
        return Ok(Found::AtPlace { issue_id, line, mending });
    }
    Ok(match blame_line(report, files, &line).await? {
        Ok(located) => {
            let gone = look_for_author(shared, files, &located, &line.path).await;
            let found = Blamed { report, files, choice, line, located, place, gone };
            let mut new = found.facts().await;
            let known = shared.store.issue_named(&new.identities()).await?;
            new.is_known = known.is_some();
            match known {
                Some(issue) => {
                    new.mending = known_issue(shared, at, issue, new.revision.clone()).await?;
                }
                None => new.back = come_back(shared, at, &new).await?,
            }
            Found::Issue(Box::new(new))
        }
        Err(why) => not_blamed(report, &[], Some(line), why),
    })
}

/// The revision in which the line of a known place stands: the running one, else the one in which
/// it was found.
async fn seen_in(shared: &Shared, at: &At, issue: i64) -> Result<Option<CommitId>, StoreError> {
    match at.revision.running() {
        Some(running) => Ok(Some(running.clone())),
        None => {
            let issue = shared.store.issue(issue).await?;
            Ok(issue.and_then(|issue| issue.details().revision))
        }
    }
}

/// An issue that nobody is blamed for.
pub(super) fn not_blamed(
    report: &Report,
    frames: &[ClassifiedFrame],
    line: Option<BlamedLine>,
    why: String,
) -> Found {
    Found::Issue(Box::new(nobody(report, frames, line, why)))
}

fn dropped_by(dropped: Dropped) -> Found {
    match dropped {
        Dropped::IgnoredException(id) => {
            let why = format!("ignored_exceptions rule {id}");
            Found::Dropped(OutcomeKind::IgnoredException, why, id)
        }
        Dropped::ThirdParty(id) => {
            let why = format!("third_party_whitelist rule {id}");
            Found::Dropped(OutcomeKind::ThirdParty, why, id)
        }
    }
}
