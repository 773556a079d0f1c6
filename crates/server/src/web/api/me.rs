//! Whom a token or a session identifies, to try it out.
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::Caller;

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// An address, or the name of a token.
    name: String,
    /// `reader`, `developer` or `administrator`.
    role: &'static str,
}

/// Whom the token identifies
#[utoipa::path(get, path = "/me", tag = "people", responses((status = 200, body = Me)))]
pub(super) async fn show(caller: Caller) -> Answer<Me> {
    Answer::ok(Me { name: caller.name().to_owned(), role: caller.role().as_str() })
}
