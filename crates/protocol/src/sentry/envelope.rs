//! Splits an envelope into its items without copying their payloads.
use serde_json::Value;

use crate::DecodeError;
use crate::lenient_json::read_json;

/// Bytes of a header line. Those of clients have some hundred.
const MAX_HEADER: usize = 8 * 1024;

/// An envelope whose header was read.
#[derive(Debug)]
pub struct Envelope<'a> {
    header: Value,
    rest: &'a [u8],
}

/// An item of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// Its type, such as `event`.
    pub kind: String,
    /// Its bytes.
    pub payload: &'a [u8],
}

const WHAT: &str = "envelope";

impl<'a> Envelope<'a> {
    /// Reads the header of an envelope.
    ///
    /// # Errors
    /// It is not a JSON object, or longer than 8 KiB.
    pub fn read(body: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, rest) = header(body)?;
        Ok(Self { header, rest })
    }

    /// A text in its header.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Its items, in their order. After an error there are no more.
    pub fn items(&self) -> impl Iterator<Item = Result<Item<'a>, DecodeError>> + use<'a> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            while let Some(after) = rest.strip_prefix(b"\n").or_else(|| rest.strip_prefix(b"\r\n"))
            {
                rest = after;
            }
            if rest.is_empty() {
                return None;
            }
            match item(rest) {
                Ok((item, after)) => {
                    rest = after;
                    Some(Ok(item))
                }
                Err(error) => {
                    rest = &[];
                    Some(Err(error))
                }
            }
        })
    }
}

/// The item at the beginning of `bytes`, and what follows it.
fn item(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), DecodeError> {
    let (header, rest) = header(bytes)?;
    let kind = header.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| DecodeError::new(WHAT, "an item has no type"))?.to_owned();
    let (payload, rest) = match header.get("length") {
        None | Some(Value::Null) => line(rest),
        Some(length) => {
            let length = whole(length);
            let wrong =
                || DecodeError::new(WHAT, format!("the length of an item ({kind}) is wrong"));
            let (payload, rest) =
                length.and_then(|length| rest.split_at_checked(length)).ok_or_else(wrong)?;
            let rest = match rest {
                [] => rest,
                [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
                _ => return Err(wrong()),
            };
            (payload, rest)
        }
    };
    Ok((Item { kind, payload }, rest))
}

/// A length, also one that is written as a text or with a fraction of nothing.
fn whole(length: &Value) -> Option<usize> {
    match length {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let length = number.as_u64().or_else(|| {
                let length = number.as_f64().filter(|length| length.fract() == 0.0)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it fits"
                )]
                (0.0..1e15).contains(&length).then_some(length as u64)
            });
            usize::try_from(length?).ok()
        }
        _ => None,
    }
}

/// The JSON object in the first line of `bytes`, and what follows it.
fn header(bytes: &[u8]) -> Result<(Value, &[u8]), DecodeError> {
    let (line, rest) = line(bytes);
    if line.len() > MAX_HEADER {
        return Err(DecodeError::new(WHAT, format!("a header is longer than {MAX_HEADER} bytes")));
    }
    match read_json(line) {
        Ok(header @ Value::Object(_)) => Ok((header, rest)),
        Ok(_) => Err(DecodeError::new(WHAT, "a header is not a JSON object")),
        Err(error) => Err(DecodeError::new(WHAT, format!("a header is not JSON: {}", error.why))),
    }
}

/// The first line of `bytes` without its end, and what follows it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds and payloads of a body's items, up to an error.
    fn items(body: &str) -> Vec<String> {
        let envelope = match Envelope::read(body.as_bytes()) {
            Ok(envelope) => envelope,
            Err(error) => return vec![error.to_string()],
        };
        let shown = |item: Result<Item<'_>, DecodeError>| match item {
            Ok(Item { kind, payload }) => format!("{kind}={}", String::from_utf8_lossy(payload)),
            Err(error) => error.to_string(),
        };
        envelope.items().map(shown).collect()
    }

    #[test]
    fn items_with_and_without_a_length_are_split() {
        for (body, expected) in [
            ("{}\n{\"type\":\"event\",\"length\":3}\na\nb\n", vec!["event=a\nb"]),
            ("{}\n{\"type\":\"event\",\"length\":3}\na\nb", vec!["event=a\nb"]),
            (
                "{}\n{\"type\":\"a\"}\n{}\n{\"type\":\"b\",\"length\":null}\n[]",
                vec!["a={}", "b=[]"],
            ),
            ("{}\n\n\n{\"type\":\"a\",\"length\":0}\n\n\n{\"type\":\"b\"}\nx", vec!["a=", "b=x"]),
            ("{}\n{\"type\":\"a\"}", vec!["a="]),
            (
                "{}\n{\"type\":\"a\",\"length\":\"1\"}\nx\n{\"type\":\"b\",\"length\":1.0}\ny",
                vec!["a=x", "b=y"],
            ),
            ("{}", vec![]),
            ("{}\n", vec![]),
        ] {
            assert_eq!(items(body), expected, "{body}");
        }
    }

    #[test]
    fn broken_framing_is_an_error_after_the_items_before_it() {
        let fine = "{}\n{\"type\":\"a\"}\nx\n";
        for wrong in [
            "{\"type\":\"event\",\"length\":9}\nabc",
            "{\"type\":\"event\",\"length\":2}\nabc",
            "{\"type\":\"event\",\"length\":-1}\nabc",
            "{\"type\":\"event\",\"length\":\"x\"}\nabc",
            "{\"type\":\"event\",\"length\":2.5}\nabc",
            "{\"type\":\"event\",\"length\":18446744073709551615}\nabc",
        ] {
            let expected = ["a=x", "envelope: the length of an item (event) is wrong"];
            assert_eq!(items(&format!("{fine}{wrong}")), expected, "{wrong}");
        }
        assert_eq!(items("{}\n{}\nx"), ["envelope: an item has no type"]);
        assert_eq!(items("[]\n"), ["envelope: a header is not a JSON object"]);
        assert!(items("x\n")[0].starts_with("envelope: a header is not JSON: "));
        assert!(items("")[0].starts_with("envelope: a header is not JSON: "));
        let endless = format!("{{\"a\":\"{}\"}}\n", "x".repeat(MAX_HEADER));
        assert_eq!(items(&endless), ["envelope: a header is longer than 8192 bytes"]);
    }

    #[test]
    fn fields_of_the_header_are_read() {
        let body = b"{\"event_id\":\"ab\",\"dsn\":null,\"sent_at\":7}\n";
        let envelope = Envelope::read(body).expect("an envelope");
        assert_eq!(
            ["event_id", "dsn", "sent_at", "other"].map(|name| envelope.field(name)),
            [Some("ab"), None, None, None]
        );
    }
}
