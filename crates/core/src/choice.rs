//! Chooses the one line of a traceback that is to blame.
use serde::{Deserialize, Serialize};

use crate::frame_kind::{FrameKind, is_raise_statement};
use crate::path_index::after_package_folder;
use crate::report::{Frame, Report};
use crate::rules::{RuleId, Rules};
use crate::{PathIndex, PathPatterns};

/// The one frame held responsible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlamedLine {
    /// Its place in the traceback, from 0 at the outermost frame.
    pub frame: usize,
    /// Path in the repository.
    pub path: String,
    /// Line number in the running code, from 1; 0 when the client sent none.
    pub line: u32,
    /// Plain function name.
    pub function: String,
    /// The source line as reported.
    pub text: String,
    /// The known error it is, when it is one.
    pub known_error: Option<RuleId>,
}

/// A frame's path in the repository and what the frame is to the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassifiedFrame {
    /// Path in the repository, `None` for a foreign file.
    pub repo_path: Option<String>,
    /// Why it may be blamed or not.
    pub kind: FrameKind,
}

/// What [`choose`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// One for each frame of the traceback, in its order.
    pub frames: Vec<ClassifiedFrame>,
    /// The line, or why there is none.
    pub verdict: Verdict,
}

/// The line, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This line is to blame.
    Blamed(BlamedLine),
    /// A rule drops the report.
    Dropped(Dropped),
    /// No frame can be blamed.
    Nobody(NoLine),
}

/// The rule that drops a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// Its exception type is ignored.
    IgnoredException(RuleId),
    /// A third-party rule matches a frame.
    ThirdParty(RuleId),
}

/// Why no frame can be blamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLine {
    /// The traceback is empty.
    NoFrames,
    /// No frame is in a file of the repository.
    AllForeign,
    /// Every frame of the repository is kept out by `only_blame_filepaths_matching`.
    NotToBlame,
    /// Every frame that could be blamed is library code.
    OnlyLibraryCode,
}

impl NoLine {
    /// The reason and the way out, in a sentence.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NoFrames => "the report has no traceback",
            Self::AllForeign => {
                "no frame of the traceback is a file of the repository: check repo_dir and \
                 report_runtime_package_directory_names"
            }
            Self::NotToBlame => {
                "every frame of the repository is kept out by only_blame_filepaths_matching"
            }
            Self::OnlyLibraryCode => {
                "every frame of the repository is marked as library code: mark its caller's \
                 file as the project's by removing one of these rules"
            }
        }
    }
}

/// Chooses the line of `report` to blame.
///
/// Frames come outermost first; the innermost candidate is blamed. `files` is the running
/// revision's tree, `package_folders` is `report_runtime_package_directory_names`,
/// `may_blame` is `only_blame_filepaths_matching`.
pub fn choose(
    report: &Report,
    files: &PathIndex,
    package_folders: &[String],
    may_blame: &PathPatterns,
    rules: &Rules,
) -> Choice {
    let frames: Vec<ClassifiedFrame> = report
        .traceback
        .iter()
        .map(|frame| {
            let repo_path = files.resolve(&frame.path, package_folders);
            let kind = kind_of(frame, repo_path, package_folders, may_blame, rules);
            ClassifiedFrame { repo_path: repo_path.map(str::to_owned), kind }
        })
        .collect();
    let verdict = verdict(report, &frames, rules);
    Choice { frames, verdict }
}

fn kind_of(
    frame: &Frame,
    repo_path: Option<&str>,
    package_folders: &[String],
    may_blame: &PathPatterns,
    rules: &Rules,
) -> FrameKind {
    let foreign_path = after_package_folder(&frame.path, package_folders);
    let named_by = |filename: &str| {
        repo_path == Some(filename)
            || foreign_path.as_deref() == Some(filename)
            || ends_in_path(&frame.path, filename)
    };
    for (id, rule) in &rules.third_party {
        if named_by(&rule.filename) && rule.matches_code(&frame.function, &frame.text) {
            return FrameKind::ThirdParty(*id);
        }
    }
    let Some(path) = repo_path else {
        return FrameKind::Foreign;
    };
    if !may_blame.matches(path) {
        return FrameKind::NotToBlame;
    }
    for (id, rule) in &rules.library_code {
        if rule.matches(path, &frame.function, &frame.text) {
            return FrameKind::LibraryCode(*id);
        }
    }
    for (id, rule) in &rules.known_errors {
        if rule.pattern.matches(path, &frame.function, &frame.text) {
            return FrameKind::KnownError(*id);
        }
    }
    if is_raise_statement(&frame.text) { FrameKind::Raise } else { FrameKind::Candidate }
}

fn ends_in_path(path: &str, suffix: &str) -> bool {
    let suffix = suffix.trim_start_matches('/');
    !suffix.is_empty()
        && path
            .strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']))
}

fn verdict(report: &Report, frames: &[ClassifiedFrame], rules: &Rules) -> Verdict {
    let ignored = rules.ignored_exceptions.iter().find(|(_, name)| *name == report.exception_type);
    if let Some((id, _)) = ignored {
        return Verdict::Dropped(Dropped::IgnoredException(*id));
    }
    let third_party = frames.iter().find_map(|frame| match frame.kind {
        FrameKind::ThirdParty(id) => Some(id),
        _ => None,
    });
    if let Some(id) = third_party {
        return Verdict::Dropped(Dropped::ThirdParty(id));
    }
    let innermost = |wanted: fn(FrameKind) -> bool| frames.iter().rposition(|f| wanted(f.kind));
    let chosen = innermost(FrameKind::is_candidate)
        // Only raise statements are the project's own: the innermost of them is, never nobody.
        .or_else(|| innermost(|kind| kind == FrameKind::Raise));
    if let Some(at) = chosen
        && let Some(path) = &frames[at].repo_path
    {
        let frame = &report.traceback[at];
        return Verdict::Blamed(BlamedLine {
            frame: at,
            path: path.clone(),
            line: frame.line,
            function: frame.function.clone(),
            text: frame.text.clone(),
            known_error: match frames[at].kind {
                FrameKind::KnownError(id) => Some(id),
                _ => None,
            },
        });
    }
    let any = |wanted: fn(FrameKind) -> bool| frames.iter().any(|f| wanted(f.kind));
    Verdict::Nobody(if frames.is_empty() {
        NoLine::NoFrames
    } else if any(|kind| matches!(kind, FrameKind::LibraryCode(_))) {
        NoLine::OnlyLibraryCode
    } else if any(|kind| kind == FrameKind::NotToBlame) {
        NoLine::NotToBlame
    } else {
        NoLine::AllForeign
    })
}
