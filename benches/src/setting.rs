//! What all measures share: the programs, the code that fails, a folder, the mail server.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::code::Code;
use crate::mail_sink::MailSink;
use crate::options::{Contender, Options};

/// Read by the Python of the peer.
const PEER_SERVER: &str = include_str!("../peer_server.py");
const PEER_PACKAGES: [&str; 3] = ["flawless==0.4.5", "thrift==0.25.0", "future==1.0.0"];

/// Made once, used by every measure.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The program of ours.
    pub(crate) program: PathBuf,
    /// The Python that has 0.4.5.
    pub(crate) peer_python: PathBuf,
    /// The file that starts 0.4.5.
    pub(crate) peer_server: PathBuf,
    /// The program that fails.
    pub(crate) code: Code,
    /// Where both send their mails.
    pub(crate) sink: MailSink,
    /// Emptied at the start; below the folder of the build, so on a real disk.
    pub(crate) folder: PathBuf,
}

impl Setting {
    /// Builds our server, installs the peer when it is not there yet, makes the repository.
    pub(crate) async fn prepare(options: &Options) -> Result<Self> {
        let target = target_folder()?;
        let program = match &options.program {
            Some(program) => program.clone(),
            None => build(&target)?,
        };
        let environment = target.join("bench-env");
        if options.contenders(0).contains(&Contender::Peer) {
            install_peer(&options.python, &environment)?;
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
            peer_python: environment.join("bin/python"),
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

/// The folder of the build, where this program is.
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

fn install_peer(python: &str, environment: &Path) -> Result<()> {
    let done = environment.join("complete");
    if done.exists() {
        return Ok(());
    }
    eprintln!("installing Flawless 0.4.5 into {} …", environment.display());
    run(Command::new(python).args(["-m", "venv"]).arg(environment), "python -m venv")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut install = Command::new(environment.join("bin/python"));
    run(install.args(pip).args(PEER_PACKAGES), "pip install")?;
    Ok(fs::write(done, "")?)
}

fn run(command: &mut Command, name: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{name} cannot be started"))?;
    ensure!(status.success(), "{name} failed");
    Ok(())
}
