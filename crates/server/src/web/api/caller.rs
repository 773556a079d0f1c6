//! Who calls, and what they may do: a token may do all that its role allows, but a browser's
//! session may only read, so that no other site can act through it.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::input::is_json;
use super::problem::Problem;
use crate::actions::Actor;
use crate::app::App;
use crate::web::Site;
use crate::web::layout::visitor::{PageContext, Proof, Refused, Visitor};
use flawless_core::Role;

/// A caller who may at least read.
#[derive(Debug)]
pub(super) struct Caller(Visitor);

impl Caller {
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn actor(&self) -> Actor<'_> {
        self.0.actor()
    }

    /// The projects that the caller may see, with the role in each.
    pub(super) fn projects(&self) -> &[(App, Role)] {
        &self.0.projects
    }

    /// Whether the caller may see all projects.
    pub(super) fn sees_all(&self) -> bool {
        self.0.role_in_all.is_some()
    }

    pub(super) fn role(&self) -> Role {
        self.0.role
    }

    pub(super) fn is(&self, role: Role) -> bool {
        self.0.role >= role
    }

    /// Refuses callers with a lower role.
    pub(super) fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.is(role) {
            return Ok(());
        }
        let Visitor { name, role: has, .. } = &self.0;
        Err(Problem::forbidden(&format!(
            "This requires the role {role}, but {name} has the role {has}."
        )))
    }
}

/// A caller who is known, and may see at least one project, but perhaps not this one.
#[derive(Debug)]
pub(super) struct KnownCaller(Vec<(App, Role)>);

impl KnownCaller {
    /// The projects that the caller may see, with the role in each.
    pub(super) fn projects(&self) -> &[(App, Role)] {
        &self.0
    }
}

impl FromRequestParts<Site> for KnownCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let Ok(context) = PageContext::from_request_parts(parts, site).await;
        match context.refused {
            Some(Refused { projects, .. }) if !projects.is_empty() => Ok(Self(projects)),
            _ => Ok(Self(Caller::from_request_parts(parts, site).await?.0.projects)),
        }
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        // Every request has a page context. Without one, the caller is unknown.
        let Ok(context) = PageContext::from_request_parts(parts, site).await;
        if let Some(Refused { address, .. }) = context.refused {
            let text =
                format!("{address} may not see anything here. An administrator can allow it.");
            return Err(Problem::forbidden(&text));
        }
        let Some(visitor) = context.visitor else {
            let text = "The request has no valid token. Send one as “Authorization: Bearer flw_…”. \
                        The page /account creates tokens.";
            return Err(Problem::not_signed_in(text));
        };
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            may_write(&visitor.proof, &parts.method, &parts.headers)?;
        }
        Ok(Self(visitor))
    }
}

fn may_write(proof: &Proof, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    match proof {
        // A form of another site cannot send this content type.
        Proof::Local if *method == Method::POST && !is_json(headers) => {
            let text = "Without sign-in, a POST needs the header “content-type: application/json”.";
            Err(Problem::not_json(text))
        }
        Proof::Local | Proof::Token => Ok(()),
        Proof::Session { .. } | Proof::Proxy => {
            let text = "A browser's session may only read here. To change data, send a token as \
                        “Authorization: Bearer flw_…”. The page /account creates tokens.";
            Err(Problem::forbidden(text))
        }
    }
}
