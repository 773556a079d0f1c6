//! Uploads of source maps, as the command `sentry-cli` makes them: parts of an artifact bundle, then
//! the request to put them together. Its names of organizations are ignored.
use std::io::Read;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use flawless_core::Role;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::caller::Caller;
use super::input::{At, Json};
use super::problem::{FieldProblem, Problem};
use super::releases::{check, or_none, projects};
use crate::actions::artifacts::{MAX_UPLOAD, Upload, UploadError, assemble, put_chunk};
use crate::web::Site;

/// The addresses.
pub(super) fn routes() -> Router<Site> {
    let organization = "/api/0/organizations/{organization}";
    Router::new()
        .route(
            &format!("{organization}/chunk-upload/"),
            get(describe)
                .merge(post(take_chunks).layer(DefaultBodyLimit::max(MAX_REQUEST + 64 * 1024))),
        )
        .route(&format!("{organization}/artifactbundle/assemble/"), post(assemble_bundle))
}

/// Bytes of a part of an upload, and of a request with several.
const CHUNK: usize = 8 * 1024 * 1024;
const CHUNKS_AT_ONCE: usize = 4;
const MAX_REQUEST: usize = CHUNK * CHUNKS_AT_ONCE;
/// How long a request may take to arrive, when its turn has come.
const TIME: Duration = Duration::from_secs(300);
/// How many requests with parts are read at once: they are held in memory.
static READING: Semaphore = Semaphore::const_new(2);

/// Tells the command how to upload.
async fn describe(caller: Caller, At(organization): At<String>) -> Result<Answer<Value>, Problem> {
    projects(&caller, &[])?;
    Ok(Answer::ok(json!({
        "url": format!("/api/0/organizations/{organization}/chunk-upload/"),
        "chunkSize": CHUNK,
        "chunksPerRequest": CHUNKS_AT_ONCE,
        "maxFileSize": MAX_UPLOAD,
        "maxRequestSize": MAX_REQUEST,
        "concurrency": 1,
        "hashAlgorithm": "sha1",
        "compression": ["gzip"],
        "accept": ["artifact_bundles", "artifact_bundles_v2"],
    })))
}

async fn take_chunks(
    caller: Caller,
    State(site): State<Site>,
    mut parts: Multipart,
) -> Result<Answer<Value>, Problem> {
    uploads(&caller)?;
    let _turn = READING.acquire().await;
    let take = async {
        while let Some(part) = parts.next_field().await.map_err(unread)? {
            let is_compressed = match part.name() {
                Some("file") => false,
                Some("file_gzip") => true,
                _ => continue,
            };
            let bytes = part.bytes().await.map_err(unread)?;
            let content = if is_compressed { unzipped(&bytes)? } else { bytes.to_vec() };
            if content.len() > CHUNK {
                return Err(Problem::too_large(&format!("A part has more than {CHUNK} bytes.")));
            }
            put_chunk(&site.app, caller.name(), content).await.map_err(problem)?;
        }
        Ok(())
    };
    match tokio::time::timeout(TIME, take).await {
        Ok(taken) => taken.map(|()| Answer::with(StatusCode::CREATED, json!([]))),
        Err(_) => Err(Problem::too_slow("The parts took longer than five minutes to arrive.")),
    }
}

fn unread(error: axum::extract::multipart::MultipartError) -> Problem {
    Problem::new(error.status(), &error.body_text())
}

fn unzipped(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut content = Vec::new();
    let most = CHUNK as u64 + 1;
    let read = flate2::read::GzDecoder::new(bytes).take(most).read_to_end(&mut content);
    read.map_err(|error| {
        Problem::malformed(vec![FieldProblem::new("file_gzip", error.to_string())])
    })?;
    Ok(content)
}

/// Refuses callers who may not upload for any project.
fn uploads(caller: &Caller) -> Result<(), Problem> {
    if caller.projects().iter().any(|(_, role)| *role >= Role::Developer) {
        return Ok(());
    }
    caller.needs(Role::Developer)
}

/// A request to put an upload together. Fields that are not known here are ignored.
#[derive(Debug, Deserialize)]
struct Assembly {
    checksum: String,
    #[serde(default, deserialize_with = "or_none")]
    chunks: Vec<String>,
    #[serde(default, deserialize_with = "or_none")]
    projects: Vec<String>,
    version: Option<String>,
    dist: Option<String>,
}

async fn assemble_bundle(
    caller: Caller,
    State(site): State<Site>,
    Json(assembly): Json<Assembly>,
) -> Result<Answer<Value>, Problem> {
    let Assembly { checksum, chunks, projects: mut names, version, dist } = assembly;
    names.sort();
    names.dedup();
    uploads(&caller)?;
    if names.is_empty() {
        let problem = FieldProblem::new("projects", "is empty: name the project with --project");
        return Err(Problem::refused(vec![problem]));
    }
    let version = version.filter(|version| !version.is_empty());
    version.as_deref().map_or(Ok(()), check)?;
    if chunks.is_empty() || chunks.len() > MAX_UPLOAD / CHUNK {
        let problem = format!("has to name 1 to {} parts", MAX_UPLOAD / CHUNK);
        return Err(Problem::refused(vec![FieldProblem::new("chunks", problem)]));
    }
    let projects = projects(&caller, &names)?;
    let mut missing = Vec::new();
    for chunk in &chunks {
        if !site.app.store.has_chunk(caller.name(), chunk).await? {
            missing.push(chunk);
        }
    }
    let state = |state: &str, missing: Value, detail: Option<String>| {
        Answer::ok(json!({"state": state, "missingChunks": missing, "detail": detail}))
    };
    if !missing.is_empty() {
        return Ok(state("not_found", json!(missing), None));
    }
    let upload = Upload {
        uploader: caller.name(),
        checksum: &checksum,
        chunks: &chunks,
        release: version.as_deref(),
        dist: dist.as_deref(),
    };
    match assemble(&projects, upload).await {
        Ok(_) => Ok(state("ok", json!([]), None)),
        Err(UploadError::Store(error)) => Err(error.into()),
        Err(error) => Ok(state("error", json!([]), Some(error.to_string()))),
    }
}

fn problem(error: UploadError) -> Problem {
    match error {
        UploadError::Wrong(why) => Problem::too_large(&why),
        UploadError::Io(_) => Problem::new(StatusCode::INSUFFICIENT_STORAGE, &error.to_string()),
        UploadError::Store(error) => error.into(),
    }
}
