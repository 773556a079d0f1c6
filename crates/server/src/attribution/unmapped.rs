//! Why frames of generated code are not mapped to their sources, and what to do about it.
use std::collections::HashMap;
use std::fmt;

use flawless_core::language::is_built;
use flawless_core::{Frame, is_foreign_folder};

/// Why frames could not be mapped.
#[derive(Debug, Default)]
pub struct Unmapped {
    pub(super) why: HashMap<String, Why>,
    pub(super) release: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Why {
    /// Nothing was uploaded for the file; in its release there is one with the same name.
    NoArtifact { similar: Option<String> },
    /// The file was uploaded without a map.
    NoMap,
    /// The map cannot be read.
    Unreadable(String),
    /// The map has nothing there: it belongs to another build.
    OtherBuild,
}

/// Whether a frame may be of generated code.
pub(super) fn is_generated(frame: &Frame) -> bool {
    frame.column > 0 && frame.line > 0 && !is_foreign_folder(&frame.path)
}

/// The URLs under which a file may have been uploaded, the most exact first.
pub(super) fn urls_of(path: &str) -> Vec<String> {
    match path.split_once("://") {
        Some((_, rest)) => {
            let below = rest.split_once('/').map_or("", |(_, below)| below);
            vec![path.to_owned(), format!("~/{below}")]
        }
        None => {
            let below = path.trim_start_matches('/');
            vec![format!("~/{below}"), format!("app:///{below}"), path.to_owned()]
        }
    }
}

impl Unmapped {
    /// Why nobody is blamed, when the innermost generated frame of a traceback is not mapped.
    pub fn explain(&self, traceback: &[Frame]) -> Option<String> {
        let is_it = |frame: &&Frame| {
            is_generated(frame) && (!frame.debug_id.is_empty() || is_built(&frame.path))
        };
        self.explain_frame(traceback.iter().rev().find(is_it)?)
    }

    /// Why the frame at `blamed` is not to blame, when a frame within it is of the same build but is
    /// not mapped.
    pub fn explain_within(&self, traceback: &[Frame], blamed: usize) -> Option<String> {
        let origin = origin_of(&traceback.get(blamed)?.generated_at)?;
        let is_of_build = |frame: &&Frame| {
            is_generated(frame)
                && (!frame.debug_id.is_empty() || origin_of(&frame.path) == Some(origin))
        };
        self.explain_frame(traceback[blamed..].iter().rev().find(is_of_build)?)
    }

    fn explain_frame(&self, frame: &Frame) -> Option<String> {
        let why = self.why.get(&frame.path)?;
        let Frame { path, line, column, debug_id, .. } = frame;
        let release = self.release.as_deref();
        let explanation =
            Explanation { place: &format!("{path}:{line}:{column}"), path, debug_id, release, why };
        Some(explanation.to_string())
    }
}

/// The scheme and host of a URL, or the folder of a path.
fn origin_of(path: &str) -> Option<&str> {
    match path.find("://") {
        Some(at) => {
            let end = path[at + 3..].find('/').map_or(path.len(), |end| at + 3 + end);
            Some(&path[..end])
        }
        None => path.rsplit_once('/').map(|(folder, _)| folder),
    }
}

struct Explanation<'a> {
    place: &'a str,
    path: &'a str,
    debug_id: &'a str,
    release: Option<&'a str>,
    why: &'a Why,
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, path, debug_id, release, why } = self;
        write!(f, "{place} is generated code, ")?;
        match why {
            Why::NoArtifact { .. } => write!(f, "and its source map was not uploaded")?,
            Why::NoMap => write!(f, "and it was uploaded without its source map")?,
            Why::Unreadable(error) => write!(f, "and its source map cannot be read: {error}")?,
            Why::OtherBuild => {
                write!(
                    f,
                    "and its source map has no entry for this place: it is of another build"
                )?;
            }
        }
        let named = release.map(|release| format!(" --release {}", word(release, "RELEASE")));
        let named = named.unwrap_or_default();
        match (why, release) {
            (Why::NoArtifact { similar: Some(similar) }, _) => {
                let below = urls_of(path).into_iter().find(|url| url.starts_with("~/"));
                let below = below.unwrap_or_default();
                let prefix = below.rsplit_once('/').map_or("~", |(folder, _)| folder).to_owned();
                write!(
                    f,
                    ". The release has {similar} instead: upload it again with --url-prefix {}",
                    word(&prefix, "PREFIX")
                )
            }
            (Why::NoArtifact { similar: None }, None) if debug_id.is_empty() => write!(
                f,
                ", or cannot be found, because the report names neither a release nor a debug id: \
                 run sentry-cli sourcemaps inject DIST before the build is deployed, then \
                 sentry-cli sourcemaps upload DIST"
            ),
            _ => write!(
                f,
                ": run sentry-cli sourcemaps upload{named} DIST for the folder DIST that this \
                 build made"
            ),
        }
    }
}

