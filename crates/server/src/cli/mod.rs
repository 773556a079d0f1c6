//! The command line: one file per command.

/// Prints a line. A reader that stops early is not an error.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = $crate::cli::print(format!($($text)*) + "\n");
    }};
}

mod blame;
mod bounce;
mod channels;
mod check;
mod configure;
mod configure_ask;
mod demo;
mod deployed;
mod erase;
mod issues;
pub(crate) mod logging;
mod open;
mod projects;
mod report;
mod rules;
mod sign_in_link;
mod start;
mod store;

use std::env::ArgsOs;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use flawless_base::text::for_terminal;

use crate::config::{Config, ConfigError, RawConfig, options_markdown, options_text};

/// Finds bugs in production and notifies the one developer who should know.
#[derive(Debug, Parser)]
#[command(name = "flawless", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks a few questions and writes flawless.cfg.
    Configure(configure::Arguments),
    /// Runs the server. Without a configuration file: on this machine only, with the defaults.
    Start(start::Arguments),
    /// Shows the main job: a program fails, and the developer who caused it gets one mail.
    Demo(demo::Arguments),
    /// Tests configuration, repository, store and mail server.
    Check(check::Arguments),
    /// Reads a printed traceback and shows which line is to blame and who wrote it.
    Blame(blame::Arguments),
    /// Reads a bounced mail from standard input, as mail servers pipe it.
    Bounce(bounce::Arguments),
    /// Lists the issues of a week.
    #[command(visible_alias = "errors")]
    Issues(issues::Arguments),
    /// Prints the weekly report of one person, as it is mailed.
    Report(report::Arguments),
    /// Records which revision is running, so that the issues it fixes are found.
    Deployed(deployed::Arguments),
    /// Lists, adds, removes and imports rules.
    Rules(rules::Arguments),
    /// Lists, adds, removes and tests webhooks for Slack, Discord, Teams, Mattermost and your own.
    Channels(channels::Arguments),
    /// Lists, makes and changes the projects, with their keys and the addresses for clients.
    Projects(projects::Arguments),
    /// Moves everything that is stored to another database, SQLite or PostgreSQL.
    Store(store::Arguments),
    /// Prints a one-time sign-in link, for people who cannot get in.
    SignInLink(sign_in_link::Arguments),
    /// Erases an issue, or everything that is known about a person.
    Erase(erase::Arguments),
    /// Lists every option of flawless.cfg.
    Options {
        /// Print the table of docs/configuration.md.
        #[arg(long, hide = true)]
        markdown: bool,
    },
    /// Prints a script that completes commands in a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the manual page.
    Man,
}

/// The options of most commands.
#[derive(Debug, clap::Args)]
struct ConfArgument {
    /// Path of flawless.cfg; -conf, as in 0.4.5, works too.
    #[arg(long, value_name = "PATH")]
    conf: Option<PathBuf>,
    /// Sets an option, overriding the file.
    #[arg(long, value_name = "OPTION=VALUE")]
    set: Vec<String>,
}

impl ConfArgument {
    fn raw(&self) -> Result<RawConfig, ConfigError> {
        let mut raw = match &self.conf {
            Some(path) => RawConfig::read(path)?,
            None => RawConfig::default(),
        };
        self.set.iter().try_for_each(|argument| raw.set_argument(argument))?;
        Ok(raw)
    }

    /// The arguments that give another command the same configuration, with a leading space.
    fn again(&self) -> String {
        let conf = self
            .conf
            .iter()
            .map(|path| format!(" -conf {}", shell_word(&path.display().to_string())));
        let set = self.set.iter().map(|set| format!(" --set {}", shell_word(set)));
        conf.chain(set).collect()
    }

    fn resolve(&self) -> Result<Config, ConfigError> {
        Config::resolve(&self.raw()?)
    }
}

/// A word, quoted for a shell where necessary.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Why a command failed, in one paragraph for its user. Many errors already name their source.
fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Runs the program with its arguments. 0: done; 1: failed, or a problem was found; 2: usage.
// Not generic, or all of the server would be compiled once more in the program.
pub fn run(arguments: ArgsOs) -> ExitCode {
    // 0.4.5 wrote the long option with one dash.
    let arguments = arguments.map(|argument| match argument.to_str() {
        Some("-conf") => OsString::from("--conf"),
        Some(text) => match text.strip_prefix("-conf=") {
            Some(path) => OsString::from(format!("--conf={path}")),
            None => argument,
        },
        None => argument,
    });
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("flawless: no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(execute(cli.command));
    // A job that still waits for git must not keep the program running.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("flawless: {}", for_terminal(&in_words(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Configure(arguments) => configure::run(arguments).await,
        Command::Start(arguments) => start::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Blame(arguments) => blame::run(arguments).await,
        Command::Bounce(arguments) => bounce::run(arguments).await,
        Command::Issues(arguments) => issues::run(arguments).await,
        Command::Report(arguments) => report::run(arguments).await,
        Command::Deployed(arguments) => deployed::run(arguments).await,
        Command::Rules(arguments) => rules::run(arguments).await,
        Command::Channels(arguments) => channels::run(arguments).await,
        Command::Projects(arguments) => projects::run(arguments).await,
        Command::Store(arguments) => store::run(arguments).await,
        Command::SignInLink(arguments) => sign_in_link::run(arguments).await,
        Command::Erase(arguments) => erase::run(arguments).await,
        Command::Options { markdown } => {
            print(if markdown { options_markdown() } else { options_text() })
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "flawless", &mut script);
            print(script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            print(page)
        }
    }
}

/// Writes to standard output. A reader that stops early is not an error.
fn print(text: impl AsRef<[u8]>) -> anyhow::Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    let text = for_terminal(&String::from_utf8_lossy(text.as_ref()));
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
