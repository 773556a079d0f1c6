//! `flawless blame`: from a printed traceback to the line and its author, without a server.
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use flawless_core::{Choice, ChoiceSettings, Frame, FrameKind, Report, Rules, Verdict};
use flawless_git::process::GitProgram;
use flawless_git::{Located, Mirror, MirrorSettings, Source};
use flawless_protocol::text_traceback::{TextTraceback, parse_python};
use serde_json::{Value, json};

use super::{ConfArgument, Failure, print};
use crate::attribution::{MuchSeen, blame_line, choose_line, find_files};
use crate::clock::Clock;
use crate::config::Config;
use crate::dates::rfc3339;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// The repository; without it that of the configuration, else the current folder.
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// The revision that was running; without it the tip, and the texts have to agree.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// One JSON object for each traceback.
    #[arg(long)]
    json: bool,
    /// Text with Python tracebacks in it, or - for standard input.
    #[arg(default_value = "-")]
    file: String,
}

/// Text that is larger than this is no log excerpt.
const MAX_INPUT: u64 = 256 * 1024 * 1024;

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let config = arguments.conf.resolve()?;
    let tracebacks = parse_python(&read_input(&arguments.file)?);
    if tracebacks.is_empty() {
        return Err(Failure::new(format!(
            "{} holds no Python traceback: one begins with \"Traceback (most recent call last):\"",
            if arguments.file == "-" { "standard input" } else { &arguments.file }
        )));
    }
    // Rules and what was seen come from the store of the configuration; without one there are none.
    let (rules, much_seen) = match &arguments.conf.conf {
        None => (Rules::default(), MuchSeen::new()),
        Some(_) => {
            let store = Store::open(&config.data_dir, Clock::system().now()).await?;
            let (_, rules) = store.rules().await?;
            let much_seen = store.much_seen_functions().await?;
            store.close().await;
            (rules, much_seen)
        }
    };
    let scratch = tempfile::tempdir()?;
    let mirror = open_mirror(&arguments, &config, scratch.path()).await?;
    if let Some(rev) = &arguments.rev
        && mirror.resolve(rev).await?.is_none()
    {
        let dir = mirror.repository().dir().display();
        return Err(Failure::new(format!("--rev: {rev:?} names no commit of {dir}")));
    }
    let mut output = String::new();
    for traceback in tracebacks {
        let report = report_of(traceback, arguments.rev.clone());
        let found = blame(&report, &mirror, &config.choice, &much_seen, &rules).await?;
        output.push_str(&if arguments.json { found.as_json() } else { found.as_text() });
    }
    print(output)
}

fn read_input(file: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().take(MAX_INPUT).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|f| f.take(MAX_INPUT).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::new(format!("{file} cannot be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn open_mirror(
    arguments: &Arguments,
    config: &Config,
    scratch: &std::path::Path,
) -> Result<Arc<Mirror>, Failure> {
    let here = || Source::Folder(PathBuf::from("."));
    let source = match &arguments.repo {
        Some(dir) => Source::Folder(dir.clone()),
        None => config.repository.clone().unwrap_or_else(here),
    };
    let mirror = Mirror::open(MirrorSettings {
        git: GitProgram::new(&config.git),
        source,
        branch_pattern: config.branch_pattern.clone().filter(|_| arguments.repo.is_none()),
        scratch: scratch.to_owned(),
    });
    let opened = mirror.await.map_err(|error| {
        Failure::new(format!("{error}. Name the repository with --repo or in the configuration"))
    })?;
    Ok(Arc::new(opened))
}

fn report_of(traceback: TextTraceback, revision: Option<String>) -> Report {
    let frame = |frame: flawless_protocol::text_traceback::TextFrame| Frame {
        path: frame.path,
        line: frame.line,
        function: frame.function,
        text: frame.text,
        locals: None,
    };
    let report = Report {
        traceback: traceback.frames.into_iter().map(frame).collect(),
        exception_type: traceback.exception_type,
        exception_message: traceback.exception_message,
        revision,
        error_count: 1,
        ..Report::default()
    };
    report.bounded()
}

/// What was found about one traceback.
struct Found<'a> {
    report: &'a Report,
    choice: Choice,
    blamed: Option<Located>,
    reason: String,
}

async fn blame<'a>(
    report: &'a Report,
    mirror: &Arc<Mirror>,
    settings: &ChoiceSettings,
    much_seen: &MuchSeen,
    rules: &Rules,
) -> Result<Found<'a>, Failure> {
    let files = find_files(report, Some(mirror), settings).await?;
    let choice = choose_line(report, &files, settings, much_seen, rules);
    let found = match (&choice.verdict, &files.at) {
        (Verdict::Blamed(line), Some((mirror, tip))) => {
            blame_line(mirror, tip, files.running.as_ref(), line).await?
        }
        (Verdict::Nobody(why), _) => Err(why.explain().to_owned()),
        (Verdict::Dropped(_), _) => Err("a rule drops this report".to_owned()),
        (Verdict::Blamed(_), None) => Err("there is no repository".to_owned()),
    };
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
            (Some(blamed.clone()), format!("{reason}; {}", blamed.how))
        }
        Err(why) => (None, why),
    };
    Ok(Found { report, choice, blamed, reason })
}

