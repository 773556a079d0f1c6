//! Artifacts: the files that builds uploaded for their releases. A file that belongs to several
//! releases is stored once.
use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::db::key_text::key_text;
use crate::reports::pending::WaitsFor;
use crate::{Store, StoreError, WriteTx, db};

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ArtifactRow {
    /// The release; empty for a file that only its debug id names.
    pub release_version: String,
    /// The variant of the release; empty for all.
    pub dist: String,
    /// Where programs load it from: a URL, or `~/PATH` for any host.
    pub url: String,
    /// 32 hexadecimal digits, the same for a generated file and its source map; empty without one.
    pub debug_id: String,
    /// 1 for a source map, 0 for a generated file.
    pub is_map: i64,
    /// The URL of the source map of a generated file; empty when the file does not say.
    pub map_url: String,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub hash: String,
    /// When it was uploaded.
    pub created_at: i64,
}

/// How many artifacts a project has, and their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct ArtifactUse {
    /// Files, each counted once for each release.
    pub files: i64,
    /// Bytes that they take in the database.
    pub bytes: i64,
}

impl WriteTx {
    /// Keeps a part of an upload until the whole has arrived. The same part may be sent again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_chunk(
        &mut self,
        uploader: &str,
        checksum: &str,
        body: &[u8],
        at: i64,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO upload_chunk (uploader, checksum, body, bytes, created_at) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (uploader, checksum) DO UPDATE SET created_at = excluded.created_at",
        );
        let query = query.bind(key_text(uploader)).bind(key_text(checksum)).bind(body);
        query.bind(bytes(body)).bind(at).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Bytes of all parts that somebody uploaded and that are not put together yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn chunk_bytes(&mut self, uploader: &str) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM upload_chunk WHERE uploader = $1",
        );
        Ok(query.bind(key_text(uploader)).fetch_one(&mut self.tx).await?)
    }

    /// Removes a part of an upload.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_chunk(&mut self, uploader: &str, checksum: &str) -> Result<(), StoreError> {
        let query = db::query("DELETE FROM upload_chunk WHERE uploader = $1 AND checksum = $2");
        let query = query.bind(key_text(uploader)).bind(key_text(checksum));
        query.execute(&mut self.tx).await?;
        Ok(())
    }

    /// Stores the content of files under its hash.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_artifact_body(
        &mut self,
        hash: &str,
        body: &[u8],
        at: i64,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO artifact_body (project_id, hash, body, bytes, used_at) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (project_id, hash) DO UPDATE SET used_at = excluded.used_at",
        );
        let query = query.bind(self.project).bind(hash).bind(body).bind(bytes(body)).bind(at);
        query.execute(&mut self.tx).await?;
        Ok(())
    }

    /// Adds files of a release, or replaces those with the same URL and debug id. Reports that lacked
    /// a source map are due again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_artifacts(&mut self, artifacts: &[ArtifactRow]) -> Result<(), StoreError> {
        // The newest of equal ones: one statement changes a row only once.
        let mut newest: BTreeMap<_, &ArtifactRow> = BTreeMap::new();
        for artifact in artifacts {
            let ArtifactRow { release_version, dist, url, debug_id, .. } = artifact;
            newest.insert((release_version, dist, url, debug_id), artifact);
        }
        let newest: Vec<&ArtifactRow> = newest.into_values().collect();
        for part in db::parts(&newest) {
            let rows = db::rows(1, part.len(), 9);
            let mut query = db::query(db::assembled(format!(
                "INSERT INTO artifact (project_id, release_version, dist, url, debug_id, is_map, \
                 map_url, hash, created_at) VALUES {rows} \
                 ON CONFLICT (project_id, release_version, dist, url, debug_id) DO UPDATE SET \
                 is_map = excluded.is_map, map_url = excluded.map_url, hash = excluded.hash, \
                 created_at = excluded.created_at"
            )));
            for artifact in part {
                query = query
                    .bind(self.project)
                    .bind(key_text(&artifact.release_version))
                    .bind(key_text(&artifact.dist))
                    .bind(key_text(&artifact.url))
                    .bind(&artifact.debug_id)
                    .bind(artifact.is_map)
                    .bind(&artifact.map_url)
                    .bind(&artifact.hash)
                    .bind(artifact.created_at);
            }
            query.execute(&mut self.tx).await?;
        }
        let now = artifacts.iter().map(|artifact| artifact.created_at).max().unwrap_or_default();
        self.release_waiting(WaitsFor::SourceMap, now).await?;
        self.invalidate_verdicts().await
    }

    /// Notes that contents were used.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn artifacts_used(&mut self, hashes: &[&str], at: i64) -> Result<(), StoreError> {
        for part in db::parts(hashes) {
            let places = db::places(3, part.len());
            let mut query = db::query(db::assembled(format!(
                "UPDATE artifact_body SET used_at = $2 \
                 WHERE project_id = $1 AND used_at < $2 AND hash IN ({places})"
            )));
            query = query.bind(self.project).bind(at);
            for hash in part {
                query = query.bind(*hash);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Removes the contents that were not used for the longest time until all of the project's take
    /// at most `most` bytes. Returns how many were removed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn bound_artifacts(&mut self, most: i64) -> Result<usize, StoreError> {
        let query = db::query(
            "SELECT hash, bytes FROM artifact_body WHERE project_id = $1 \
             ORDER BY used_at DESC, hash",
        );
        let all: Vec<(String, i64)> = query.bind(self.project).fetch_all(&mut self.tx).await?;
        let mut kept = 0;
        let over = all.iter().skip_while(|(_, bytes)| {
            kept += bytes;
            kept <= most
        });
        let over: Vec<&String> = over.map(|(hash, _)| hash).collect();
        for hash in &over {
            let query = db::query("DELETE FROM artifact_body WHERE project_id = $1 AND hash = $2");
            query.bind(self.project).bind(*hash).execute(&mut self.tx).await?;
        }
        if !over.is_empty() {
            self.remove_artifacts_without_body().await?;
        }
        Ok(over.len())
    }

    /// Removes the contents that were not used since, the files with these, and parts of uploads
    /// that began before a time and never ended.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn remove_unused_artifacts(
        &mut self,
        before: i64,
        began_before: i64,
    ) -> Result<(), StoreError> {
        let query = db::query("DELETE FROM artifact_body WHERE project_id = $1 AND used_at < $2");
        query.bind(self.project).bind(before).execute(&mut self.tx).await?;
        // Uploads that failed half-way.
        let query = db::query(
            "DELETE FROM artifact_body WHERE project_id = $1 AND used_at < $2 AND NOT EXISTS \
             (SELECT 1 FROM artifact WHERE artifact.project_id = artifact_body.project_id \
             AND artifact.hash = artifact_body.hash)",
        );
        query.bind(self.project).bind(began_before).execute(&mut self.tx).await?;
        self.remove_artifacts_without_body().await?;
        let query = db::query("DELETE FROM upload_chunk WHERE created_at < $1");
        query.bind(began_before).execute(&mut self.tx).await?;
        Ok(())
    }

    async fn remove_artifacts_without_body(&mut self) -> Result<(), StoreError> {
        let query = db::query(
            "DELETE FROM artifact WHERE project_id = $1 AND NOT EXISTS (SELECT 1 FROM artifact_body \
             WHERE artifact_body.project_id = artifact.project_id \
             AND artifact_body.hash = artifact.hash)",
        );
        query.bind(self.project).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// A part of an upload.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn chunk(
        &self,
        uploader: &str,
        checksum: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let query =
            db::query_scalar("SELECT body FROM upload_chunk WHERE uploader = $1 AND checksum = $2");
        let query = query.bind(key_text(uploader)).bind(key_text(checksum));
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// Whether a part of an upload is there.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_chunk(&self, uploader: &str, checksum: &str) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM upload_chunk \
             WHERE uploader = $1 AND checksum = $2",
        );
        let query = query.bind(key_text(uploader)).bind(key_text(checksum));
        let count: i64 = query.fetch_one(&self.readers).await?;
        Ok(count > 0)
    }

    /// The files with a debug id, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifacts_of_debug_id(&self, id: &str) -> Result<Vec<ArtifactRow>, StoreError> {
        let query = db::query(
            "SELECT release_version, dist, url, debug_id, is_map, map_url, hash, created_at \
             FROM artifact WHERE project_id = $1 AND debug_id = $2 \
             ORDER BY created_at DESC, url LIMIT 20",
        );
        Ok(query.bind(self.project).bind(id).fetch_all(&self.readers).await?)
    }

    /// The files of a release with one of these URLs, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifacts_at(
        &self,
        release: &str,
        urls: &[&str],
    ) -> Result<Vec<ArtifactRow>, StoreError> {
        if urls.is_empty() {
            return Ok(Vec::new());
        }
        let urls = db::padded(urls);
        let places = db::places(3, urls.len());
        let mut query = db::query(db::assembled(format!(
            "SELECT release_version, dist, url, debug_id, is_map, map_url, hash, created_at \
             FROM artifact WHERE project_id = $1 AND release_version = $2 AND url IN ({places}) \
             ORDER BY created_at DESC, url LIMIT 100"
        )));
        query = query.bind(self.project).bind(key_text(release));
        for url in &urls {
            query = query.bind(key_text(url));
        }
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The newest files of a release.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifacts_of_release(
        &self,
        release: &str,
        limit: i64,
    ) -> Result<Vec<ArtifactRow>, StoreError> {
        let query = db::query(
            "SELECT release_version, dist, url, debug_id, is_map, map_url, hash, created_at \
             FROM artifact WHERE project_id = $1 AND release_version = $2 \
             ORDER BY created_at DESC, url LIMIT $3",
        );
        let query = query.bind(self.project).bind(key_text(release)).bind(limit);
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The newest files of all releases.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifacts(&self, limit: i64) -> Result<Vec<ArtifactRow>, StoreError> {
        let query = db::query(
            "SELECT release_version, dist, url, debug_id, is_map, map_url, hash, created_at \
             FROM artifact WHERE project_id = $1 ORDER BY created_at DESC, url LIMIT $2",
        );
        Ok(query.bind(self.project).bind(limit).fetch_all(&self.readers).await?)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifact_body(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query =
            db::query_scalar("SELECT body FROM artifact_body WHERE project_id = $1 AND hash = $2");
        Ok(query.bind(self.project).bind(hash).fetch_optional(&self.readers).await?)
    }

    /// The number and the size of the project's artifacts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn artifact_use(&self) -> Result<ArtifactUse, StoreError> {
        let query = db::query(
            "SELECT (SELECT COUNT(*) FROM artifact WHERE project_id = $1) AS files, \
             (SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM artifact_body \
             WHERE project_id = $1) AS bytes",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }
}

fn bytes(body: &[u8]) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}
