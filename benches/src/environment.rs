//! Virtual environments of Python, each made once and kept.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Flawless 0.4.5 and its dependencies, which it does not declare.
pub(crate) const OLDER_PACKAGES: [&str; 3] = ["flawless==0.4.5", "thrift==0.25.0", "future==1.0.0"];

/// Creates the environment in `folder`, unless it already has this Python and these packages.
pub(crate) fn environment(python: &str, folder: &Path, packages: &[&str]) -> Result<()> {
    let (done, wanted) = (folder.join("complete"), format!("{python} {}", packages.join(" ")));
    if fs::read_to_string(&done).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    eprintln!("making {} …", folder.display());
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder), "python -m venv")?;
    if !packages.is_empty() {
        install(folder, packages)?;
    }
    Ok(fs::write(done, wanted)?)
}

/// Installs into an environment, even packages that are already there.
pub(crate) fn install(folder: &Path, packages: &[&str]) -> Result<()> {
    let mut pip = Command::new(python_of(folder));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.arg("--force-reinstall").args(packages), "pip install")
}

/// The Python interpreter of an environment.
pub(crate) fn python_of(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command, name: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{name} cannot be started"))?;
    ensure!(status.success(), "{name} failed");
    Ok(())
}
