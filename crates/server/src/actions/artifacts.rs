//! What builds upload for their releases.
use std::fs::File;
use std::io::{Seek, Write};

use flawless_base::hex::hex;
use flawless_protocol::sentry::artifact_bundle::{ArtifactBundle, BundledFile};
use flawless_store::{ArtifactRow, StoreError};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use tokio::sync::{Semaphore, mpsc};

use crate::app::App;

/// An upload of which all parts have arrived.
#[derive(Debug)]
pub struct Upload<'a> {
    /// Who sent the parts.
    pub uploader: &'a str,
    /// The SHA-1 of the whole, in hexadecimal digits.
    pub checksum: &'a str,
    /// Those of its parts, in order.
    pub chunks: &'a [String],
    /// The release, if not the one that the upload names itself.
    pub release: Option<&'a str>,
    /// The variant of the release.
    pub dist: Option<&'a str>,
}

/// Why an upload was not kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It is not what it should be.
    #[error("{0}")]
    Wrong(String),
    /// The temporary folder is full, or similar.
    #[error("the upload could not be put together: {0}")]
    Io(#[from] std::io::Error),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn wrong(why: impl Into<String>) -> UploadError {
    UploadError::Wrong(why.into())
}

/// Bytes that the parts of somebody's uploads may take until they are put together.
pub const MAX_UPLOAD: usize = 512 * 1024 * 1024;
/// Bytes of the name of a release, and of its variant.
const MAX_NAME: usize = 200;
/// How many uploads are unpacked at once: it takes memory for the largest file.
static UNPACKING: Semaphore = Semaphore::const_new(1);

/// Keeps a part of an upload.
///
/// # Errors
/// There are too many already, or the database cannot be written.
pub async fn put_chunk(app: &App, uploader: &str, content: Vec<u8>) -> Result<(), UploadError> {
    let prepare = tokio::task::spawn_blocking(move || {
        let checksum = hex(&Sha1::digest(&content));
        zstd::bulk::compress(&content, 1).map(|body| (checksum, body))
    });
    let (checksum, body) = prepare.await.map_err(std::io::Error::other)??;
    let mut tx = app.store.write().await?;
    let before = tx.chunk_bytes(uploader).await?;
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    if before.saturating_add(bytes) > i64::try_from(MAX_UPLOAD).unwrap_or(i64::MAX) {
        return Err(wrong(format!(
            "the parts of your uploads that are not put together yet take more than {MAX_UPLOAD} \
             bytes: upload less at once, or wait a day until they are removed"
        )));
    }
    tx.put_chunk(uploader, &checksum, &body, app.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Puts the parts of an upload together and keeps its files for these projects. Returns the number of
/// files.
///
/// # Errors
/// A part is missing, it is not an artifact bundle, or something cannot be written.
pub async fn assemble(projects: &[App], upload: Upload<'_>) -> Result<usize, UploadError> {
    let Some(first) = projects.first() else { return Err(wrong("it names no project")) };
    let _turn = UNPACKING.acquire().await;
    let file = put_together(first, &upload).await?;
    let opened = tokio::task::spawn_blocking(move || ArtifactBundle::open(file)).await;
    let bundle =
        opened.map_err(std::io::Error::other)?.map_err(|error| wrong(error.to_string()))?;
    let release = upload.release.or(bundle.release()).unwrap_or_default().to_owned();
    let dist = upload.dist.or(bundle.dist()).unwrap_or_default().to_owned();
    if dist.len() > MAX_NAME || release.len() > MAX_NAME {
        return Err(wrong(format!("its release or dist is longer than {MAX_NAME} bytes")));
    }
    let now = first.clock.now();
    let mut rows = Vec::new();
    let mut unpacked = unpack(bundle);
    while let Some(next) = unpacked.recv().await {
        let Packed { file: BundledFile { url, debug_id, is_map, map_url, .. }, hash, body } =
            next.map_err(wrong)?;
        for app in projects {
            let mut tx = app.store.write().await?;
            tx.put_artifact_body(&hash, &body, now).await?;
            tx.commit().await?;
        }
        rows.push(ArtifactRow {
            release_version: release.clone(),
            dist: dist.clone(),
            url,
            debug_id,
            is_map: i64::from(is_map),
            map_url,
            hash,
            created_at: now,
        });
    }
    if rows.is_empty() {
        return Err(wrong("it has neither generated files nor source maps"));
    }
    for app in projects {
        let mut tx = app.store.write().await?;
        tx.put_artifacts(&rows).await?;
        let removed = tx.bound_artifacts(app.config.artifact_bytes).await?;
        tx.commit().await?;
        if removed > 0 {
            let project = app.project.name();
            tracing::info!(
                removed,
                project,
                "old artifacts were removed to stay within max_artifact_bytes"
            );
        }
        app.rules.refresh(&app.store).await?;
        app.wakeups.pending.notify_one();
    }
    let mut tx = first.store.write().await?;
    for chunk in upload.chunks {
        tx.remove_chunk(upload.uploader, chunk).await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}

/// Writes the parts one after another into a file that has no name.
async fn put_together(app: &App, upload: &Upload<'_>) -> Result<File, UploadError> {
    let mut file = tempfile::tempfile_in(&app.config.data_dir)?;
    let mut hash = Sha1::new();
    for chunk in upload.chunks {
        let Some(body) = app.store.chunk(upload.uploader, chunk).await? else {
            return Err(wrong(format!("the part {chunk} is missing: upload it again")));
        };
        let add = move || {
            let content = zstd::decode_all(&*body)?;
            hash.update(&content);
            file.write_all(&content)?;
            Ok::<_, std::io::Error>((file, hash))
        };
        (file, hash) = tokio::task::spawn_blocking(add).await.map_err(std::io::Error::other)??;
    }
    if hex(&hash.finalize()) != upload.checksum {
        return Err(wrong("its checksum is not that of its parts: upload it again"));
    }
    file.rewind()?;
    Ok(file)
}

/// A file with its content as it is stored.
struct Packed {
    file: BundledFile,
    hash: String,
    body: Vec<u8>,
}

/// Unpacks a bundle in a thread of its own; one file waits at most.
fn unpack(mut bundle: ArtifactBundle<File>) -> mpsc::Receiver<Result<Packed, String>> {
    let (send, receive) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        loop {
            let files = match bundle.next_files() {
                Ok(Some(files)) => files,
                Ok(None) => return,
                Err(error) => return drop(send.blocking_send(Err(error.to_string()))),
            };
            for file in files {
                let packed = packed(file).map_err(|error| error.to_string());
                if send.blocking_send(packed).is_err() {
                    return;
                }
            }
        }
    });
    receive
}

fn packed(mut file: BundledFile) -> std::io::Result<Packed> {
    let content = std::mem::take(&mut file.content);
    let hash = hex(&Sha256::digest(&content));
    Ok(Packed { file, hash, body: zstd::bulk::compress(&content, 3)? })
}
