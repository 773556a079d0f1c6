//! The body of the older endpoint for single events, `…/store/`.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::content_encoding::{BodyError, gunzipped, inflated};

/// The JSON of an event: as it is, compressed, or both compressed and in base64, as the clients of
/// several years sent it without saying so.
///
/// # Errors
/// It is none of these, or larger than `limit` bytes.
pub fn older_body(body: Vec<u8>, limit: usize) -> Result<Vec<u8>, BodyError> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    if body[start..].starts_with(b"{") || body[start..].starts_with(b"\xef\xbb\xbf") {
        return Ok(body);
    }
    let unpacked = |body: Vec<u8>| match body.first() {
        Some(0x78) => inflated(&body, limit),
        Some(0x1f) => gunzipped(&body, limit),
        _ => Ok(body),
    };
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match STANDARD.decode(&text) {
        Ok(decoded) if !decoded.is_empty() => unpacked(decoded),
        _ => unpacked(body),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn all_forms_are_unpacked() {
        let json = b"{\"message\": \"hi\"}";
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(json).expect("memory");
        let zlib = encoder.finish().expect("memory");
        let wrapped: Vec<String> = STANDARD
            .encode(&zlib)
            .as_bytes()
            .chunks(20)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        for body in [
            json.to_vec(),
            zlib.clone(),
            STANDARD.encode(&zlib).into_bytes(),
            wrapped.join("\r\n").into_bytes(),
            STANDARD.encode(json).into_bytes(),
        ] {
            assert_eq!(older_body(body, 100).expect("JSON"), json);
        }
        assert!(matches!(older_body(zlib, 3), Err(BodyError::TooLarge(3))));
        assert_eq!(older_body(b"nothing!".to_vec(), 100).expect("as it is"), b"nothing!");
    }
}
