//! `flawless erase`: removes one issue, or one person's data, from the store.
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use flawless_base::plural::{counted, word};
use flawless_store::erase::mention::{ERASED, ErasedPerson};
use flawless_store::{PersonsCounts, RULE_LISTS, Store};

use super::open::ProjectArgument;
use crate::app::App;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    of: ProjectArgument,
    #[command(flatten)]
    what: What,
    /// Erases without asking.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The issue with this number, and everything that belongs to it.
    #[arg(long, value_name = "N")]
    issue: Option<i64>,
    /// Everything about the person with this mail address.
    #[arg(long, value_name = "ADDRESS")]
    person: Option<String>,
}

/// Erasing is repeated, because new rows may arrive meanwhile.
const ROUNDS: usize = 5;

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let App { store, clock, .. } = arguments.of.open_known().await?;
    let now = clock.now();
    let code = match (arguments.what.issue, &arguments.what.person) {
        (Some(issue), _) => erase_issue(&store, issue, arguments.yes, now).await?,
        (None, Some(person)) => erase_person(&store, person, arguments.yes, now).await?,
        (None, None) => return Err(anyhow!("name an issue or a person")),
    };
    store.close().await;
    Ok(code)
}

async fn erase_issue(store: &Store, number: i64, yes: bool, now: i64) -> anyhow::Result<ExitCode> {
    let Some(issue) = store.look_at_issue(number).await? else {
        bail!("issue {number} does not exist");
    };
    if issue.id != number {
        say!("issue {number} was merged into issue {}", issue.id);
    }
    say!("issue {} at {}:", issue.id, issue.place());
    say_count(issue.samples, "sample", "samples", "");
    say_count(issue.alerts, "alert", "alerts", "");
    say_count(issue.mails.len(), "mail", "mails", " about this issue alone");
    let content = " about other issues too: their content";
    say_count(issue.digests.len(), "mail", "mails", content);
    let way = " that went through the line";
    say_count(issue.waiting.len(), "waiting report", "waiting reports", way);
    if !agreed(yes)? {
        return Ok(ExitCode::FAILURE);
    }
    // A report may have arrived while the question was open.
    let mut issue = store.look_at_issue(issue.id).await?.unwrap_or(issue);
    let mut tx = store.write().await?;
    tx.erase_issue(&issue, now).await?;
    tx.commit().await?;
    for _ in 0..ROUNDS {
        issue = store.look_for_waiting(issue).await?;
        if issue.waiting.is_empty() {
            break;
        }
        let mut tx = store.write().await?;
        tx.erase_waiting(&issue.waiting, now).await?;
        tx.commit().await?;
    }
    finish(store).await?;
    say!("If the line fails again, it becomes a new issue, and its owner is notified.");
    if issue.unreadable > 0 {
        say!(
            "NOT everything was searched: {} a key that is not in FLAWLESS_SAMPLE_KEY. Add the \
             key, and erase the issue that is created then.",
            counted(issue.unreadable, "waiting report needs", "waiting reports need")
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn erase_person(
    store: &Store,
    address: &str,
    yes: bool,
    now: i64,
) -> anyhow::Result<ExitCode> {
    let address = address.trim();
    let is_one = address.contains('@') && !address.contains(char::is_whitespace);
    if !is_one || address.len() < 3 || address.contains(ERASED) && address.len() == ERASED.len() {
        let text = format!("--person: {address:?} is not a mail address: write it as in commits");
        bail!(text);
    }
    let mut person = ErasedPerson::new(address);
    let mut found = store.look_for_person(&mut person).await?;
    let PersonsCounts { issues, samples, waiting, mails, mails_naming, notes, settings } =
        found.counts();
    say!("{address}:");
    let stands = " containing the address";
    say_count(issues, "issue", "issues", " of this person: the name and the address");
    say_count(samples, "sample", "samples", stands);
    say_count(waiting, "waiting report", "waiting reports", stands);
    say_count(mails, "mail", "mails", " to them");
    let others = " to others containing the address: their content";
    say_count(mails_naming, "mail", "mails", others);
    say_count(notes, "note", "notes", " about who was notified of what");
    let settings_of = " of this person: channels, mail preferences, roles, sign-ins and tokens";
    say_count(settings, "setting", "settings", settings_of);
    show_rules(store, &person).await?;
    let unreadable = found.unreadable;
    if unreadable > 0 {
        say!(
            "{} cannot be searched: the key is not in FLAWLESS_SAMPLE_KEY",
            counted(unreadable, "sample, report or mail", "samples, reports or mails")
        );
    }
    if found.is_empty() && unreadable > 0 {
        bail!(
            "not everything was searched, and nothing was erased: add the missing key to \
             FLAWLESS_SAMPLE_KEY, and run this again"
        );
    }
    if found.is_empty() {
        say!("There is nothing to erase.");
    } else if !agreed(yes)? {
        return Ok(ExitCode::FAILURE);
    }
    for _ in 0..ROUNDS {
        if found.is_empty() {
            break;
        }
        let mut tx = store.write().await?;
        tx.erase_person(&found, now).await?;
        tx.commit().await?;
        found = store.look_for_person(&mut person).await?;
    }
    finish(store).await?;
    say!(
        "The repository still names this person: when one of their lines fails, the address is \
         stored again. An email alias or a reassignment (flawless rules) keeps mails away. Log \
         files are not searched."
    );
    let all = found.is_empty() && unreadable == 0;
    if unreadable > 0 {
        say!(
            "NOT everything was searched: add the missing key to FLAWLESS_SAMPLE_KEY, and run \
             this again."
        );
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints one line of the list of what would be erased.
fn say_count(number: impl Display + Copy, one: &str, many: &str, rest: &str) {
    say!("{number:>7} {}{rest}", word(number, one, many));
}

/// Shows the rules that name the person. People decided on them, so they are not erased.
async fn show_rules(store: &Store, person: &ErasedPerson) -> anyhow::Result<()> {
    for list in RULE_LISTS {
        for rule in store.rule_entries(list).await? {
            if person.is_in(&rule.entry.to_string()) {
                let (name, id, entry) = (list.as_str(), rule.id, &rule.entry);
                say!("   rule {id} of {name} stays, remove it with flawless rules: {entry}");
            }
        }
    }
    Ok(())
}

/// Whether the user agrees.
fn agreed(yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        say!("Nothing was erased. Add --yes to erase.");
        return Ok(false);
    }
    print!("Erase it? This cannot be undone. y/n [n] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let is_yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !is_yes {
        say!("Nothing was erased.");
    }
    Ok(is_yes)
}

async fn finish(store: &Store) -> anyhow::Result<()> {
    match store.empty_journal().await? {
        true => say!("Erased, from the database files too. Erase your backups yourself."),
        false => say!(
            "Erased. Another program is reading the database, so its journal holds the bytes \
             until the server's next cleanup within the hour."
        ),
    }
    Ok(())
}
