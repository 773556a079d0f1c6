//! Artifact bundles: the archives in which `sentry-cli` uploads what a build made.
use std::collections::BTreeMap;
use std::io::{Read, Seek};

use serde::Deserialize;
use zip::ZipArchive;

use super::event::event_id;
use crate::DecodeError;
use crate::source_map::{MAX_MAP, debug_id_in, inline_map, map_reference, values};

/// A bundle that is read file by file.
#[derive(Debug)]
pub struct ArtifactBundle<R> {
    archive: ZipArchive<R>,
    manifest: Manifest,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// A generated file or a source map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledFile {
    /// Where programs load it from: a URL, or `~/PATH` for any host.
    pub url: String,
    /// 32 hexadecimal digits; empty without one.
    pub debug_id: String,
    /// Whether it is a source map.
    pub is_map: bool,
    /// The URL of the source map of a generated file; empty when the file does not say.
    pub map_url: String,
    /// What is in it.
    pub content: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    files: BTreeMap<String, ManifestFile>,
    release: Option<String>,
    dist: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ManifestFile {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Files of a bundle.
const MOST_FILES: usize = 20_000;
/// Values that its list says of a file.
const VALUES_OF_A_FILE: usize = 20;
/// Bytes of its list of files.
const MAX_MANIFEST: u64 = 32 * 1024 * 1024;
/// Bytes of all of its files.
const MAX_UNPACKED: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of a URL.
const MAX_URL: usize = 4_096;

fn wrong(why: impl std::fmt::Display) -> DecodeError {
    DecodeError::new("artifact bundle", why)
}

impl<R: Read + Seek> ArtifactBundle<R> {
    /// Opens a bundle and reads its list of files.
    ///
    /// # Errors
    /// It is not a bundle, or has too many files.
    pub fn open(archive: R) -> Result<Self, DecodeError> {
        let mut archive = ZipArchive::new(archive).map_err(wrong)?;
        let file = archive.by_name("manifest.json").map_err(wrong)?;
        let mut manifest = Vec::new();
        file.take(MAX_MANIFEST + 1).read_to_end(&mut manifest).map_err(wrong)?;
        if manifest.len() as u64 > MAX_MANIFEST {
            return Err(wrong("its manifest.json is too large"));
        }
        // Before it is read: an entry takes more memory than bytes.
        if values(&manifest) > MOST_FILES * VALUES_OF_A_FILE {
            return Err(wrong(format!("it has more than {MOST_FILES} files")));
        }
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(wrong)?;
        if manifest.files.len() > MOST_FILES {
            return Err(wrong(format!("it has more than {MOST_FILES} files")));
        }
        Ok(Self { archive, manifest, left: MAX_UNPACKED })
    }

    /// The release that it was made for.
    pub fn release(&self) -> Option<&str> {
        self.manifest.release.as_deref()
    }

    /// The variant of the release.
    pub fn dist(&self) -> Option<&str> {
        self.manifest.dist.as_deref()
    }

    /// The next generated files and source maps: one, or two when a generated file has its map
    /// inside. `None` at the end.
    ///
    /// # Errors
    /// A file is missing, damaged or too large.
    pub fn next_files(&mut self) -> Result<Option<Vec<BundledFile>>, DecodeError> {
        while let Some((name, file)) = self.manifest.files.pop_first() {
            let is_map = match &*file.kind {
                "minified_source" => false,
                "source_map" => true,
                _ => continue,
            };
            if file.url.is_empty() || file.url.len() > MAX_URL {
                return Err(wrong(format!("{name} has no URL, or one of over {MAX_URL} bytes")));
            }
            let content = self.content(&name)?;
            return Ok(Some(bundled(file, is_map, content)));
        }
        Ok(None)
    }

    fn content(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let file = self.archive.by_name(name).map_err(|error| wrong(format!("{name}: {error}")))?;
        let most = MAX_MAP as u64;
        let mut content = Vec::new();
        let read = file.take(most.min(self.left) + 1).read_to_end(&mut content);
        let bytes = read.map_err(|error| wrong(format!("{name}: {error}")))? as u64;
        if bytes > most {
            return Err(wrong(format!("{name} is larger than {MAX_MAP} bytes")));
        }
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            wrong(format!("its files have more than {MAX_UNPACKED} bytes together"))
        })?;
        Ok(content)
    }
}

