//! The identity of an issue: where its line was born; while nobody is blamed, what the line says.
use crate::blame::LineOrigin;
use crate::choice::{BlamedLine, ResolvedFrame};
use crate::deployed_path::is_foreign_folder;
use crate::fingerprint::place_key;
use crate::report::Report;

/// The identity of the issue of a line with a known origin. It stays the same when lines are added
/// above it and when its file is moved.
pub fn line_identity(origin: &LineOrigin) -> String {
    format!("line:{}:{}:{}", origin.commit, origin.line, origin.path)
}

/// The identity of the issue of a line that nobody is blamed for: path, function and text.
pub fn text_identity(line: &BlamedLine) -> String {
    format!("text:{}", place_key("", &line.path, 0, &line.function, &line.text))
}

/// The identity of a place in generated code, `PATH:LINE:COLUMN`: everything is on one line there, and
/// the names say nothing.
pub fn generated_identity(place: &str) -> String {
    format!("text:{}", place_key("", place, 0, "", ""))
}

/// The line that stands for a report that nobody is blamed for: the project's innermost frame, else
/// the innermost one that is not of a foreign folder, else the innermost one.
pub fn line_to_show(report: &Report, frames: &[ResolvedFrame]) -> BlamedLine {
    let traceback = &report.traceback;
    let own = frames.iter().rposition(|frame| frame.file.is_some());
    let near = || traceback.iter().rposition(|frame| !is_foreign_folder(&frame.path));
    let Some(at) = own.or_else(near).or(traceback.len().checked_sub(1)) else {
        return BlamedLine {
            frame: 0,
            path: "(no traceback)".into(),
            line: 0,
            function: String::new(),
            text: report.exception_type.clone(),
            known_error: None,
        };
    };
    let frame = &traceback[at];
    let own_path = frames.get(at).and_then(ResolvedFrame::path);
    BlamedLine {
        frame: at,
        path: own_path.unwrap_or(&frame.path).to_owned(),
        line: frame.line,
        function: frame.function.clone(),
        text: frame.text.clone(),
        known_error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::FramePath;
    use crate::frame_kind::FrameKind;
    use crate::path_index::PathRule;
    use crate::report::Frame;

    fn shown(traceback: &[(&str, Option<&str>)]) -> String {
        let frame = |(path, _): &(&str, _)| Frame { path: (*path).into(), ..Frame::default() };
        let resolved = |(_, file): &(_, Option<&str>)| ResolvedFrame {
            file: file.map(|path| FramePath {
                path: path.into(),
                rule: PathRule::WholePath,
                wraps: None,
            }),
            kind: FrameKind::NotToBlame,
        };
        let report = Report {
            traceback: traceback.iter().map(frame).collect(),
            exception_type: "builtins.KeyError".into(),
            ..Report::default()
        };
        let frames: Vec<ResolvedFrame> = traceback.iter().map(resolved).collect();
        line_to_show(&report, &frames).path
    }

    #[test]
    fn unblamed_report_is_shown_at_its_innermost_own_frame() {
        let lib = "/usr/lib/python3.11/json/decoder.py";
        assert_eq!(shown(&[("/srv/a.py", Some("a.py")), ("/x/b.py", None)]), "a.py");
        assert_eq!(shown(&[("/x/b.py", None), (lib, None)]), "/x/b.py");
        assert_eq!(shown(&[(lib, None)]), lib);
        assert_eq!(shown(&[]), "(no traceback)");
    }
}