impl Found<'_> {
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
            "repo_path": self.choice.frames[index].repo_path,
            "path_rule": self.choice.frames[index].path_rule,
            "line": frame.line,
            "function": frame.function,
            "text": frame.text,
        })
    }

    /// Frames behind the chosen one, each with the reason why it was not.
    fn passed_over(&self) -> impl Iterator<Item = (usize, FrameKind)> {
        let from = self.index().map_or(0, |index| index + 1);
        self.choice.frames.iter().enumerate().skip(from).map(|(at, frame)| (at, frame.kind))
    }

    fn as_json(&self) -> String {
        let blame = self.blamed.as_ref().map(|blamed| &blamed.blame);
        let passed_over: Vec<Value> = self
            .passed_over()
            .map(|(index, kind)| {
                let mut frame = self.frame_json(index);
                frame["reason"] = json!(kind.to_string());
                frame
            })
            .collect();
        let value = json!({
            "frame": self.index().map(|index| self.frame_json(index)),
            "commit": blame.map(|blame| blame.origin.commit.as_str()),
            "origin_path": blame.map(|blame| &blame.origin.path),
            "origin_line": blame.map(|blame| blame.origin.line),
            "developer": blame.map(|blame| json!({
                "name": blame.developer.name,
                "email": blame.developer.email,
            })),
            "authored_at": blame.map(|blame| rfc3339(blame.authored_at)),
            "reason": self.reason,
            "suspects": self.choice.suspects.iter().map(|line| self.frame_json(line.frame)).collect::<Vec<_>>(),
            "passed_over": passed_over,
        });
        format!("{value}\n")
    }

    fn as_text(&self) -> String {
        let mut lines = Vec::new();
        let place = |index: usize| {
            let frame = &self.report.traceback[index];
            let path = self.choice.frames[index].repo_path.as_deref();
            format!("{}:{} in {}", path.unwrap_or(&frame.path), frame.line, frame.function)
        };
        let exception = &self.report.exception_type;
        lines.push(if exception.is_empty() { "Traceback".to_owned() } else { exception.clone() });
        if let Some(index) = self.index() {
            lines.push(format!("  line      {}", place(index)));
            lines.push(format!("            {}", self.report.traceback[index].text.trim()));
        }
        match &self.blamed {
            Some(Located { blame, .. }) => {
                let (origin, who) = (&blame.origin, &blame.developer);
                lines.push(format!("  author    {} <{}>", who.name, who.email));
                lines.push(format!("  date      {}", rfc3339(blame.authored_at)));
                lines.push(format!("  commit    {} {}", origin.commit.short(), blame.summary));
                lines.push(format!("  origin    {}:{}", origin.path, origin.line));
                lines.push(format!("  why       {}", self.reason));
            }
            None => lines.push(format!("  nobody    {}", self.reason)),
        }
        for line in self.choice.suspects.iter().skip(1) {
            lines.push(format!("  or        {}", place(line.frame)));
        }
        for (index, kind) in self.passed_over() {
            lines.push(format!("  passed    {}: {kind}", place(index)));
        }
        lines.join("\n") + "\n\n"
    }
}
