//! The setting shared by all measures: the programs, the failing code, a folder, the mail server.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::code::Code;
use crate::environment::{OLDER_PACKAGES, environment, python_of, run};
use crate::mail_sink::MailSink;
use crate::options::{Contender, Options};
use crate::postgres::Postgres;

/// Run by the peer's Python.
const PEER_SERVER: &str = include_str!("../peer_server.py");

/// Created once, used by every measure.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Our program.
    pub(crate) program: PathBuf,
    /// The Python that has 0.4.5.
    pub(crate) peer_python: PathBuf,
    /// The script that starts 0.4.5.
    pub(crate) peer_server: PathBuf,
    /// The failing program.
    pub(crate) code: Code,
    /// The mail server for both.
    pub(crate) sink: MailSink,
    /// The database server, if one is compared.
    pub(crate) postgres: Option<Postgres>,
    /// Emptied at the start; below the build folder, and so on a real disk.
    pub(crate) folder: PathBuf,
}

impl Setting {
    /// Builds our server, installs the peer if necessary, and creates the repository.
    pub(crate) async fn prepare(options: &Options) -> Result<Self> {
        let target = target_folder()?;
        let program = match &options.program {
            Some(program) => program.clone(),
            None => build(&target)?,
        };
        let installed = target.join("bench-env");
        if options.contenders(0).contains(&Contender::Peer) {
            environment(options.python_or("python3"), &installed, &OLDER_PACKAGES)?;
        }
        let folder = target.join("bench-data");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let has_postgres = options.contenders(0).contains(&Contender::Postgres);
        let start = || Postgres::start(&folder.join("postgres"));
        let postgres = has_postgres.then(start).transpose()?;
        let peer_server = folder.join("peer_server.py");
        fs::write(&peer_server, PEER_SERVER)?;
        Ok(Self {
            program,
            peer_python: python_of(&installed),
            peer_server,
            code: Code::create(&folder.join("code"))?,
            sink: MailSink::start().await?,
            postgres,
            folder,
        })
    }

    /// The URL of our database for the data in this folder, which is created when it is asked for
    /// first; `None` when it is in the folder itself.
    pub(crate) fn database_url(&self, contender: Contender, data: &Path) -> Result<Option<String>> {
        let Some(postgres) = self.postgres.as_ref().filter(|_| contender == Contender::Postgres)
        else {
            return Ok(None);
        };
        let file = data.with_extension("database");
        if let Ok(url) = fs::read_to_string(&file) {
            return Ok(Some(url));
        }
        let name = data.file_name().context("the data is in a folder")?.to_string_lossy();
        let url = postgres.database(&name.to_lowercase())?;
        fs::write(file, &url)?;
        Ok(Some(url))
    }

    /// Size of our program in MB.
    pub(crate) fn program_megabytes(&self) -> Result<f64> {
        let bytes = u32::try_from(fs::metadata(&self.program)?.len())?;
        Ok(f64::from(bytes) / 1e6)
    }
}

/// The build folder, which contains this program.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(Path::parent).context("this program is in no folder")?;
    Ok(folder.to_owned())
}

fn build(target: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("building the server …");
    let arguments = ["build", "--quiet", "--release", "--package", "flawless-server"];
    run(Command::new(cargo).args(arguments), "cargo build")?;
    Ok(target.join("release/flawless"))
}
