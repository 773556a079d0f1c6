//! Determines whether a file is the one that was at its path when the program started.
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

use crate::clock;
use crate::statics::known;

/// Most symbolic links in a path, as for the system.
const MOST_LINKS: usize = 40;
/// Most ancestors that a process was forked from.
const MOST_PARENTS: usize = 20;
/// The unit in which Linux counts process start times.
const TICK: Duration = Duration::from_millis(10);

static BEGAN: OnceLock<Option<SystemTime>> = OnceLock::new();

/// Looks up when the program started, before it may become a daemon.
pub(crate) fn begin(py: Python<'_>) {
    let _ = BEGAN.set(began(py));
}

/// Whether nothing at or above this path was replaced since the program started; `false` when
/// unknown. For a file in an archive it checks the archive.
pub(crate) fn is_of_the_beginning(path: &Path) -> bool {
    let Some(began) = BEGAN.get().copied().flatten() else { return false };
    is_older(path, began).unwrap_or(false)
}

fn is_older(path: &Path, began: SystemTime) -> Option<bool> {
    if !path.is_absolute() {
        // The working folder may have changed.
        return Some(false);
    }
    let mut left: Vec<OsString> =
        path.components().rev().map(|part| part.as_os_str().to_owned()).collect();
    let mut folder = PathBuf::new();
    let mut links = 0;
    // Putting something into a folder changes the times of both.
    let mut folder_is_older = true;
    while let Some(part) = left.pop() {
        let kind = Path::new(&part).components().next();
        folder_is_older |= kind == Some(Component::RootDir);
        let found_at = folder.join(&part);
        let Ok(found) = std::fs::symlink_metadata(&found_at) else { break };
        let is_older = changed(&found) < began;
        let is_its_place = is_older || (folder_is_older && !found.is_file());
        if !is_its_place && kind != Some(Component::ParentDir) {
            return Some(false);
        }
        if found.is_symlink() {
            links += 1;
            let target = std::fs::read_link(&found_at).ok().filter(|_| links <= MOST_LINKS)?;
            left.extend(target.components().rev().map(|part| part.as_os_str().to_owned()));
            continue;
        }
        folder_is_older = is_older;
        folder = found_at;
        if found.is_file() {
            return Some(true);
        }
    }
    Some(false)
}

/// When a file was put there. The modification time is often kept when files are copied.
#[cfg(unix)]
pub(crate) fn changed(found: &Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(found.ctime()).unwrap_or(0);
    let nanoseconds = u32::try_from(found.ctime_nsec()).unwrap_or(0).min(999_999_999);
    UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)).unwrap_or(UNIX_EPOCH)
}

#[cfg(not(unix))]
pub(crate) fn changed(found: &Metadata) -> SystemTime {
    let time = |time: std::io::Result<SystemTime>| time.unwrap_or(UNIX_EPOCH);
    time(found.created()).max(time(found.modified()))
}

/// When the interpreter of this process, or the one it was forked from, was started; `None` if the
/// system does not provide that.
fn began(py: Python<'_>) -> Option<SystemTime> {
    let mut first = process("self")?;
    for _ in 0..MOST_PARENTS {
        let parent = process(&first.parent).filter(|parent| parent.memory == first.memory);
        let Some(parent) = parent else { break };
        first = parent;
    }
    let clock = known!("time", "CLOCK_BOOTTIME").get(py).ok()?;
    let time = known!("time", "clock_gettime").get(py).ok()?;
    let up = Duration::try_from_secs_f64(time.call1((clock,)).ok()?.extract().ok()?).ok()?;
    // It has loaded nothing of the program before the tick is over.
    let ago = up.checked_sub(TICK.checked_mul(first.ticks.checked_add(1)?)?)?;
    clock::wall().checked_sub(ago)
}

struct Process {
    parent: String,
    /// Ticks from the start of the machine.
    ticks: u32,
    /// Start addresses of its code and its stack: random, and inherited by forks.
    memory: Vec<String>,
}

fn process(id: &str) -> Option<Process> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The process name before it may contain anything.
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let memory = fields.get(23..26)?.iter().map(|&field| field.to_owned()).collect();
    let parent = (*fields.get(1)?).to_owned();
    Some(Process { parent, ticks: fields.get(19)?.parse().ok()?, memory })
}
