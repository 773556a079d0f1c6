//! `flawless projects`: lists, makes and changes the projects, and their keys.
mod apply;
mod change;
mod keys;
mod list;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Subcommand;

use super::ConfArgument;
use super::open::named;
use crate::actions::projects::Setting;
use crate::app::App;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: ListArguments,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    #[command(flatten)]
    conf: ConfArgument,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
}

/// The options of commands about one project, which they name first.
#[derive(Debug, clap::Args)]
struct NamedArgument {
    #[command(flatten)]
    conf: ConfArgument,
    /// The name or the number of the project.
    name: String,
}

impl NamedArgument {
    async fn open(&self) -> anyhow::Result<App> {
        named(&self.conf.open().await?, &self.name)
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the projects, as without a subcommand.
    List(ListArguments),
    /// Makes a project and prints the address (DSN) for its programs. A running server knows it
    /// within a second.
    Add {
        #[command(flatten)]
        named: NamedArgument,
        /// Where the server clones the repository from: an address, or a folder of this machine.
        #[arg(long, value_name = "URL")]
        repo_url: Option<String>,
        /// Who is notified when nobody can be blamed.
        #[arg(long, value_name = "ADDRESS")]
        default_contact: Option<String>,
        /// Other options that the project sets itself.
        #[arg(value_name = "OPTION=VALUE")]
        settings: Vec<String>,
    },
    /// Sets options of a project; OPTION= without a value means none, and --unset goes back to the
    /// value of flawless.cfg.
    Set {
        #[command(flatten)]
        named: NamedArgument,
        /// The options, as flawless.cfg has them.
        #[arg(value_name = "OPTION=VALUE", required_unless_present = "unset")]
        settings: Vec<String>,
        /// An option that the project does not set any longer.
        #[arg(long, value_name = "OPTION")]
        unset: Vec<String>,
    },
    /// Shows a project: its address, its keys, and each of its options with where it is set.
    Show {
        #[command(flatten)]
        named: NamedArgument,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Gives a project another name. Programs keep reporting: their addresses have its number.
    Rename {
        #[command(flatten)]
        named: NamedArgument,
        /// The new name.
        new_name: String,
    },
    /// Refuses the reports of a project and stops its work; everything that is known stays.
    Archive {
        #[command(flatten)]
        named: NamedArgument,
        /// Takes the project into use again.
        #[arg(long)]
        undo: bool,
    },
    /// Removes a project with everything that belongs to it.
    Remove {
        #[command(flatten)]
        named: NamedArgument,
        /// Removes it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Makes and changes projects until they are as a file describes them: a section [NAME] for
    /// each project, with its options. Projects that the file does not name stay as they are.
    Apply {
        #[command(flatten)]
        conf: ConfArgument,
        /// Only says what would change.
        #[arg(long)]
        dry_run: bool,
        /// The file, or - for standard input.
        file: PathBuf,
    },
    /// Lists, adds and switches off the keys that programs report with.
    Keys {
        #[command(subcommand)]
        action: keys::Action,
    },
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.action {
        None => list::list(arguments.list).await,
        Some(Action::List(arguments)) => list::list(arguments).await,
        Some(Action::Add { named, repo_url, default_contact, settings }) => {
            let mut all = read_settings(&settings)?;
            let url = repo_url.map(|url| ("repo_url".to_owned(), Some(absolute(url))));
            all.extend(url);
            all.extend(
                default_contact.map(|contact| ("default_contact".to_owned(), Some(contact))),
            );
            change::add(&named.conf, &named.name, &all).await
        }
        Some(Action::Set { named, settings, unset }) => {
            let mut all = read_settings(&settings)?;
            all.extend(unset.into_iter().map(|option| (option, None)));
            change::set(&named.open().await?, &all).await
        }
        Some(Action::Show { named, json }) => list::show(&named.open().await?, json).await,
        Some(Action::Rename { named, new_name }) => {
            change::rename(&named.open().await?, &new_name).await
        }
        Some(Action::Archive { named, undo }) => change::archive(&named.open().await?, !undo).await,
        Some(Action::Remove { named, yes }) => change::remove(&named.open().await?, yes).await,
        Some(Action::Apply { conf, dry_run, file }) => apply::apply(&conf, &file, dry_run).await,
        Some(Action::Keys { action }) => keys::run(action).await,
    }
}

fn read_settings(settings: &[String]) -> anyhow::Result<Vec<Setting>> {
    let read = |setting: &String| {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| anyhow!("{setting:?} is not OPTION=VALUE"))?;
        let (name, value) = (name.trim().to_owned(), value.trim());
        let value = match name.as_str() {
            "repo_url" | "repo_dir" => absolute(value.to_owned()),
            _ => value.to_owned(),
        };
        Ok((name, Some(value)))
    };
    settings.iter().map(read).collect()
}

/// A folder of this machine by its whole path: the server has another current folder.
fn absolute(url: String) -> String {
    match std::path::absolute(&url) {
        Ok(path) if !url.is_empty() && path.exists() => path.display().to_string(),
        _ => url,
    }
}
