//! The addresses that Sentry's clients send to. They are not pages: they answer under any host
//! name, and only the key counts.
use std::net::IpAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use flawless_protocol::content_encoding::BodyError;
use flawless_protocol::sentry::Auth;
use tokio::time::timeout;

use super::answer::{Answer, preflight};
use super::take::{Form, Posted, take};
use crate::ingest::Answerer;
use crate::ingest::body::{BodyLimits, CutOff, read_parts};
use crate::ingest::message::{Message, Unkept};
use crate::listen::memory::{Held, NoMemory};

#[derive(Debug, Clone)]
struct Door {
    answerer: Answerer,
    limits: BodyLimits,
}

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
            async move { door.take(form, &project, request).await }
        };
    post(taking).options(async |headers: HeaderMap| {
        preflight(headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS))
    })
}

fn named(path: Vec<(String, String)>, name: &str) -> String {
    path.into_iter().find(|(part, _)| part == name).map(|(_, value)| value).unwrap_or_default()
}

/// Refuses by name what this server does not take.
fn refusing((name, why): (&'static str, &'static str)) -> MethodRouter<Door> {
    let refuse = move |State(door): State<Door>, request: Request| async move {
        let address = door.limits.address(&request);
        door.answerer.intake.refuse(name, format!("from {address}"));
        Answer::NotHere(why)
    };
    post(refuse).options(async |headers: HeaderMap| {
        preflight(headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS))
    })
}

impl Door {
    async fn take(&self, form: Form, project: &str, request: Request) -> Response {
        let address = self.limits.address(&request);
        let (parts, body) = request.into_parts();
        let auth = auth(&parts.headers, &parts.uri);
        let user_agent = text(&parts.headers, header::USER_AGENT.as_str());
        let held = self.answerer.hold(address);
        let read = read(body, self.limits.max_bytes, held);
        let body = match timeout(self.limits.time, read).await {
            Ok(Ok(body)) => body,
            Ok(Err(refusal)) => return self.refuse(refusal, address).into_response(),
            Err(_) => return self.refuse(Unread::TooSlow, address).into_response(),
        };
        let posted = Posted {
            form,
            project,
            auth,
            user_agent,
            encodings: text(&parts.headers, header::CONTENT_ENCODING.as_str()),
            address,
            limit: self.limits.max_bytes,
        };
        take(&self.answerer, posted, body).await.into_response()
    }

    fn refuse(&self, why: Unread, address: IpAddr) -> Answer {
        let (reason, answer) = match why {
            Unread::CutOff => {
                ("cut off within a report", Answer::Malformed("the body is cut off".into()))
            }
            Unread::TooSlow => ("too slow to send a report", Answer::TooSlow),
            Unread::NoMemory(error) => {
                let why = Unkept::NoMemory(error);
                (why.reason(), Answer::Unkept(why))
            }
        };
        self.answerer.intake.refuse(reason, format!("from {address}"));
        answer
    }
}

/// A body, as far as it is within the limit.
pub(super) struct Arrived {
    pub(super) message: Message,
    /// More came than is kept.
    pub(super) is_cut: bool,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy)]
enum Unread {
    CutOff,
    TooSlow,
    NoMemory(NoMemory),
}

async fn read(body: Body, most: usize, held: Held) -> Result<Arrived, Unread> {
    let mut message = Message::new(held, most);
    let mut room = Ok(());
    let take = |data: Bytes, _| {
        let fits = data.len().min(most - message.bytes.len());
        if fits == 0 || room.is_err() {
            return;
        }
        room = message.make_room(fits);
        match room {
            Ok(()) => message.bytes.extend_from_slice(&data[..fits]),
            Err(_) => message.bytes = Vec::new(),
        }
    };
    let length = read_parts(body, most, take).await.map_err(|CutOff| Unread::CutOff)?;
    room.map_err(Unread::NoMemory)?;
    Ok(Arrived { is_cut: length > message.bytes.len(), message })
}

/// What the headers say of the sender, else the query.
fn auth(headers: &HeaderMap, uri: &Uri) -> Option<Auth> {
    let of_headers = ["x-sentry-auth", header::AUTHORIZATION.as_str()]
        .into_iter()
        .find_map(|name| Auth::of_header(&text(headers, name)));
    of_headers.or_else(|| {
        let fields: Vec<(String, String)> =
            serde_urlencoded::from_str(uri.query().unwrap_or_default()).ok()?;
        Auth::of_fields(fields.iter().map(|(name, value)| (&**name, &**value)))
    })
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

impl From<BodyError> for Answer {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::Unkept(Unkept::TooLarge),
            BodyError::Unknown(_) => Self::UnknownEncoding(error.to_string()),
            BodyError::Malformed(_) => Self::Malformed(error.to_string()),
        }
    }
}
