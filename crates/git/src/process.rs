//! The only place that starts processes.
//!
//! No shell; the environment is cleaned of everything that could point git elsewhere; output and
//! time are bounded; a process whose caller goes away is killed.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, setpriority_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::error::GitError;
use crate::source::hide_credentials;

/// Niceness of commands that only read.
const LOW_PRIORITY: i32 = 10;
/// Longest message of an error: git repeats its input, however long.
const MAX_MESSAGE: usize = 600;
/// Longest tail of standard error that is kept.
const MAX_STDERR: usize = 16 * 1024;

/// Settings that a repository's own configuration must not control: each one that makes a command
/// of ours start a program, and those that change the output format. git cannot ignore that
/// configuration as a whole; settings with a variable part (`diff.NAME.textconv`,
/// `filter.NAME.clean`, `gpg.NAME.program`) are disabled by the options of the commands.
const NEUTRAL: [&str; 25] = [
    "blame.coloring=none",
    "blame.showEmail=false",
    "color.ui=false",
    "core.alternateRefsCommand=true",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.editor=true",
    "core.fsmonitor=false",
    "core.gitProxy=",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "diff.external=",
    "gc.auto=0",
    "gc.recentObjectsHook=",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.ssh.defaultKeyCommand=",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    "maintenance.auto=false",
    "sequence.editor=true",
    "uploadpack.packObjectsHook=",
];

/// How to start the git program.
#[derive(Debug, Clone)]
pub struct GitProgram(PathBuf);

impl GitProgram {
    /// `program` is a path, or a name that is looked up in `PATH`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self(program.into())
    }

    /// A git command in `dir` that only reads it. Configuration outside the repository is ignored,
    /// so that answers do not depend on who runs the server; the repository's own cannot start a
    /// program.
    pub fn read(&self, dir: &Path) -> Run {
        let mut run = self.command(dir);
        for name in ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_SYSTEM"] {
            run.command.env_remove(name);
        }
        run.command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_NO_LAZY_FETCH", "1")
            // For a git too old to know that variable: no protocol may fetch a promised object.
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_OPTIONAL_LOCKS", "0");
        // Accepting reports must not wait for a core that git uses.
        run.low_priority = true;
        run.timeout(Duration::from_secs(30))
    }

    /// A git command in `dir` that talks to a remote: the user's configuration applies (proxies,
    /// credential helpers, ssh keys), but nothing may ask a question.
    pub fn remote(&self, dir: &Path) -> Run {
        let mut run = self.command(dir);
        if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
            run.command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
        run.timeout(Duration::from_secs(3600))
    }

    /// The version that git reports, e.g. `2.47.3`.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn version(&self) -> Result<String, GitError> {
        let answer = self.read(Path::new(".")).args(["--version"]).output().await?;
        let text = String::from_utf8_lossy(&answer);
        let text = text.trim();
        Ok(text.strip_prefix("git version ").unwrap_or(text).chars().take(60).collect())
    }

    fn command(&self, dir: &Path) -> Run {
        let mut run = Run::new(&self.0);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let for_remotes = ["GIT_SSH", "GIT_SSL", "GIT_PROXY", "GIT_ASKPASS", "GIT_CONFIG"];
            if text.starts_with("GIT_") && !for_remotes.iter().any(|kept| text.starts_with(kept)) {
                run.command.env_remove(&name);
            }
        }
        run.command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1");
        let mut run = run.args(["--no-pager"]);
        for setting in NEUTRAL {
            run = run.args(["-c", setting]);
        }
        // Its owner may be somebody else, because the folder was named explicitly; this applies to
        // no other one.
        let named = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        for folder in [dir, &named] {
            let mut setting = OsString::from("safe.directory=");
            setting.push(folder);
            run = run.args([OsString::from("-c"), setting]);
        }
        run.args(["-C"]).args([dir])
    }
}

/// A process to run, with its limits.
#[derive(Debug)]
pub struct Run {
    command: Command,
    program: String,
    name: Option<String>,
    time_limit: Duration,
    max_output: usize,
    input: Vec<u8>,
    low_priority: bool,
}

/// The result of a process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its complete standard output.
    pub stdout: Vec<u8>,
    /// The last 16 KiB of its standard error.
    pub stderr: Vec<u8>,
    /// Whether it ended with code 0.
    pub succeeded: bool,
}

