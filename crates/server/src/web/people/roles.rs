//! `/people/roles`: who has which role and why, and who is signed in.
use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_base::text::plain;
use flawless_store::{GivenRole, PersonRole, RoleScope};
use serde::Deserialize;

use crate::app::App;
use crate::sign_in::role_with_reason;
use crate::web::actions::done::{DoneNotice, done_notice};
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "people/roles.html")]
struct Page {
    context: PageContext,
    done: Option<DoneNotice>,
    people: Vec<Line>,
    allowed: String,
    default_role: String,
    /// Prefills the form.
    address: String,
    choices: [&'static str; 4],
    /// The name of this project, if there are others.
    project: Option<String>,
}

struct Line {
    address: String,
    role: String,
    why: String,
    given: Vec<GivenHere>,
    sessions: i64,
    seen: Option<Moment>,
    /// Valid API tokens.
    tokens: i64,
}

/// An assignment that can be revoked.
struct GivenHere {
    /// The value of the form's field `scope`.
    scope: &'static str,
    /// The words on the button.
    revoke: &'static str,
}

impl GivenHere {
    fn of(row: &PersonRole) -> Self {
        match row.scope {
            RoleScope::AllProjects => Self { scope: "all", revoke: "Revoke" },
            RoleScope::Project(_) => Self { scope: "project", revoke: "Revoke in this project" },
        }
    }
}

/// The roles that can be assigned.
pub(crate) const CHOICES: [&str; 4] = ["reader", "developer", "administrator", "blocked"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    address: String,
}

pub(crate) async fn show(
    Asked { context, parameters: asked }: Asked<Parameters>,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let config = &app.config.sign_in;
    let given = app.store.given_roles().await?;
    let mut by_address: BTreeMap<String, Vec<PersonRole>> = BTreeMap::new();
    for row in given {
        by_address.entry(row.address.clone()).or_default().push(row);
    }
    let given = by_address;
    // Who is known only in other projects is none of this one's business.
    let (mut signed_in, mut tokens) = (Vec::new(), Vec::new());
    if context.administers_all() {
        signed_in = app.store.signed_in(app.clock.now()).await?;
        tokens = app.store.token_owners(app.clock.now()).await?;
    }
    let signed_in: BTreeMap<_, _> =
        signed_in.into_iter().map(|(address, count, seen)| (address, (count, seen))).collect();
    let tokens: BTreeMap<_, _> = tokens.into_iter().collect();
    let mut addresses: Vec<&String> = config.administrators.iter().collect();
    addresses.extend(config.allowed_emails.iter().chain(given.keys()).chain(signed_in.keys()));
    addresses.extend(tokens.keys());
    addresses.sort();
    addresses.dedup();
    let people = addresses.into_iter().map(|address| {
        let rows = given.get(address).map_or(&[][..], Vec::as_slice);
        // That of the project comes after that for all, and holds, unless they are blocked in all.
        let is_blocked = |row: &&PersonRole| {
            row.scope == RoleScope::AllProjects && row.role == GivenRole::Blocked.as_str()
        };
        let row = rows.iter().find(is_blocked).or(rows.last());
        let role = row.map(|row| GivenRole::parse(&row.role).unwrap_or(GivenRole::Blocked));
        let role_with_reason = role_with_reason(config, role, address);
        let by = row.filter(|_| !role_with_reason.is_fixed).map(|row| match row.scope {
            RoleScope::AllProjects => format!(": {}", plain(&row.set_by)),
            RoleScope::Project(_) => format!(" for this project: {}", plain(&row.set_by)),
        });
        let (sessions, seen) = signed_in.get(address).copied().unwrap_or_default();
        Line {
            address: address.clone(),
            role: role_with_reason.role.map_or_else(|| "none".to_owned(), |role| role.to_string()),
            why: format!("{}{}", role_with_reason.why, by.unwrap_or_default()),
            given: rows.iter().map(GivenHere::of).collect(),
            sessions,
            seen: (sessions > 0).then(|| Moment::new(seen, &app)),
            tokens: tokens.get(address).copied().unwrap_or_default(),
        }
    });
    let people = people.collect();
    let allowed = config.allowed_domains.iter().cloned().collect::<Vec<_>>().join(", ");
    Ok(page(&Page {
        people,
        allowed,
        default_role: config.default_role.to_string(),
        address: asked.address,
        choices: CHOICES,
        project: (app.projects.all().len() > 1).then(|| app.project.name().to_owned()),
        done: done_notice(&app, &context).await?,
        context,
    }))
}
