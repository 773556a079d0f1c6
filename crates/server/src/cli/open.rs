//! Opens what most commands work with: the configuration, the store and one project.
use anyhow::{anyhow, bail};
use flawless_base::clock::Clock;

use super::{ConfArgument, shell_word};
use crate::app::App;
use crate::app::open_store::open_store;
use crate::config::Config;

/// The options of commands about one project.
#[derive(Debug, clap::Args)]
pub(super) struct ProjectArgument {
    #[command(flatten)]
    pub(super) conf: ConfArgument,
    /// The project, by its name or number. Default: the first one.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
}

impl ProjectArgument {
    /// Opens the store as the project sees it.
    pub(super) async fn open(&self) -> anyhow::Result<App> {
        self.of(self.conf.open().await?)
    }

    /// The same, if a server has run with this store.
    pub(super) async fn open_known(&self) -> anyhow::Result<App> {
        let config = self.conf.resolve()?;
        must_exist(&config)?;
        self.of(open(config).await?)
    }

    fn of(&self, app: App) -> anyhow::Result<App> {
        match &self.project {
            None => Ok(app),
            Some(name) => named(&app, name),
        }
    }

    /// Whether it names anything.
    pub(super) fn is_given(&self) -> bool {
        self.conf.conf.is_some() || self.project.is_some()
    }

    /// The arguments that give another command the same project, with a leading space.
    pub(super) fn again(&self) -> String {
        let project = self.project.iter().map(|name| format!(" --project {}", shell_word(name)));
        self.conf.again() + &project.collect::<String>()
    }
}

impl ConfArgument {
    /// Opens the store, with the first project.
    pub(super) async fn open(&self) -> anyhow::Result<App> {
        open(self.resolve()?).await
    }
}

/// Opens the store of a configuration, with the first project.
pub(super) async fn open(config: Config) -> anyhow::Result<App> {
    let clock = Clock::system();
    let store = open_store(&config, clock.now()).await?;
    let http_address = config.http_address;
    Ok(App::open(config, store, clock, http_address).await?)
}

/// The project with this name or number.
pub(super) fn named(app: &App, name: &str) -> anyhow::Result<App> {
    app.projects
        .named(name)
        .ok_or_else(|| anyhow!("there is no project {name:?}: flawless projects lists all"))
}

/// Fails when no server has used the store yet.
pub(super) fn must_exist(config: &Config) -> anyhow::Result<()> {
    if config.database.is_none() && !config.data_dir.join("flawless.db").exists() {
        bail!(
            "{}: no server has run with this data folder yet. Name the configuration with -conf",
            config.data_dir.display()
        );
    }
    Ok(())
}
