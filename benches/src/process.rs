//! Reads memory and CPU time of a process and its children from Linux.
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Ticks per second in /proc/PID/stat: the same on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// A process and all its running descendants.
#[derive(Debug, Clone)]
pub(crate) struct Tree(Vec<u32>);

/// Memory in MB of a million bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident memory; shared pages count for each process.
    pub(crate) resident: f64,
    /// Proportional memory: shared pages are divided among the processes.
    pub(crate) proportional: f64,
}

impl Tree {
    /// The tree below `root`, itself first.
    pub(crate) fn of(root: u32) -> Self {
        let mut found = vec![root];
        let mut at = 0;
        while at < found.len() {
            found.extend(children(found[at]));
            at += 1;
        }
        Self(found)
    }

    /// The total memory.
    pub(crate) fn memory(&self) -> Memory {
        let mut sum = Memory::default();
        for process in &self.0 {
            sum.resident += kilobytes(&format!("/proc/{process}/status"), "VmRSS:");
            sum.proportional += kilobytes(&format!("/proc/{process}/smaps_rollup"), "Pss:");
        }
        sum
    }

    /// CPU seconds of all of them and their ended children.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.0.iter().map(|process| cpu_ticks(*process)).sum::<f64>() / TICKS
    }

    /// Whether any process is still running.
    pub(crate) fn runs(&self) -> bool {
        self.0.iter().any(|process| is_running(*process))
    }

    /// Sends a signal to the root process.
    pub(crate) fn signal(&self, name: &str) {
        for process in self.0.iter().take(1) {
            signal(*process, name);
        }
    }

    /// Kills the processes that are still running.
    pub(crate) fn kill(&self) {
        for process in self.0.iter().filter(|process| is_running(**process)) {
            signal(*process, "KILL");
        }
    }
}

/// Waits until a process and its children have used almost no CPU for a second. Returns how long
/// that took, without the quiet second.
pub(crate) async fn quiet(root: u32, patience: Duration) -> f64 {
    const STEP: Duration = Duration::from_millis(250);
    const STEPS: u32 = 4;
    let (mut waited, mut still, mut used) = (Duration::ZERO, 0, Tree::of(root).cpu_seconds());
    while still < STEPS && waited < patience {
        tokio::time::sleep(STEP).await;
        waited += STEP;
        let now = Tree::of(root).cpu_seconds();
        still = if now - used <= 1.0 / TICKS { still + 1 } else { 0 };
        used = now;
    }
    waited.saturating_sub(STEP * STEPS).as_secs_f64()
}

fn signal(process: u32, name: &str) {
    // It may have ended by itself.
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .stderr(Stdio::null())
        .status();
}

/// Anonymous resident memory of this process, in MB.
pub(crate) fn anonymous_megabytes() -> f64 {
    kilobytes("/proc/self/status", "RssAnon:")
}

/// Whether a process is running; a zombie is not.
fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !matches!(after_name(&stat).next(), None | Some("Z" | "X"))
}

fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let lists = threads.flatten().map(|thread| thread.path().join("children"));
    lists.flat_map(|list| numbers(&list)).collect()
}

fn numbers(path: &Path) -> Vec<u32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// The fields of /proc/PID/stat after the name, which may contain anything.
fn after_name(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace()
}

fn cpu_ticks(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // utime, stime, cutime and cstime are fields 14 to 17; the state after the name is field 3.
    after_name(&stat).skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum()
}

fn kilobytes(path: &str, name: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let number = line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    number.unwrap_or_default() * 1_024.0 / 1e6
}
