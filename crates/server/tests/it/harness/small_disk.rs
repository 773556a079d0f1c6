//! A small file system that can really be full, visible only to programs started on it.
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A small disk, mounted in a name space of its own, for which Linux asks no privileges where user
/// name spaces are allowed, or root. Dropping it unmounts it.
pub struct SmallDisk {
    holder: Child,
    as_root: bool,
    folder: TempDir,
}

impl SmallDisk {
    pub fn of_megabytes(size: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let id = Command::new("id").arg("-u").output().expect("id runs");
        let as_root = id.stdout == b"0\n";
        let mount = format!(
            "mount -t tmpfs -o size={size}m tmpfs '{}' && echo mounted && exec cat",
            folder.path().display()
        );
        let mut unshare = Command::new("unshare");
        unshare.arg("--mount");
        if !as_root {
            unshare.args(["--user", "--map-root-user"]);
        }
        let mut holder = unshare
            .args(["sh", "-c", &mount])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare of util-linux is installed");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says that it is ready");
        assert_eq!(
            line, "mounted\n",
            "a tmpfs has to be mounted for this test: as root with CAP_SYS_ADMIN, or where user name \
             spaces are allowed (sysctl kernel.unprivileged_userns_clone=1)"
        );
        Self { holder, as_root, folder }
    }

    /// Where it is mounted, for programs that run on it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same place, for this program.
    fn seen_from_here(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.path().strip_prefix("/").expect("an absolute path")).join(name)
    }

    /// A command that sees the disk.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.holder.id().to_string()).arg("--mount");
        if !self.as_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.seen_from_here("filler")).expect("a file");
        for piece in [vec![0; 64 * 1024], vec![0; 1]] {
            loop {
                match file.write(&piece) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Removes the file that filled it.
    pub fn make_room(&self) {
        std::fs::remove_file(self.seen_from_here("filler")).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
