//! Sends log lines to a file or to standard error.
use std::io::{IsTerminal, Write};

use flawless_base::text::for_log;
use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{Config, ConfigError};

/// Keeps strangers' text from controlling a terminal or reversing the text around it.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(for_log(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Sends log lines to `log_file`, or to standard error. Does nothing if logging is set up already.
///
/// # Errors
/// The log file cannot be written.
pub(crate) fn init(config: &Config) -> Result<(), ConfigError> {
    let level: LevelFilter = config.log_level.parse().unwrap_or(LevelFilter::INFO);
    // SQL statements and their times are of no use to those who run the server.
    let targets = Targets::new().with_default(level).with_target("sqlx", LevelFilter::ERROR);
    let lines = fmt::layer().with_target(false);
    let lines = match &config.log_file {
        None => {
            let is_terminal = std::io::stderr().is_terminal();
            lines.with_ansi(is_terminal).with_writer(|| Plain(std::io::stderr())).boxed()
        }
        Some(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let folder = path.parent().unwrap_or(std::path::Path::new("."));
            let appender = RollingFileAppender::builder()
                .rotation(Rotation::DAILY)
                .filename_prefix(name)
                .max_log_files(config.log_days)
                .build(folder)
                .map_err(|error| {
                    let location = config.set_at["log_file"].clone();
                    let problem = format!("{} cannot be written: {error}", path.display());
                    ConfigError::new(location, problem, "Choose another file.")
                })?;
            lines.with_ansi(false).with_writer(std::sync::Mutex::new(Plain(appender))).boxed()
        }
    };
    // Fails only when a subscriber is set already, as in tests that start several servers.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
    Ok(())
}
