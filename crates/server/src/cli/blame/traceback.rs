//! One printed traceback: the blamed line, its author, and why that line.
use std::sync::Arc;

use flawless_core::{Choice, FrameKind, Report, Rules, Verdict};
use flawless_git::{Located, LocatedLine, Mirror};
use flawless_store::issues::details::Suspect;
use serde_json::{Value, json};

use super::line::{blame_json, blame_lines, chain};
use super::origin::Origin;
use crate::attribution::{
    Fault, HotFunctions, blame_line, choose_line, find_faults, other_suspects,
};
use crate::config::Config;

/// What was found about one traceback.
pub(super) struct FoundLine {
    report: Report,
    choice: Choice,
    blamed: Option<LocatedLine>,
    suspects: Vec<Suspect>,
    reason: String,
}

/// What was found about each fault of a report.
pub(super) async fn blame(
    report: &Report,
    mirror: &Arc<Mirror>,
    config: &Config,
    hot_functions: &HotFunctions,
    rules: &Rules,
) -> anyhow::Result<Vec<FoundLine>> {
    let mut found = Vec::new();
    for fault in find_faults(report, Some(mirror), &config.choice, rules).await? {
        found.push(blame_fault(fault, config, hot_functions, rules).await?);
    }
    Ok(found)
}

async fn blame_fault(
    fault: Fault,
    config: &Config,
    hot_functions: &HotFunctions,
    rules: &Rules,
) -> anyhow::Result<FoundLine> {
    let Fault { report, files, .. } = fault;
    let choice = choose_line(&report, &files.frames, &config.choice, hot_functions, rules);
    let found = match &choice.verdict {
        Verdict::Blamed(line) => match blame_line(&report, &files, line).await? {
            Located::Line(line) => Ok(*line),
            Located::NotBlamed(why) => Err(why.to_string()),
        },
        Verdict::Nobody(why) => Err(why.explain().to_owned()),
        Verdict::Dropped(_) => Err("a rule drops this report".to_owned()),
    };
    let suspects = other_suspects(&report, &files, &choice).await;
    let (blamed, reason) = match found {
        Ok(blamed) => {
            let kind = match &choice.verdict {
                Verdict::Blamed(line) => choice.frames[line.frame].kind,
                _ => FrameKind::Candidate,
            };
            let reason = if kind.is_unlikely() {
                "the innermost frame of the project; none of its own is likelier".to_owned()
            } else {
                format!("the innermost frame that may be blamed: {kind}")
            };
            let reason = format!("{reason}; {}", blamed.how);
            (Some(blamed), reason)
        }
        Err(why) => (None, why),
    };
    Ok(FoundLine { report, choice, blamed, suspects, reason })
}

impl FoundLine {
    /// The chosen frame's place in the traceback.
    fn index(&self) -> Option<usize> {
        match &self.choice.verdict {
            Verdict::Blamed(line) => Some(line.frame),
            _ => None,
        }
    }

    fn frame_json(&self, index: usize) -> Value {
        let frame = &self.report.traceback[index];
        json!({
            "index": index,
            "path": frame.path,
            "repo_path": self.choice.frames[index].path(),
            "path_rule": self.choice.frames[index].path_rule(),
            "line": frame.line,
            "function": frame.function,
            "text": frame.text,
        })
    }

    /// Frames inside the chosen one, each with the reason why it was not chosen.
    fn passed_over(&self) -> impl Iterator<Item = (usize, FrameKind)> {
        let from = self.index().map_or(0, |index| index + 1);
        self.choice.frames.iter().enumerate().skip(from).map(|(at, frame)| (at, frame.kind))
    }

    /// The suspects, the blamed line first, each with its author.
    fn suspects_json(&self) -> Vec<Value> {
        let authors = self.suspects.iter().map(|suspect| suspect.author.as_ref());
        let first = self.blamed.as_ref().map(|blamed| {
            json!({
                "commit": blamed.blame.origin.commit,
                "summary": blamed.blame.summary,
                "developer": blamed.blame.developer,
            })
        });
        let authors = std::iter::once(first).chain(authors.map(|author| Some(json!(author))));
        let with_author = |(line, author): (&flawless_core::BlamedLine, Option<Value>)| {
            let mut suspect = self.frame_json(line.frame);
            suspect["author"] = author.unwrap_or_default();
            suspect
        };
        self.choice.suspects.iter().zip(authors).map(with_author).collect()
    }

    pub(super) fn as_json(&self, origin: &Origin) -> String {
        let passed_over: Vec<Value> = self
            .passed_over()
            .map(|(index, kind)| {
                let mut frame = self.frame_json(index);
                frame["reason"] = json!(kind.to_string());
                frame
            })
            .collect();
        let located = self.blamed.as_ref();
        let mut value = match located {
            Some(located) => blame_json(&located.blame),
            None => json!({
                "commit": null,
                "origin_path": null,
                "origin_line": null,
                "author": null,
                "developer": null,
                "authored_at": null,
            }),
        };
        let rule = self.index().and_then(|index| self.choice.frames[index].path_rule());
        value["exception_type"] = json!(self.report.exception_type);
        value["traceback"] = json!(origin.number);
        value["tracebacks"] = json!(origin.count);
        value["input_line"] = json!(origin.line);
        value["warnings"] = json!(origin.warnings);
        value["frame"] = json!(self.index().map(|index| self.frame_json(index)));
        value["reason"] = json!(self.reason);
        value["confidence"] = json!(located.map(|located| located.confidence));
        value["path_rule"] = json!(rule);
        value["revision"] = json!(located.map(|located| &located.revision));
        value["steps"] = json!(located.map(|located| &located.blame.steps));
        value["later"] = json!(located.map(|located| &located.blame.later));
        value["suspects"] = json!(self.suspects_json());
        value["passed_over"] = json!(passed_over);
        format!("{value}\n")
    }

    pub(super) fn as_text(&self, origin: &Origin, why: bool) -> String {
        let mut lines = Vec::new();
        let place = |index: usize| {
            let frame = &self.report.traceback[index];
            let path = self.choice.frames[index].path();
            let place = format!("{}:{}", path.unwrap_or(&frame.path), frame.line);
            match frame.function.as_str() {
                // The place of a `SyntaxError`.
                "" => place,
                function => format!("{place} in {function}"),
            }
        };
        lines.push(origin.heading(&self.report.exception_type));
        lines.extend(origin.warnings.iter().map(|warning| format!("  warning   {warning}")));
        if let Some(index) = self.index() {
            lines.push(format!("  line      {}", place(index)));
            lines.push(format!("            {}", self.report.traceback[index].text.trim()));
        }
        match &self.blamed {
            Some(located) => {
                lines.extend(blame_lines(&located.blame));
                lines.push(format!("  why       {}", self.reason));
                if why {
                    lines.push(format!("  sure      {}", located.confidence));
                    lines.push(format!("  revision  {}", located.revision));
                    lines.extend(chain(&located.blame));
                }
            }
            None => lines.push(format!("  nobody    {}", self.reason)),
        }
        for suspect in &self.suspects {
            lines.push(format!("  or        {}", suspect.in_words()));
        }
        for (index, kind) in self.passed_over() {
            lines.push(format!("  passed    {}: {kind}", place(index)));
        }
        if why {
            let ruled = self.choice.frames.iter().enumerate();
            for (index, rule) in ruled.filter_map(|(at, frame)| Some((at, frame.path_rule()?))) {
                let deployed = &self.report.traceback[index].path;
                lines.push(format!("  file      {deployed} is {}: {rule}", place(index)));
            }
        }
        lines.join("\n") + "\n\n"
    }
}
