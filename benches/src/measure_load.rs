//! Measures reports accepted per second, whether all were counted afterwards, CPU time and memory.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::bare::start_bare_server;
use crate::code::{Line, MANY};
use crate::counted::counted;
use crate::load::{Load, Loaded, MOST_REPORTS, load, send};
use crate::message::report;
use crate::options::{Contender, Options};
use crate::process::quiet;
use crate::server::Server;
use crate::setting::Setting;
use crate::table::Table;

/// How long to wait after a load for deferred work.
const SETTLE_PATIENCE: Duration = Duration::from_secs(120);

/// Time limit for loads that end by themselves.
const LONGEST: Duration = Duration::from_secs(60);

/// One way to load a server.
struct Scene {
    name: &'static str,
    connections: usize,
    kept: bool,
    /// Send each line once; otherwise repeat them until the time is over.
    once: bool,
    /// Lines of one file, so that its reports can be counted.
    lines: Vec<Line>,
}

/// Runs all scenes against a fresh server and checks its counts.
pub(crate) async fn measure_load(
    setting: &Setting,
    options: &Options,
    contender: Contender,
    run: u32,
    table: &mut Table,
) -> Result<()> {
    let data = setting.folder.join(format!("load-{contender:?}-{run}"));
    let server = Server::start(setting, contender, &data, 3)?;
    quiet(server.id(), SETTLE_PATIENCE).await;
    let idle = server.tree().memory();
    let mut expected = Vec::<(String, &str, usize)>::new();
    for scene in scenes(setting) {
        let (name, path) = (scene.name, scene.lines[0].path.clone());
        let accepted = play(setting, options, contender, &server, scene, table).await?;
        match expected.iter_mut().find(|(known, ..)| *known == path) {
            Some((_, last, sum)) => (*last, *sum) = ("1,000 lines, both loads", *sum + accepted),
            None => expected.push((path, name, accepted)),
        }
    }
    let after = server.tree().memory();
    server.stop()?;
    let counts = counted(setting, contender, &data)?;
    for (path, name, accepted) in expected {
        let count = counts.get(&path).copied().unwrap_or(0);
        let percent = 100.0 * as_number(count) / as_number(accepted);
        table.add(&format!("{name}: counted of the accepted, %"), contender, percent);
        if count != accepted {
            eprintln!("  {contender:?}, {name}: {accepted} accepted, {count} counted");
        }
    }
    table.add("memory idle, resident, MB", contender, idle.resident);
    table.add("memory idle, proportional, MB", contender, idle.proportional);
    table.add("memory after all loads, resident, MB", contender, after.resident);
    table.add("memory after all loads, proportional, MB", contender, after.proportional);
    Ok(())
}

/// Runs one scene; returns how many reports the server accepted.
async fn play(
    setting: &Setting,
    options: &Options,
    contender: Contender,
    server: &Server,
    scene: Scene,
    table: &mut Table,
) -> Result<usize> {
    let messages = scene.lines.iter().map(|line| report(&setting.code, line, "bench", options.ids));
    let messages = Arc::new(messages.collect::<Result<Vec<_>>>()?);
    let Scene { name, connections, kept, once, .. } = scene;
    let alone = messages.len() == 1;
    if alone {
        // A known line has been attributed before.
        send(server.port, &mut None, &messages[0]).await?;
        quiet(server.id(), SETTLE_PATIENCE).await;
    }
    let before = server.tree().cpu_seconds();
    let time = if once { LONGEST } else { Duration::from_secs(options.seconds) };
    let most = if once { MANY } else { MOST_REPORTS };
    let loaded = load(server.port, messages, Load { connections, kept, time, most }).await?;
    let settled = quiet(server.id(), SETTLE_PATIENCE).await;
    let cpu = server.tree().cpu_seconds() - before;
    let mut add = |what: &str, number| table.add(&format!("{name}: {what}"), contender, number);
    add("accepted a second", rate(loaded));
    add("CPU ms a report", cpu * 1e3 / as_number(loaded.accepted));
    if once {
        add("seconds until the work put off was done", settled);
    }
    if loaded.failed > 0 {
        add("reports not accepted", as_number(loaded.failed));
    }
    Ok(loaded.accepted + usize::from(alone))
}

/// The rate of the load generator against a server that does nothing.
pub(crate) async fn ceiling(setting: &Setting, options: &Options) -> Result<f64> {
    let messages =
        Arc::new(vec![report(&setting.code, &setting.code.known[0], "bench", options.ids)?]);
    let time = Duration::from_secs(options.seconds);
    let wanted = Load { connections: 8, kept: true, time, most: MOST_REPORTS };
    Ok(rate(load(start_bare_server()?, messages, wanted).await?))
}

fn scenes(setting: &Setting) -> Vec<Scene> {
    let known = |name, connections, kept, file: usize| {
        let lines = vec![setting.code.known[file].clone()];
        Scene { name, connections, kept, once: false, lines }
    };
    let many = |name, once| {
        let lines = setting.code.many.clone();
        Scene { name, connections: 8, kept: true, once, lines }
    };
    vec![
        known("known line, 1 connection", 1, true, 0),
        known("known line, 8 connections", 8, true, 1),
        known("known line, 32 connections", 32, true, 2),
        known("known line, 8 at once, a connection each", 8, false, 3),
        many("1,000 new lines, each once, 8 connections", true),
        many("the same 1,000 lines again, 8 connections", false),
    ]
}

fn rate(loaded: Loaded) -> f64 {
    as_number(loaded.accepted) / loaded.seconds
}

fn as_number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
