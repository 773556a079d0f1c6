//! `flawless blame`: finds the line to blame and its author from a printed traceback, or from a
//! place, without a server.

mod line;
mod lines;
mod origin;
mod traceback;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use flawless_core::{CommitId, Rules};
use flawless_git::{Engine, IgnoreRevs, Mirror, MirrorSettings, Source};
use flawless_protocol::text_traceback;

use self::origin::Origin;
use super::open::ProjectArgument;
use super::print;
use crate::attribution::{HotFunctions, mirror_settings};
use crate::config::Config;
use crate::ingest::text_report::report_from_text;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    of: ProjectArgument,
    /// The repository; by default that of the configuration, else the current folder.
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// The revision that was running; by default the tip, and then the lines' texts must match.
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// One place instead of tracebacks: a file of the repository and a line number.
    #[arg(long, value_name = "FILE:LINE", conflicts_with = "lines")]
    line: Option<String>,
    /// With --line: show whether the line is still in this later revision, or which commit changed
    /// it.
    #[arg(long, value_name = "REV", requires = "line")]
    fixed_in: Option<String>,
    /// Many places: read JSON lines {"rev", "path", "line"} from a file, or - for standard input,
    /// and print JSON lines {"commit", "orig_path", "orig_line"} like git blame -w: moves are not
    /// followed, and only commits in --ignore-revs-file are ignored.
    #[arg(long, value_name = "FILE")]
    lines: Option<String>,
    /// Treat a line with other white space as changed; only with --lines.
    #[arg(long, requires = "lines", conflicts_with = "line")]
    no_whitespace_folding: bool,
    /// A list of commits to ignore, instead of the repository's.
    #[arg(long, value_name = "FILE")]
    ignore_revs_file: Option<PathBuf>,
    /// What finds the origin of a line.
    #[arg(long, default_value = "tracer")]
    engine: EngineArgument,
    /// Show how the file, the line and the developer were found.
    #[arg(long)]
    why: bool,
    /// Print one JSON object per traceback.
    #[arg(long)]
    json: bool,
    /// A text file with tracebacks (Python, Java, JavaScript, Go, Ruby, PHP, Rust, .NET), or - for
    /// standard input.
    #[arg(default_value = "-")]
    file: String,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EngineArgument {
    /// The built-in tracer, with git as a fallback.
    Tracer,
    /// Only the git program.
    Git,
}

/// Larger than any log excerpt.
const MAX_INPUT: u64 = 256 * 1024 * 1024;

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // Rules and hot functions come from the configured store; without one there are none.
    let (config, rules, hot_functions) = match arguments.of.is_given() {
        false => (arguments.of.conf.resolve()?, Rules::default(), HotFunctions::new()),
        true => {
            let app = arguments.of.open().await?;
            let (_, rules) = app.store.rules().await?;
            let hot_functions = app.store.hot_functions().await?;
            app.store.close().await;
            (Config::clone(&app.config), rules, hot_functions)
        }
    };
    let scratch = tempfile::tempdir()?;
    if let Some(file) = &arguments.lines {
        let mirror = open_mirror(&arguments, &config, scratch.path()).await?;
        return super::blame::lines::run(&mirror, file, arguments.no_whitespace_folding).await;
    }
    if let Some(place) = &arguments.line {
        let mirror = open_mirror(&arguments, &config, scratch.path()).await?;
        let place = super::blame::line::Place::parse(place)?;
        let found =
            super::blame::line::blame(&mirror, arguments.rev.as_deref(), &place, &arguments)
                .await?;
        return print(found);
    }
    let reading = text_traceback::read(&read_input(&arguments.file)?);
    let tracebacks = reading.tracebacks;
    if tracebacks.is_empty() {
        return Err(nothing_found(&arguments.file, reading.mentioned_at));
    }
    let mirror = open_mirror(&arguments, &config, scratch.path()).await?;
    // Whoever names a branch means its commit: that is what ran.
    let running = match &arguments.rev {
        Some(rev) => Some(resolve(&mirror, "--rev", rev).await?.to_string()),
        None => None,
    };
    let mut output = String::new();
    let count = tracebacks.len();
    for (at, traceback) in tracebacks.into_iter().enumerate() {
        let origin = Origin::of(&traceback, at + 1, count);
        let report = report_from_text(traceback, running.clone());
        for found in
            super::blame::traceback::blame(&report, &mirror, &config, &hot_functions, &rules)
                .await?
        {
            output.push_str(&if arguments.json {
                found.as_json(&origin)
            } else {
                found.as_text(&origin, arguments.why)
            });
        }
    }
    print(output)
}

/// Why no traceback was found; `mentioned_at` is the first line that mentions one.
fn nothing_found(file: &str, mentioned_at: Option<u32>) -> anyhow::Error {
    let name = if file == "-" { "standard input" } else { file };
    match mentioned_at {
        Some(line) => anyhow!(
            "{name} mentions a traceback in line {line}, but no frame of it could be read: in \
             Python a frame is a line like File \"shop/cart.py\", line 12, in total. Give the lines \
             as the program printed them"
        ),
        None => anyhow!(
            "{name} contains no traceback: one of Python begins with \"Traceback (most recent call \
             last):\"; those of Java, JavaScript, Go, Ruby, PHP, Rust and .NET are read too"
        ),
    }
}

/// The commit that the user named.
async fn resolve(mirror: &Mirror, option: &str, rev: &str) -> anyhow::Result<CommitId> {
    let dir = mirror.repository().dir().display();
    let known = mirror.resolve(rev).await?;
    known.map(|named| named.commit).ok_or_else(|| {
        anyhow!(
            "{option}: {rev:?} does not name a commit of {dir}: give an ID of at least seven \
             digits, a tag, a branch, or what git describe prints"
        )
    })
}

fn read_input(file: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => std::io::stdin().take(MAX_INPUT).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|f| f.take(MAX_INPUT).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("{file} cannot be read"))?;
    Ok(bytes)
}

async fn open_mirror(
    arguments: &Arguments,
    config: &Config,
    scratch: &Path,
) -> anyhow::Result<Arc<Mirror>> {
    let here = || Source::Folder(PathBuf::from("."));
    let source = match &arguments.repo {
        Some(dir) => Source::Folder(dir.clone()),
        None => config.repository.clone().unwrap_or_else(here),
    };
    let mut settings = mirror_settings(config, source, scratch.to_owned());
    if arguments.repo.is_some() {
        settings.branch_pattern = None;
    }
    if let Some(file) = &arguments.ignore_revs_file {
        settings.ignore_revs = IgnoreRevs::OnDisk(file.clone());
    } else if arguments.lines.is_some() {
        settings.ignore_revs = IgnoreRevs::Nothing;
    }
    let engine = match arguments.engine {
        EngineArgument::Tracer => Engine::Tracer,
        EngineArgument::Git => Engine::Git,
    };
    let opened = Mirror::open(MirrorSettings { engine, ..settings }).await.map_err(|error| {
        anyhow!("{error}. Name the repository with --repo or in the configuration")
    })?;
    Ok(Arc::new(opened))
}
