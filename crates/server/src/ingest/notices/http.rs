//! The addresses that the notifiers of Airbrake (and of Errbit) and Rollbar send to. They are not
//! pages: they answer under any host name, and only the key counts.
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flawless_base::hex::hex;
use flawless_protocol::lenient_json::read_json;
use flawless_protocol::sentry::Event;
use flawless_protocol::{airbrake, rollbar};
use serde_json::{Value, json};

use crate::ingest::Answerer;
use crate::ingest::body::BodyLimits;
use crate::ingest::message::Unkept;
use crate::ingest::post::browsers::{for_browsers, preflight};
use crate::ingest::post::{Door, Received, Refusal, header_text};
use crate::ingest::sentry::convert::{Converted, converted};

/// The routes.
pub fn notices_router(answerer: Answerer, limits: BodyLimits) -> Router {
    let mut router = Router::new();
    for slash in ["", "/"] {
        let of_airbrake = "/api/v3/projects/{project}";
        router = router
            .route(&format!("{of_airbrake}/notices{slash}"), post(take_notice).options(preflight))
            .route(&format!("/api/1/item{slash}"), post(take_item).options(preflight))
            .route(
                &format!("/api/v5/projects/{{project}}/{{kind}}{slash}"),
                post(pass_over).put(pass_over).options(preflight),
            );
    }
    router.with_state(Door { answerer, limits })
}

/// Whose notifier sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Airbrake,
    Rollbar,
}

async fn take_notice(
    State(door): State<Door>,
    Path(project): Path<String>,
    request: Request,
) -> Response {
    answer(Of::Airbrake, take(&door, Of::Airbrake, &project, request).await)
}

async fn take_item(State(door): State<Door>, request: Request) -> Response {
    answer(Of::Rollbar, take(&door, Of::Rollbar, "", request).await)
}

async fn take(
    door: &Door,
    of: Of,
    project: &str,
    request: Request,
) -> Result<Option<String>, Refusal> {
    let received = door.receive(request).await?;
    take_received(door, of, project, received).await
}

/// Takes one; the id that its sender gave it.
async fn take_received(
    door: &Door,
    of: Of,
    project: &str,
    received: Received,
) -> Result<Option<String>, Refusal> {
    let (message, headers, uri, from, is_cut) = received.split();
    let taken = async {
        let sender = |key: &str| door.sender(Some(key), project, &from);
        let known = key(&headers, &uri).map(|key| sender(&key)).transpose()?;
        if is_cut {
            return Err(Refusal::Unkept(Unkept::TooLarge));
        }
        let body = door.decode(message, &headers, &from).await?.bytes;
        let turn = door.decoding_json(from.address.into(), &body).await;
        let item = read_json(&body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        if !item.is_object() {
            return Err(Refusal::Malformed("it is not a JSON object".to_owned()));
        }
        let sender = match known {
            Some(sender) => sender,
            None => {
                let token = rollbar::access_token(&item).filter(|_| of == Of::Rollbar);
                door.sender(token.as_deref(), project, &from)?
            }
        };
        let event: Event = match of {
            Of::Airbrake => airbrake::read(&item),
            Of::Rollbar => rollbar::read(&item),
        };
        if event.exceptions.is_empty() && event.message.is_empty() {
            return Err(Refusal::Malformed("it has neither an error nor a message".to_owned()));
        }
        let (id, client) = (event.id.clone(), event.client.clone());
        match converted(event) {
            Converted::Report(report) => {
                door.submit(*report, &sender, turn).await?;
                door.note_client([&client, &from.user_agent]);
            }
            Converted::NotAnError(name) => {
                door.answerer.intake.pass_over(sender.project, name, from.to_string());
            }
        }
        Ok(id)
    };
    taken.await.map_err(|refusal| door.refuse(&from, refusal))
}

/// Counts statistics about performance, which Airbrake's notifiers send too, and keeps nothing.
async fn pass_over(
    State(door): State<Door>,
    Path((project, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    let pass = async {
        let received = door.receive(request).await?;
        let (_, headers, uri, from, _) = received.split();
        let sender = door.sender(key(&headers, &uri).as_deref(), &project, &from)?;
        let name = "statistics of Airbrake's notifiers";
        door.answerer.intake.pass_over(sender.project, name, from.to_string());
        Ok(())
    };
    match pass.await {
        Ok(()) => said(StatusCode::NO_CONTENT, &json!({})),
        Err(refusal) => answer(Of::Airbrake, Err(refusal)),
    }
}

/// The key: a bearer, in a header of Rollbar's, or in the query.
fn key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let bearer = header_text(headers, header::AUTHORIZATION.as_str());
    let bearer = bearer.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let bearer = bearer.map(|(_, key)| key.trim().to_owned());
    let of_rollbar = || Some(header_text(headers, "x-rollbar-access-token"));
    let of_query = || {
        let query = uri.query().unwrap_or_default();
        let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
        fields.into_iter().find(|(name, _)| name == "key").map(|(_, key)| key)
    };
    let is_there = |key: &String| !key.is_empty();
    bearer.filter(is_there).or_else(|| of_rollbar().filter(is_there)).or_else(of_query)
}

fn answer(of: Of, taken: Result<Option<String>, Refusal>) -> Response {
    let (status, body) = match (of, taken) {
        (Of::Airbrake, Ok(id)) => {
            (StatusCode::CREATED, json!({"id": id.unwrap_or_else(new_id), "url": ""}))
        }
        (Of::Rollbar, Ok(id)) => {
            (StatusCode::OK, json!({"err": 0, "result": {"uuid": id.unwrap_or_else(new_id)}}))
        }
        (Of::Airbrake, Err(refusal)) => {
            let message = refusal.detail();
            (refusal.status(), json!({"message": message}))
        }
        (Of::Rollbar, Err(refusal)) => {
            let message = refusal.detail();
            (refusal.status(), json!({"err": 1, "message": message}))
        }
    };
    said(status, &body)
}

fn said(status: StatusCode, body: &Value) -> Response {
    for_browsers((status, body.to_string()).into_response())
}

/// An id for a sender that has none. It only has to look like one.
fn new_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness it is zero.
    let _ = getrandom::fill(&mut bytes);
    hex(&bytes)
}