/// A text of a client as a word of a command that people copy; `otherwise` if a shell could take it
/// for anything else.
fn word(text: &str, otherwise: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+-/~".contains(c);
    let is_word = text.chars().all(is_plain) && text.len() <= 200 && !text.starts_with('-');
    if is_word { format!("'{text}'") } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_files_are_those_that_tools_upload() {
        assert_eq!(
            urls_of("https://x.org/assets/app.js"),
            ["https://x.org/assets/app.js", "~/assets/app.js"]
        );
        assert_eq!(
            urls_of("/srv/app/dist/x.js"),
            ["~/srv/app/dist/x.js", "app:///srv/app/dist/x.js", "/srv/app/dist/x.js"]
        );
        assert_eq!(urls_of("main.jsbundle")[0], "~/main.jsbundle");
        assert_eq!(urls_of("https://x.org"), ["https://x.org", "~/"]);
    }

    #[test]
    fn caller_in_the_same_build_is_not_blamed_for_code_without_a_map() {
        let mapped = |path: &str| Frame {
            path: "src/a.ts".into(),
            line: 3,
            generated_at: format!("{path}:1:7"),
            ..Frame::default()
        };
        let raw = |path: &str, debug_id: &str| Frame {
            path: path.into(),
            line: 1,
            column: 9,
            debug_id: debug_id.into(),
            ..Frame::default()
        };
        let of = |inner: Frame| {
            let why = Why::NoArtifact { similar: None };
            let unmapped = Unmapped { why: [(inner.path.clone(), why)].into(), release: None };
            unmapped.explain_within(&[mapped("https://x.org/assets/a.js"), inner], 0)
        };
        assert!(of(raw("https://x.org/assets/b.js", "")).is_some());
        assert!(of(raw("https://cdn.org/b.js", "ab")).is_some(), "the build named it");
        assert_eq!(of(raw("https://cdn.org/react.js", "")), None, "somebody else's");
        let own = Frame { path: "src/a.ts".into(), line: 3, ..Frame::default() };
        let unmapped = Unmapped::default();
        assert_eq!(unmapped.explain_within(&[own, raw("https://x.org/b.js", "")], 0), None);
    }

    #[test]
    fn explanation_names_the_file_and_the_command() {
        let explain = |path: &str, debug_id: &str, release: Option<&str>, why| {
            let frame = Frame {
                path: path.into(),
                line: 1,
                column: 7,
                debug_id: debug_id.into(),
                ..Frame::default()
            };
            let own = Frame { path: "src/a.ts".into(), line: 3, ..Frame::default() };
            let unmapped = Unmapped {
                why: [(path.to_owned(), why)].into(),
                release: release.map(str::to_owned),
            };
            unmapped.explain(&[own.clone(), frame, own]).expect("an explanation")
        };
        let url = "https://x.org/assets/app.js";
        let none = || Why::NoArtifact { similar: None };
        let similar = Why::NoArtifact { similar: Some("~/app.js".into()) };
        let all = [
            explain(url, "", Some("web@1"), none()),
            explain(url, "", None, none()),
            explain(url, "ab", None, none()),
            explain(url, "", Some("web@1"), similar),
            explain(url, "", Some("web@1"), Why::NoMap),
            explain(url, "", Some("web@1"), Why::Unreadable("it is too large".into())),
            explain(url, "", Some("web@1"), Why::OtherBuild),
            explain(url, "", Some("'; rm -r ~; '"), none()),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        https://x.org/assets/app.js:1:7 is generated code, and its source map was not uploaded: run sentry-cli sourcemaps upload --release 'web@1' DIST for the folder DIST that this build made
        https://x.org/assets/app.js:1:7 is generated code, and its source map was not uploaded, or cannot be found, because the report names neither a release nor a debug id: run sentry-cli sourcemaps inject DIST before the build is deployed, then sentry-cli sourcemaps upload DIST
        https://x.org/assets/app.js:1:7 is generated code, and its source map was not uploaded: run sentry-cli sourcemaps upload DIST for the folder DIST that this build made
        https://x.org/assets/app.js:1:7 is generated code, and its source map was not uploaded. The release has ~/app.js instead: upload it again with --url-prefix '~/assets'
        https://x.org/assets/app.js:1:7 is generated code, and it was uploaded without its source map: run sentry-cli sourcemaps upload --release 'web@1' DIST for the folder DIST that this build made
        https://x.org/assets/app.js:1:7 is generated code, and its source map cannot be read: it is too large: run sentry-cli sourcemaps upload --release 'web@1' DIST for the folder DIST that this build made
        https://x.org/assets/app.js:1:7 is generated code, and its source map has no entry for this place: it is of another build: run sentry-cli sourcemaps upload --release 'web@1' DIST for the folder DIST that this build made
        https://x.org/assets/app.js:1:7 is generated code, and its source map was not uploaded: run sentry-cli sourcemaps upload --release RELEASE DIST for the folder DIST that this build made
        ");
        let plain = Frame { path: "/srv/app/a.js".into(), line: 1, column: 7, ..Frame::default() };
        let unmapped = Unmapped { why: [(plain.path.clone(), none())].into(), release: None };
        assert_eq!(unmapped.explain(&[plain]), None, "it may be no generated code at all");
    }
}
