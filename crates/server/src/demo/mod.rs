//! The main job on one page: a repository with three developers, the real server, a failing
//! program, and the mail that comes of it.

mod mail_sink;
mod repository;

use std::path::Path;
use std::time::Duration;

use flawless_git::GitError;
use flawless_git::process::Run;

pub(crate) use mail_sink::MailSink;
pub(crate) use repository::make_repository;

/// Runs the demo's failing program, which reports to `port` as the older client does, and
/// returns what it printed.
///
/// # Errors
/// There is no Python, or the server did not take the report.
pub(crate) async fn run_failing_program(
    python: &Path,
    repository: &Path,
    port: u16,
) -> Result<String, GitError> {
    let run = Run::new(python)
        .args(["-c", include_str!("failing_program.py"), &port.to_string()])
        .current_dir(repository)
        .env("PYTHONPATH", repository)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .timeout(Duration::from_secs(30));
    Ok(String::from_utf8_lossy(&run.output().await?).into_owned())
}
