//! A real PostgreSQL for tests: started by the first test that needs it, shared by all of a run,
//! and stopped when no test has needed it for some seconds.
//!
//! Each test is a process of its own, so files tell them of each other. Whoever uses the server
//! holds a shared lock on `users`. Whoever starts or stops it holds `starting` alone; the one who
//! stops it is a small shell that outlives the tests.
use std::fs::{File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// A running server, as long as this value lives.
pub(crate) struct Server {
    folder: PathBuf,
    /// Where it listens besides its socket.
    port: Option<u16>,
    _used: File,
}

/// A database of its own for one test.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
}

/// The server that all tests share.
pub(crate) fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().expect("no test panicked while starting PostgreSQL");
    SERVER.get_or_init(|| {
        // One for each build folder, so that two checkouts do not share one.
        let name = env!("CARGO_TARGET_TMPDIR").replace('/', "-");
        Server::start(&std::env::temp_dir().join(format!("flawless-pg{name}")))
    })
}

impl Server {
    /// Starts a server whose files are in `folder`, unless it runs already.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_at(folder, None)
    }

    /// The same for a server that also listens on a port of this machine.
    pub(crate) fn start_at(folder: &Path, port: Option<u16>) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let starting = lock_file(folder, "starting");
        starting.lock().expect("a lock");
        let used = lock_file(folder, "users");
        used.lock_shared().expect("a lock");
        let server = Self { folder: folder.to_owned(), port, _used: used };
        if !server.answers() {
            server.initialize_and_run();
        }
        server
    }

    fn answers(&self) -> bool {
        let mut ready = Command::new(program("pg_isready"));
        ready.args(["--quiet", "--host"]).arg(&self.folder);
        ready.status().is_ok_and(|status| status.success())
    }

    fn initialize_and_run(&self) {
        let data = self.folder.join("data");
        let _ = std::fs::remove_dir_all(&data);
        // PostgreSQL writes here as another user when the tests run as root.
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&self.folder, open).expect("permissions");
        let mut initdb = as_other_user(&program("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--no-sync", "--no-instructions", "--pgdata"]).arg(&data);
        run(&mut initdb);
        self.run();
        // It must hold no file of this test: a test that leaves something behind fails.
        let mut watch = Command::new("setsid");
        watch.args(["--fork", "sh", "-c", WATCH, "watch"]).arg(&self.folder);
        watch.arg(stop(&data));
        run(&mut watch);
    }

    /// Runs the server again after [`Self::halt`].
    pub(crate) fn run(&self) {
        let listens = match self.port {
            Some(port) => format!("-c listen_addresses=127.0.0.1 -p {port}"),
            None => "-c listen_addresses=".to_owned(),
        };
        let options = format!(
            "-F -k {} {listens} -c full_page_writes=off -c max_connections=300 \
             -c synchronous_commit=off -c autovacuum=off",
            self.folder.display()
        );
        let mut start = as_other_user(&program("pg_ctl"));
        start.args(["--silent", "--wait", "--options", &options, "--log"]);
        start.arg(self.folder.join("log")).arg("--pgdata").arg(self.folder.join("data"));
        run(start.arg("start"));
    }

    /// Stops the server at once, as a power failure would.
    pub(crate) fn halt(&self) {
        let mut stop = as_other_user(&program("pg_ctl"));
        stop.args(["--silent", "--mode=immediate", "--pgdata"]).arg(self.folder.join("data"));
        run(stop.arg("stop"));
    }

    /// Makes a certificate for `localhost`, with which connections over the network are encrypted;
    /// returns its file.
    pub(crate) fn encrypt(&self) -> PathBuf {
        let (data, certificate) = (self.folder.join("data"), self.folder.join("server.crt"));
        let mut openssl = as_other_user(Path::new("openssl"));
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"]);
        run(openssl.arg(data.join("server.key")).arg("-out").arg(&certificate));
        let file = certificate.display();
        for sql in [
            format!("ALTER SYSTEM SET ssl_cert_file = '{file}'"),
            "ALTER SYSTEM SET ssl = on".to_owned(),
            "SELECT pg_reload_conf()".to_owned(),
        ] {
            self.execute("postgres", &sql);
        }
        certificate
    }

    /// The URL of a database.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let port = self.port.unwrap_or(5432);
        format!("postgres:///{database}?host={}&port={port}&user={user}", self.folder.display())
    }

    /// The socket that it listens on.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Runs statements in a database as its administrator.
    pub(crate) fn execute(&self, database: &str, sql: &str) {
        let mut psql = Command::new(program("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--username=postgres"]);
        psql.arg("--host").arg(&self.folder).arg(format!("--port={}", self.port.unwrap_or(5432)));
        run(psql.args(["--dbname", database, "--command", sql]));
    }

    /// Creates an empty database.
    pub(crate) fn database(&self) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        self.execute("postgres", &format!("DROP DATABASE IF EXISTS {name}"));
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        Database { url: self.url("postgres", &name), name }
    }
}

/// Waits until nobody uses the server, and stops it if that is still so after a while.
const WATCH: &str = r#"
cd "$1" || exit 1
while [ -e users ]; do
    flock users true
    sleep 10
    (
        flock 8
        flock --nonblock 9 || exit 1
        $2
        rm -rf data log
    ) 8>>starting 9>>users && exit
done"#;

fn stop(data: &Path) -> String {
    let mut stop = as_other_user(&program("pg_ctl"));
    stop.args(["--silent", "--mode=immediate", "--pgdata"]).arg(data).arg("stop");
    let words = std::iter::once(stop.get_program()).chain(stop.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn lock_file(folder: &Path, name: &str) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(folder.join(name)).expect("a file in the folder")
}

/// PostgreSQL refuses to run as root.
fn as_other_user(program: &Path) -> Command {
    let is_root = Path::new("/proc/self").metadata().is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("the command is there");
    assert!(status.success(), "{command:?} failed: {status}");
}

/// A program of PostgreSQL, of the newest version that is installed.
pub(crate) fn program(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, folder)| folder.join("bin").join(name));
    let on_path = || {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.exists())
    };
    newest.filter(|path| path.exists()).or_else(on_path).expect(
        "the tests need a PostgreSQL server: apt-get install postgresql, or put initdb and pg_ctl \
         on the path",
    )
}
