//! Writes a configuration file that others cannot read: it holds passwords.
use std::collections::BTreeMap;
use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use super::error::ConfigError;
use super::file::RawConfig;
use super::ini::{Line, lines, written};

/// How a new file begins.
const HEAD: &str =
    "# Written by `flawless configure`. `flawless options` lists every option.\n[flawless]\n";

/// Writes the changes in `config` to `path`, replacing the file atomically. Everything else in the
/// file stays: comments, the order, and unchanged options. Only its owner can read a new file
/// (0600); an existing one keeps its owner and its group.
pub fn write_config(config: &RawConfig, path: &Path) -> Result<(), ConfigError> {
    let text = edited(config.source(), &config.changes());
    write_private(path, text.as_bytes()).map_err(|error| {
        let problem = format!("cannot be written: {error}");
        ConfigError::new(path.display().to_string(), problem, "Choose another folder with -conf.")
    })
}

/// The text with these options set; an option with an empty value is removed.
fn edited(text: &str, changes: &[(&str, &str)]) -> String {
    let mut left: BTreeMap<&str, &str> = changes.iter().copied().collect();
    let mut result = String::new();
    let mut is_replaced = false;
    for (whole, line) in lines(text) {
        match line {
            Line::Option(name, _) => {
                let value = left.remove(name.as_str());
                is_replaced = value.is_some();
                match value {
                    None => result.push_str(whole),
                    Some("") => {}
                    Some(value) => {
                        let end = if whole.ends_with("\r\n") { "\r\n" } else { "\n" };
                        result.push_str(&format!("{name} = {}{end}", written(value)));
                    }
                }
            }
            Line::Continued(_) if is_replaced => {}
            _ => result.push_str(whole),
        }
    }
    if !result.is_empty() && !result.ends_with('\n') {
        result.push('\n');
    }
    if !lines(text).any(|(_, line)| matches!(line, Line::Section(_))) {
        result.push_str(HEAD);
    }
    let is_new = |(name, value): &&(&str, &str)| left.contains_key(name) && !value.is_empty();
    for (name, value) in changes.iter().filter(is_new) {
        result.push_str(&format!("{name} = {}\n", written(value)));
    }
    result
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    // A symbolic link stays one: the file behind it is replaced.
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let before = path.metadata().ok();
    let mode = before.as_ref().map_or(0o600, |before| before.mode() & 0o660);
    let beside = path.with_extension("cfg.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let made = file.metadata()?;
    if let Some(before) = before
        && (before.uid(), before.gid()) != (made.uid(), made.gid())
    {
        fchown(&file, Some(before.uid()), Some(before.gid()))?;
    }
    // The mode above applies only to a new file.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_leaves_everything_else_as_it_was_written() {
        let text = "\u{feff}# ours\r\n[flawless]\r\n; the door\r\nPort: 1\r\n\
                    redact_names = a,\n    # why\n    b\nlog_file = x\n# end";
        let changes = [("port", "2"), ("redact_names", "c%\nd"), ("log_file", ""), ("host", "h")];
        assert_eq!(
            edited(text, &changes),
            "\u{feff}# ours\r\n[flawless]\r\n; the door\r\nport = 2\r\n\
             redact_names = c%%\n    d\n    # why\n# end\nhost = h\n"
        );
        assert_eq!(edited(text, &[]), format!("{text}\n"));
        assert_eq!(edited("", &[("port", ""), ("host", "h")]), format!("{HEAD}host = h\n"));
    }
}
