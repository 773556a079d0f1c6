//! Who calls, and what they may: tokens do all that their role allows, a browser's session only
//! looks, so that no site can act through it.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::input::is_json;
use super::problem::Problem;
use crate::actions::Actor;
use crate::web::Site;
use crate::web::layout::visitor::{PageContext, Proof, Refused, Visitor};
use flawless_core::Role;

/// Somebody who may at least look.
#[derive(Debug)]
pub(super) struct Caller(Visitor);

impl Caller {
    /// For what is noted.
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// For what is done.
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor { name: &self.0.name, role: self.0.role }
    }

    pub(super) fn role(&self) -> Role {
        self.0.role
    }

    pub(super) fn is(&self, role: Role) -> bool {
        self.0.role >= role
    }

    /// Refuses who has less than this role.
    pub(super) fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.is(role) {
            return Ok(());
        }
        let Visitor { name, role: has, .. } = &self.0;
        Err(Problem::forbidden(&format!(
            "This takes the role {role}, and {name} has the role {has}."
        )))
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        // The frame is there on every page; without one nobody is known.
        let Ok(context) = PageContext::from_request_parts(parts, site).await;
        if let Some(Refused { address, .. }) = context.refused {
            let text =
                format!("{address} may not see anything here. An administrator can allow it.");
            return Err(Problem::forbidden(&text));
        }
        let Some(visitor) = context.visitor else {
            let text = "Send a token that works as “Authorization: Bearer flw_…”. The page \
                        /account makes one.";
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
        // No form of another site can send this.
        Proof::Local if *method == Method::POST && !is_json(headers) => {
            let text = "Where there is no sign-in, a POST needs “content-type: application/json”.";
            Err(Problem::not_json(text))
        }
        Proof::Local | Proof::Token => Ok(()),
        Proof::Session { .. } | Proof::Proxy => {
            let text = "A browser's sign-in only looks here: to change something, send a token as \
                        “Authorization: Bearer flw_…”. The page /account makes one.";
            Err(Problem::forbidden(text))
        }
    }
}
