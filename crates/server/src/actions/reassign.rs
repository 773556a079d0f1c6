//! Reassigns an issue. An email alias or a reassignment makes that permanent, and its alert goes to
//! the right person.
use flawless_base::text::one_line;
use flawless_core::{EmailAlias, Owner, Reassignment, Role, Rules, owner_by_code_owners};
use flawless_store::{IssueRow, RefusedAddress, RuleList};
use serde_json::{Value, json};

use super::issue::place;
use super::undo::{StoredRule, Undo};
use super::{ActionError, Done, issue_of, noted, rules_changed};
use crate::app::App;
use crate::notify::UNDO_MS;

/// Who an issue is reassigned to.
#[derive(Debug, Clone)]
pub enum ReassignTo {
    /// The author reads another address now.
    Alias {
        /// That address.
        new_email: String,
    },
    /// Somebody else looks after the code now.
    Reassign {
        /// The file, or a folder above it.
        path: String,
        /// Their address.
        designated_email: String,
    },
}

/// An issue with everything that its owner depends on.
#[derive(Debug)]
pub struct Case<'a> {
    app: &'a App,
    pub issue: IssueRow,
    refused: Vec<RefusedAddress>,
    rules: Rules,
}

impl<'a> Case<'a> {
    /// The issue with this number.
    pub async fn read(app: &'a App, number: i64) -> Result<Self, ActionError> {
        let issue = issue_of(app, number).await?;
        let refused = app.store.refused_addresses(app.clock.now()).await?;
        let rules = app.rules.get().rules.clone();
        Ok(Self { app, issue, refused, rules })
    }

    /// Who answers for it now.
    pub fn current_owner(&self) -> Owner {
        self.owner(&self.rules)
    }

    fn owner(&self, rules: &Rules) -> Owner {
        self.issue.owner(rules, &self.app.config.addresses, &self.refused)
    }

    /// Whose issues a rule can reassign: the author of the line, or its owner in CODEOWNERS.
    pub fn givers(&self) -> Vec<String> {
        let owner = self.current_owner();
        let owner = owner.address.filter(|_| !owner.is_fallback);
        let author = self.issue.facts.developer_email.clone();
        author.into_iter().filter(|address| !address.trim().is_empty()).chain(owner).collect()
    }

    /// The file, then each folder above it, the nearest first.
    pub fn paths(&self) -> Vec<String> {
        let path = self.issue.facts.path.as_str();
        let folders = path.rmatch_indices('/').map(|(end, _)| &path[..end]);
        std::iter::once(path).chain(folders).map(str::to_owned).collect()
    }

    /// The rule that reassigns the issue, and the new owner.
    fn rule_of(&self, to: &ReassignTo) -> Result<(RuleList, Value, String), ActionError> {
        let field = match to {
            ReassignTo::Alias { .. } => "new_email",
            ReassignTo::Reassign { .. } => "designated_email",
        };
        let before = self.current_owner().address;
        let mut problem = None;
        for (list, entry) in self.possible_rules(to)? {
            let mut rules = self.rules.clone();
            add(&mut rules, list, &entry)?;
            let Owner { address, is_fallback, steps, .. } = self.owner(&rules);
            let new = address.filter(|_| !is_fallback);
            match new {
                Some(new) if before.as_ref().is_none_or(|old| !old.eq_ignore_ascii_case(&new)) => {
                    return Ok((list, entry, new));
                }
                _ => problem = problem.or(Some(steps)),
            }
        }
        let why = problem.unwrap_or_default().into_iter().map(|step| one_line(&step, 300));
        let why: Vec<String> = why.collect();
        let still = one_line(before.as_deref().unwrap_or("nobody"), 254);
        let text = match why.as_slice() {
            [] => format!("It would still go to {still}."),
            why => format!("It would still go to {still}: {}.", why.join("; ")),
        };
        Err(ActionError::field(field, text))
    }

