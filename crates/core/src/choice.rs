//! Chooses the one line of a traceback that is to blame.
use serde::{Deserialize, Serialize};

use crate::deployed_path::after_package_folder;
use crate::frame_kind::FrameKind;
use crate::language::Language;
use crate::path_index::{PathRule, PathSettings};
use crate::path_patterns::PathPatterns;
use crate::report::{Frame, Report};
use crate::rules::{RuleId, Rules};
use crate::wrapper::is_wrapper;

/// Which of the project's own frames is blamed: `blame_frame`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BlameFrame {
    /// The innermost candidate; raise statements, wrappers and hot functions come after all
    /// candidates.
    #[default]
    Likely,
    /// As in 0.4.5: the innermost candidate; only raise statements come after the others.
    Innermost,
}

/// The user's settings for the choice.
#[derive(Debug, Clone, Default)]
pub struct ChoiceSettings {
    /// Where the code is deployed.
    pub paths: PathSettings,
    /// `only_blame_filepaths_matching`.
    pub may_blame: PathPatterns,
    /// `blame_frame`.
    pub blame_frame: BlameFrame,
}

/// A frame's file in the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramePath {
    /// Path in the repository.
    pub path: String,
    /// How it was found.
    pub rule: PathRule,
    /// Whether the source of its function shows that the frame's line only forwards a call; `None`
    /// when the source was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wraps: Option<bool>,
}

/// How many lines are shown to somebody who looks for the fault: the blamed one and two more.
const MAX_SUSPECTS: usize = 3;

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
    /// The known error that it matches, if any.
    pub known_error: Option<RuleId>,
}

/// What is known about a frame of a traceback. A list has one for each frame, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFrame {
    /// Its file, `None` for a foreign frame.
    pub file: Option<FramePath>,
    /// Why it may be blamed or not.
    pub kind: FrameKind,
}

impl ResolvedFrame {
    /// Path in the repository, `None` for a foreign frame.
    pub fn path(&self) -> Option<&str> {
        self.file.as_ref().map(|file| file.path.as_str())
    }

    /// How the path was found.
    pub fn path_rule(&self) -> Option<PathRule> {
        self.file.as_ref().map(|file| file.rule)
    }
}

/// The result of [`choose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// One for each frame of the traceback, in its order.
    pub frames: Vec<ResolvedFrame>,
    /// The lines that may be at fault, the likeliest first, each once. The first is the one to
    /// blame.
    pub suspects: Vec<BlamedLine>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Only frames of submodules whose repositories are not mirrored.
    Submodule,
    /// `only_blame_filepaths_matching` excludes every frame of the repository.
    NotToBlame,
    /// Every frame that could be blamed is library code.
    OnlyLibraryCode,
}

impl NoLine {
    /// The reason and a hint, in a sentence.
    pub fn explain(self) -> &'static str {
        match self {
            Self::NoFrames => "the report has no traceback",
            Self::AllForeign => {
                "no frame of the traceback is a file of the repository: check repo_dir, \
                 path_prefixes and report_runtime_package_directory_names"
            }
            Self::Submodule => {
                "the frames that are not foreign are files of submodules: name the submodules' \
                 repositories in the option submodules"
            }
            Self::NotToBlame => {
                "every frame of the repository is excluded by only_blame_filepaths_matching"
            }
            Self::OnlyLibraryCode => {
                "every frame of the repository is marked as library code: remove one of these \
                 rules if it matches the project's own code"
            }
        }
    }
}

/// Decides why each frame of a traceback may be blamed or not. `files` has the file of each, `None`
/// for a foreign one. `hot_functions` says whether a function of a file of the repository is hot.
pub fn resolve_frames(
    traceback: &[Frame],
    files: impl IntoIterator<Item = Option<FramePath>>,
    settings: &ChoiceSettings,
    hot_functions: &dyn Fn(&str, &str) -> bool,
    rules: &Rules,
) -> Vec<ResolvedFrame> {
    let of = |(frame, file): (&Frame, Option<FramePath>)| {
        let found = file.as_ref();
        let is_submodules = found.is_some_and(|found| found.rule == PathRule::Submodule);
        let kind = match kind_of(frame, found, settings, hot_functions, rules) {
            FrameKind::ThirdParty(id) => FrameKind::ThirdParty(id),
            _ if is_submodules => FrameKind::Submodule,
            kind => kind,
        };
        ResolvedFrame { file, kind }
    };
    traceback.iter().zip(files).map(of).collect()
}

