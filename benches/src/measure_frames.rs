//! Measures how often the server's code finds a frame's file and blames the right frame, on
//! tracebacks with a known fix.
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Result;
use flawless_core::{
    ChoiceSettings, FramePath, PathRule, PathSettings, Rules, choose, hot_function_threshold,
    language::Language, resolve_frames,
};
use flawless_git::process::GitProgram;
use flawless_git::{Mirror, MirrorSettings, Revision, Source};
use flawless_server::attribution::frame_paths::frame_files;

use crate::frames::{Hits, Record, read_records};

/// Prints both tables; the table of paths needs the repositories below `mirrors`.
pub(crate) async fn measure_frames(records: &Path, mirrors: Option<&Path>) -> Result<()> {
    let records = read_records(records)?;
    let paths = PathSettings { prefixes: vec![], package_folders: vec!["site-packages".into()] };
    let settings = ChoiceSettings { paths, ..ChoiceSettings::default() };
    let mut found = Vec::new();
    if let Some(mirrors) = mirrors {
        let mut tally = PathTally::default();
        for record in &records {
            let Some(paths) = find_paths(record, mirrors, &settings.paths).await? else { continue };
            tally.add(record, &paths);
            found.push((record, paths));
        }
        tally.print();
    }
    print_head(records.len());
    let all = || records.iter();
    print_row("innermost frame of all", all().map(|r| (r, (0..r.frames.len()).rev().collect())));
    print_row("innermost own", all().map(|r| (r, r.own_frames().collect())));
    let is_raise = |record: &Record, at: usize| Language::Python.is_raise(record.frames[at].text());
    print_row(
        "0.4.5: innermost own, never a raise",
        all().map(|r| (r, r.own_frames().filter(|&at| !is_raise(r, at)).collect())),
    );
    print_row(
        "innermost own, raise last",
        all().map(|r| {
            let mut own: Vec<usize> = r.own_frames().collect();
            own.sort_by_key(|&at| is_raise(r, at));
            (r, own)
        }),
    );
    let known = |record: &Record| -> Vec<Option<FramePath>> {
        let file = |path: &String| FramePath {
            path: path.clone(),
            rule: PathRule::WholePath,
            wraps: None,
        };
        record.frames.iter().map(|frame| frame.repo_path.as_ref().map(file)).collect()
    };
    print_row("ours", all().map(|r| (r, ranked(r, &known(r), &settings))));
    if mirrors.is_some() {
        println!();
        print_head(found.len());
        print_row(
            "ours, with the paths it found",
            found.iter().map(|(record, paths)| (*record, ranked(record, paths, &settings))),
        );
    }
    Ok(())
}

async fn find_paths(
    record: &Record,
    mirrors: &Path,
    settings: &PathSettings,
) -> Result<Option<Vec<Option<FramePath>>>> {
    let dir = mirrors.join(record.repo.replace('/', "+")).join("repo");
    if !dir.is_dir() {
        return Ok(None);
    }
    let scratch = tempfile::tempdir()?;
    let (git, source) = (GitProgram::new("git"), Source::Folder(dir));
    let mirror = Mirror::open(MirrorSettings::new(git, source, scratch.path().to_owned())).await?;
    let Some(parent) = mirror.resolve(&record.parent).await? else { return Ok(None) };
    let (report, revision) = (record.report(), Revision::Running(parent.commit));
    let files = frame_files(&report, &mirror, &revision, settings).await?;
    Ok(Some(files.of(&report.traceback).collect()))
}