    /// The rules that may have the wanted effect, the likelier one first.
    fn possible_rules(&self, to: &ReassignTo) -> Result<Vec<(RuleList, Value)>, ActionError> {
        let (path, to) = match to {
            ReassignTo::Alias { new_email } => {
                let old = self.issue.facts.developer_email.as_deref().unwrap_or_default();
                let entry = json!({"old_email": old, "new_email": new_email.trim()});
                return Ok(vec![(RuleList::EmailRemapping, entry)]);
            }
            ReassignTo::Reassign { path, designated_email } => (path, designated_email.trim()),
        };
        if !self.paths().contains(path) {
            return Err(ActionError::field("path", "Choose the file, or a folder above it."));
        }
        if to.is_empty() {
            let text = "Write the address of the person who should get it.";
            return Err(ActionError::field("designated_email", text));
        }
        let rule = |giver: String| {
            let entry = json!({"filepath": path, "email": giver, "designated_email": to});
            (RuleList::DisownershipList, entry)
        };
        match self.givers() {
            givers if givers.is_empty() => {
                Err(ActionError::field("", "There is nobody to reassign it from."))
            }
            givers => Ok(givers.into_iter().map(rule).collect()),
        }
    }

    /// Other people who may know, each with the reason: those who look after the file, and the
    /// authors of the other suspects.
    pub fn proposals(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let owners = self.issue.facts.details.code_owners.as_ref();
        let by_file = owners.and_then(|owners| owner_by_code_owners(owners, &self.rules).address);
        let by_file = by_file.map(|address| (address, "looks after the file".to_owned()));
        let busiest = self.issue.facts.details.proposal.clone();
        let busiest = busiest.map(|who| (who.email, "recently changed the file most".to_owned()));
        let suspects = self.issue.facts.details.suspects.iter().filter_map(|suspect| {
            let author = suspect.author.as_ref()?.developer.as_ref()?;
            let what = format!("wrote {}:{}", one_line(&suspect.path, 200), suspect.line);
            Some((author.email.clone(), what))
        });
        let current = self.current_owner().address;
        for (address, why) in by_file.into_iter().chain(busiest).chain(suspects) {
            let is_known = |known: &str| known.eq_ignore_ascii_case(&address);
            let is_useful = flawless_core::is_mailable(&address)
                && !current.as_deref().is_some_and(is_known)
                && !found.iter().any(|(known, _)| is_known(known));
            if is_useful {
                found.push((address, why));
            }
        }
        found
    }
}

/// The role required to give the author of `issue` another address. Developers may add an alias;
/// only administrators may replace one.
pub fn alias_needs(app: &App, issue: &IssueRow) -> Role {
    let old = issue.facts.developer_email.as_deref().unwrap_or_default();
    let rules = app.rules.get();
    let mut aliases = rules.rules.email_aliases.iter();
    let is_replaced = aliases.any(|(_, known)| known.old_email.eq_ignore_ascii_case(old));
    if is_replaced { Role::Administrator } else { Role::Developer }
}

/// Adds a rule as the store would.
fn add(rules: &mut Rules, list: RuleList, entry: &Value) -> Result<(), ActionError> {
    let entry = list.normalize(entry)?;
    let wrong = |error: serde_json::Error| ActionError::field("", error.to_string());
    if list == RuleList::EmailRemapping {
        let alias: EmailAlias = serde_json::from_value(entry).map_err(wrong)?;
        let is_older = |known: &EmailAlias| known.old_email.eq_ignore_ascii_case(&alias.old_email);
        rules.email_aliases.retain(|(_, known)| !is_older(known));
        rules.email_aliases.push((0, alias));
    } else {
        let reassignment: Reassignment = serde_json::from_value(entry).map_err(wrong)?;
        rules.reassignments.push((0, reassignment));
    }
    Ok(())
}

pub(super) async fn reassign(
    app: &App,
    who: &str,
    number: i64,
    to: &ReassignTo,
) -> Result<Done, ActionError> {
    let case = Case::read(app, number).await?;
    let (list, entry, owner) = case.rule_of(to)?;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let put = tx.put_rule(list, &entry, now).await?;
    let Some(rule) = put.id else {
        return Err(ActionError::field("", "The list already has this rule."));
    };
    let place = place(&case.issue);
    let owner = one_line(&owner, 254);
    let what = format!(
        "{owner} answers for {place} and others like it from now on, and is notified in {}",
        flawless_base::dates::ago(UNDO_MS)
    );
    let undo = Undo::Added {
        list: list.as_str().to_owned(),
        added: vec![StoredRule::new(rule, put.entry, now)],
        replaced: put.replaced.into_iter().map(StoredRule::from).collect(),
    };
    let action = noted(who, Some(case.issue.id), "reassign", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    // The alert has to use the new rule: it waits until the rules are read, and as long as this can
    // be undone.
    tx.reopen_newest_alert(case.issue.id, now + UNDO_MS).await?;
    tx.commit().await?;
    rules_changed(app).await;
    Ok(Done::of(id, action))
}
