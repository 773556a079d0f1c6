//! `flawless store copy`: moves a whole installation to another database, in either direction.
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use flawless_base::clock::Clock;
use flawless_base::plural::counted;
use flawless_base::secret::Secret;
use flawless_store::sealing::Sealing;
use flawless_store::{ExistingData, PostgresSettings, Store};

use super::ConfArgument;
use crate::app::open_store::{lock_data_dir, open_store};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Copies everything that a server stores to another database, and compares both. Stop the
    /// server first. It may be repeated: a copy that was interrupted leaves nothing behind, and
    /// one that is complete is only compared.
    Copy {
        #[command(flatten)]
        conf: ConfArgument,
        /// Where it is: sqlite:FOLDER, postgres://…, or conf for the database of the configuration.
        #[arg(long, value_name = "DATABASE")]
        from: String,
        /// Where it goes, in the same form.
        #[arg(long, value_name = "DATABASE")]
        to: String,
        /// Deletes the data that is in the target.
        #[arg(long)]
        replace: bool,
    },
}

/// Connections that a copy opens.
const CONNECTIONS: u32 = 4;
const SQLITE: &str = "sqlite:";

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Action::Copy { conf, from, to, replace } = arguments.action;
    let config = conf.resolve()?;
    let existing = if replace { ExistingData::Replace } else { ExistingData::Keep };
    let source = Place::read(&config, &from).context("--from")?;
    let target = Place::read(&config, &to).context("--to")?;
    if source == target {
        bail!("--from and --to name the same database");
    }
    if let Some(folder) = source.folder(&config)
        && !folder.join("flawless.db").exists()
    {
        bail!("--from: there is no flawless.db in {}", folder.display());
    }
    // Values stay as they are, encrypted or not.
    let now = Clock::system().now();
    let (_source_lock, source) = source.open(&config, now).await.context("--from")?;
    let (_target_lock, target) = target.open(&config, now).await.context("--to")?;
    let copied = target.copy_from(&source, existing).await?;
    source.close().await;
    target.close().await;
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    for table in copied.iter().filter(|table| table.rows > 0) {
        say!("{:>10}  {:<18} sha256 {}", table.rows, table.name, &table.checksum[..16]);
    }
    let rows = counted(i64::try_from(rows).unwrap_or(i64::MAX), "row is", "rows are");
    say!("{rows} the same on both sides.");
    Ok(ExitCode::SUCCESS)
}

/// A database that a command line names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Configured,
    /// The data folder of an embedded database.
    Folder(PathBuf),
    Postgres(Secret),
}

impl Place {
    fn read(config: &Config, text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix(SQLITE) {
            let path = std::path::absolute(path.trim_start_matches("//"))?;
            let is_file = path.file_name().is_some_and(|name| name == "flawless.db");
            let folder = match path.parent() {
                Some(folder) if is_file => folder.to_owned(),
                _ => path,
            };
            return Ok(match config.database.is_none() && folder == config.data_dir {
                true => Self::Configured,
                false => Self::Folder(folder),
            });
        }
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            let url = Secret::new(text);
            let is_configured = config.database.as_ref().is_some_and(|known| known.url == url);
            return Ok(if is_configured { Self::Configured } else { Self::Postgres(url) });
        }
        match text {
            "conf" => Ok(Self::Configured),
            _ => bail!("write sqlite:FOLDER, postgres://USER:PASSWORD@HOST/NAME, or conf"),
        }
    }

    /// The folder of an embedded database.
    fn folder(&self, config: &Config) -> Option<PathBuf> {
        match self {
            Self::Configured if config.database.is_none() => Some(config.data_dir.clone()),
            Self::Folder(folder) => Some(folder.clone()),
            _ => None,
        }
    }

    /// Opens it; an embedded database is kept from servers until the lock is dropped.
    async fn open(&self, config: &Config, now: i64) -> anyhow::Result<(Option<File>, Store)> {
        let lock = match self.folder(config) {
            Some(folder) => Some(lock(&folder)?),
            None => None,
        };
        let store = match self {
            Self::Configured => open_store(config, now).await?,
            Self::Folder(folder) => Store::open(folder, &Sealing::default(), now).await?,
            Self::Postgres(url) => {
                let settings = PostgresSettings { url: url.clone(), connections: CONNECTIONS };
                Store::connect(&settings, &Sealing::default(), now).await?
            }
        };
        Ok((lock, store))
    }
}

/// Locks the folder of an embedded database, as a server does.
fn lock(folder: &Path) -> anyhow::Result<File> {
    lock_data_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => anyhow!("a server is using {}: stop it first", folder.display()),
        _ => error.into(),
    })
}
