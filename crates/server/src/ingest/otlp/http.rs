//! The addresses that exporters of OpenTelemetry and its collector send to. They are not pages: they
//! answer under any host name, and only the key counts.
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flawless_core::matches_pattern;
use flawless_protocol::lenient_json::read_json;
use flawless_protocol::otlp::{self, GROWTH, Occurrence, Read, Signal};
use prost::Message;
use tokio::task::JoinSet;

use super::convert::converted;
use crate::app::App;
use crate::ingest::Answerer;
use crate::ingest::body::BodyLimits;
use crate::ingest::message::Unkept;
use crate::ingest::post::browsers::{for_browsers, preflight};
use crate::ingest::post::{Door, Received, Refusal, SentFrom, header_text};
use crate::ingest::sentry::http::auth;
use crate::intake::Sender;

/// The routes of OpenTelemetry, also below `/otlp`, and the path that Sentry gives its users' exporters.
pub fn otlp_router(answerer: Answerer, limits: BodyLimits) -> Router {
    let mut router = Router::new();
    for (name, signal) in [("traces", Signal::Traces), ("logs", Signal::Logs)] {
        let take = move |State(door): State<Door>, path: Option<Path<String>>, request| async move {
            take(&door, signal, path.map(|Path(project)| project), request).await
        };
        let project = "/api/{project}/integration/otlp";
        for prefix in ["", "/otlp", project] {
            for slash in ["", "/"] {
                let route = post(take).options(preflight);
                router = router.route(&format!("{prefix}/v1/{name}{slash}"), route);
            }
        }
    }
    router.with_state(Door { answerer, limits })
}

/// The form of a request, and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Protobuf,
}

async fn take(door: &Door, signal: Signal, project: Option<String>, request: Request) -> Response {
    let form = match header_text(request.headers(), header::CONTENT_TYPE.as_str()) {
        kind if kind.to_ascii_lowercase().contains("json") => Form::Json,
        _ => Form::Protobuf,
    };
    let received = match door.receive(request).await {
        Ok(received) => received,
        Err(refusal) => return answer(form, Err(refusal)),
    };
    answer(form, take_received(door, signal, form, &project.unwrap_or_default(), received).await)
}

async fn take_received(
    door: &Door,
    signal: Signal,
    form: Form,
    project: &str,
    received: Received,
) -> Result<(), Refusal> {
    let (message, headers, uri, from, is_cut) = received.split();
    let taken = async {
        let sender = door.sender(key(&headers, &uri).as_deref(), project, &from)?;
        if is_cut {
            return Err(Refusal::Unkept(Unkept::TooLarge));
        }
        let body = door.decode(message, &headers, &from).await?;
        let wrong = |error: flawless_protocol::DecodeError| Refusal::Malformed(error.to_string());
        let turn = match form {
            Form::Json => door.decoding_json(sender.peer, &body.bytes).await,
            Form::Protobuf => door.decoding(sender.peer, body.bytes.len() * GROWTH / 12).await,
        };
        let read = match form {
            Form::Json => {
                let message = read_json(&body.bytes).map_err(wrong)?;
                if !message.is_object() {
                    return Err(Refusal::Malformed("it is not a JSON object".to_owned()));
                }
                otlp::read_json(&message, signal)
            }
            Form::Protobuf => otlp::read_protobuf(&body.bytes, signal).map_err(wrong)?,
        };
        drop(turn);
        submit(door, signal, &sender, read, &from).await
    };
    taken.await.map_err(|refusal| door.refuse(&from, refusal))
}

/// Hands over what a request brought. When one report cannot be kept, those before it were; the
/// request may be sent again, because each occurrence of a trace counts once.
async fn submit(
    door: &Door,
    signal: Signal,
    sender: &Sender,
    read: Read,
    from: &SentFrom,
) -> Result<(), Refusal> {
    let intake = &door.answerer.intake;
    let Read { occurrences, left_out, others } = read;
    if others > 0 {
        let name = match signal {
            Signal::Traces => "requests with spans without an exception",
            Signal::Logs => "requests with log records that are no errors",
        };
        intake.pass_over(sender.project, name, from.to_string());
    }
    if left_out > 0 {
        intake.refuse_for(sender.project, "too many errors in one request", from.to_string());
    }
    // Each waits for its commit, and many are committed together.
    let mut waiting = JoinSet::new();
    let mut first = Ok(());
    for occurrence in occurrences {
        if waiting.len() >= AT_ONCE
            && let Some(submitted) = waiting.join_next().await
        {
            first = first.and(submitted.unwrap_or(Ok(())));
        }
        let (door, sender) = (door.clone(), receiver(door, sender, &occurrence));
        let user_agent = from.user_agent.clone();
        waiting.spawn(async move {
            let turn = door.decoding(sender.peer, occurrence.stacktrace.len()).await;
            let report = converted(occurrence, signal);
            door.submit(report, &sender, turn).await?;
            door.note_client([&user_agent, "OpenTelemetry"]);
            Ok(())
        });
    }
    while let Some(submitted) = waiting.join_next().await {
        first = first.and(submitted.unwrap_or(Ok(())));
    }
    first
}

/// Reports of one request that are handed over at once.
const AT_ONCE: usize = 64;

/// The sender, in the project that its service belongs to: its own one, if that names the service,
/// else the first that does. What the file says holds for no project in particular.
fn receiver(door: &Door, sender: &Sender, occurrence: &Occurrence) -> Sender {
    let Some(service) = occurrence.resource.get("service.name") else { return sender.clone() };
    let (service, projects) = (service.to_lowercase(), &door.answerer.projects);
    let of_all = &projects.config().otlp_services;
    let takes = |app: &App| {
        let services = &app.config.otlp_services;
        app.project.row.archived_at.is_none()
            && services != of_all
            && services.iter().any(|pattern| matches_pattern(pattern, &service))
    };
    let own = projects.get(sender.project).filter(takes);
    match own.or_else(|| projects.all().into_iter().find(takes)) {
        Some(app) => {
            Sender { project: app.project_id(), redaction: app.redaction.clone(), ..sender.clone() }
        }
        None => sender.clone(),
    }
}

/// The key: a bearer, or as Sentry's clients send it.
fn key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let bearer = header_text(headers, header::AUTHORIZATION.as_str());
    let bearer = bearer.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let own = || Some(header_text(headers, "x-flawless-key")).filter(|key| !key.is_empty());
    bearer
        .map(|(_, key)| key.trim().to_owned())
        .or_else(own)
        .or_else(|| auth(headers, uri).map(|auth| auth.key))
}

/// What is said of a request that was refused: `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn answer(form: Form, taken: Result<(), Refusal>) -> Response {
    let (status, said) = match &taken {
        Ok(()) => (StatusCode::OK, None),
        Err(refusal) => (refusal.status(), Some(refusal.detail().to_owned())),
    };
    let body = match (form, said) {
        (Form::Json, None) => b"{}".to_vec(),
        (Form::Json, Some(message)) => {
            serde_json::json!({"code": 0, "message": message}).to_string().into_bytes()
        }
        (Form::Protobuf, None) => Vec::new(),
        (Form::Protobuf, Some(message)) => Status { code: 0, message }.encode_to_vec(),
    };
    let mut response = for_browsers((status, body).into_response());
    if form == Form::Protobuf {
        let kind = HeaderValue::from_static("application/x-protobuf");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
