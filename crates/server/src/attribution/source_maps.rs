//! From frames of generated code to the sources that it was made of, by the source maps that builds
//! uploaded. Nothing is ever fetched from elsewhere.
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flawless_base::text::cut;
use flawless_core::language::{NamedFile, deployed_path};
use flawless_core::{Frame, Report};
use flawless_protocol::source_map::{Generated, MAX_MAP, Original, SourceMap};
use flawless_store::{ArtifactRow, Store, StoreError};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::Semaphore;

use super::unmapped::{Unmapped, Why, is_generated, urls_of};

/// The source maps that were used lately.
#[derive(Debug)]
pub struct SourceMaps {
    loaded: Cache<Contents, Arc<Loaded>, Bytes>,
    /// One is read at a time: while that goes on, it takes several times its size.
    turn: Semaphore,
}

/// Bytes of maps that are kept in memory, and about how many these are.
const KEPT_BYTES: u64 = 64 * 1024 * 1024;
const KEPT: usize = 64;
/// Minimum time between two notes that a file is used.
const NOTED_EVERY_MS: i64 = 24 * 3_600_000;
/// Files of one report that are looked up.
const MOST_FILES: usize = 64;
/// Characters of a line of a source; the rest of one of a vendored bundle says nothing.
const MAX_LINE: usize = 3_000;
/// Bytes of all maps that one report needs.
const MOST_BYTES: u64 = 4 * KEPT_BYTES;
/// Lines on each side of a frame's own.
const AROUND: u32 = 5;

/// The hashes of a map and of the generated file, which is empty when that was not uploaded.
type Contents = (String, String);

/// A map with the generated file, or why it could not be read.
type ReadFiles = Result<(SourceMap, Option<Generated>), String>;

#[derive(Debug)]
struct Loaded {
    files: ReadFiles,
    /// When its use was last noted.
    noted_at: AtomicI64,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Contents, Arc<Loaded>> for Bytes {
    fn weight(&self, _: &Contents, loaded: &Arc<Loaded>) -> u64 {
        let bytes = match &loaded.files {
            Ok((map, generated)) => map.memory() + generated.as_ref().map_or(0, Generated::memory),
            Err(why) => why.len(),
        };
        bytes as u64 + 200
    }
}

/// A report of which the frames are in sources, as far as source maps were uploaded.
#[derive(Debug)]
pub struct Mapped {
    pub report: Report,
    /// The generated frames that are as the client sent them, by their places.
    pub unmapped: Unmapped,
    /// The hashes of the files whose use is to be noted.
    pub used: Vec<String>,
}

impl Default for SourceMaps {
    fn default() -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(KEPT)
            .weight_capacity(KEPT_BYTES)
            // With more, none of them could hold a large map.
            .shards(1)
            .build()
            .expect("the capacities are given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let loaded = Cache::with_options(options, Bytes, hasher, lifecycle);
        Self { loaded, turn: Semaphore::new(1) }
    }
}

/// The files that belong to a frame.
#[derive(Debug, Default, Clone)]
struct Files {
    map: Option<ArtifactRow>,
    generated: Option<ArtifactRow>,
}

impl SourceMaps {
    /// Maps the generated frames of `report`, whose `revision` is the release as the program names
    /// it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn map(
        &self,
        store: &Store,
        mut report: Report,
        now: i64,
    ) -> Result<Mapped, StoreError> {
        let mut names: Vec<(String, String)> = Vec::new();
        for frame in report.tracebacks().flat_map(|frames| frames.iter().rev()) {
            let name = (frame.path.clone(), frame.debug_id.clone());
            if is_generated(frame) && names.len() < MOST_FILES && !names.contains(&name) {
                names.push(name);
            }
        }
        // OpenTelemetry names the version besides the commit.
        let version = report.tags.get("service.version").cloned();
        let release = version.or_else(|| report.revision.clone());
        let mut unmapped = Unmapped { why: HashMap::new(), release: release.clone() };
        let (mut used, mut held) = (Vec::new(), 0);
        if names.is_empty() {
            return Ok(Mapped { report, unmapped, used });
        }
        let dist = report.tags.get("dist").cloned().unwrap_or_default();
        let mut loaded: HashMap<(String, String), (Arc<Loaded>, String)> = HashMap::new();
        for (path, debug_id) in names {
            let release = release.as_deref();
            let files = files_of(store, &path, &debug_id, release, &dist).await?;
            let Some(map) = files.map else {
                let why = match files.generated {
                    Some(_) => Why::NoMap,
                    // The first one is the innermost: the explanation is about that.
                    None if unmapped.why.is_empty() => {
                        Why::NoArtifact { similar: similar(store, &path, release).await? }
                    }
                    None => Why::NoArtifact { similar: None },
                };
                unmapped.why.insert(path, why);
                continue;
            };
            let hash = files.generated.map(|file| file.hash).unwrap_or_default();
            let contents = (map.hash.clone(), hash);
            let Some(file) = self.load(store, &contents).await? else {
                unmapped.why.insert(path, Why::Unreadable("its content was removed".to_owned()));
                continue;
            };
            held += Bytes.weight(&contents, &file);
            if held > MOST_BYTES {
                let why = "the report needs too many source maps at once";
                unmapped.why.insert(path, Why::Unreadable(why.to_owned()));
                continue;
            }
            if now - file.noted_at.swap(now, Ordering::Relaxed) >= NOTED_EVERY_MS {
                used.extend([contents.0, contents.1].into_iter().filter(|hash| !hash.is_empty()));
            }
            match &file.files {
                Ok(_) => drop(loaded.insert((path, debug_id), (file, map.url))),
                Err(why) => drop(unmapped.why.insert(path, Why::Unreadable(why.clone()))),
            }
        }
        let chain = report.chain.iter_mut().map(|exception| &mut exception.traceback);
        for traceback in chain.chain([&mut report.traceback]) {
            let mut called = None;
            for frame in traceback {
                let caller = std::mem::take(&mut called);
                let name = (frame.path.clone(), frame.debug_id.clone());
                let Some((file, map_url)) = loaded.get(&name) else { continue };
                let Ok((map, generated)) = &file.files else { continue };
                match map.original(frame.line, frame.column) {
                    Some(original) => {
                        let function = function(map, generated.as_ref(), &original, frame, caller);
                        called = original.name.map(str::to_owned);
                        become_original(frame, map, &original, map_url, function);
                    }
                    None => drop(unmapped.why.insert(name.0, Why::OtherBuild)),
                }
            }
        }
        report.shorten();
        Ok(Mapped { report, unmapped, used })
    }

