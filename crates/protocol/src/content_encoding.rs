//! Undoes the content encodings of HTTP bodies, however small they are and whatever comes out.
use std::io::{ErrorKind, Read};

use crate::DecodeError;

/// More encodings on top of each other come only from attackers.
const MOST_ENCODINGS: usize = 4;
/// Parts of a gzip body, each of which takes a while, however small it is.
const MOST_MEMBERS: usize = 1_000;
/// Memory for the window of a zstd frame: 8 MiB. Clients send frames with windows far below it.
const LARGEST_WINDOW: u32 = 23;

/// Why a body cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It becomes larger than allowed.
    #[error("the decoded body is larger than {0} bytes")]
    TooLarge(usize),
    /// An encoding that is not known here.
    #[error("the content encoding {0:?} is not known: use gzip, deflate, br, zstd or none")]
    Unknown(String),
    /// It is not what `Content-Encoding` says.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// The body without its encodings. `encodings` is the value of `Content-Encoding`, also an empty
/// one; `limit` is the largest body in bytes, after each step. A body that names an encoding but is
/// plain JSON is returned as it is.
///
/// # Errors
/// See [`BodyError`].
pub fn decoded(body: Vec<u8>, encodings: &str, limit: usize) -> Result<Vec<u8>, BodyError> {
    let names = encodings.split(',').map(|name| name.trim().to_ascii_lowercase());
    let names: Vec<String> = names
        .filter(|name| !name.is_empty() && name != "identity")
        .take(MOST_ENCODINGS + 1)
        .collect();
    if names.len() > MOST_ENCODINGS {
        return Err(BodyError::Unknown(encodings.chars().take(100).collect()));
    }
    let mut body = body;
    if names.is_empty() && body.starts_with(&[0x1f, 0x8b]) {
        // It does not say so, and is nothing else.
        return gunzipped(&body, limit);
    }
    // The last one was applied last.
    for name in names.iter().rev() {
        body = match undone(&body, name, limit) {
            Err(BodyError::Malformed(_)) if body.starts_with(b"{") => body,
            decoded => decoded?,
        };
    }
    if body.len() > limit { Err(BodyError::TooLarge(limit)) } else { Ok(body) }
}

fn undone(body: &[u8], encoding: &str, limit: usize) -> Result<Vec<u8>, BodyError> {
    match encoding {
        "gzip" | "x-gzip" => gunzipped(body, limit),
        "deflate" => inflated(body, limit),
        "br" => {
            let decoder = brotli_decompressor::Decompressor::new(body, 4_096);
            read(decoder, "brotli body", limit)
        }
        "zstd" => {
            let what = "zstd body";
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body)
                .map_err(|error| DecodeError::new(what, error))?;
            decoder
                .window_log_max(LARGEST_WINDOW)
                .map_err(|error| DecodeError::new(what, error))?;
            read(decoder, what, limit)
        }
        other => Err(BodyError::Unknown(other.chars().take(100).collect())),
    }
}

/// All members of a gzip body; what follows the last one is ignored.
///
/// # Errors
/// See [`BodyError`].
pub(crate) fn gunzipped(body: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut all = Vec::new();
    let mut rest = body;
    for _ in 0..MOST_MEMBERS {
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        let left = limit.saturating_sub(all.len());
        let member = read(&mut decoder, "gzip body", left).map_err(|error| match error {
            BodyError::TooLarge(_) => BodyError::TooLarge(limit),
            other => other,
        })?;
        all.extend(member);
        rest = decoder.into_inner();
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(all);
        }
    }
    Err(DecodeError::new("gzip body", format!("it has more than {MOST_MEMBERS} members")).into())
}

/// A zlib body, or one without zlib's head.
///
/// # Errors
/// See [`BodyError`].
pub(crate) fn inflated(body: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
    match read(flate2::bufread::ZlibDecoder::new(body), "zlib body", limit) {
        Err(BodyError::Malformed(_)) => {
            read(flate2::bufread::DeflateDecoder::new(body), "deflate body", limit)
        }
        decoded => decoded,
    }
}

/// What a decoder gives, which may be any amount.
fn read(decoder: impl Read, what: &'static str, limit: usize) -> Result<Vec<u8>, BodyError> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut decoded = Vec::new();
    match decoder.take(most).read_to_end(&mut decoded) {
        Ok(_) if decoded.len() > limit => Err(BodyError::TooLarge(limit)),
        Ok(_) => Ok(decoded),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(DecodeError::new(what, "it is cut off").into())
        }
        Err(error) => Err(DecodeError::new(what, error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).expect("memory");
        encoder.finish().expect("memory")
    }

    const TEXT: &[u8] = b"{\"a\": 1}";

    #[test]
    fn encodings_are_undone_however_their_names_are_written() {
        let zstd = zstd::bulk::compress(TEXT, 1).expect("memory");
        let raw = zlib(TEXT)[2..].to_vec();
        for (body, encodings) in [
            (TEXT.to_vec(), ""),
            (TEXT.to_vec(), " Identity ,"),
            (gzip(TEXT), "gzip"),
            (gzip(TEXT), "X-GZIP"),
            (gzip(TEXT), ""),
            (gzip(&gzip(TEXT)), "gzip, gzip"),
            (zlib(TEXT), "deflate"),
            (raw, "deflate"),
            (zstd, "zstd"),
            (TEXT.to_vec(), "gzip"),
            (TEXT.to_vec(), "br"),
        ] {
            assert_eq!(decoded(body, encodings, 100).expect(encodings), TEXT, "{encodings}");
        }
        let members = [gzip(&TEXT[..3]), gzip(&TEXT[3..]), b"trailing".to_vec()].concat();
        assert_eq!(decoded(members, "gzip", 8).expect("two members"), TEXT);
    }

    #[test]
    fn output_is_bounded_and_errors_say_what_is_wrong() {
        let bomb = vec![b'a'; 1_000_000];
        for (body, encoding) in [
            (gzip(&bomb), "gzip"),
            (gzip(&gzip(&bomb)), "gzip, gzip"),
            (zlib(&bomb), "deflate"),
            (zstd::bulk::compress(&bomb, 1).expect("memory"), "zstd"),
            (bomb.clone(), ""),
            ([gzip(&bomb[..600]), gzip(&bomb[..600])].concat(), "gzip"),
        ] {
            let error = decoded(body, encoding, 1_000).expect_err(encoding);
            assert!(matches!(error, BodyError::TooLarge(1_000)), "{encoding}: {error}");
        }
        let many = gzip(b"").repeat(MOST_MEMBERS + 1);
        assert!(decoded(many, "gzip", 100).is_err());
        let cut = gzip(TEXT);
        let error = decoded(cut[..cut.len() - 9].to_vec(), "gzip", 100).expect_err("it is cut");
        assert_eq!(error.to_string(), "gzip body: it is cut off");
        for unknown in ["compress", "gzip, gzip, gzip, gzip, gzip"] {
            let error = decoded(TEXT.to_vec(), unknown, 100).expect_err("unknown");
            assert!(matches!(error, BodyError::Unknown(_)), "{error}");
        }
    }
}
