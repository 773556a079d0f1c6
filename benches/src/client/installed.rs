//! The environment of each client.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Subject;
use crate::environment::{OLDER_PACKAGES, environment, install, python_of};
use crate::options::Options;

const SENTRY_PACKAGES: [&str; 1] = ["sentry-sdk==2.75.0"];
/// 0.4.5 does not run on newer ones.
const PYTHON: &str = "python3.11";

/// Where the clients are installed.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
    /// The clients that can be measured.
    pub(super) subjects: Vec<Subject>,
}

impl Installed {
    /// Creates the environments below the build folder. Ours is reinstalled each time, because a
    /// rebuilt wheel keeps its name; without a wheel only the peers run.
    pub(super) fn prepare(options: &Options, target: &Path) -> Result<Self> {
        let mut this = Self { folder: target.join("bench-clients"), subjects: Vec::new() };
        let python = options.python_or(PYTHON);
        for subject in Subject::ALL {
            let folder = this.folder_of(subject);
            match (subject, &options.wheel) {
                (Subject::Ours, None) => {
                    eprintln!("no --wheel: only the peers are measured");
                    continue;
                }
                (Subject::Ours, Some(wheel)) => {
                    environment(python, &folder, &[])?;
                    let wheel = wheel.to_str().context("the path of --wheel is not UTF-8")?;
                    install(&folder, &[wheel])?;
                }
                (Subject::Older, _) => environment(python, &folder, &OLDER_PACKAGES)?,
                (Subject::Sentry, _) => environment(python, &folder, &SENTRY_PACKAGES)?,
            }
            this.subjects.push(subject);
        }
        Ok(this)
    }

    /// The Python that has this client.
    pub(super) fn python(&self, subject: Subject) -> PathBuf {
        python_of(&self.folder_of(subject))
    }

    /// Name and version of the Python that all of them use.
    pub(super) fn version(&self) -> Result<String> {
        let code = "import platform as p; print(p.python_implementation(), p.python_version())";
        let python = self.python(Subject::Older);
        let output = Command::new(python).args(["-c", code]).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn folder_of(&self, subject: Subject) -> PathBuf {
        self.folder.join(subject.name())
    }
}
