//! Measures the time from the start of the program to its first answer.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::code::MANY;
use crate::load::{Load, load};
use crate::message::report;
use crate::options::Contender;
use crate::process::quiet;
use crate::server::Server;
use crate::setting::Setting;
use crate::table::Table;

const STARTS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts a server ten times without data and ten times with the data of a load.
pub(crate) async fn measure_start(
    setting: &Setting,
    contender: Contender,
    table: &mut Table,
) -> Result<()> {
    let folder = |name: &str| setting.folder.join(format!("start-{contender:?}-{name}"));
    for start in 0..STARTS {
        let server = Server::start(setting, contender, &folder(&start.to_string()), 3)?;
        table.add("start to first answer, no data yet, ms", contender, server.start_ms);
        server.stop()?;
    }
    let data = folder("loaded");
    let server = Server::start(setting, contender, &data, 3)?;
    let messages = setting.code.many.iter().map(|line| report(&setting.code, line, "bench", false));
    let messages = Arc::new(messages.collect::<Result<Vec<_>>>()?);
    let time = Duration::from_secs(30);
    let wanted = Load { connections: 1, kept: true, time, most: MANY };
    load(server.port, messages, wanted).await?;
    quiet(server.id(), PATIENCE).await;
    server.stop()?;
    for _ in 0..STARTS {
        let server = Server::start(setting, contender, &data, 3)?;
        table.add("start to first answer, with data, ms", contender, server.start_ms);
        server.stop()?;
    }
    Ok(())
}
