//! Who looks at a page, and what all pages need to know of that.
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::asked::names_in;
use crate::actions::Actor;
use crate::app::signer::Signer;
use flawless_core::Role;

/// Somebody who is known; [`crate::web::auth::access`] finds out who.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// A mail address, the name of a token, or [`LOCAL`].
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) proof: Proof,
}

/// By what a visitor is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It sits at this machine, and there is no sign-in.
    Local,
    /// The browser keeps the secret of this sign-in.
    Session {
        /// The sign-in's number.
        id: i64,
        /// SHA-256 of the secret.
        hash: String,
    },
    /// A trusted proxy says so.
    Proxy,
    /// A program has a token.
    Token,
}

/// The name of everybody where there is no sign-in.
pub(crate) const LOCAL: &str = "someone at this machine";

impl Visitor {
    /// Whether it can end its sign-in.
    pub(crate) fn signs_out(&self) -> bool {
        matches!(self.proof, Proof::Session { .. })
    }

    /// Whether it is a person with an address, who has an account here.
    pub(crate) fn has_account(&self) -> bool {
        matches!(self.proof, Proof::Session { .. } | Proof::Proxy)
    }

    /// What forms of this visitor carry: no other site can know it.
    pub(crate) fn form_token(&self, signer: &Signer) -> String {
        match &self.proof {
            Proof::Local => signer.sign("form", &["local"]),
            Proof::Session { hash, .. } => session_form_token(signer, hash),
            Proof::Proxy => signer.sign("form", &["proxy", &self.name]),
            // Programs send no forms.
            Proof::Token => String::new(),
        }
    }
}

fn session_form_token(signer: &Signer, hash: &str) -> String {
    signer.sign("form", &["session", hash])
}

/// Somebody who is known and may not see anything.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) address: String,
    /// The number and the hash of the sign-in, where there is one: it can be ended.
    pub(crate) session: Option<(i64, String)>,
}

impl Refused {
    /// What its form to sign out carries.
    pub(crate) fn form_token(&self, signer: &Signer) -> String {
        let session = self.session.as_ref();
        session.map(|(_, hash)| session_form_token(signer, hash)).unwrap_or_default()
    }
}

/// What the layout shows around every page. A handler takes it as an argument and puts it into the
/// page as `frame`. One whose page has parameters takes [`super::asked::Asked`] in its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageContext {
    /// Empty on pages that are open to all.
    pub(crate) visitor: Option<Visitor>,
    /// The value of the field `form_token` of every form.
    pub(crate) form_token: String,
    /// Of the request.
    pub(crate) path: String,
    /// Somebody who is known and may not see anything.
    pub(crate) refused: Option<Refused>,
    /// The action that was just done, by the parameter `done`.
    pub(crate) done: Option<i64>,
    /// Parameters that the page does not have.
    pub(crate) unknown: Vec<String>,
}

impl PageContext {
    /// The visitor's name, for what is logged.
    pub(crate) fn who(&self) -> &str {
        self.visitor.as_ref().map_or("", |visitor| &visitor.name)
    }

    /// The visitor, for what is done.
    pub(crate) fn actor(&self) -> Actor<'_> {
        let role = self.visitor.as_ref().map_or(Role::Reader, |visitor| visitor.role);
        Actor { name: self.who(), role }
    }

    /// The visitor's address, where it is a person who signed in.
    pub(crate) fn address(&self) -> Option<&str> {
        let visitor = self.visitor.as_ref().filter(|visitor| visitor.has_account());
        visitor.map(|visitor| visitor.name.as_str())
    }

    /// The number of the browser's sign-in, and whose it is; also of who was refused.
    pub(crate) fn session(&self) -> Option<(i64, &str)> {
        match (&self.visitor, &self.refused) {
            (Some(Visitor { name, proof: Proof::Session { id, .. }, .. }), _) => Some((*id, name)),
            (None, Some(Refused { address, session: Some((id, _)) })) => Some((*id, address)),
            _ => None,
        }
    }

    /// Whether actions on issues are shown.
    pub(crate) fn acts(&self) -> bool {
        self.has(Role::Developer)
    }

    /// Whether what only administrators may do is shown.
    pub(crate) fn administers(&self) -> bool {
        self.has(Role::Administrator)
    }

    /// Whether the page is below `start`; `/` is only itself.
    pub(crate) fn is_at(&self, start: &str) -> bool {
        match start {
            "/" => self.path == "/",
            start => self.path.starts_with(start),
        }
    }

    /// Whether what takes this role is shown.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= role)
    }
}

impl<S: Sync> FromRequestParts<S> for PageContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut context = parts.extensions.get::<Self>().cloned().unwrap_or_default();
        context.unknown = names_in(parts.uri.query().unwrap_or_default());
        Ok(context)
    }
}