    /// The files with these contents; `None` when they are not there any more.
    async fn load(
        &self,
        store: &Store,
        contents: &Contents,
    ) -> Result<Option<Arc<Loaded>>, StoreError> {
        if let Some(loaded) = self.loaded.get(contents) {
            return Ok(Some(loaded));
        }
        let _turn = self.turn.acquire().await;
        if let Some(loaded) = self.loaded.get(contents) {
            return Ok(Some(loaded));
        }
        let Some(map) = store.artifact_body(&contents.0).await? else { return Ok(None) };
        let generated = match &*contents.1 {
            "" => None,
            hash => store.artifact_body(hash).await?,
        };
        let read = tokio::task::spawn_blocking(move || read(&map, generated.as_deref()));
        let read = read.await.unwrap_or_else(|_| Err("reading it failed".to_owned()));
        let loaded = Arc::new(Loaded { files: read, noted_at: AtomicI64::new(0) });
        self.loaded.insert(contents.clone(), loaded.clone());
        Ok(Some(loaded))
    }
}

fn read(map: &[u8], generated: Option<&[u8]>) -> ReadFiles {
    let content = |body: &[u8]| {
        let mut content = Vec::new();
        let most = u64::try_from(MAX_MAP).unwrap_or(u64::MAX) + 1;
        let decoder = zstd::Decoder::new(body).map_err(|error| error.to_string())?;
        decoder.take(most).read_to_end(&mut content).map_err(|error| error.to_string())?;
        Ok::<_, String>(content)
    };
    let map = SourceMap::read(&content(map)?).map_err(|error| error.to_string())?;
    // Without it only the names of functions are worse.
    let generated = generated.and_then(|body| content(body).ok());
    let generated = generated.map(|it| Generated::new(String::from_utf8_lossy(&it).into()));
    Ok((map, generated))
}

async fn files_of(
    store: &Store,
    path: &str,
    debug_id: &str,
    release: Option<&str>,
    dist: &str,
) -> Result<Files, StoreError> {
    if !debug_id.is_empty() {
        let rows = store.artifacts_of_debug_id(debug_id).await?;
        let first = |is_map| rows.iter().find(|row| row.is_map == is_map).cloned();
        let files = Files { map: first(1), generated: first(0) };
        if files.map.is_some() || files.generated.is_some() {
            return with_named_map(store, files).await;
        }
    }
    let Some(release) = release else { return Ok(Files::default()) };
    let urls = urls_of(path);
    let maps: Vec<String> = urls.iter().map(|url| format!("{url}.map")).collect();
    let wanted: Vec<&str> = urls.iter().chain(&maps).map(String::as_str).collect();
    let rows = store.artifacts_at(release, &wanted).await?;
    let find = |urls: &[String], is_map| {
        let of_dist = |wanted: &str| {
            let is_it = |row: &&ArtifactRow, url: &String| {
                row.url == *url
                    && row.is_map == is_map
                    && row.dist == wanted
                    && is_of_build(row, debug_id)
            };
            urls.iter().find_map(|url| rows.iter().find(|row| is_it(row, url)))
        };
        of_dist(dist).or_else(|| of_dist("")).cloned()
    };
    let files = with_named_map(store, Files { map: None, generated: find(&urls, 0) }).await?;
    let map = files.map.or_else(|| find(&maps, 1));
    Ok(Files { map, ..files })
}