/// The frames that may be at fault, most likely first, by the server's code.
fn ranked(record: &Record, paths: &[Option<FramePath>], settings: &ChoiceSettings) -> Vec<usize> {
    let report = record.report();
    let frames = record.frames.iter().zip(&report.traceback).zip(paths);
    let hot_functions: HashSet<(&str, &str)> = frames
        .filter(|((frame, _), _)| frame.seen_before >= hot_function_threshold(frame.traces_before))
        .filter_map(|((_, sent), path)| Some((path.as_ref()?.path.as_str(), &*sent.function)))
        .collect();
    let seen = |path: &str, function: &str| hot_functions.contains(&(path, function));
    let rules = Rules::default();
    let frames = resolve_frames(&report.traceback, paths.iter().cloned(), settings, &seen, &rules);
    let choice = choose(&report, frames, &rules);
    choice.suspects.iter().map(|line| line.frame).collect()
}

#[derive(Debug, Default)]
struct PathTally {
    records: usize,
    own: u32,
    ours_right: u32,
    older_right: u32,
    foreign: u32,
    ours_taken: u32,
    older_taken: u32,
    /// By rule: right, wrong, foreign taken.
    rules: BTreeMap<String, [u32; 3]>,
}

impl PathTally {
    fn add(&mut self, record: &Record, found: &[Option<FramePath>]) {
        self.records += 1;
        let is_loud = std::env::var_os("FLAWLESS_BENCH_PATHS").is_some();
        for (frame, found) in record.frames.iter().zip(found) {
            let path = found.as_ref().map(|found| found.path.as_str());
            let truth = frame.repo_path.as_deref();
            let is_right = path == truth;
            if is_loud && !is_right {
                println!("{} {}: {path:?}, is {truth:?}", record.repo, frame.path());
            }
            if truth.is_some() {
                self.own += 1;
                self.ours_right += u32::from(is_right);
                self.older_right += u32::from(frame.map_upstream.as_deref() == truth);
            } else {
                self.foreign += 1;
                self.ours_taken += u32::from(path.is_some());
                self.older_taken += u32::from(frame.map_upstream.is_some());
            }
            let rule = found.as_ref().map_or("taken for foreign".into(), |f| f.rule.to_string());
            let which = if is_right { 0 } else { 1 + usize::from(truth.is_none()) };
            self.rules.entry(rule).or_default()[which] += 1;
        }
    }

    fn print(&self) {
        println!("{} records, {} own frames, {} foreign", self.records, self.own, self.foreign);
        println!();
        println!("| path of a frame | own frames right, % | foreign frames taken, % |");
        println!("|---|---|---|");
        let row = |name: &str, right: u32, taken: u32| {
            let (right, taken) = (percent(right, self.own), percent(taken, self.foreign));
            println!("| {name} | {right:.1} | {taken:.1} |");
        };
        row("ours", self.ours_right, self.ours_taken);
        row("0.4.5", self.older_right, self.older_taken);
        println!();
        println!("| rule of ours | right | wrong | foreign taken |");
        println!("|---|---|---|---|");
        for (rule, [right, wrong, taken]) in &self.rules {
            println!("| {rule} | {right} | {wrong} | {taken} |");
        }
        println!();
    }
}

fn print_head(records: usize) {
    println!(
        "| frame to blame, {records} records, % | file | func | line | author | three suspects: file/func/line/author |"
    );
    println!("|---|---|---|---|---|---|");
}

fn print_row<'a>(name: &str, picks: impl Iterator<Item = (&'a Record, Vec<usize>)>) {
    let mut records = 0;
    let (mut first, mut three) = ([0; 4], [0; 4]);
    for (record, ranked) in picks {
        records += 1;
        let hits: Vec<Hits> = ranked.iter().take(3).map(|&at| record.hits(at)).collect();
        for level in 0..4 {
            first[level] += u32::from(hits.first().is_some_and(|hits| hits[level]));
            three[level] += u32::from(hits.iter().any(|hits| hits[level]));
        }
    }
    let first = first.map(|count| format!("{:.1}", percent(count, records))).join(" | ");
    let three = three.map(|count| format!("{:.1}", percent(count, records))).join("/");
    println!("| {name} | {first} | {three} |");
}

fn percent(part: u32, all: u32) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * f64::from(part) / f64::from(all) }
}
