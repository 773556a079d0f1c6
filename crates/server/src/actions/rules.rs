//! Adds, changes, removes and imports rules.
use flawless_base::plural::counted;
use flawless_base::text::one_line;
use flawless_store::{AddedRule, RuleDocument, RuleInputError, RuleList};
use serde_json::{Value, json};

use super::issue::place;
use super::undo::{StoredRule, Undo};
use super::{ActionError, Done, issue_of, noted, rules_changed};
use crate::app::App;
use crate::show::rules::{in_words, singular};

/// Characters of a rule that are shown in the text of an action.
const SHOWN: usize = 200;
/// Entries in one import; limited because whole lists are read after each change.
const MAX_IMPORT: usize = 2_000;
/// Problems of an import that are named.
const MAX_NAMED: usize = 10;

fn named(list: RuleList, entry: &Value) -> String {
    format!("{} {}", singular(list), one_line(&in_words(list, entry), SHOWN))
}

pub(super) async fn add(
    app: &App,
    who: &str,
    list: RuleList,
    entry: &Value,
    issue: Option<i64>,
) -> Result<Done, ActionError> {
    let issue = match issue {
        Some(number) => Some(issue_of(app, number).await?),
        None => None,
    };
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let AddedRule { id, entry, replaced } = tx.put_rule(list, entry, now).await?;
    let Some(rule) = id else {
        return Err(ActionError::field("", "The list already has this rule."));
    };
    let made_for = issue.as_ref().map(|issue| format!(" for {}", place(issue)));
    let what = format!("{} was added{}", named(list, &entry), made_for.unwrap_or_default());
    let undo = Undo::Added {
        list: list.as_str().to_owned(),
        added: vec![StoredRule::new(rule, entry, now)],
        replaced: replaced.into_iter().map(StoredRule::from).collect(),
    };
    let action = noted(who, issue.map(|issue| issue.id), "add_rule", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}

fn no_such_rule(list: RuleList, id: i64) -> ActionError {
    ActionError::NotFound(format!(
        "Rule {id} is no longer among the {}.",
        list.title().to_lowercase()
    ))
}

pub(super) async fn edit(
    app: &App,
    who: &str,
    list: RuleList,
    id: i64,
    entry: &Value,
) -> Result<Done, ActionError> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let changed = tx.change_rule(list, id, entry).await?;
    let AddedRule { id: changed, entry, mut replaced } =
        changed.ok_or_else(|| no_such_rule(list, id))?;
    if changed.is_none() {
        return Err(ActionError::field("", "The list already has the same rule."));
    }
    let before = replaced.remove(0);
    let what = format!("{} became {}", named(list, &before.entry), named(list, &entry));
    let undo = Undo::Changed {
        list: list.as_str().to_owned(),
        before: before.into(),
        after: entry,
        replaced: replaced.into_iter().map(StoredRule::from).collect(),
    };
    let action = noted(who, None, "edit_rule", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}

pub(super) async fn remove(
    app: &App,
    who: &str,
    list: RuleList,
    id: i64,
) -> Result<Done, ActionError> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let rule = tx.rule(id).await?.filter(|(found, _)| *found == list);
    let (_, rule) = rule.ok_or_else(|| no_such_rule(list, id))?;
    tx.remove_rule(list, id).await?;
    let what = format!("{} was removed", named(list, &rule.entry));
    let undo = Undo::Removed { list: list.as_str().to_owned(), rule: rule.into() };
    let action = noted(who, None, "remove_rule", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}

/// What an import would do.
#[derive(Debug, Clone)]
pub struct ImportPlan {
    /// Entries that the list does not have.
    pub new: Vec<Value>,
    /// How many entries it already has.
    pub known: usize,
    /// What is wrong with the others, each with its place.
    pub wrong: Vec<String>,
    /// Texts between the entries, which are left out.
    pub comments: usize,
}

impl ImportPlan {
    /// In words: `3 entries are new, 1 is there already, 2 are wrong`.
    pub fn in_words(&self) -> String {
        let new = counted(self.new.len(), "is new", "are new");
        let known = counted(self.known, "is there already", "are there already");
        let mut words = format!("{new}, {known}");
        if !self.wrong.is_empty() {
            words.push_str(&format!(", {}", counted(self.wrong.len(), "is wrong", "are wrong")));
        }
        if self.comments > 0 {
            let comments = counted(self.comments, "comment is", "comments are");
            words.push_str(&format!(", {comments} left out"));
        }
        words
    }
}

/// What an import of `document` would do.
///
/// # Errors
/// It is not a document of this list at all, or the store fails.
pub async fn import_plan(
    app: &App,
    list: RuleList,
    document: &Value,
) -> Result<ImportPlan, ActionError> {
    let RuleDocument { entries, comments } = list.in_document(document).map_err(in_document)?;
    if entries.len() > MAX_IMPORT {
        let text = format!(
            "{}: at most {MAX_IMPORT}.",
            counted(entries.len(), "entry is too many", "entries are too many")
        );
        return Err(ActionError::field("document", text));
    }
    let known = app.store.rule_entries(list).await?;
    let mut seen: std::collections::HashSet<String> =
        known.into_iter().map(|rule| rule.entry.to_string()).collect();
    let mut plan = ImportPlan { new: Vec::new(), known: 0, wrong: Vec::new(), comments };
    for (at, entry) in entries.iter().enumerate() {
        match list.normalize(entry) {
            Ok(entry) if seen.insert(entry.to_string()) => plan.new.push(entry),
            Ok(_) => plan.known += 1,
            Err(error) => plan.wrong.push(format!("entry {}: {error}", at + 1)),
        }
    }
    Ok(plan)
}

fn in_document(error: RuleInputError) -> ActionError {
    match ActionError::from(error) {
        ActionError::Field { text, .. } => ActionError::Field { name: "document", text },
        other => other,
    }
}

pub(super) async fn import(
    app: &App,
    who: &str,
    list: RuleList,
    document: &Value,
) -> Result<Done, ActionError> {
    let plan = import_plan(app, list, document).await?;
    let words = plan.in_words();
    if !plan.wrong.is_empty() {
        let mut named: Vec<&str> = plan.wrong.iter().map(String::as_str).collect();
        named.truncate(MAX_NAMED);
        let more = plan.wrong.len() - named.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let text = format!("{words}, so nothing was imported. {}{more}.", named.join("; "));
        return Err(ActionError::field("document", text));
    }
    if plan.new.is_empty() {
        return Err(ActionError::field("document", format!("{words}: there is nothing to add.")));
    }
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let (mut added, mut replaced): (Vec<StoredRule>, Vec<StoredRule>) = (Vec::new(), Vec::new());
    for entry in &plan.new {
        let put = tx.put_rule(list, entry, now).await?;
        for older in put.replaced {
            match added.iter().position(|rule| rule.is(older.id)) {
                // Two entries of the document for one address: the last one counts.
                Some(at) => drop(added.remove(at)),
                None => replaced.push(older.into()),
            }
        }
        added.extend(put.id.map(|id| StoredRule::new(id, put.entry, now)));
    }
    let title = list.title().to_lowercase();
    let what = format!("{} of {title} were imported: {words}", plan.new.len() + plan.known);
    let undo = Undo::Added { list: list.as_str().to_owned(), added, replaced };
    let action = noted(who, None, "import_rules", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}

/// A rule that matches one line of code.
///
/// # Errors
/// Too little is known of the line: the rule would match the whole file.
pub fn rule_of_line(path: &str, function: &str, text: &str) -> Result<Value, ActionError> {
    if function.trim().is_empty() && text.trim().is_empty() {
        let path = one_line(path, SHOWN);
        let text = format!(
            "Neither the function nor the text of the line in {path} is known: a rule would match \
             the whole file. If you want that, add it on /rules."
        );
        return Err(ActionError::field("", text));
    }
    Ok(json!({"filename": path, "function_name": function, "code_fragment": text}))
}

pub(super) async fn blame_instead(
    app: &App,
    who: &str,
    number: i64,
    suspect: usize,
) -> Result<Done, ActionError> {
    let issue = issue_of(app, number).await?;
    let mut suspects = issue.facts.details.suspects.clone();
    if suspect >= suspects.len() {
        let text = "This issue no longer has this suspect. Reload its page.";
        return Err(ActionError::NotFound(text.to_owned()));
    }
    let facts = &issue.facts;
    let chosen = one_line(&suspects[suspect].in_words(), 300);
    suspects.truncate(suspect);
    let blamed = (facts.path.clone(), facts.function_name.clone(), facts.text.clone());
    let before = suspects.into_iter().map(|line| (line.path, line.function, line.text));
    let lines = std::iter::once(blamed).chain(before);
    let lines = lines.map(|(path, function, text)| rule_of_line(&path, &function, &text));
    let rules: Vec<Value> = lines.collect::<Result<_, _>>()?;
    let (list, now) = (RuleList::BuildingBlocks, app.clock.now());
    let mut tx = app.store.write().await?;
    let mut added = Vec::new();
    for rule in rules {
        let put = tx.put_rule(list, &rule, now).await?;
        added.extend(put.id.map(|id| StoredRule::new(id, put.entry, now)));
    }
    if added.is_empty() {
        let text = "All before it is library code already: this counts from the next report.";
        return Err(ActionError::field("", text));
    }
    let what = format!(
        "{chosen} is blamed instead in {} from the next report on: the lines before it count as \
         library code",
        place(&issue)
    );
    let undo = Undo::Added { list: list.as_str().to_owned(), added, replaced: Vec::new() };
    let action = noted(who, Some(issue.id), "blame_instead", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}
