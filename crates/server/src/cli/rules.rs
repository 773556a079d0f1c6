//! `flawless rules`: changes the seven lists in the store; a running server picks changes up.
use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use clap::builder::PossibleValuesParser;
use flawless_base::plural::counted;
use flawless_store::{RULE_LISTS, RuleDocument, RuleList, Store, is_pickle, read_document};
use serde_json::{Map, Value, json};

use super::open::ProjectArgument;
use super::print;
use crate::app::App;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Shows a list.
    List {
        #[command(flatten)]
        list: ListArgument,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Adds an entry to a list.
    Add {
        #[command(flatten)]
        list: ListArgument,
        #[command(flatten)]
        fields: Box<Fields>,
    },
    /// Removes an entry.
    Remove {
        #[command(flatten)]
        list: ListArgument,
        /// The id that `rules list` shows.
        id: i64,
    },
    /// Adds all entries of a file: JSON, a saved page of 0.4.5, or a file of the first Flawless.
    Import {
        #[command(flatten)]
        list: ListArgument,
        /// The file, or - for standard input.
        file: String,
    },
}

#[derive(Debug, clap::Args)]
struct ListArgument {
    #[command(flatten)]
    of: ProjectArgument,
    /// The list.
    #[arg(value_parser = PossibleValuesParser::new(RULE_LISTS.map(RuleList::as_str)))]
    key: String,
}

/// The fields of all lists; each list has some of them.
#[derive(Debug, clap::Args)]
struct Fields {
    /// File in the repository.
    #[arg(long)]
    filename: Option<String>,
    /// Only in this function.
    #[arg(long)]
    function_name: Option<String>,
    /// Only in lines with this code.
    #[arg(long)]
    code_fragment: Option<String>,
    /// Known errors: notify when it has occurred this often.
    #[arg(long)]
    min_alert_threshold: Option<u64>,
    /// Known errors: never notify above this many.
    #[arg(long)]
    max_alert_threshold: Option<u64>,
    /// Known errors: notify at every multiple of this.
    #[arg(long)]
    alert_every_n_occurrences: Option<u64>,
    /// Known errors: also notify these addresses, separated by commas.
    #[arg(long, value_delimiter = ',')]
    email_recipients: Option<Vec<String>>,
    /// Known errors: text at the top of the mail.
    #[arg(long)]
    email_header: Option<String>,
    /// Ignored exceptions: full type path.
    #[arg(long, alias = "exc-name")]
    exception: Option<String>,
    /// Watchers: who is notified. Reassignments: whose issues go elsewhere.
    #[arg(long)]
    email: Option<String>,
    /// Watchers and reassignments: file or folder in the repository.
    #[arg(long)]
    filepath: Option<String>,
    /// Watchers: notify of any error whose traceback goes through the path.
    #[arg(long)]
    watch_all_errors: bool,
    /// Reassignments: who gets the issues.
    #[arg(long)]
    designated_email: Option<String>,
    /// Email aliases: address in commits, or its part before the @.
    #[arg(long)]
    old_email: Option<String>,
    /// Email aliases: address that is read.
    #[arg(long)]
    new_email: Option<String>,
}

impl ListArgument {
    fn list(&self) -> anyhow::Result<RuleList> {
        RuleList::parse(&self.key).ok_or_else(|| anyhow!("no list {:?}", self.key))
    }

