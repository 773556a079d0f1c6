//! `/not_mine` and `/save_not_mine`: an issue is somebody else's. An email alias or a reassignment
//! says so for good, and its alert goes to the one it should have gone to.
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_core::{EmailAlias, Owner, Reassignment, Rules, owner_by_code_owners};
use serde::Deserialize;
use serde_json::{Value, json};

use super::issue_find::{find, no_such_issue};
use super::layout::{PageError, form_problem, message, page};
use super::rule_save::not_taken;
use super::visitor::Frame;
use crate::issue_details::IssueDetails;
use crate::present::{author_of, one_line, plain};
use crate::state::Shared;
use crate::store::{IssueRow, RefusedAddress, RuleInputError, RuleList};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameters {
    issue: String,
}

/// What was filled in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    issue: String,
    /// `alias` or `reassign`.
    what: String,
    new_email: String,
    path: String,
    designated_email: String,
    /// A proposal that was clicked comes before what was written.
    proposed: String,
}

#[derive(Template)]
#[template(path = "issue_pass_on.html")]
struct Page {
    frame: Frame,
    issue: i64,
    place: String,
    text: String,
    author: Option<String>,
    committed: Option<String>,
    owner: String,
    steps: Vec<String>,
    /// Somebody to take the issue from.
    has_giver: bool,
    /// The file and the folders above it.
    paths: Vec<String>,
    proposals: Vec<(String, String)>,
    fields: Fields,
    problem: Option<String>,
}

/// An issue with what its owner follows from.
struct Case<'a> {
    shared: &'a Shared,
    issue: IssueRow,
    details: IssueDetails,
    refused: Vec<RefusedAddress>,
    rules: Rules,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    match Case::read(&shared, &parameters.issue).await? {
        Some(case) => Ok(page(&case.page(frame, Fields::default(), None))),
        None => Ok(no_such_issue(frame)),
    }
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let Some(case) = Case::read(&shared, &fields.issue).await? else {
        return Ok(no_such_issue(frame));
    };
    let (list, entry, owner) = match case.rule_of(&fields) {
        Ok(rule) => rule,
        Err(problem) => return Ok(not_taken(&case.page(frame, fields, Some(problem)))),
    };
    let mut tx = shared.store.write().await?;
    if let Err(error) = tx.add_rule(list, &entry, shared.clock.now()).await {
        let problem = form_problem(error)?;
        return Ok(not_taken(&case.page(frame, fields, Some(problem))));
    }
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    // Only now: the alert has to meet the new rule.
    let mut tx = shared.store.write().await?;
    let told = tx.reopen_newest_alert(case.issue.id).await?;
    tx.commit().await?;
    shared.bells.alerts.notify_one();
    let told =
        if told { " The alert that went to somebody else goes to them as well." } else { "" };
    let text = format!(
        "{} answers for this issue and others like it from now on.{told} Take it back on \
         /view_config?key={}.",
        one_line(&owner, 254),
        list.as_str()
    );
    Ok(message(frame, StatusCode::OK, "It is theirs now", &text))
}

impl<'a> Case<'a> {
    async fn read(shared: &'a Shared, number: &str) -> Result<Option<Self>, PageError> {
        let Some(issue) = find(shared, number).await? else { return Ok(None) };
        let refused = shared.store.refused_addresses(shared.clock.now()).await?;
        let (details, rules) = (issue.details(), shared.rules.get().rules.clone());
        Ok(Some(Self { shared, issue, details, refused, rules }))
    }

    fn owner(&self, rules: &Rules) -> Owner {
        self.issue.owner(&self.details, rules, &self.shared.config.addresses, &self.refused)
    }

    /// Whom the issue can be taken from: who wrote the line, or who answers for it by CODEOWNERS.
    fn givers(&self) -> Vec<String> {
        let owner = self.owner(&self.rules);
        let owner = owner.address.filter(|_| !owner.is_fallback);
        let author = self.issue.facts.developer_email.clone();
        author.into_iter().filter(|address| !address.trim().is_empty()).chain(owner).collect()
    }

