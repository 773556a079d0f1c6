//! `/account`: the visitor's role, their sessions and their API tokens.
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use flawless_base::text::plain;
use flawless_core::{ROLES, Role};

use crate::app::App;
use crate::sign_in::role_with_reason;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::{PageContext, Proof};

#[derive(Template)]
#[template(path = "account/show.html")]
struct Page {
    context: PageContext,
    name: String,
    role: String,
    why: &'static str,
    /// The visitor has an address, to which sessions and tokens belong.
    has_account: bool,
    sessions: Vec<SessionLine>,
    tokens: Vec<TokenLine>,
    /// The roles that a token may have: none above the visitor's own.
    roles: Vec<Role>,
}

struct SessionLine {
    id: i64,
    agent: String,
    how: String,
    begun: Moment,
    seen: Moment,
    is_this: bool,
}

struct TokenLine {
    id: i64,
    name: String,
    prefix: String,
    role: String,
    expires: Moment,
    used: Option<Moment>,
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let now = app.clock.now();
    let (mut sessions, mut tokens, mut why) = (Vec::new(), Vec::new(), "sign-in is off");
    let (this, role) = match &context.visitor {
        Some(visitor) => match visitor.proof {
            Proof::Session { id, .. } => (Some(id), visitor.role),
            _ => (None, visitor.role),
        },
        None => (None, Role::Reader),
    };
    if let Some(address) = context.address() {
        let given = app.store.given_role(address).await?;
        why = role_with_reason(&app.config.sign_in, given, address).why;
        sessions = app.store.sessions_of(address, now).await?;
        tokens = app.store.tokens_of(address, now).await?;
    }
    let moment = |at| Moment::new(at, &app);
    let sessions = sessions.into_iter().map(|row| SessionLine {
        id: row.id,
        agent: plain(&row.user_agent),
        how: row.how,
        begun: moment(row.created_at),
        seen: moment(row.last_seen_at),
        is_this: this == Some(row.id),
    });
    let tokens = tokens.into_iter().map(|row| TokenLine {
        id: row.id,
        name: plain(&row.name),
        prefix: row.prefix,
        role: row.role,
        expires: moment(row.expires_at),
        used: row.last_used_at.map(moment),
    });
    Ok(page(&Page {
        name: context.who().to_owned(),
        role: role.to_string(),
        why,
        has_account: context.address().is_some(),
        sessions: sessions.collect(),
        tokens: tokens.collect(),
        roles: ROLES.into_iter().filter(|one| *one <= role).collect(),
        context,
    }))
}
