//! Why somebody answers for an issue, step by step, for mails and the issue's page.
use flawless_base::plural::counted;
use flawless_base::text::one_line;
use flawless_core::{Confidence, FrameKind, Owner};
use flawless_store::issues::details::IssueDetails;
use flawless_store::{IssueRow, Sample};

use crate::app::App;

/// At most this many skipped frames are named one by one.
const NAMED: usize = 8;

/// Name and address of the author of an issue's line, even if the author is a bot.
pub fn author_of(issue: &IssueRow) -> String {
    match issue.facts.details.author.clone().or_else(|| issue.developer()) {
        Some(developer) => one_line(&format!("{} <{}>", developer.name, developer.email), 200),
        None => "automation".to_owned(),
    }
}

/// The steps from the line's author to the owner: later changes of the line, then the rules that
/// were applied to the address.
pub fn way_to_owner(details: &IssueDetails, owner: &Owner) -> Vec<String> {
    let later =
        details.later.iter().map(|l| format!("since then {}", one_line(&l.to_string(), 300)));
    later.chain(owner.steps.iter().map(|step| one_line(step, 400))).collect()
}

/// A hint for the default contact, when only they could be notified although the author is known.
pub fn hint(app: &App, issue: &IssueRow, owner: &Owner) -> Option<String> {
    (owner.is_fallback && issue.facts.developer_email.is_some()).then(|| {
        let page = format!("{}/remap_email", app.base_url);
        format!("to fix this, add an email alias for the author's address: {page}")
    })
}

/// Where the line was when it was last changed, if it has moved since.
pub fn other_origin(issue: &IssueRow) -> Option<String> {
    let facts = &issue.facts;
    let (path, line) = (facts.origin_path.as_deref()?, facts.origin_line?);
    (path != facts.path || line != facts.line).then(|| format!("{}:{line}", one_line(path, 300)))
}

/// The other suspects, each in a line.
pub fn considered(details: &IssueDetails) -> Vec<String> {
    details.suspects.iter().map(|suspect| one_line(&suspect.in_words(), 400)).collect()
}

/// How certain it is that the line is the one that ran, in a sentence.
pub fn confidence_in_words(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Exact => "certain: the line reads the same in the revision that ran",
        Confidence::Unconfirmed => {
            "likely: it is this line of the revision that ran, and the report has no text to \
             compare it with"
        }
        Confidence::Tip => {
            "likely: the program did not name its revision, and the line reads the same at the \
             tip of the branch"
        }
        Confidence::Earlier => {
            "likely: the line reads the same in an earlier revision than the one that was named \
             or is the newest"
        }
        Confidence::ByText => "a good guess: the same text appears elsewhere in the same function",
    }
}

/// The frames between the origin of the exception and the blamed line, and why each was skipped;
/// none when nobody is blamed.
pub fn passed_over(sample: &Sample) -> Vec<String> {
    let Some(blamed) = sample.blamed_frame else { return Vec::new() };
    let frames = sample.report.traceback.iter().zip(sample.frames.iter()).skip(blamed + 1).rev();
    let mut steps: Vec<String> = Vec::new();
    let (mut foreign, mut more) = (0_usize, 0_usize);
    let flush = |foreign: &mut usize, steps: &mut Vec<String>| match std::mem::take(foreign) {
        0 => {}
        number => {
            steps.push(counted(number, "frame of another package", "frames of other packages"));
        }
    };
    for (frame, resolved) in frames {
        if resolved.kind == FrameKind::Foreign {
            foreign += 1;
            continue;
        }
        flush(&mut foreign, &mut steps);
        if steps.len() >= NAMED {
            more += 1;
            continue;
        }
        let path = resolved.path().unwrap_or(&frame.path);
        let (path, function) = (one_line(path, 300), one_line(&frame.function, 100));
        let within = if function.is_empty() { function } else { format!(" in {function}") };
        steps.push(format!("{path}:{}{within}: {}", frame.line, resolved.kind));
    }
    flush(&mut foreign, &mut steps);
    if more > 0 {
        steps.push(counted(more, "more frame", "more frames"));
    }
    steps
}

#[cfg(test)]
mod tests {
    use flawless_core::{Frame, FramePath, PathRule, Report, ResolvedFrame};

    use super::*;

    #[test]
    fn passed_over_frames_are_listed_innermost_first() {
        let kinds = [
            FrameKind::Candidate,
            FrameKind::Candidate,
            FrameKind::Wrapper,
            FrameKind::Foreign,
            FrameKind::Foreign,
            FrameKind::Raise,
        ];
        let frame = |line| Frame { path: "/x/a.py".into(), line, ..Frame::default() };
        let resolved = |kind| ResolvedFrame {
            file: (kind != FrameKind::Foreign).then(|| FramePath {
                path: "a.py".into(),
                rule: PathRule::WholePath,
                wraps: None,
            }),
            kind,
        };
        let traceback = (1..=6).map(frame).collect();
        let sample = Sample {
            report: Report { traceback, ..Report::default() },
            frames: kinds.map(resolved).into(),
            blamed_frame: Some(1),
        };
        let expected = [
            "a.py:6: a raise statement: its caller is blamed",
            "2 frames of other packages",
            "a.py:3: a wrapper: what it calls or its caller is likelier",
        ];
        assert_eq!(passed_over(&sample), expected);
        assert!(passed_over(&Sample { blamed_frame: None, ..sample }).is_empty());
    }
}