/// Chooses the line to blame in `report`, whose frames are `frames`; see [`resolve_frames`].
///
/// Frames come outermost first; the innermost candidate is blamed.
pub fn choose(report: &Report, frames: Vec<ResolvedFrame>, rules: &Rules) -> Choice {
    let mut suspects = suspects(report, &frames);
    let verdict = match dropped(&report.exception_type, &frames, rules) {
        Some(dropped) => {
            suspects.clear();
            Verdict::Dropped(dropped)
        }
        None => match suspects.first() {
            Some(line) => Verdict::Blamed(line.clone()),
            None => Verdict::Nobody(why_nobody(&frames)),
        },
    };
    Choice { frames, suspects, verdict }
}

fn kind_of(
    frame: &Frame,
    found: Option<&FramePath>,
    settings: &ChoiceSettings,
    hot_functions: &dyn Fn(&str, &str) -> bool,
    rules: &Rules,
) -> FrameKind {
    let repo_path = found.map(|found| found.path.as_str());
    let foreign_path = after_package_folder(&frame.path, &settings.paths.package_folders);
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
    if !settings.may_blame.matches(path) {
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
    let language = Language::of_path(path);
    if language.is_raise(&frame.text) {
        FrameKind::Raise
    } else if settings.blame_frame == BlameFrame::Innermost {
        FrameKind::Candidate
    } else if language == Language::Python
        && found
            .and_then(|found| found.wraps)
            .unwrap_or_else(|| is_wrapper(&frame.function, &frame.text, None))
    {
        FrameKind::Wrapper
    } else if hot_functions(path, &frame.function) {
        FrameKind::HotFunction
    } else {
        FrameKind::Candidate
    }
}

fn ends_in_path(path: &str, suffix: &str) -> bool {
    let suffix = suffix.trim_start_matches('/');
    !suffix.is_empty()
        && path
            .strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']))
}

/// Candidates from the innermost outwards, then the less likely frames in the same order: if the
/// project has only these, the innermost of them is blamed instead of nobody. The last suspect is
/// one of another file, where there is one: it finds faults that the others miss.
fn suspects(report: &Report, frames: &[ResolvedFrame]) -> Vec<BlamedLine> {
    let inwards = |wanted: fn(FrameKind) -> bool| {
        (0..frames.len()).rev().filter(move |&at| wanted(frames[at].kind))
    };
    let mut suspects: Vec<BlamedLine> = Vec::new();
    let mut same_file: Option<BlamedLine> = None;
    for at in inwards(FrameKind::is_candidate).chain(inwards(FrameKind::is_unlikely)) {
        let (frame, class) = (&report.traceback[at], &frames[at]);
        let Some(path) = class.path() else { continue };
        // A recursion goes through the same line many times.
        if suspects.iter().any(|line| line.line == frame.line && line.path == path) {
            continue;
        }
        let line = BlamedLine {
            frame: at,
            path: path.to_owned(),
            line: frame.line,
            function: frame.function.clone(),
            text: frame.text.clone(),
            known_error: match class.kind {
                FrameKind::KnownError(id) => Some(id),
                _ => None,
            },
        };
        if suspects.len() + 1 == MAX_SUSPECTS && suspects.iter().any(|other| other.path == path) {
            same_file.get_or_insert(line);
            continue;
        }
        suspects.push(line);
        if suspects.len() == MAX_SUSPECTS {
            break;
        }
    }
    if suspects.len() + 1 == MAX_SUSPECTS {
        suspects.extend(same_file);
    }
    suspects
}

/// The rule that drops a report of this exception type and these frames.
pub fn dropped(exception_type: &str, frames: &[ResolvedFrame], rules: &Rules) -> Option<Dropped> {
    let ignored = rules.ignored_exceptions.iter().find(|(_, name)| name == exception_type);
    if let Some((id, _)) = ignored {
        return Some(Dropped::IgnoredException(*id));
    }
    frames.iter().find_map(|frame| match frame.kind {
        FrameKind::ThirdParty(id) => Some(Dropped::ThirdParty(id)),
        _ => None,
    })
}

fn why_nobody(frames: &[ResolvedFrame]) -> NoLine {
    let any = |wanted: fn(FrameKind) -> bool| frames.iter().any(|f| wanted(f.kind));
    if frames.is_empty() {
        NoLine::NoFrames
    } else if any(|kind| matches!(kind, FrameKind::LibraryCode(_))) {
        NoLine::OnlyLibraryCode
    } else if any(|kind| kind == FrameKind::NotToBlame) {
        NoLine::NotToBlame
    } else if any(|kind| kind == FrameKind::Submodule) {
        NoLine::Submodule
    } else {
        NoLine::AllForeign
    }
}