    /// The file, then each folder above it, the nearest first.
    fn paths(&self) -> Vec<String> {
        let path = self.issue.facts.path.as_str();
        let folders = path.rmatch_indices('/').map(|(end, _)| &path[..end]);
        std::iter::once(path).chain(folders).map(str::to_owned).collect()
    }

    /// The rule that gives the issue to somebody else, and to whom; else what is wrong.
    fn rule_of(&self, fields: &Fields) -> Result<(RuleList, Value, String), String> {
        let before = self.owner(&self.rules).address;
        let mut problem = None;
        for (list, entry) in self.possible_rules(fields)? {
            let mut rules = self.rules.clone();
            add(&mut rules, list, &entry)?;
            let Owner { address, is_fallback, steps } = self.owner(&rules);
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
        Err(match why.as_slice() {
            [] => format!("It would still go to {still}."),
            why => format!("It would still go to {still}: {}.", why.join("; ")),
        })
    }

    /// The rules that may do what was asked for, the likelier one first.
    fn possible_rules(&self, fields: &Fields) -> Result<Vec<(RuleList, Value)>, String> {
        if fields.what == "alias" {
            let old = self.issue.facts.developer_email.as_deref().unwrap_or_default();
            let entry = json!({"old_email": old, "new_email": fields.new_email.trim()});
            return Ok(vec![(RuleList::EmailRemapping, entry)]);
        }
        if !self.paths().contains(&fields.path) {
            return Err("Choose the file, or a folder above it.".to_owned());
        }
        let typed = [&fields.proposed, &fields.designated_email];
        let to = typed.into_iter().map(|text| text.trim()).find(|text| !text.is_empty());
        let to = to.ok_or("Write the address of the one who should get it.")?;
        let rule = |giver: String| {
            let entry = json!({"filepath": fields.path, "email": giver, "designated_email": to});
            (RuleList::DisownershipList, entry)
        };
        match self.givers() {
            givers if givers.is_empty() => Err("There is nobody to take it from.".to_owned()),
            givers => Ok(givers.into_iter().map(rule).collect()),
        }
    }

    /// Who else may know: those who look after the file, and who wrote the other suspects.
    fn proposals(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let owners = self.details.code_owners.as_ref();
        let by_file = owners.and_then(|owners| owner_by_code_owners(owners, &self.rules).address);
        let by_file = by_file.map(|address| (address, "looks after the file".to_owned()));
        let busiest = self.details.proposal.clone();
        let busiest = busiest.map(|who| (who.email, "changed the file most of late".to_owned()));
        let suspects = self.details.suspects.iter().filter_map(|suspect| {
            let author = suspect.author.as_ref()?.developer.as_ref()?;
            let what = format!("wrote {}:{}", one_line(&suspect.path, 200), suspect.line);
            Some((author.email.clone(), what))
        });
        let current = self.owner(&self.rules).address;
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

    fn page(&self, frame: Frame, fields: Fields, problem: Option<String>) -> Page {
        let facts = &self.issue.facts;
        let owner = self.owner(&self.rules);
        let committed = facts.developer_email.clone().filter(|address| !address.trim().is_empty());
        Page {
            frame,
            issue: self.issue.id,
            place: format!("{}:{}", one_line(&facts.path, 300), facts.line),
            text: one_line(&facts.text, 500),
            author: facts.origin_commit.is_some().then(|| author_of(&self.issue, &self.details)),
            committed: committed.map(|address| one_line(&address, 254)),
            owner: owner.address.unwrap_or_else(|| "nobody".to_owned()),
            steps: owner.steps.iter().map(|step| plain(step)).collect(),
            has_giver: !self.givers().is_empty(),
            paths: self.paths(),
            proposals: self.proposals(),
            fields,
            problem,
        }
    }
}

/// Adds a rule as the store would.
fn add(rules: &mut Rules, list: RuleList, entry: &Value) -> Result<(), String> {
    let invalid = |error: RuleInputError| error.to_string();
    let entry = list.normalize(entry).map_err(invalid)?;
    let wrong = |error: serde_json::Error| error.to_string();
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
