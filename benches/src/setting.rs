//! The setting shared by all measures: the programs, the failing code, a folder, the mail server.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::code::Code;
use crate::environment::{OLDER_PACKAGES, environment, python_of, run};
use crate::mail_sink::MailSink;
use crate::options::{Contender, Options};

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
        let peer_server = folder.join("peer_server.py");
        fs::write(&peer_server, PEER_SERVER)?;
        Ok(Self {
            program,
            peer_python: python_of(&installed),
            peer_server,
            code: Code::create(&folder.join("code"))?,
            sink: MailSink::start().await?,
            folder,
        })
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
