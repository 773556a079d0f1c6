//! The addresses that Sentry's clients send to. They are not pages: they answer under any host
//! name, and only the key counts.
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, post};
use flawless_protocol::sentry::Auth;

use super::answer::Answer;
use super::take::{Form, take};
use crate::ingest::Answerer;
use crate::ingest::body::BodyLimits;
use crate::ingest::post::browsers::preflight;
use crate::ingest::post::{Door, header_text};

/// Folders that an address may have before `/api`, as a proxy may add them.
const PREFIXES: [&str; 3] = ["", "/{prefix}", "/{prefix}/{further}"];

/// The routes.
pub fn sentry_router(answerer: Answerer, limits: BodyLimits) -> Router {
    let door = Door { answerer, limits };
    let mut router = Router::new();
    for prefix in PREFIXES {
        for slash in ["", "/"] {
            let path = |end: &str| format!("{prefix}/api/{{project}}/{end}{slash}");
            router = router
                .route(&path("envelope"), route(Form::Envelope))
                .route(&path("store"), route(Form::Event))
                .route(&format!("{prefix}/api/store{slash}"), route(Form::Event))
                .route(&path("security"), refusing(SECURITY))
                .route(&path("minidump"), refusing(MINIDUMP))
                .route(&path("unreal/{key}"), refusing(MINIDUMP));
        }
    }
    router.with_state(door)
}

/// What is refused, by the name under which it is counted, and why.
const SECURITY: (&str, &str) = (
    "security reports",
    "this server does not take the reports of browsers about security policies",
);
const MINIDUMP: (&str, &str) = (
    "minidumps",
    "this server does not take minidumps: they have no lines of code. Send events with a \
     symbolicated stack trace instead",
);

fn route(form: Form) -> MethodRouter<Door> {
    let taking =
        move |State(door): State<Door>, Path(path): Path<Vec<(String, String)>>, request| {
            let project = named(path, "project");
            async move {
                let received = match door.receive(request).await {
                    Ok(received) => received,
                    Err(refusal) => return Answer::Refused(refusal).into_response(),
                };
                let auth = auth(&received.headers, &received.uri);
                take(&door, form, &project, auth, received).await.into_response()
            }
        };
    post(taking).options(preflight)
}

fn named(path: Vec<(String, String)>, name: &str) -> String {
    path.into_iter().find(|(part, _)| part == name).map(|(_, value)| value).unwrap_or_default()
}

/// Refuses by name what this server does not take.
fn refusing((name, why): (&'static str, &'static str)) -> MethodRouter<Door> {
    let refuse = move |State(door): State<Door>, request: Request| async move {
        let address = door.limits.address(&request);
        door.answerer.intake.refuse(name, format!("from {address}"));
        Answer::NotHere(why).into_response()
    };
    post(refuse).options(preflight)
}

/// What the headers say of the sender, else the query.
pub(in crate::ingest) fn auth(headers: &HeaderMap, uri: &Uri) -> Option<Auth> {
    let of_headers = ["x-sentry-auth", header::AUTHORIZATION.as_str()]
        .into_iter()
        .find_map(|name| Auth::of_header(&header_text(headers, name)));
    of_headers.or_else(|| {
        let fields: Vec<(String, String)> =
            serde_urlencoded::from_str(uri.query().unwrap_or_default()).ok()?;
        Auth::of_fields(fields.iter().map(|(name, value)| (&**name, &**value)))
    })
}
