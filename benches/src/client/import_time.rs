//! Measures how much longer a new process takes when it imports a client.
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use super::Subject;
use super::installed::Installed;
use super::script::Numbers;
use crate::stats::median;

const PROCESSES: usize = 20;

/// Milliseconds more than a Python that imports nothing, as `import_ms`.
pub(super) async fn import_times(
    installed: &Installed,
    subjects: &[Subject],
) -> Result<Vec<(Subject, Numbers)>> {
    let mut over = vec![Vec::new(); subjects.len()];
    for process in 0..=PROCESSES {
        for (at, &subject) in subjects.iter().enumerate() {
            tokio::task::yield_now().await;
            let python = installed.python(subject);
            let taken = milliseconds(&python, statement(subject))? - milliseconds(&python, "pass")?;
            // The first process compiles the imported modules.
            if process > 0 {
                over[at].push(taken);
            }
        }
    }
    let numbers = over.iter().map(|over| {
        median(over).map(|median| ("import_ms".to_owned(), median)).into_iter().collect()
    });
    Ok(subjects.iter().copied().zip(numbers).collect())
}

/// The import that a program needs for reporting.
fn statement(subject: Subject) -> &'static str {
    match subject {
        Subject::Ours => "import flawless",
        Subject::Older => "import flawless.client",
        Subject::Sentry => "import sentry_sdk",
    }
}

fn milliseconds(python: &Path, code: &str) -> Result<f64> {
    let mut command = Command::new(python);
    command.args(["-c", code]).env_remove("PYTHONPATH").stdin(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let taken = start.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success(), "{code:?} failed in {}", python.display());
    Ok(taken)
}
