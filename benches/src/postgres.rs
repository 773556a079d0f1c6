//! A PostgreSQL server with its default settings, so that it is as durable as SQLite is here.
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::environment::run;

/// A running server, on a socket in its folder. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: PathBuf,
}

impl Postgres {
    /// Creates the files of a server in `folder` and starts it.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        // PostgreSQL does not run as root: another user writes here then.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        let server = Self { folder: folder.to_owned() };
        let mut initdb = server.command("initdb")?;
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        run(initdb.arg("--pgdata").arg(server.data()), "initdb")?;
        let mut start = server.command("pg_ctl")?;
        start.args(["--silent", "--wait", "--log"]).arg(folder.join("log"));
        start.arg("--options").arg(format!("-c listen_addresses= -k {}", folder.display()));
        run(start.arg("--pgdata").arg(server.data()).arg("start"), "pg_ctl start")?;
        Ok(server)
    }

    /// Creates an empty database; returns its URL.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        let mut createdb = self.command("createdb")?;
        createdb.args(["--username=postgres", "--host"]).arg(&self.folder);
        run(createdb.arg(name), "createdb")?;
        Ok(format!("postgres:///{name}?host={}&user=postgres", self.folder.display()))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of the newest version that is installed, else of the path; not as root.
    fn command(&self, name: &str) -> Result<Command> {
        let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
        let newest = installed.map(|entry| entry.path()).max_by_key(version);
        let program = newest.map(|folder| folder.join("bin").join(name));
        let program = program.filter(|path| path.exists()).unwrap_or_else(|| name.into());
        let own = fs::metadata("/proc/self").context("/proc is not there")?.uid();
        let mut command = match own {
            0 => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
                command.arg(program);
                command
            }
            _ => Command::new(program),
        };
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        Ok(command)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Ok(mut stop) = self.command("pg_ctl") {
            stop.args(["--silent", "--mode=fast", "--pgdata"]).arg(self.data());
            // Its folder is removed anyway.
            let _ = stop.arg("stop").status();
        }
    }
}
