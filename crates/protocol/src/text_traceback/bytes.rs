//! Bytes to text: the encodings in which logs and pasted tracebacks arrive.
use std::borrow::Cow;

/// The text of `bytes`. A byte order mark determines the encoding, as do the zeros of UTF-16
/// without one; anything else is UTF-8. Invalid bytes become U+FFFD, except for the quotes of
/// Windows code pages, which surround paths.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes).into(),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes).into(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).into(),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).into(),
        _ => match zeros_of_utf16(bytes) {
            Some(from_bytes) => utf16(bytes, from_bytes).into(),
            None => utf8(bytes),
        },
    }
}

fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        match chunk.invalid() {
            [] => {}
            [0x91 | 0x92] => text.push('\''),
            [0x93 | 0x94] => text.push('"'),
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    text.into()
}

fn utf16(bytes: &[u8], from_bytes: fn([u8; 2]) -> u16) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| from_bytes(*unit));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn utf32(bytes: &[u8], from_bytes: fn([u8; 4]) -> u32) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    let units = units.iter().map(|unit| char::from_u32(from_bytes(*unit)));
    units.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Detects the byte order of UTF-16 without a mark: in mostly ASCII text every second byte is zero.
fn zeros_of_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let (units, _) = bytes[..bytes.len().min(1_024)].as_chunks::<2>();
    let mostly = |zeros: usize| units.len() > 1 && zeros > units.len() * 3 / 4;
    if mostly(units.iter().filter(|unit| unit[1] == 0 && unit[0] != 0).count()) {
        Some(u16::from_le_bytes)
    } else if mostly(units.iter().filter(|unit| unit[0] == 0 && unit[1] != 0).count()) {
        Some(u16::from_be_bytes)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encoding_it_arrives_in() {
        let text = "File \"höhe ☃.py\"\n";
        let units = |mark: &[u8], to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
        };
        assert_eq!(decode(text.as_bytes()), text);
        assert_eq!(decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), text);
        assert_eq!(decode(&units(b"\xff\xfe", u16::to_le_bytes)), text);
        assert_eq!(decode(&units(b"\xfe\xff", u16::to_be_bytes)), text);
        assert_eq!(decode(&units(b"", u16::to_le_bytes)), text);
        assert_eq!(decode(&units(b"", u16::to_be_bytes)), text);
        let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(decode(&[b"\xff\xfe\0\0", wide.as_slice()].concat()), text);
    }

    #[test]
    fn undecodable_bytes_leave_the_text_around_them_intact() {
        assert_eq!(decode(b"File \x93a.py\x94, h\xf6he"), "File \"a.py\", h\u{fffd}he");
        assert_eq!(decode(b"\xff\xfea\0b"), "a");
        assert_eq!(decode(b""), "");
    }
}
