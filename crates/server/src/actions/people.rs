//! Actions about people: the roles that they have, and the mails that they want.
use flawless_store::{GivenRole, RoleScope, UnwantedKind};

use super::undo::Undo;
use super::{ActionError, Actor, Done, noted};
use crate::app::App;

/// Whether the address is the default contact, which is notified if nobody else can be.
pub fn is_default_contact(app: &App, address: &str) -> bool {
    let contact = app.config.addresses.default_contact.as_deref();
    contact.is_some_and(|contact| contact.eq_ignore_ascii_case(address))
}

/// Whether `who` would change their own role, and the configuration does not fix it.
pub(super) fn is_own_role(app: &App, who: &str, address: &str) -> bool {
    who.eq_ignore_ascii_case(address)
        && app.config.sign_in.role_of(address).is_none_or(|(_, is_fixed)| !is_fixed)
}

pub(super) const OWN_ROLE: &str = "You cannot change your own role, so that an administrator is \
    always left. Ask another administrator.";
pub(super) const DEFAULT_CONTACT: &str = "The default contact gets the alerts that nobody else can \
    get, and somebody has to. Set default_contact to another address first.";

pub(super) async fn give_role(
    app: &App,
    actor: Actor<'_>,
    address: &str,
    scope: RoleScope,
    role: Option<GivenRole>,
) -> Result<Done, ActionError> {
    if scope == RoleScope::AllProjects {
        actor.must_administer_all()?;
    }
    let who = actor.name;
    let address = address.trim().to_ascii_lowercase();
    if is_own_role(app, who, &address) {
        return Err(ActionError::field("", OWN_ROLE));
    }
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let before = tx.given_role(&address, scope).await?;
    if let Some((role, true)) = app.config.sign_in.role_of(&address) {
        let text = format!("The configuration gives {address} the role {role}: change it there.");
        return Err(ActionError::field("", text));
    }
    if before == role {
        let text = match role {
            Some(GivenRole::Role(role)) => format!("{address} already has the role {role}."),
            Some(GivenRole::Blocked) => format!("{address} is already blocked."),
            None => format!("{address} already has the role of the configuration."),
        };
        return Err(ActionError::field("", text));
    }
    tx.put_role(&address, scope, role, now, who).await?;
    let place = match scope {
        RoleScope::AllProjects => String::new(),
        RoleScope::Project(_) => format!(" in {}", app.project.name()),
    };
    let what = match role {
        Some(GivenRole::Role(role)) => format!("{address} was given the role {role}{place}"),
        Some(GivenRole::Blocked) => format!("{address} was blocked{place}"),
        None => format!("the role of {address} was revoked{place}"),
    };
    let name = |role: Option<GivenRole>| role.map(|role| role.as_str().to_owned());
    let undo = Undo::Role { address, scope, before: name(before), after: name(role) };
    let action = noted(who, None, "give_role", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    Ok(Done::of(id, action))
}

pub(super) async fn want_mails(
    app: &App,
    who: &str,
    address: &str,
    kind: UnwantedKind,
    wanted: bool,
) -> Result<Done, ActionError> {
    if !wanted && kind == UnwantedKind::Alerts && is_default_contact(app, address) {
        return Err(ActionError::field("", DEFAULT_CONTACT));
    }
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let before = !tx.is_unwanted(address, kind).await?;
    if before == wanted {
        let kept = if wanted { "already gets" } else { "already gets no" };
        let text = format!("{address} {kept} {}.", kind.in_words());
        return Err(ActionError::field("", text));
    }
    tx.want_mails(address, kind, wanted, now).await?;
    let (kind, mails) = (kind.as_str().to_owned(), kind.in_words());
    let what = match wanted {
        true => format!("{address} gets {mails} again"),
        false => format!("{address} no longer gets {mails}"),
    };
    let undo = Undo::Mails { address: address.to_owned(), kind, before, after: wanted };
    let action = noted(who, None, "want_mails", what, Some(&undo));
    let id = tx.add_action(&action, now).await?;
    tx.commit().await?;
    app.wakeups.alerts.notify_one();
    Ok(Done::of(id, action))
}