impl Run {
    /// `program` is a path, or a name that is looked up in `PATH`.
    pub fn new(program: &Path) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the only place that starts processes")]
        let mut command = Command::new(program);
        command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        Self {
            command,
            program: program.display().to_string(),
            name: None,
            time_limit: Duration::from_secs(60),
            max_output: 16 * 1024 * 1024,
            input: Vec::new(),
            low_priority: false,
        }
    }

    /// Adds arguments that errors do not name.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args.into_iter().map(Into::into));
        self
    }

    /// Adds the subcommand of git: an argument, and its name in errors.
    #[must_use]
    pub fn subcommand(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self.args([name])
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Sets the folder it runs in.
    #[must_use]
    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets its standard input; empty by default.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Stops it when it takes longer.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Stops it when it prints more bytes; 16 MiB by default.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    /// Runs it to its end and returns its standard output.
    ///
    /// # Errors
    /// It cannot be started, exceeds a limit, or ends with another code than 0.
    pub async fn output(self) -> Result<Vec<u8>, GitError> {
        let command = self.shown_name();
        let Ended { stdout, stderr, succeeded } = self.end().await?;
        if !succeeded {
            let stderr = String::from_utf8_lossy(&stderr);
            let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
            let message = hide_credentials(&lines.collect::<Vec<_>>().join(" "));
            let message = message.trim_end_matches('.').chars().take(MAX_MESSAGE).collect();
            return Err(GitError::Failed { command, message });
        }
        Ok(stdout)
    }

    /// Runs it to its end and returns the result, for commands that may fail in their own way.
    ///
    /// # Errors
    /// It cannot be started, or exceeds a limit.
    pub async fn end(mut self) -> Result<Ended, GitError> {
        let command = self.shown_name();
        let mut child = self
            .command
            .spawn()
            .map_err(|source| GitError::Start { program: self.program.clone(), source })?;
        if self.low_priority
            && let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed()))
        {
            // The process has ended, or this is not allowed: then it keeps its priority.
            let _ = setpriority_process(Some(pid), LOW_PRIORITY);
        }
        let work = Self::communicate(&mut child, self.input, self.max_output);
        let Ok(finished) = tokio::time::timeout(self.time_limit, work).await else {
            return Err(GitError::TimedOut { command, limit: self.time_limit });
        };
        let ended =
            finished.map_err(|source| GitError::Start { program: self.program.clone(), source })?;
        if ended.stdout.len() > self.max_output {
            return Err(GitError::TooLarge { command, limit: self.max_output });
        }
        Ok(ended)
    }

    fn shown_name(&self) -> String {
        self.name.as_ref().map_or_else(|| self.program.clone(), |name| format!("git {name}"))
    }

    async fn communicate(
        child: &mut Child,
        input: Vec<u8>,
        max_output: usize,
    ) -> std::io::Result<Ended> {
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A process need not read its input to the end.
                let _ = stdin.write_all(&input).await;
            }
        };
        let stdout = read_at_most(child.stdout.take(), max_output + 1);
        let stderr = read_tail(child.stderr.take());
        let ((), stdout, stderr) = tokio::join!(feed, stdout, stderr);
        let stdout = stdout?;
        if stdout.len() > max_output {
            child.start_kill()?;
        }
        let status = child.wait().await?;
        Ok(Ended { stdout, stderr: stderr?, succeeded: status.success() })
    }
}

async fn read_at_most(
    pipe: Option<impl AsyncRead + Unpin>,
    max: usize,
) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(max as u64).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

async fn read_tail(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut tail = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(tail) };
    while pipe.read_buf(&mut tail).await? > 0 {
        if tail.len() > MAX_STDERR {
            tail.drain(..tail.len() - MAX_STDERR);
        }
    }
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Run {
        Run::new(Path::new("/bin/sh")).args(["-c", script])
    }

    #[tokio::test]
    async fn limits_of_time_and_output_hold() {
        let slow = sh("sleep 60").timeout(Duration::from_millis(50)).output().await;
        assert!(matches!(slow, Err(GitError::TimedOut { .. })), "{slow:?}");
        let endless = sh("while :; do echo aaaaaaaaaaaaaaaa; done").max_output(1000).output().await;
        assert!(matches!(endless, Err(GitError::TooLarge { limit: 1000, .. })), "{endless:?}");
    }

    #[tokio::test]
    async fn input_output_and_failure_are_passed_on() {
        let echoed = sh("cat").input(b"hello".to_vec()).output().await.expect("cat");
        assert_eq!(echoed, b"hello");
        let failed = sh("echo 'fatal: https://u:secret@h/x' >&2; exit 3").output().await;
        let message = failed.expect_err("exit 3").to_string();
        assert!(message.contains("fatal:") && !message.contains("secret"), "{message}");
        let missing = Run::new(Path::new("/no/such/program")).output().await;
        assert!(matches!(missing, Err(GitError::Start { .. })));
    }
}
