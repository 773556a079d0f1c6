//! The options as `flawless options` and docs/configuration.md show them.
use std::fmt::Write;

use super::of_project::is_of_projects;
use super::option_def::OptionDef;
use super::options::OPTIONS;

/// What `flawless options` prints.
pub fn options_text() -> String {
    let mut text = String::new();
    for option in OPTIONS {
        let default = if option.default.is_empty() { "none" } else { option.default };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", option.name);
        let _ = writeln!(text, "    default value: {default}");
        let _ = writeln!(text, "    type: {}", option.kind.name());
        let _ = writeln!(text, "    description: {}\n", describe(option));
    }
    text
}

/// The table of docs/configuration.md.
pub fn options_markdown() -> String {
    let mut text = String::from("| option | default | type | meaning |\n|---|---|---|---|\n");
    for option in OPTIONS {
        let default = match option.default {
            "" => String::new(),
            default => format!("`{}`", default.replace('|', "\\|")),
        };
        let kind = option.kind.name().replace('|', "\\|");
        let meaning = describe(option).replace('*', "\\*");
        let _ = writeln!(text, "| `{}` | {default} | {kind} | {meaning} |", option.name);
    }
    text
}

fn describe(option: &OptionDef) -> String {
    let mut text = option.description.to_owned();
    if option.secret {
        let _ = write!(text, " {}_file names a file that holds it instead.", option.name);
    }
    if is_of_projects(option) {
        text.push_str(" A project may set it itself.");
    }
    text
}
