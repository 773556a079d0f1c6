//! A job for each traceback never seen: finds its line and the line's author, and counts it.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use flawless_core::{
    BlameFrame, BlamedLine, Choice, ClassifiedFrame, CommitId, Dropped, Fingerprint, FrameKind,
    OutcomeKind, Report, Verdict, is_foreign_folder, place_key,
};
use flawless_git::{GitError, Mirror};
use tokio::task::{self, JoinSet};

use super::again::{Back, Mending, come_back, known_issue};
use super::issue_facts::{Blamed, NewFacts, look_for_author, nobody};
use super::record::example;
use super::tell::{Occurred, tell};
use super::verdicts::{Fate, KnownTrace, Verdicts};
use crate::attribution::{At, FoundFiles, MuchSeen, Repo, blame_line, choose_line, find_files};
use crate::state::{RulesAt, Shared};
use crate::store::{PendingRow, Sample, Seen, StoreError, encode_sample};

/// How long a report waits for a repository that cannot be asked before it is counted with
/// nobody blamed.
const GIVE_UP_AFTER_MS: i64 = 10 * 60_000;
/// Before a report whose job broke off is tried again.
const PANIC_DELAY_MS: i64 = 600_000;
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Attributes reports for ever.
pub async fn run_attribution(shared: Shared, verdicts: Arc<Verdicts>) {
    let mut jobs: JoinSet<()> = JoinSet::new();
    let mut running: HashMap<task::Id, String> = HashMap::new();
    loop {
        let free = shared.config.max_blames.saturating_sub(jobs.len());
        if free > 0 && !matches!(shared.repo.get().repo, Repo::Opening) {
            let limit = i64::try_from(free + running.len()).unwrap_or(i64::MAX);
            let due = async {
                let erasures = shared.store.erasures().await?;
                Ok((erasures, shared.store.due_pending(shared.clock.now(), limit).await?))
            };
            match due.await {
                Ok((erasures, rows)) => {
                    let is_new =
                        |row: &PendingRow| !running.values().any(|r| *r == row.fingerprint);
                    let fresh: Vec<_> = rows.into_iter().filter(is_new).take(free).collect();
                    for row in fresh {
                        let (shared, verdicts) = (shared.clone(), verdicts.clone());
                        let name = row.fingerprint.clone();
                        let job = jobs.spawn(async move {
                            attribute(&shared, &verdicts, row, erasures).await;
                        });
                        running.insert(job.id(), name);
                    }
                }
                Err::<_, StoreError>(error) => {
                    tracing::error!(%error, "waiting reports could not be read");
                }
            }
        }
        tokio::select! {
            Some(finished) = jobs.join_next_with_id() => match finished {
                Ok((id, ())) => { running.remove(&id); }
                Err(error) => {
                    // A panic in one job: the others go on, and its report waits longer each time.
                    if let Some(name) = running.remove(&error.id()) {
                        postpone(&shared, &name, PANIC_DELAY_MS, "the job broke off").await;
                    }
                }
            },
            () = shared.bells.pending.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

async fn attribute(shared: &Shared, verdicts: &Verdicts, row: PendingRow, erasures: i64) {
    let (fingerprint, attempts) = (row.fingerprint.clone(), row.attempts);
    let Err(error) = try_attribute(shared, verdicts, row, erasures).await else { return };
    tracing::warn!(%error, attempts, "a report is not attributed yet");
    postpone(shared, &fingerprint, 1_000 << attempts.clamp(0, 6), &error.to_string()).await;
}

async fn postpone(shared: &Shared, fingerprint: &str, delay: i64, why: &str) {
    let next = shared.clock.now() + delay;
    let postpone = async {
        let mut tx = shared.store.write().await?;
        tx.postpone_pending(fingerprint, next, why).await?;
        tx.commit().await
    };
    if let Err(error) = postpone.await {
        tracing::error!(%error, "a report could not be put off");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error("{0}")]
    Git(#[from] GitError),
    #[error("{0}")]
    Repository(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a verdict rests on.
struct Basis {
    rules: Arc<RulesAt>,
    tip: Option<String>,
    /// The revision that the report names, when it is the one that was looked at.
    running: Option<CommitId>,
    /// How often something had been erased when the report was read.
    erasures: i64,
}

/// What a report's frames are, and what follows.
struct Attributed {
    frames: Vec<ClassifiedFrame>,
    found: Found,
    running: Option<CommitId>,
}

/// What attribution found.
enum Found {
    Dropped(OutcomeKind, String),
    /// The place is known: no git was needed.
    AtPlace {
        issue_id: i64,
        line: BlamedLine,
        mending: Mending,
    },
    Issue(Box<NewFacts>),
}

async fn try_attribute(
    shared: &Shared,
    verdicts: &Verdicts,
    row: PendingRow,
    erasures: i64,
) -> Result<(), NotYet> {
    // Both before the look at the repository: what changes meanwhile makes the verdict invalid.
    let (rules, tip) = (shared.rules.get(), shared.repo.get().tip_commit());
    let report = match shared.store.pending_report(&row) {
        Ok(report) => report,
        // The key may come back.
        Err(error @ StoreError::Sealed { .. }) => return Err(error.into()),
        Err(error) => return Ok(give_up_unreadable(shared, &row, &error).await?),
    };
    let overdue = shared.clock.now() - row.first_at >= GIVE_UP_AFTER_MS;
    let Attributed { frames, found, running } = match find(shared, &report, &rules).await {
        Ok(found) => found,
        Err(NotYet::Store(error)) => return Err(error.into()),
        Err(error) if overdue => {
            let settings = &shared.config.choice;
            let files = find_files(&report, None, settings).await?;
            let choice = choose_line(&report, &files, settings, &MuchSeen::new(), &rules.rules);
            let found = not_blamed(&report, &[], None, error.to_string());
            Attributed { frames: choice.frames, found, running: None }
        }
        Err(error) => return Err(error),
    };
    let basis = Basis { rules, tip, running, erasures };
    Ok(finish(shared, verdicts, &row.fingerprint, report, frames.into(), found, basis).await?)
}

async fn find(shared: &Shared, report: &Report, rules: &RulesAt) -> Result<Attributed, NotYet> {
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
fn not_blamed(
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
            Found::Dropped(OutcomeKind::IgnoredException, format!("ignored_exceptions rule {id}"))
        }
        Dropped::ThirdParty(id) => {
            Found::Dropped(OutcomeKind::ThirdParty, format!("third_party_whitelist rule {id}"))
        }
    }
}

async fn finish(
    shared: &Shared,
    verdicts: &Verdicts,
    fingerprint: &str,
    report: Report,
    frames: Arc<[ClassifiedFrame]>,
    found: Found,
    basis: Basis,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let Basis { rules, tip, running, erasures } = basis;
    // Of the report as it came: what is stored of it was redacted.
    let trace: Option<Fingerprint> = fingerprint.parse().ok();
    let remember = |known| {
        if let Some(trace) = trace {
            verdicts.insert(trace, known);
        }
    };
    let blamed_frame = match &found {
        Found::AtPlace { line, .. } => Some(line.frame),
        Found::Issue(new) => {
            let is_blamed = new.facts.origin_commit.is_some();
            new.line.as_ref().filter(|_| is_blamed).map(|line| line.frame)
        }
        Found::Dropped(..) => None,
    };
    let sample = encode_sample(&Sample { report: &report, frames: frames.clone(), blamed_frame })?;
    let mut tx = shared.store.write().await?;
    if tx.erased_since(erasures).await? {
        // If it still waits, it is read anew.
        return Ok(());
    }
    let Some(taken) = tx.take_pending(fingerprint).await? else {
        return Ok(());
    };
    let seen = Seen {
        occurrences: taken.occurrences,
        reports: taken.reports,
        first_at: taken.first_at,
        last_at: taken.last_at,
        sampled: true,
    };
    let mut again = None;
    let (counted, known_error, blamed, mending) = match found {
        Found::Dropped(outcome, reason) => {
            tx.add_outcome(
                outcome,
                &reason,
                taken.reports,
                now,
                &example(&report, &shared.redaction),
            )
            .await?;
            tx.commit().await?;
            let (rules_revision, fate) = (rules.revision, Fate::Dropped { outcome, reason });
            remember(KnownTrace { rules_revision, only_at_tip: None, fate });
            return Ok(());
        }
        Found::Issue(new) => {
            let NewFacts { facts, also_known, unblamed, line, place, mending, back, .. } = *new;
            // Otherwise another job was faster, and has told it.
            if let Some(Back { older, again: why }) = back
                && tx.take_over(older.id, &older, &facts).await?
            {
                let by = why.mended_by.as_deref();
                tx.set_mended(older.id, why.mended_at, by, &why.mended_how).await?;
                again = Some(why);
            }
            let mut counted = tx.count_attributed(&facts, seen).await?;
            let is_new = counted.samples == 1;
            let merged = tx.merge_issues(&also_known, counted.id).await?
                + tx.merge_unblamed(&unblamed, counted.id).await?;
            if merged > 0 {
                counted = tx.counted(counted.id).await?;
            }
            if is_new && merged == 0 {
                tx.count_functions(&own_functions(&report, &frames), now).await?;
            }
            if let Some(place) = place {
                tx.add_place(&place, counted.id, now).await?;
            }
            let known_error = line.and_then(|line| line.known_error);
            (counted, known_error, facts.origin_commit.is_some(), mending)
        }
        Found::AtPlace { issue_id, line, mending } => {
            let Some(counted) = tx.count(issue_id, seen).await? else {
                return Err(StoreError::Corrupt("a place of an issue that is not there".into()));
            };
            tx.set_known_error(counted.id, line.known_error).await?;
            (counted, line.known_error, true, mending)
        }
    };
    tx.add_sample(counted.id, counted.samples, taken.last_at, &sample).await?;
    let known = known_error.and_then(|id| rules.rules.known_error(id));
    let (added, threshold) = (taken.occurrences, taken.error_threshold);
    let at = taken.last_at;
    let occurred = Occurred { added, at, threshold, known, mending: &mending, back: again };
    tell(&mut tx, shared, &counted, occurred).await?;
    // Only a revision that was named in full, and was there, stays what it is.
    let named = report.revision.as_deref().is_some_and(|name| CommitId::parse(name).is_some());
    let named = named && running.is_some();
    let only_at_tip = (!blamed || !named).then_some(tip);
    let issue_id = counted.id;
    let sampled_at = AtomicI64::new(taken.last_at);
    let runs_now = match &running {
        Some(running) => tx.seen_running(running.as_str(), true, now).await?,
        None => false,
    };
    let running = running.map(|running| (running, AtomicI64::new(now)));
    let fate =
        Fate::Counted { issue_id, known_error, frames, blamed_frame, mending, running, sampled_at };
    tx.commit().await?;
    if runs_now {
        shared.bells.revisions.notify_one();
    }
    remember(KnownTrace { rules_revision: rules.revision, only_at_tip, fate });
    shared.bells.alerts.notify_one();
    Ok(())
}

/// The functions of the project that a report went through, each once.
fn own_functions<'a>(
    report: &'a Report,
    frames: &'a [ClassifiedFrame],
) -> HashSet<(&'a str, &'a str)> {
    let frames = report.traceback.iter().zip(frames).filter(|(_, class)| class.kind.is_own());
    frames
        .filter_map(|(frame, class)| Some((class.repo_path.as_deref()?, frame.function.as_str())))
        .collect()
}

/// A row that this program did not write cannot be attributed, and must not be tried for ever.
async fn give_up_unreadable(
    shared: &Shared,
    row: &PendingRow,
    error: &StoreError,
) -> Result<(), StoreError> {
    tracing::error!(%error, "a stored report cannot be read and is counted as refused");
    let mut tx = shared.store.write().await?;
    if let Some(taken) = tx.take_pending(&row.fingerprint).await? {
        let (reason, now) = ("unreadable in the store", shared.clock.now());
        tx.add_outcome(OutcomeKind::Refused, reason, taken.reports, now, &row.fingerprint).await?;
    }
    tx.commit().await
}