/// Whether a file may belong to the build with this debug id.
fn is_of_build(row: &ArtifactRow, debug_id: &str) -> bool {
    row.debug_id.is_empty() || debug_id.is_empty() || row.debug_id == debug_id
}

/// Adds the map that a generated file names.
async fn with_named_map(store: &Store, files: Files) -> Result<Files, StoreError> {
    let (None, Some(generated)) = (&files.map, &files.generated) else { return Ok(files) };
    if generated.map_url.is_empty() {
        return Ok(files);
    }
    let rows = store.artifacts_at(&generated.release_version, &[&generated.map_url]).await?;
    // One of another build would lead to lines that were never there.
    let is_it = |row: &&ArtifactRow, dist: &str| {
        let is_same_upload = row.created_at == generated.created_at;
        row.is_map == 1
            && row.dist == dist
            && is_of_build(row, &generated.debug_id)
            && (!generated.release_version.is_empty() || is_same_upload)
    };
    let of_dist = |dist| rows.iter().find(|row| is_it(row, dist));
    let map = of_dist(&generated.dist).or_else(|| of_dist("")).cloned();
    Ok(Files { map, ..files })
}

/// A file of the release that has the same name as this one, but lies elsewhere.
async fn similar(
    store: &Store,
    path: &str,
    release: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let (Some(release), Some(name)) = (release, path.rsplit('/').next()) else { return Ok(None) };
    let rows = store.artifacts_of_release(release, 500).await?;
    Ok(rows.into_iter().map(|row| row.url).find(|url| url.rsplit('/').next() == Some(name)))
}

/// The name of the function in the sources; empty when only a mangled one is known.
fn function(
    map: &SourceMap,
    generated: Option<&Generated>,
    original: &Original<'_>,
    frame: &Frame,
    caller: Option<String>,
) -> String {
    if let Some(function) = original.function {
        return function.to_owned();
    }
    let name = frame.function.rsplit('.').next().unwrap_or_default();
    let name = name.trim_start_matches("new ").trim_start_matches("async ");
    let name = name.split([' ', '/', '<']).next().unwrap_or_default();
    let at = (frame.line, frame.column);
    let known = match generated {
        Some(generated) => map.original_name(generated, at, name).map(str::to_owned),
        // What was called there, says the caller's line.
        None => caller.filter(|_| !name.is_empty()),
    };
    let is_mangled = name.chars().count() <= LONGEST_MANGLED;
    known.unwrap_or_else(|| if is_mangled { String::new() } else { frame.function.clone() })
}

/// Characters of the names that minifiers give.
const LONGEST_MANGLED: usize = 2;

fn become_original(
    frame: &mut Frame,
    map: &SourceMap,
    original: &Original<'_>,
    map_url: &str,
    function: String,
) {
    let generated_at = frame.generated_place();
    let lines = map.lines(original.number, original.line, AROUND);
    let owned = |lines: Vec<&str>| lines.into_iter().map(|line| cut(line, MAX_LINE)).collect();
    let (text, before, after) = match lines {
        Some(lines) => (cut(lines.text, MAX_LINE), owned(lines.before), owned(lines.after)),
        None => Default::default(),
    };
    *frame = Frame {
        path: path_of_source(map_url, original.source),
        line: original.line,
        function,
        text,
        locals: frame.locals.take(),
        before,
        after,
        generated_at,
        ..Frame::default()
    };
}

/// The path of a source: a relative one begins in the folder of its map.
fn path_of_source(map_url: &str, source: &str) -> String {
    if source.contains("://") {
        return deployed_path(NamedFile { abs_path: source, ..NamedFile::default() });
    }
    let source = source.split(['?', '#']).next().unwrap_or(source);
    if source.starts_with('/') || source.contains('\\') {
        return source.to_owned();
    }
    let map = map_url.split_once("://").map_or(map_url, |(_, rest)| rest);
    let folder = map.split('/').skip(1).collect::<Vec<_>>();
    let folder = folder.split_last().map_or(&[][..], |(_, folder)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.iter().copied().chain(source.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_from_the_folder_of_their_map() {
        for (map, source, expected) in [
            ("~/tiny.min.js.map", "../src/pricing.js", "src/pricing.js"),
            ("~/assets/js/app.js.map", "../../src/a.ts?x", "src/a.ts"),
            ("~/assets/app.js.map", "src/./b.ts", "assets/src/b.ts"),
            ("https://x.org/a/app.js.map", "../src/b.ts", "src/b.ts"),
            ("~/app.js.map", "../../../../etc/passwd", "etc/passwd"),
            ("~/app.js.map", "webpack://shop/./src/cart.ts?ab12", "shop/src/cart.ts"),
            ("~/app.js.map", "webpack:///../node_modules/x/i.js", "../node_modules/x/i.js"),
            ("~/app.js.map", "/srv/build/src/a.ts", "/srv/build/src/a.ts"),
            ("~/app.js.map", r"C:\build\src\a.ts", r"C:\build\src\a.ts"),
            ("", "a.ts", "a.ts"),
        ] {
            assert_eq!(path_of_source(map, source), expected, "{map} {source}");
        }
    }
}
