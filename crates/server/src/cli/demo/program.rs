//! The demo's failing program: with the Python package if it is installed, else a program that
//! speaks the older wire format.
use std::path::Path;
use std::time::Duration;

use flawless_git::GitError;
use flawless_git::process::Run;

use super::package::Package;

/// The program of the demo's repository, `run.py`.
pub(super) const PROGRAM: &str = include_str!("run.py");

/// How often it has to fail before somebody is notified.
const RUNS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the demo's server accepts reports.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The address with the project's key.
    pub(super) dsn: String,
    /// The port for framed reports.
    pub(super) port: u16,
}

/// Why the program did not fail as it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramError {
    /// It cannot be run.
    #[error("{0}. It needs Python 3: --python PATH")]
    Run(#[from] GitError),
    /// It ended in another way.
    #[error("it did not fail as it should, with a ZeroDivisionError:\n{0}")]
    Unexpected(String),
}

/// Runs `run.py` of the repository three times; returns what it wrote to standard error the
/// first time.
///
/// # Errors
/// There is no Python, or the program does not reach the line that fails.
pub(super) async fn run_with_package(
    package: &Package,
    repository: &Path,
    addresses: &Addresses,
) -> Result<String, ProgramError> {
    let mut first = None;
    for _ in 0..RUNS {
        let ended = package
            .run()
            .args(["run.py"])
            .current_dir(repository)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("FLAWLESS_DSN", &addresses.dsn)
            // The revision is that of the demo's repository, whatever is deployed here.
            .env("FLAWLESS_REVISION", "")
            .env("NO_PROXY", "127.0.0.1")
            .timeout(PATIENCE)
            .end()
            .await?;
        let written = String::from_utf8_lossy(&ended.stderr).into_owned();
        if ended.succeeded || !written.contains("ZeroDivisionError: ") {
            return Err(ProgramError::Unexpected(written));
        }
        first.get_or_insert(written);
    }
    Ok(first.unwrap_or_default())
}

/// Runs the shop, reports as the older client does, and returns what was printed.
///
/// # Errors
/// There is no Python, or the server did not accept the report.
pub(super) async fn run_without_package(
    python: &Path,
    repository: &Path,
    addresses: &Addresses,
) -> Result<String, ProgramError> {
    let run = Run::new(python)
        .args(["-c", include_str!("older_program.py"), &addresses.port.to_string()])
        .current_dir(repository)
        .env("PYTHONPATH", repository)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .timeout(PATIENCE);
    Ok(String::from_utf8_lossy(&run.output().await?).into_owned())
}
