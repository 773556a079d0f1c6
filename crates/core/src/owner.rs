//! Leads from the developer whom the commit names to the one who answers for the issue.
use serde::{Deserialize, Serialize};

use crate::address::AddressPolicy;
use crate::blame::Developer;
use crate::rules::{Reassignment, RuleId, Rules, path_is_within};

/// Who answers for an issue, and each step that led there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The address; `None` when nobody is known and no default contact is set.
    pub address: Option<String>,
    /// Whether it is the default contact, because nobody else is known.
    pub is_fallback: bool,
    /// The steps from the commit's address to this one, in sentences.
    pub steps: Vec<String>,
    /// The email aliases and the reassignment that led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleId>,
}

/// The changes to an address.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The changes in sentences.
    pub(crate) steps: Vec<String>,
    /// The rules behind them.
    pub(crate) rules: Vec<RuleId>,
}

/// The owner of a line at `path` that `developer` wrote; `developer` is `None` when nobody is
/// blamed. Order: email alias, domain, reassignment (the nearest folder wins), email alias of the
/// new one, default contact.
pub fn owner_of(
    developer: Option<&Developer>,
    path: &str,
    rules: &Rules,
    policy: &AddressPolicy,
) -> Owner {
    let mut trail = Trail::default();
    let address = developer.and_then(|developer| {
        let committed = developer.email.trim();
        let address = readable(committed, rules, policy, &mut trail)?;
        match reassigned(committed, &address, path, rules) {
            Some((id, Reassignment { filepath, designated_email: designated, .. })) => {
                trail.steps.push(format!("reassigned for {filepath}: {address} → {designated}"));
                trail.rules.push(*id);
                Some(alias(designated, rules, &mut trail).unwrap_or_else(|| designated.clone()))
            }
            None => Some(address),
        }
    });
    let Trail { mut steps, rules } = trail;
    if address.is_some() {
        return Owner { address, is_fallback: false, steps, rules };
    }
    match developer {
        Some(developer) if !developer.email.trim().is_empty() => {
            steps.push(format!("{:?} is not a mail address", developer.email.trim()));
        }
        Some(_) => steps.push("the commit names no mail address".into()),
        None => {}
    }
    match &policy.default_contact {
        Some(contact) => {
            steps.push(format!("nobody else is known: default_contact {contact}"));
            Owner { address: Some(contact.clone()), is_fallback: true, steps, rules }
        }
        None => {
            steps.push("nobody is known, and default_contact is not set".into());
            Owner { address: None, is_fallback: true, steps, rules }
        }
    }
}

/// The address that is read, for one as committed; `None` when that is not an address.
fn readable(
    committed: &str,
    rules: &Rules,
    policy: &AddressPolicy,
    trail: &mut Trail,
) -> Option<String> {
    if let Some(alias) = alias(committed, rules, trail) {
        return Some(alias);
    }
    let (local, domain) = committed.split_once('@').unwrap_or((committed, ""));
    if local.is_empty() || local.contains(char::is_whitespace) {
        return None;
    }
    if policy.ignore_vcs_domain || !domain.contains('.') {
        let address = format!("{local}@{}", policy.domain);
        if address != committed {
            let why =
                if policy.ignore_vcs_domain { "ignore_vcs_email_domain" } else { "no domain" };
            trail.steps.push(format!("{why}: {committed} → {address}"));
        }
        return Some(address);
    }
    Some(committed.to_owned())
}

/// Applies the email aliases to `address`, as a whole or to its part before the `@`.
pub(crate) fn alias(address: &str, rules: &Rules, trail: &mut Trail) -> Option<String> {
    let find = |wanted: &str| {
        let matches = |old: &str| !wanted.is_empty() && old.eq_ignore_ascii_case(wanted);
        rules.email_aliases.iter().find(|(_, alias)| matches(&alias.old_email))
    };
    let local = address.split_once('@').map_or("", |(local, _)| local);
    let (id, found) = find(address).or_else(|| find(local))?;
    trail.rules.push(*id);
    trail.steps.push(format!("email alias: {} → {}", found.old_email, found.new_email));
    Some(found.new_email.clone())
}

fn reassigned<'a>(
    committed: &str,
    address: &str,
    path: &str,
    rules: &'a Rules,
) -> Option<&'a (RuleId, Reassignment)> {
    let is_theirs =
        |email: &str| email.eq_ignore_ascii_case(address) || email.eq_ignore_ascii_case(committed);
    rules
        .reassignments
        .iter()
        .filter(|(_, rule)| is_theirs(&rule.email) && path_is_within(path, &rule.filepath))
        .max_by_key(|(_, rule)| rule.filepath.trim_matches('/').len())
}
