//! Writes a configuration file that only its owner can read: it holds passwords.
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::error::ConfigError;
use super::file::RawConfig;

/// Writes what is set in `config` to `path`, mode 0600, replacing the file in one step.
///
/// # Errors
/// The file cannot be written.
pub fn write_config(config: &RawConfig, path: &Path) -> Result<(), ConfigError> {
    let mut text = String::from(
        "# Written by `flawless configure`. `flawless options` lists every option.\n[flawless]\n",
    );
    for (name, value) in config.set_values().filter(|(_, value)| !value.is_empty()) {
        // A per cent sign is doubled, as Python's configparser wants it.
        let value = value.replace('%', "%%").replace('\n', "\n    ");
        text.push_str(&format!("{name} = {value}\n"));
    }
    write_private(path, text.as_bytes()).map_err(|error| {
        let problem = format!("cannot be written: {error}");
        ConfigError::new(path.display().to_string(), problem, "Choose another folder with -conf.")
    })
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("cfg.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    // The mode above counts only for a new file.
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}
