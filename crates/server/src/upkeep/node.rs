//! Tells the other servers that share the database that this one lives.
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::projects::Projects;
use crate::project::keys::random_key;

/// Much less than the time after which a server counts as dead.
const EVERY: Duration = Duration::from_secs(10);
/// The file with the name of this server. With it, a server that is started again goes on with what
/// it had claimed, and its journal tells it what was sent.
const FILE: &str = "node";

/// Says forever that this server lives.
pub async fn run_node(projects: Arc<Projects>, node: String) {
    let (store, clock) = (projects.store().clone(), projects.first().clock);
    if !store.is_shared() {
        // A task that ends counts as broken.
        return std::future::pending().await;
    }
    loop {
        if let Err(error) = store.node_lives(&node, clock.now()).await {
            tracing::error!(%error, "the database was not told that this server lives");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The name of the server with this data folder; it is made at the first start.
///
/// # Errors
/// The folder cannot be read or written.
pub fn node_name(data_dir: &Path) -> std::io::Result<String> {
    let path = data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = random_key().map_err(std::io::Error::other)?;
    std::fs::write(&path, name.reveal())?;
    Ok(name.reveal().to_owned())
}
