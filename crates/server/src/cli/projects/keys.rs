//! `flawless projects keys`: lists, adds, switches off and replaces the keys of the project.
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use flawless_base::clock::Clock;
use flawless_base::dates::{date_time, rfc3339};
use flawless_base::text::one_line;
use flawless_store::{KeyRow, Store};
use serde_json::json;

use super::super::{ConfArgument, print};
use crate::config::Config;
use crate::project::keys::{ProjectKeys, random_key};

/// Longer labels are refused.
const MAX_LABEL: usize = 60;
/// A key may be named by its beginning from this length on.
const SHORTEST: usize = 4;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Lists the keys, the oldest first.
    List {
        #[command(flatten)]
        conf: ConfArgument,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Adds a key and prints it with its address (DSN). A running server accepts it within a
    /// second.
    Add {
        #[command(flatten)]
        conf: ConfArgument,
        /// What people call the key, such as the program that has it.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Switches a key off: reports with it are refused, and Health says so.
    Disable {
        #[command(flatten)]
        conf: ConfArgument,
        /// The key, or its first digits.
        key: String,
    },
    /// Switches a key on again.
    Enable {
        #[command(flatten)]
        conf: ConfArgument,
        /// The key, or its first digits.
        key: String,
    },
    /// Adds a key to take the place of another one, which works until it is switched off.
    Rotate {
        #[command(flatten)]
        conf: ConfArgument,
        /// The key that is replaced, or its first digits; by default the newest that works.
        key: Option<String>,
    },
}

pub(super) async fn run(action: Action) -> anyhow::Result<ExitCode> {
    match action {
        Action::List { conf, json } => {
            let keys = Keys::open(&conf).await?;
            print(if json { keys.as_json() } else { keys.as_text() })
        }
        Action::Add { conf, label } => {
            let label = label.trim();
            if label.chars().count() > MAX_LABEL || label != one_line(label, MAX_LABEL) {
                bail!("--label: write at most {MAX_LABEL} characters in one line");
            }
            let keys = Keys::open(&conf).await?;
            print(keys.add(label).await?)
        }
        Action::Disable { conf, key } => {
            let keys = Keys::open(&conf).await?;
            let key = keys.named(&key)?.clone();
            if keys.working().all(|other| other.id == key.id) {
                bail!(
                    "{} is the only key that works. Add another one first: flawless projects keys \
                     add{}",
                    key.secret.reveal(),
                    conf.again()
                );
            }
            keys.set_disabled(&key, true).await?;
            print(format!("{} is switched off\n", key.secret.reveal()))
        }
        Action::Enable { conf, key } => {
            let keys = Keys::open(&conf).await?;
            let key = keys.named(&key)?.clone();
            keys.set_disabled(&key, false).await?;
            print(format!("{} works\n", key.secret.reveal()))
        }
        Action::Rotate { conf, key } => {
            let keys = Keys::open(&conf).await?;
            let older = match &key {
                Some(key) => keys.named(key)?.clone(),
                None => keys.working().last().ok_or_else(|| anyhow!("no key works"))?.clone(),
            };
            let mut text = keys.add(&older.label).await?;
            let older = older.secret.reveal();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{older} works until you switch it off: flawless projects keys disable {older}{}",
                conf.again()
            );
            print(text)
        }
    }
}

/// The keys of the project, and where they are.
struct Keys {
    config: Config,
    store: Store,
    project: ProjectKeys,
    now: i64,
}

impl Keys {
    async fn open(conf: &ConfArgument) -> anyhow::Result<Self> {
        let (config, now) = (conf.resolve()?, Clock::system().now());
        let store = Store::open(&config.data_dir, &config.sealing, now).await?;
        let project = ProjectKeys::open(&store, now).await?;
        Ok(Self { config, store, project, now })
    }

    fn working(&self) -> impl Iterator<Item = &KeyRow> {
        self.project.keys.iter().filter(|key| key.disabled_at.is_none())
    }

    /// The key of which these are the first digits.
    fn named(&self, digits: &str) -> anyhow::Result<&KeyRow> {
        let digits = digits.trim();
        let begins = |key: &&KeyRow| key.secret.reveal().starts_with(digits);
        let found: Vec<&KeyRow> = self.project.keys.iter().filter(begins).collect();
        match found[..] {
            [key] if digits.len() >= SHORTEST => Ok(key),
            [] => bail!("no key begins with {digits:?}: flawless projects keys list shows all"),
            _ => bail!("{digits:?} is too short to name one key: write more of its digits"),
        }
    }

    /// Adds a key; returns it and its DSN in words.
    async fn add(&self, label: &str) -> anyhow::Result<String> {
        let key = random_key().map_err(crate::project::keys::KeyError::Random)?;
        let mut tx = self.store.write().await?;
        tx.add_key(&key, label, self.now).await?;
        tx.commit().await?;
        let project = ProjectKeys::open(&self.store, self.now).await?;
        self.store.close().await;
        let mut text = format!("key      {}\n", key.reveal());
        if let Some(dsn) = self.config.client_url().and_then(|url| project.dsn(&url)) {
            let _ = writeln!(text, "dsn      {dsn}");
        }
        Ok(text)
    }

    async fn set_disabled(&self, key: &KeyRow, is_disabled: bool) -> anyhow::Result<()> {
        let mut tx = self.store.write().await?;
        tx.set_key_disabled(key.id, is_disabled.then_some(self.now)).await?;
        tx.commit().await?;
        self.store.close().await;
        Ok(())
    }

    fn as_text(&self) -> String {
        let date = |at: i64| date_time(at, &self.config.timezone);
        let mut text = String::new();
        for KeyRow { secret, label, created_at, disabled_at, .. } in &self.project.keys {
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

    fn as_json(&self) -> String {
        let line = |key: &KeyRow| {
            let line = json!({
                "key": key.secret.reveal(),
                "label": key.label,
                "created_at": rfc3339(key.created_at),
                "disabled_at": key.disabled_at.map(rfc3339),
            });
            line.to_string() + "\n"
        };
        self.project.keys.iter().map(line).collect()
    }
}
