//! Who may get alerts through actions on issues: people that the installation knows. Only an
//! administrator may send code and values to anybody else.
use std::collections::BTreeSet;

use flawless_base::text::one_line;
use flawless_core::Role;
use flawless_store::{RuleList, StoreError};
use serde_json::Value;

use super::{Action, ActionError, ReassignTo};
use crate::app::App;
use crate::attribution::Repo;
use crate::sign_in::role_of;

/// How many people a form offers at most.
const MAX_OFFERED: usize = 500;

/// Whether alerts may go to an address without an administrator's consent: it may sign in, is the
/// default contact, or belongs to an author of the repository.
pub async fn is_colleague(app: &App, address: &str) -> Result<bool, StoreError> {
    let address = address.trim().to_ascii_lowercase();
    if !app.config.sign_in.required
        || super::is_default_contact(app, &address)
        || role_of(app, &address).await?.is_some()
        || app.store.has_issues_of(&address).await?
    {
        return Ok(true);
    }
    Ok(repository_authors(app).await.contains(&address))
}

/// Addresses of colleagues, for a form to choose from.
pub async fn colleagues(app: &App) -> Result<Vec<String>, StoreError> {
    let config = &app.config.sign_in;
    let mut found: BTreeSet<String> = BTreeSet::new();
    found.extend(config.administrators.iter().chain(&config.allowed_emails).cloned());
    found.extend(app.config.addresses.default_contact.clone());
    found.extend(app.store.authors().await?.into_iter().map(|author| author.address));
    found.extend(repository_authors(app).await.iter().cloned());
    found.retain(|address| flawless_core::is_mailable(address));
    found.retain(|address| !flawless_core::is_read_by_nobody(address));
    Ok(found.into_iter().take(MAX_OFFERED).collect())
}

async fn repository_authors(app: &App) -> std::sync::Arc<BTreeSet<String>> {
    match app.repo.get().repo {
        Repo::Ready(mirror) => match mirror.tip() {
            Some(tip) => mirror.authors(&tip).await,
            None => std::sync::Arc::default(),
        },
        _ => std::sync::Arc::default(),
    }
}

/// Refuses actions that would send alerts to strangers, except by an administrator.
pub(super) async fn check(app: &App, role: Role, action: &Action) -> Result<(), ActionError> {
    if role >= Role::Administrator {
        return Ok(());
    }
    for (field, address) in recipients(action) {
        if flawless_core::is_mailable(address.trim()) && !is_colleague(app, &address).await? {
            let text = format!(
                "{} is not known here: it may not sign in, and no commit has it. Choose somebody \
                 else, or ask an administrator to do this: alerts contain code and values.",
                one_line(&address, 254)
            );
            return Err(ActionError::field(field, text));
        }
    }
    Ok(())
}

/// The addresses that an action sends alerts to, each with the field that names it.
fn recipients(action: &Action) -> Vec<(&'static str, String)> {
    match action {
        Action::Reassign { to: ReassignTo::Alias { new_email }, .. } => {
            vec![("new_email", new_email.clone())]
        }
        Action::Reassign { to: ReassignTo::Reassign { designated_email, .. }, .. } => {
            vec![("designated_email", designated_email.clone())]
        }
        Action::AddRule { list, entry, .. } | Action::EditRule { list, entry, .. } => {
            in_entry(*list, entry)
        }
        Action::ImportRules { list, document } => {
            let entries = list.in_document(document).map(|document| document.entries);
            entries
                .unwrap_or_default()
                .iter()
                .flat_map(|entry| in_entry(*list, entry))
                .map(|(_, address)| ("document", address))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn in_entry(list: RuleList, entry: &Value) -> Vec<(&'static str, String)> {
    let field = match list {
        RuleList::KnownErrors => "email_recipients",
        RuleList::WatchList => "email",
        RuleList::DisownershipList => "designated_email",
        RuleList::EmailRemapping => "new_email",
        RuleList::BuildingBlocks | RuleList::ThirdPartyWhitelist | RuleList::IgnoredExceptions => {
            return Vec::new();
        }
    };
    let texts: Vec<&str> = match &entry[field] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(|text| (field, text.to_owned())).collect()
}
