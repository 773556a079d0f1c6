//! `flawless projects keys`: lists, adds, switches off and replaces the keys of a project.
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::bail;
use flawless_base::dates::{date_time, rfc3339};
use flawless_store::KeyRow;
use serde_json::json;

use crate::actions::projects::{self, COMMAND_LINE, ProjectError};
use crate::app::App;
use crate::cli::open::ProjectArgument;
use crate::cli::print;

/// A key may be named by its beginning from this length on.
const SHORTEST: usize = 4;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Lists the keys, the oldest first.
    List {
        #[command(flatten)]
        of: ProjectArgument,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Adds a key and prints it with its address (DSN). A running server accepts it within a
    /// second.
    Add {
        #[command(flatten)]
        of: ProjectArgument,
        /// What people call the key, such as the program that has it.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Switches a key off: reports with it are refused, and Health says so.
    Disable {
        #[command(flatten)]
        of: ProjectArgument,
        /// The key, or its first digits.
        key: String,
    },
    /// Switches a key on again.
    Enable {
        #[command(flatten)]
        of: ProjectArgument,
        /// The key, or its first digits.
        key: String,
    },
    /// Adds a key to take the place of another one, which works until it is switched off.
    Rotate {
        #[command(flatten)]
        of: ProjectArgument,
        /// The key that is replaced, or its first digits; by default the newest that works.
        key: Option<String>,
    },
}

pub(super) async fn run(action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::List { of, json } => {
            let app = of.open().await?;
            app.store.close().await;
            print(if json { as_json(&app) } else { as_text(&app) })
        }
        Action::Add { of, label } => {
            let app = of.open().await?;
            let key = projects::add_key(&app, COMMAND_LINE, &label).await?;
            print(added(&app, &key).await?)
        }
        Action::Disable { of, key } => {
            let app = of.open().await?;
            let key = named(&app, &key)?;
            let done = projects::disable_key(&app, COMMAND_LINE, key.id, true).await;
            app.store.close().await;
            if let Err(ProjectError::LastKey) = done {
                bail!(
                    "{} is the only key that works. Add another one first: flawless projects keys \
                     add{}",
                    key.secret.reveal(),
                    of.again()
                );
            }
            done?;
            print(format!("{} is switched off\n", key.secret.reveal()))
        }
        Action::Enable { of, key } => {
            let app = of.open().await?;
            let key = named(&app, &key)?;
            projects::disable_key(&app, COMMAND_LINE, key.id, false).await?;
            app.store.close().await;
            print(format!("{} works\n", key.secret.reveal()))
        }
        Action::Rotate { of, key } => {
            let app = of.open().await?;
            let older = key.as_deref().map(|digits| named(&app, digits)).transpose()?;
            let id = older.map(|key| key.id);
            let (older, newer) = projects::rotate_key(&app, COMMAND_LINE, id).await?;
            let mut text = added(&app, &newer).await?;
            let older = older.secret.reveal();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{older} works until you switch it off: flawless projects keys disable {older}{}",
                of.again()
            );
            print(text)
        }
    }
}

/// The key of which these are the first digits.
fn named<'a>(app: &'a App, digits: &str) -> anyhow::Result<&'a KeyRow> {
    let digits = digits.trim();
    let begins = |key: &&KeyRow| key.secret.reveal().starts_with(digits);
    let found: Vec<&KeyRow> = app.project.keys.iter().filter(begins).collect();
    match found[..] {
        [key] if digits.len() >= SHORTEST => Ok(key),
        [] => bail!("no key begins with {digits:?}: flawless projects keys list shows all"),
        _ => bail!("{digits:?} is too short to name one key: write more of its digits"),
    }
}

/// A new key and its DSN in words.
async fn added(app: &App, key: &KeyRow) -> anyhow::Result<String> {
    app.projects.refresh().await?;
    let app = app.now();
    app.store.close().await;
    let mut text = format!("key      {}\n", key.secret.reveal());
    if let Some(dsn) = app.config.client_url().and_then(|url| app.project.dsn(&url)) {
        let _ = writeln!(text, "dsn      {dsn}");
    }
    Ok(text)
}

fn as_text(app: &App) -> String {
    let date = |at: i64| date_time(at, &app.config.timezone);
    let mut text = String::new();
    for KeyRow { secret, label, created_at, disabled_at, .. } in &app.project.keys {
        let state = match disabled_at {
            Some(at) => format!("switched off {}", date(*at)),
            None => "works".to_owned(),
        };
        let label = if label.is_empty() { String::new() } else { format!("  {label}") };
        let made = date(*created_at);
        let _ = writeln!(text, "{}  made {made}  {state}{label}", secret.reveal());
    }
    text
}

fn as_json(app: &App) -> String {
    let line = |key: &KeyRow| {
        let line = json!({
            "key": key.secret.reveal(),
            "label": key.label,
            "created_at": rfc3339(key.created_at),
            "disabled_at": key.disabled_at.map(rfc3339),
        });
        line.to_string() + "\n"
    };
    app.project.keys.iter().map(line).collect()
}
