//! Measures what many projects cost: memory while they are idle, and the way of a report.
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::load::{Load, MOST_REPORTS, load, send};
use crate::message::{report, report_with_key};
use crate::options::{Contender, Options};
use crate::process::quiet;
use crate::rows::{Rows, Target};
use crate::server::Server;
use crate::setting::Setting;

const PROJECTS: usize = 200;
const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(120);

/// Loads a server with one project, then one with two hundred, each with a repository and a mirror
/// of its own.
pub(crate) async fn measure_projects(setting: &Setting, options: &Options) -> Result<()> {
    let mut rows = Rows::default();
    for name in ["one project", "200 projects", "200 projects in turn"] {
        rows.name_column(name);
    }
    for run in 0..options.runs {
        eprintln!("run {} of {}: one project, then {PROJECTS}", run + 1, options.runs);
        for (column, projects) in [(0, 1), (1, PROJECTS)] {
            let data = setting.folder.join(format!("projects-{run}-{projects}"));
            let server = Server::start(setting, Contender::Ours, &data, 3)?;
            let keys = add_projects(setting, &data, projects)?;
            // The mirrors are cloned a few at a time.
            let start = Instant::now();
            while !is_cloned(&data, projects) {
                ensure!(start.elapsed() < PATIENCE, "the mirrors are not cloned");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            server.stop()?;
            let server = Server::start(setting, Contender::Ours, &data, 3)?;
            quiet(server.id(), PATIENCE).await;
            let idle = server.tree().memory().resident;
            let most = if projects == 1 { Target::Nothing } else { Target::AtMost(60.0) };
            rows.add(&format!("memory of {projects} idle, MB"), most, column, Some(idle));
            let line = &setting.code.known[0];
            let mut loads = vec![(column, vec![report(&setting.code, line, "bench", false)?])];
            if projects > 1 {
                let of = |key: &String| report_with_key(&setting.code, line, key);
                loads.push((2, keys.iter().map(of).collect::<Result<_>>()?));
            }
            for (column, messages) in loads {
                for message in &messages {
                    send(server.port, &mut None, message).await?;
                }
                quiet(server.id(), PATIENCE).await;
                let before = server.tree().cpu_seconds();
                let time = Duration::from_secs(options.seconds);
                let wanted =
                    Load { connections: CONNECTIONS, kept: true, time, most: MOST_REPORTS };
                let loaded = load(server.port, Arc::new(messages), wanted).await?;
                quiet(server.id(), PATIENCE).await;
                let cpu = server.tree().cpu_seconds() - before;
                let accepted = f64::from(u32::try_from(loaded.accepted)?);
                let mut add = |what, number| rows.add(what, Target::Nothing, column, Some(number));
                add("known line, 32 connections: accepted a second", accepted / loaded.seconds);
                add("known line, 32 connections: CPU ms a report", cpu * 1e3 / accepted);
            }
            server.stop()?;
        }
    }
    rows.print(options.runs);
    Ok(())
}

/// Adds projects that clone the same repository until there are as many; returns all keys.
fn add_projects(setting: &Setting, data: &std::path::Path, projects: usize) -> Result<Vec<String>> {
    let url = format!("file://{}", setting.code.folder.display());
    let mut text = String::new();
    for project in 1..projects {
        write!(text, "[project-{project}]\nrepo_url = {url}\n")?;
    }
    let file = data.with_extension("projects");
    std::fs::write(&file, text)?;
    let here = format!("data_dir_path={}", data.display());
    let flawless = |arguments: &[&str]| -> Result<String> {
        let mut command = Command::new(&setting.program);
        let output = command.arg("projects").args(arguments).args(["--set", &here]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    };
    flawless(&["apply", &file.display().to_string()])?;
    let list = flawless(&["list", "--json"])?;
    let key = |line: &str| {
        let project: Value = serde_json::from_str(line)?;
        let key = project["keys"][0].as_str();
        Ok(key.context("a project without a key")?.to_owned())
    };
    list.lines().map(key).collect()
}

/// Whether each added project has its mirror.
fn is_cloned(data: &std::path::Path, projects: usize) -> bool {
    let has_head = |project: usize| {
        let mirror = data.join(format!("projects/{project}/mirror.git"));
        mirror.join("packed-refs").exists() || mirror.join("refs/heads/main").exists()
    };
    (2..=projects).all(has_head)
}
