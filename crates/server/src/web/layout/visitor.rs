//! The visitor of a page, and the context that every page needs.
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::asked::names_in;
use crate::actions::Actor;
use crate::app::App;
use crate::app::signer::Signer;
use flawless_core::Role;

/// An identified visitor, who may see this project; [`crate::web::auth::access`] finds out who it is.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// A mail address, the name of a token, or [`LOCAL`].
    pub(crate) name: String,
    /// The role in this project.
    pub(crate) role: Role,
    /// The role in all projects.
    pub(crate) role_in_all: Option<Role>,
    /// The projects that the visitor may see, with the role in each.
    pub(crate) projects: Vec<(App, Role)>,
    pub(crate) proof: Proof,
}

/// How a visitor is identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The visitor uses this machine, and sign-in is off.
    Local,
    /// The browser has the secret of this sign-in.
    Session {
        id: i64,
        /// SHA-256 of the secret.
        hash: String,
    },
    /// A trusted proxy names the visitor.
    Proxy,
    /// A program sent a token.
    Token,
}

/// The name of every visitor where sign-in is off.
pub(crate) const LOCAL: &str = "someone at this machine";

impl Visitor {
    /// The visitor as the one who does an action.
    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor { name: &self.name, role: self.role, role_in_all: self.role_in_all }
    }

    /// Whether there is a sign-in that the visitor can end.
    pub(crate) fn signs_out(&self) -> bool {
        matches!(self.proof, Proof::Session { .. })
    }

    /// Whether the visitor is a person with an address and an account.
    pub(crate) fn has_account(&self) -> bool {
        matches!(self.proof, Proof::Session { .. } | Proof::Proxy)
    }

    /// The token in this visitor's forms, which no other site can know.
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

/// An identified person who may not see anything.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) address: String,
    /// The number and the hash of the sign-in, if there is one to end.
    pub(crate) session: Option<(i64, String)>,
    /// The projects that this person may see, with the role in each.
    pub(crate) projects: Vec<(App, Role)>,
}

impl Refused {
    /// The token in the form that signs this person out.
    pub(crate) fn form_token(&self, signer: &Signer) -> String {
        let session = self.session.as_ref();
        session.map(|(_, hash)| session_form_token(signer, hash)).unwrap_or_default()
    }
}

/// A project in the switcher.
#[derive(Debug, Clone)]
pub(crate) struct ProjectLink {
    pub(crate) name: String,
    /// Its first page.
    pub(crate) url: String,
    /// Whether it is the one of this page.
    pub(crate) is_here: bool,
}

/// The data that the layout needs for every page. A handler takes it as an argument and puts it
/// into the page as `context`; for a page with parameters it takes [`super::asked::Asked`].
#[derive(Debug, Clone, Default)]
pub(crate) struct PageContext {
    /// `None` on pages that are open to everybody.
    pub(crate) visitor: Option<Visitor>,
    /// The value of the field `form_token` of every form.
    pub(crate) form_token: String,
    /// The path of the request within the project.
    pub(crate) path: String,
    /// The path of the project's pages, without a slash at the end; empty for the first project.
    pub(crate) root: Arc<str>,
    /// The other projects that the visitor may see, and this one; empty when there is only one.
    pub(crate) projects: Vec<ProjectLink>,
    /// Whether the project is archived.
    pub(crate) is_archived: bool,
    /// An identified person who may not see anything.
    pub(crate) refused: Option<Refused>,
    /// The action that led to this page, from the parameter `done`.
    pub(crate) done: Option<i64>,
    /// Names of parameters that the page does not know.
    pub(crate) unknown: Vec<String>,
}

impl PageContext {
    /// The visitor's name, for logs and actions.
    pub(crate) fn who(&self) -> &str {
        self.visitor.as_ref().map_or("", |visitor| &visitor.name)
    }

    /// The visitor as the one who does an action.
    pub(crate) fn actor(&self) -> Actor<'_> {
        let nobody = Actor { name: "", role: Role::Reader, role_in_all: None };
        self.visitor.as_ref().map_or(nobody, Visitor::actor)
    }

    /// The visitor's address, where it is a person who signed in.
    pub(crate) fn address(&self) -> Option<&str> {
        let visitor = self.visitor.as_ref().filter(|visitor| visitor.has_account());
        visitor.map(|visitor| visitor.name.as_str())
    }

    /// The number of the browser's sign-in and its address, also when the person was refused.
    pub(crate) fn session(&self) -> Option<(i64, &str)> {
        match (&self.visitor, &self.refused) {
            (Some(Visitor { name, proof: Proof::Session { id, .. }, .. }), _) => Some((*id, name)),
            (None, Some(Refused { address, session: Some((id, _)), .. })) => Some((*id, address)),
            _ => None,
        }
    }

    /// The name of the project of this page, where the visitor may choose another one.
    pub(crate) fn project_here(&self) -> &str {
        let here = self.projects.iter().find(|project| project.is_here);
        here.map_or("Projects", |project| &project.name)
    }

    /// Whether actions on issues are shown.
    pub(crate) fn acts(&self) -> bool {
        self.has(Role::Developer)
    }

    pub(crate) fn administers(&self) -> bool {
        self.has(Role::Administrator)
    }

    /// Whether the visitor administers all projects, and with them the server.
    pub(crate) fn administers_all(&self) -> bool {
        let role = self.visitor.as_ref().and_then(|visitor| visitor.role_in_all);
        role >= Some(Role::Administrator)
    }

    /// Whether the visitor may see all projects.
    pub(crate) fn sees_all(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role_in_all.is_some())
    }

    /// Whether the page is below `start`; `/` matches only itself.
    pub(crate) fn is_at(&self, start: &str) -> bool {
        match start {
            "/" => self.path == "/",
            start => self.path.starts_with(start),
        }
    }

    /// Whether the visitor has this role, or one above it.
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
