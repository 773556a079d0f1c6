//! The measuring Python scripts: written to disk once, each run in its own process.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Subject;

/// The numbers of a script by name.
pub(super) type Numbers = BTreeMap<String, f64>;

/// The measuring scripts, in running order.
pub(super) const ALL: [&str; 7] = [
    "client_call.py",
    "client_wsgi.py",
    "client_capture.py",
    "client_repeat.py",
    "client_breadcrumb.py",
    "client_request.py",
    "client_memory.py",
];

/// All files, including those that the scripts import.
const FILES: [(&str, &str); 10] = [
    ("client_call.py", include_str!("../../client_call.py")),
    ("client_wsgi.py", include_str!("../../client_wsgi.py")),
    ("client_capture.py", include_str!("../../client_capture.py")),
    ("client_repeat.py", include_str!("../../client_repeat.py")),
    ("client_breadcrumb.py", include_str!("../../client_breadcrumb.py")),
    ("client_request.py", include_str!("../../client_request.py")),
    ("client_memory.py", include_str!("../../client_memory.py")),
    ("client_subjects.py", include_str!("../../client_subjects.py")),
    ("client_clock.py", include_str!("../../client_clock.py")),
    ("client_stack.py", include_str!("../../client_stack.py")),
];

/// The folder that holds the scripts and their working folder.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) folder: PathBuf,
}

impl Scripts {
    /// Empties the folder and writes the scripts into it.
    pub(super) fn write(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        for (name, text) in FILES {
            fs::write(folder.join(name), text)?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Runs a script in a new process, for one client, with an empty folder.
    pub(super) fn run(
        &self,
        script: &str,
        python: &Path,
        subject: Subject,
        port: u16,
    ) -> Result<Numbers> {
        let work = self.folder.join("work");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir(&work)?;
        let name = subject.name();
        let mut command = Command::new(python);
        command.arg(self.folder.join(script)).args([name, &port.to_string()]).arg(&work);
        command.env_remove("PYTHONPATH").current_dir(&work);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{script} {name} failed: {}", output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).with_context(|| format!("{script} {name} said {text:?}"))
    }
}