fn bundled(file: ManifestFile, is_map: bool, content: Vec<u8>) -> Vec<BundledFile> {
    let header = |wanted: &str| {
        let mut headers = file.headers.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    let text = String::from_utf8_lossy(if is_map { &[] } else { &content });
    let debug_id = header("debug-id").or_else(|| debug_id_in(&text)).and_then(event_id);
    let debug_id = debug_id.unwrap_or_default();
    let named = header("sourcemap").or_else(|| map_reference(&text)).unwrap_or_default();
    let inline = inline_map(named);
    let map_url = match (&inline, named) {
        (Some(_), _) => format!("{}#map", file.url),
        (None, "") => String::new(),
        (None, named) if named.starts_with("data:") || named.len() > MAX_URL => String::new(),
        (None, named) => joined(&file.url, named),
    };
    let map_url = if is_map { String::new() } else { map_url };
    let inline = inline.filter(|_| !is_map).map(|content| BundledFile {
        url: map_url.clone(),
        debug_id: debug_id.clone(),
        is_map: true,
        map_url: String::new(),
        content,
    });
    let url = file.url;
    let own = BundledFile { url, debug_id, is_map, map_url, content };
    std::iter::once(own).chain(inline).collect()
}

/// A URL that another one refers to. It never leaves the host of that.
fn joined(base: &str, reference: &str) -> String {
    if reference.contains("://") || reference.starts_with("~/") {
        return reference.to_owned();
    }
    let host_end = base.find("://").map_or(0, |at| at + 3);
    let host_end = base[host_end..].find('/').map_or(base.len(), |at| host_end + at);
    let (host, path) = base.split_at(host_end);
    let folder = if reference.starts_with('/') { "" } else { path };
    let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(reference.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{host}/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use serde_json::{Value, json};
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn bundle(manifest: &Value, files: &[(&str, &str)]) -> Cursor<Vec<u8>> {
        // As it is uploaded: a head before the archive.
        let mut bytes = Cursor::new(b"SYSB\x02\0\0\0".to_vec());
        bytes.set_position(8);
        let mut archive = ZipWriter::new(bytes);
        let manifest = manifest.to_string();
        for (name, content) in files.iter().chain(&[("manifest.json", &*manifest)]) {
            archive.start_file(*name, SimpleFileOptions::default()).expect("it begins");
            archive.write_all(content.as_bytes()).expect("it is written");
        }
        archive.finish().expect("it ends")
    }

    fn read(bundle: Cursor<Vec<u8>>) -> Result<Vec<BundledFile>, DecodeError> {
        let mut bundle = ArtifactBundle::open(bundle)?;
        let mut files = Vec::new();
        while let Some(more) = bundle.next_files()? {
            files.extend(more);
        }
        Ok(files)
    }

    #[test]
    fn files_are_read_with_what_belongs_to_them() {
        let id = "10a2d6aa-eabc-5c8c-9dcf-423da158b15d";
        let manifest = json!({"files": {
            "a.js": {"type": "minified_source", "url": "~/js/a.js",
                     "headers": {"debug-id": id, "Sourcemap": "../maps/a.js.map"}},
            "a.js.map": {"type": "source_map", "url": "~/maps/a.js.map",
                         "headers": {"debug-id": id}},
            "a.ts": {"type": "source", "url": "~/a.ts"},
            "b.js": {"type": "minified_source", "url": "~/b.js"},
        }, "release": "web@1", "dist": "x", "org": "shop"});
        let inline = "b()\n//# sourceMappingURL=data:application/json;base64,e30=";
        let files = [("a.js", "a()"), ("a.js.map", "{}"), ("b.js", inline)];
        let opened = ArtifactBundle::open(bundle(&manifest, &files)).expect("a bundle");
        assert_eq!((opened.release(), opened.dist()), (Some("web@1"), Some("x")));
        let read = read(bundle(&manifest, &files)).expect("a bundle");
        let shown = |file: &BundledFile| {
            let id = if file.debug_id.is_empty() { "" } else { "id" };
            let content = String::from_utf8_lossy(&file.content).into_owned();
            format!("{} {id} {} {} {content}", file.url, file.is_map, file.map_url)
        };
        let shown: Vec<String> = read.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "~/js/a.js id false ~/maps/a.js.map a()",
                "~/maps/a.js.map id true  {}",
                &format!("~/b.js  false ~/b.js#map {inline}"),
                "~/b.js#map  true  {}",
            ]
        );
        assert_eq!(read[0].debug_id, id.replace('-', ""));
    }

    #[test]
    fn what_is_not_a_bundle_is_an_error() {
        let missing = json!({"files": {"a.js": {"type": "minified_source", "url": "~/a.js"}}});
        let nameless = json!({"files": {"a.js": {"type": "minified_source"}}});
        for (what, bundle) in [
            ("no zip", Cursor::new(b"SYSB\x02\0\0\0".to_vec())),
            ("empty", Cursor::new(Vec::new())),
            ("no list", ZipWriter::new(Cursor::new(Vec::new())).finish().expect("it ends")),
            ("wrong list", bundle(&json!([]), &[])),
            ("missing file", bundle(&missing, &[])),
            ("no URL", bundle(&nameless, &[("a.js", "")])),
        ] {
            assert!(read(bundle).is_err(), "{what}");
        }
        let mut cut = bundle(&missing, &[("a.js", &"x".repeat(10_000))]).into_inner();
        cut.drain(20..60);
        assert!(read(Cursor::new(cut)).is_err());
    }

    #[test]
    fn references_stay_on_their_host() {
        for (base, reference, expected) in [
            ("~/tiny.min.js", "tiny.min.js.map", "~/tiny.min.js.map"),
            ("~/a/b.js", "../m/b.js.map?x", "~/m/b.js.map?x"),
            ("~/a/b.js", "../../../b.js.map", "~/b.js.map"),
            ("https://x.org/a/b.js", "/b.js.map", "https://x.org/b.js.map"),
            ("https://x.org", "b.js.map", "https://x.org/b.js.map"),
            ("app:///main.jsbundle", "main.map", "app:///main.map"),
            ("~/b.js", "https://cdn.x.org/b.map", "https://cdn.x.org/b.map"),
            ("", "b.map", "/b.map"),
        ] {
            assert_eq!(joined(base, reference), expected, "{base} {reference}");
        }
    }
}
