//! Measures how well tracebacks in text are read: in each form in which people log and paste them,
//! and in the messages of the commits that fixed them.
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use flawless_core::{ChoiceSettings, PathSettings, Report, Rules};
use flawless_git::process::GitProgram;
use flawless_git::{Mirror, MirrorSettings, Source};
use flawless_protocol::text_traceback::{TextException, TextTraceback, read};
use flawless_server::attribution::{choose_line, find_faults};
use flawless_server::ingest::text_report::report_from_text;

use crate::frames::{Record, read_records};
use crate::text_forms::{Rendered, forms};

/// How many tracebacks are rendered, from different projects as far as possible.
const RENDERED: usize = 20;

/// Prints the table of forms and, given the repositories below `mirrors`, how often the file to
/// blame is found from the commits' own messages.
pub(crate) async fn measure_texts(records: &Path, mirrors: Option<&Path>) -> Result<()> {
    let records = read_records(records)?;
    let exceptions = exceptions(&records);
    println!("| form | read the same, of {} |", exceptions.len());
    println!("|---|---|");
    for form in forms() {
        let others = exceptions.iter().cycle().skip(1);
        let rendered = exceptions.iter().zip(others).map(|(one, other)| (form.render)(one, other));
        println!("| {} | {} |", form.name, rendered.filter(reads_the_same).count());
    }
    if let Some(mirrors) = mirrors {
        measure_messages(&records, mirrors).await?;
    }
    Ok(())
}

/// The complete tracebacks, which can be rendered as text.
fn exceptions(records: &[Record]) -> Vec<TextException> {
    let whole: Vec<(&str, TextException)> = records
        .iter()
        .filter_map(|record| Some((record.repo.as_str(), record.as_exception()?)))
        .collect();
    let is_first = |at: &usize| whole[..*at].iter().all(|(repo, _)| *repo != whole[*at].0);
    let (first, further): (Vec<usize>, Vec<usize>) = (0..whole.len()).partition(is_first);
    let chosen = first.into_iter().chain(further).take(RENDERED);
    chosen.map(|at| whole[at].1.clone()).collect()
}

fn reads_the_same(rendered: &Rendered) -> bool {
    let expected = TextTraceback {
        exception: rendered.exception.clone(),
        chain: rendered.chain.clone(),
        ..TextTraceback::default()
    };
    let found = read(&rendered.bytes).tracebacks;
    let found = found.into_iter().map(|found| TextTraceback { gaps: Vec::new(), line: 0, ..found });
    found.eq([expected])
}

async fn measure_messages(records: &[Record], mirrors: &Path) -> Result<()> {
    let (mut all, mut read_in, mut right) = (0, 0, 0);
    for record in records {
        let dir = mirrors.join(record.repo.replace('/', "+")).join("repo");
        if !dir.is_dir() {
            continue;
        }
        all += 1;
        let tracebacks = read(&message(&dir, &record.fix_commit)?).tracebacks;
        let Some(traceback) = tracebacks.into_iter().next() else { continue };
        read_in += 1;
        right += u32::from(
            blamed_file(&report_from_text(traceback, Some(record.parent.clone())), record, &dir)
                .await?,
        );
    }
    let percent = |part: u32| 100.0 * f64::from(part) / f64::from(all.max(1));
    println!();
    println!("| {all} messages of commits | % |");
    println!("|---|---|");
    println!("| a traceback was read | {:.1} |", percent(read_in));
    println!("| of the first one the right file is blamed | {:.1} |", percent(right));
    Ok(())
}

fn message(dir: &Path, commit: &str) -> Result<Vec<u8>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(dir).args(["log", "-1", "--format=%B", commit, "--"]);
    let output = git.output().context("git cannot be run")?;
    ensure!(output.status.success(), "{} has no {commit}", dir.display());
    Ok(output.stdout)
}

/// Whether the blamed file is one of those that were fixed.
async fn blamed_file(report: &Report, record: &Record, dir: &Path) -> Result<bool> {
    let scratch = tempfile::tempdir()?;
    let (git, source) = (GitProgram::new("git"), Source::Folder(dir.to_owned()));
    let settings = MirrorSettings::new(git, source, scratch.path().to_owned());
    let mirror = Arc::new(Mirror::open(settings).await?);
    let paths = PathSettings { prefixes: vec![], package_folders: vec!["site-packages".into()] };
    let (settings, rules) = (ChoiceSettings { paths, ..Default::default() }, Rules::default());
    let faults = find_faults(report, Some(&mirror), &settings, &rules).await?;
    let Some(fault) = faults.into_iter().next() else { return Ok(false) };
    let nothing_seen = HashSet::new();
    let choice = choose_line(&fault.report, &fault.files.frames, &settings, &nothing_seen, &rules);
    let blamed = choice.suspects.first().map(|line| line.path.as_str());
    Ok(blamed.is_some_and(|path| record.fixed(path)))
}
