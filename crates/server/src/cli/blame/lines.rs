//! `flawless blame --lines`: the origins of many places, one JSON object per line.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use flawless_base::text::for_terminal;
use flawless_core::CommitId;
use flawless_git::tracer::WhiteSpace;
use flawless_git::{GitError, Mirror, Tip};
use serde::Deserialize;
use serde_json::json;

/// The longest line of input that is read: no path is longer.
const MAX_LINE: u64 = 1024 * 1024;

#[derive(Debug, Deserialize)]
struct Question {
    rev: String,
    path: String,
    line: u32,
}

/// Answers each line of `file` as soon as it is read. Where there is no answer, the line says why,
/// and the exit code is 1.
pub(super) async fn run(mirror: &Mirror, file: &str, plain: bool) -> anyhow::Result<ExitCode> {
    let input: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin()),
        path => {
            Box::new(std::fs::File::open(path).with_context(|| format!("{path} cannot be read"))?)
        }
    };
    let tip = mirror.tip().ok_or_else(|| anyhow!("the repository has no commits yet"))?;
    let white_space = if plain { WhiteSpace::Counts } else { WhiteSpace::Ignored };
    let mut asker = Asker { mirror, tip: &tip, white_space, revisions: HashMap::new() };
    let mut input = BufReader::new(input);
    let mut output = BufWriter::new(std::io::stdout().lock());
    let (mut number, mut ended) = (0u64, ExitCode::SUCCESS);
    loop {
        let mut line = String::new();
        if input.by_ref().take(MAX_LINE).read_line(&mut line)? == 0 {
            break;
        }
        number += 1;
        let answer = match serde_json::from_str::<Question>(&line) {
            Err(error) => Err(format!("line {number} of the input: {error}")),
            Ok(question) => asker.ask(&question).await,
        };
        let answer = answer.unwrap_or_else(|error| {
            ended = ExitCode::FAILURE;
            json!({ "error": error })
        });
        let answer = for_terminal(&answer.to_string());
        let written = writeln!(output, "{answer}").and_then(|()| {
            // A caller that asks line by line waits for the answer.
            if input.buffer().is_empty() { output.flush() } else { Ok(()) }
        });
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ended),
            written => written?,
        }
    }
    output.flush()?;
    Ok(ended)
}

struct Asker<'a> {
    mirror: &'a Mirror,
    tip: &'a Tip,
    white_space: WhiteSpace,
    revisions: HashMap<String, Option<CommitId>>,
}

impl Asker<'_> {
    async fn ask(&mut self, question: &Question) -> Result<serde_json::Value, String> {
        let Question { rev, path, line } = question;
        let words = |error: GitError| error.to_string();
        let commit = match self.revisions.get(rev) {
            Some(known) => known.clone(),
            None => {
                let named = self.mirror.resolve(rev).await.map_err(words)?;
                let commit = named.map(|named| named.commit);
                self.revisions.insert(rev.clone(), commit.clone());
                commit
            }
        };
        let commit = commit.ok_or_else(|| format!("{rev:?} does not name a commit"))?;
        let traced = self.mirror.trace(self.tip, &commit, path, *line, self.white_space).await;
        let origin = traced.map_err(words)?;
        Ok(json!({
            "commit": origin.commit.as_str(),
            "orig_path": origin.path,
            "orig_line": origin.line,
        }))
    }
}
