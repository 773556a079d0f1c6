//! What a batch of reports will write. The slow work, such as redaction and compression, is done
//! here, before the transaction begins.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flawless_core::{Frame, OutcomeKind, Report};
use flawless_store::{Facet, NewPending, RuleHits, Sample, StoreError, encode_sample};

use super::groups::{Group, Groups, Key};
use super::verdicts::{CachedFault, CachedVerdict, FaultVerdict, Verdicts};
use crate::app::{App, RulesAt};
use crate::config::Config;
use crate::project::redaction::Redaction;

/// Time between two samples of a flood: they then span seconds instead of milliseconds, and writing
/// them costs almost nothing.
const SAMPLE_EVERY_MS: i64 = 1_000;

/// What a batch will write.
pub(super) struct BatchPlan {
    pub(super) writes: Vec<Write>,
    pub(super) outcomes: Outcomes,
    pub(super) rule_hits: RuleHits,
}

/// A group that is ready to be written.
pub(super) struct Write {
    pub(super) key: Key,
    pub(super) group: Group,
    /// Occurrences that its client lost, and its host.
    pub(super) lost: Option<(i64, String)>,
    pub(super) to: WriteTo,
}

/// Where the reports of a group go.
pub(super) enum WriteTo {
    /// To the issues of faults that are known.
    Issues(Arc<CachedVerdict>, Vec<CountedFault>),
    /// To the reports that wait for attribution.
    Pending(NewPending),
}

/// A fault of a known group.
pub(super) struct CountedFault {
    /// Its index in the verdict.
    pub(super) at: usize,
    pub(super) facets: Vec<Facet>,
    /// Present when another sample is due.
    pub(super) sample: Option<Vec<u8>>,
}

/// Reports of a batch that no issue counts, so that each reason changes one row.
#[derive(Default)]
pub(super) struct Outcomes(pub(super) HashMap<(OutcomeKind, String), (i64, String)>);

impl Outcomes {
    pub(super) fn add(&mut self, kind: OutcomeKind, reason: &str, reports: i64, example: String) {
        let entry = self.0.entry((kind, reason.to_owned())).or_default();
        *entry = (entry.0 + reports, example);
    }
}

impl BatchPlan {
    pub(super) fn of(
        app: &App,
        verdicts: &Verdicts,
        rules: &RulesAt,
        groups: Groups,
        now: i64,
    ) -> Result<Self, StoreError> {
        let tip = app.repo.get().tip_commit();
        let mut plan = Self {
            writes: Vec::new(),
            outcomes: Outcomes::default(),
            rule_hits: RuleHits::default(),
        };
        for (key, mut group) in groups {
            let lost = group.lost.take();
            let to = match verdicts.get(
                app.project_id(),
                &group.trace,
                rules.revision,
                tip.as_deref(),
            ) {
                Some(known) => {
                    let faults = plan.faults(&mut group, &known, app, now)?;
                    WriteTo::Issues(known, faults)
                }
                None => WriteTo::Pending(pending(&mut group, app, now)?),
            };
            plan.writes.push(Write { key, group, lost, to });
        }
        Ok(plan)
    }

    /// The faults of a known group that issues count.
    fn faults(
        &mut self,
        group: &mut Group,
        known: &CachedVerdict,
        app: &App,
        now: i64,
    ) -> Result<Vec<CountedFault>, StoreError> {
        let mut faults = Vec::new();
        for (at, fault) in known.faults.iter().enumerate() {
            match &fault.verdict {
                FaultVerdict::Dropped { outcome, reason } => {
                    let example = example(&group.newest, &app.redaction);
                    self.outcomes.add(*outcome, reason, group.reports, example);
                    self.rule_hits.add(&fault.rules, group.reports, group.occurrences);
                }
                FaultVerdict::Counted { .. } => {
                    let sample = sample_when_due(group, fault, app, now)?;
                    let facets = group.facets(fault.exception, &app.redaction, now);
                    faults.push(CountedFault { at, facets, sample });
                }
            }
        }
        Ok(faults)
    }
}

/// The newest report of a group as a sample of a fault, when the last one is old enough.
fn sample_when_due(
    group: &mut Group,
    fault: &CachedFault,
    app: &App,
    now: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let FaultVerdict::Counted { frames, read, blamed_frame, sampled_at, .. } = &fault.verdict
    else {
        return Ok(None);
    };
    if now - sampled_at.load(Ordering::Relaxed) < SAMPLE_EVERY_MS {
        return Ok(None);
    }
    sampled_at.store(now, Ordering::Relaxed);
    group.clean(&app.redaction);
    let mut report = group.about(fault.exception);
    if !read.is_empty() {
        add_read(&mut report.to_mut().traceback, read);
    }
    let report = &*report;
    encode_sample(&Sample { report, frames: frames.clone(), blamed_frame: *blamed_frame }).map(Some)
}

/// What the server read of the frames of a report itself, for a sample of a later one: the places in
/// the sources of generated code, and source lines. Only the innermost are kept, and most of them
/// without the lines around, because there is a copy for each known traceback.
pub(super) fn read_of(report: &Report, blamed_frame: Option<usize>) -> Box<[(usize, Frame)]> {
    let frames = report.traceback.iter().enumerate().rev();
    let read = frames.filter(|(_, frame)| is_read(frame)).take(MOST_READ);
    let read = read.map(|(at, frame)| match blamed_frame == Some(at) {
        true => (at, Frame { locals: None, ..frame.clone() }),
        false => {
            let (before, after) = (Vec::new(), Vec::new());
            (at, Frame { locals: None, before, after, ..frame.clone() })
        }
    });
    read.collect()
}

const MOST_READ: usize = 30;

fn is_read(frame: &Frame) -> bool {
    frame.is_text_read || !frame.generated_at.is_empty()
}

fn add_read(traceback: &mut [Frame], read: &[(usize, Frame)]) {
    for (at, read) in read {
        if let Some(frame) = traceback.get_mut(*at) {
            *frame = Frame { locals: frame.locals.take(), ..read.clone() };
        }
    }
}

/// The newest report of a group, to be attributed. Only redacted data is stored; the fingerprint is
/// that of the report as the recorder received it.
pub(super) fn pending(group: &mut Group, app: &App, now: i64) -> Result<NewPending, StoreError> {
    let facets = group.facets(None, &app.redaction, now);
    group.clean(&app.redaction);
    Ok(NewPending {
        fingerprint: group.trace.to_string(),
        occurrences: group.occurrences,
        only_listed: group.only_listed(&app.config.environments),
        reports: group.reports,
        error_threshold: threshold_of(&group.newest, &app.config),
        at: now,
        facets,
        source: group.source.to_string(),
        body: encode_sample(&*group.newest)?,
    })
}

/// The threshold of the report, else the configured one.
pub(super) fn threshold_of(report: &Report, config: &Config) -> i64 {
    let threshold = report.error_threshold.unwrap_or(config.error_threshold);
    i64::try_from(threshold).unwrap_or(i64::MAX)
}

/// A report in a few words, for the list of outcomes.
pub(super) fn example(report: &Report, redaction: &Redaction) -> String {
    let place = report.traceback.last();
    let place = place.map(|frame| format!(" at {}:{}", frame.path, frame.line)).unwrap_or_default();
    let text = format!("{}{place} on {}", report.exception_type, report.hostname);
    redaction.text(&text).chars().take(300).collect()
}