    async fn open(&self) -> anyhow::Result<(RuleList, Store, i64)> {
        let list = self.list()?;
        let App { store, clock, .. } = self.of.open().await?;
        Ok((list, store, clock.now()))
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.action {
        Action::List { list, json } => show(&list, json).await,
        Action::Add { list, fields } => add(&list, &fields).await,
        Action::Remove { list, id } => remove(&list, id).await,
        Action::Import { list, file } => import(&list, &file).await,
    }
}

async fn show(argument: &ListArgument, as_json: bool) -> anyhow::Result<ExitCode> {
    let (list, store, _) = argument.open().await?;
    let mut text = String::new();
    for rule in store.rule_entries(list).await? {
        let id = rule.id;
        if as_json {
            let mut line = match rule.entry {
                Value::Object(map) => map,
                other => Map::from_iter([("exception".to_owned(), other)]),
            };
            line.insert("id".to_owned(), json!(id));
            text.push_str(&format!("{}\n", Value::Object(line)));
        } else {
            text.push_str(&format!("{id:>4}  {}\n", rule.entry));
        }
    }
    store.close().await;
    if text.is_empty() && !as_json {
        text = format!("{} is empty\n", list.as_str());
    }
    print(text)
}

async fn add(argument: &ListArgument, fields: &Fields) -> anyhow::Result<ExitCode> {
    let entry = fields.entry(argument.list()?);
    let (list, store, now) = argument.open().await?;
    let mut tx = store.write().await?;
    let added = tx.add_rule(list, &entry, now).await?;
    tx.commit().await?;
    store.close().await;
    print(match added {
        Some(id) => format!("entry {id} was added to {}\n", list.as_str()),
        None => format!("{} already has this entry\n", list.as_str()),
    })
}

async fn remove(argument: &ListArgument, id: i64) -> anyhow::Result<ExitCode> {
    let (list, store, _) = argument.open().await?;
    let mut tx = store.write().await?;
    let removed = tx.remove_rule(list, id).await?;
    tx.commit().await?;
    store.close().await;
    if !removed {
        let name = list.as_str();
        bail!("{name} has no entry {id}: see flawless rules list {name}");
    }
    print(format!("entry {id} was removed from {}\n", list.as_str()))
}

async fn import(argument: &ListArgument, file: &str) -> anyhow::Result<ExitCode> {
    let unreadable = || format!("{file} cannot be read");
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).with_context(unreadable)?;
        bytes
    } else {
        std::fs::read(file).with_context(unreadable)?
    };
    let list = argument.list()?;
    if is_pickle(&bytes) {
        bail!(of_pickle(list, file));
    }
    let wrong = || file.to_owned();
    let document = read_document(&bytes).with_context(wrong)?;
    let RuleDocument { entries, comments } = list.in_document(&document).with_context(wrong)?;
    let entries = list.normalize_all(&entries).with_context(wrong)?;
    let (list, store, now) = argument.open().await?;
    let mut tx = store.write().await?;
    let mut added = 0;
    for entry in &entries {
        added += usize::from(tx.add_rule(list, entry, now).await?.is_some());
    }
    tx.commit().await?;
    store.close().await;
    let known = counted(entries.len() - added, "was there already", "were there already");
    let added = counted(added, "entry", "entries");
    let comments = match comments {
        0 => String::new(),
        comments => format!(", {} left out", counted(comments, "comment was", "comments were")),
    };
    print(format!("{}: {added} added, {known}{comments}\n", list.as_str()))
}

/// How to convert the file that 0.4.5 leaves on disk: only the Python that wrote it knows the types
/// in it.
fn of_pickle(list: RuleList, file: &str) -> String {
    let key = list.as_str();
    let path = if file == "-" { "flawless-whitelists-config" } else { file };
    // Python reads JSON's escapes, and shells allow no single quote within single quotes.
    let path = json!(path).to_string().replace('\'', r"'\''");
    format!(
        "{file} is a Python pickle, perhaps the data file of a stopped Flawless 0.4.5. The Python \
         that ran it prints the list, for an import of {key}.json:\n\n\
         python -c '\n\
         import pickle, flawless.lib.utils\n\
         lists = pickle.load(open({path}, \"rb\"))\n\
         print(flawless.lib.utils.dump_json(lists.get(\"{key}\")))\n\
         ' > {key}.json\n"
    )
}

impl Fields {
    /// The entry with the fields that were given.
    fn entry(&self, list: RuleList) -> Value {
        if list == RuleList::IgnoredExceptions {
            return json!(self.exception.as_deref().unwrap_or_default());
        }
        let given = json!({
            "filename": self.filename,
            "function_name": self.function_name,
            "code_fragment": self.code_fragment,
            "min_alert_threshold": self.min_alert_threshold,
            "max_alert_threshold": self.max_alert_threshold,
            "alert_every_n_occurrences": self.alert_every_n_occurrences,
            "email_recipients": self.email_recipients,
            "email_header": self.email_header,
            "exception": self.exception,
            "email": self.email,
            "filepath": self.filepath,
            "watch_all_errors": self.watch_all_errors.then_some(true),
            "designated_email": self.designated_email,
            "old_email": self.old_email,
            "new_email": self.new_email,
        });
        match given {
            Value::Object(mut map) => {
                map.retain(|_, value| !value.is_null());
                Value::Object(map)
            }
            other => other,
        }
    }
}
