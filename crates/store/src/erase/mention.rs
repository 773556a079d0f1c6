//! Finds and erases a person's address in texts.
use std::borrow::Cow;

use mail_parser::{MessageParser, PartType};
use serde_json::Value;

/// The word that replaces a person.
pub const ERASED: &str = "erased";

/// An address, and the names that go with it.
#[derive(Debug, Clone)]
pub struct ErasedPerson {
    address: String,
    /// The address in URL encoding.
    encoded: String,
    names: Vec<String>,
}

impl ErasedPerson {
    /// Makes the person with this address.
    pub fn new(address: &str) -> Self {
        let address = address.to_ascii_lowercase();
        Self { encoded: address.replace('@', "%40"), address, names: Vec::new() }
    }

    /// Adds a name from one of the person's commits: a full name is erased everywhere, a single
    /// word only next to the address.
    pub fn add_name(&mut self, name: &str) {
        let name = name.trim();
        if !name.is_empty() && name != ERASED && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Whether this is the address.
    pub fn is(&self, address: &str) -> bool {
        address.trim().eq_ignore_ascii_case(&self.address)
    }

    /// A pattern for `LIKE … ESCAPE '\\'` that finds the address in lower case.
    pub fn like(&self) -> String {
        let escape = |c: char| match c {
            '%' | '_' | '\\' => format!("\\{c}"),
            c => c.to_string(),
        };
        format!("%{}%", self.address.chars().map(escape).collect::<String>())
    }

    /// Whether a post contains the address, despite the characters that keep its texts from
    /// becoming links.
    pub fn is_in_post(&self, post: &[u8]) -> bool {
        let text = String::from_utf8_lossy(post).replace(['\u{200b}', '\\'], "");
        self.is_in(&text)
    }

    /// Whether the text contains the address, by itself and not as a part of another.
    pub fn is_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    fn find(&self, text: &str) -> Option<(usize, usize)> {
        let lower = text.to_ascii_lowercase();
        [&self.address, &self.encoded].into_iter().find_map(|wanted| {
            let is_whole = |at: usize| {
                let part = |c: char| c.is_alphanumeric() || "._+-".contains(c);
                let before = lower[..at].chars().next_back();
                let mut after = lower[at + wanted.len()..].chars();
                let more = match after.next() {
                    // The full stop of a sentence, or another domain.
                    Some('.') => after.next().is_some_and(char::is_alphanumeric),
                    next => next.is_some_and(|c| c.is_alphanumeric() || c == '-'),
                };
                // In a printed text, a line break before the address ends in a letter.
                let escaped = [r"\n", r"\r", r"\t"].iter().any(|mark| lower[..at].ends_with(mark));
                (escaped || !before.is_some_and(part)) && !more
            };
            let mut hits = lower.match_indices(wanted.as_str()).map(|(at, _)| at);
            hits.find(|at| is_whole(*at)).map(|at| (at, at + wanted.len()))
        })
    }

    /// Whether any text of a JSON value contains it.
    pub fn is_in_json(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_in(text),
            Value::Array(values) => values.iter().any(|value| self.is_in_json(value)),
            Value::Object(map) => {
                map.iter().any(|(key, value)| self.is_in(key) || self.is_in_json(value))
            }
            _ => false,
        }
    }

    /// The text without the person; `None` when it does not name them.
    pub fn erase(&self, text: &str) -> Option<String> {
        let mut erased = Cow::Borrowed(text);
        while let Some((start, end)) = self.find(&erased) {
            let mut text = erased.into_owned();
            text.replace_range(start..end, ERASED);
            erased = Cow::Owned(text);
        }
        let beside = matches!(erased, Cow::Owned(_));
        for name in &self.names {
            if (beside || name.contains(' ')) && erased.contains(name.as_str()) {
                erased = Cow::Owned(erased.replace(name.as_str(), ERASED));
            }
        }
        match erased {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(_) => None,
        }
    }

    /// The same in all texts of a JSON value; returns whether any named the person.
    pub fn erase_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.erase(text) {
                Some(erased) => {
                    *text = erased;
                    true
                }
                None => false,
            },
            Value::Array(values) => {
                values.iter_mut().fold(false, |any, value| self.erase_json(value) | any)
            }
            Value::Object(map) => {
                let is_theirs =
                    map.get("email").and_then(Value::as_str).is_some_and(|email| self.is(email));
                if is_theirs {
                    map.insert("email".into(), Value::String(String::new()));
                    if map.contains_key("name") {
                        map.insert("name".into(), Value::String(ERASED.into()));
                    }
                }
                map.values_mut().fold(is_theirs, |any, value| self.erase_json(value) | any)
            }
            _ => false,
        }
    }

    /// The same in JSON that is kept as text; `None` when it does not name the person. Its keys stay
    /// as they are, or it could not be read any more.
    pub fn erase_json_text(&self, json: &str) -> Option<String> {
        let mut value = serde_json::from_str(json).ok()?;
        self.erase_json(&mut value).then(|| value.to_string())
    }

    /// Whether a mail names them: in its bytes, or in the text that a reader sees.
    pub fn is_in_mail(&self, message: &[u8]) -> bool {
        let encoded = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
        if self.is_in(&String::from_utf8_lossy(encoded)) {
            return true;
        }
        let Some(mail) = MessageParser::default().parse(message) else { return false };
        let is_in_part = |part: &PartType<'_>| match part {
            PartType::Text(text) | PartType::Html(text) => self.is_in(text),
            _ => false,
        };
        mail.subject().is_some_and(|subject| self.is_in(subject))
            || mail.parts.iter().any(|part| is_in_part(&part.body))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn address_is_found_whole_and_in_any_case() {
        let ann = ErasedPerson::new("Ann@Example.com");
        for text in [
            "ann@example.com",
            "<ANN@example.com>,",
            "to ann@example.com.",
            "q=ann%40example.com&",
            r"to:\nann@example.com",
        ] {
            assert!(ann.is_in(text), "{text}");
        }
        for text in [
            "joann@example.com",
            "x.ann@example.com",
            "ann@example.com.au",
            "ann@example.community",
            "ann",
        ] {
            assert!(!ann.is_in(text), "{text}");
        }
    }

    #[test]
    fn texts_lose_the_address_and_the_name_with_it() {
        let mut ann = ErasedPerson::new("ann@example.com");
        ann.add_name("Ann Other");
        ann.add_name("ann");
        assert_eq!(ann.erase("by ann <ann@example.com>").as_deref(), Some("by erased <erased>"));
        assert_eq!(ann.erase("merged by Ann Other").as_deref(), Some("merged by erased"));
        assert_eq!(ann.erase("an announcement"), None);
        let mut details = json!({
            "author": {"name": "A. O.", "email": "ANN@example.com"},
            "steps": ["Ann Other <ann@example.com> merged it"], "other": 1,
        });
        assert!(ann.erase_json(&mut details));
        let erased = json!({
            "author": {"name": "erased", "email": ""},
            "steps": ["erased <erased> merged it"], "other": 1,
        });
        assert_eq!(details, erased);
        assert!(!ann.erase_json(&mut details));
    }

    #[test]
    fn keys_of_json_stay_whoever_is_erased() {
        let mut at = ErasedPerson::new("at@example.com");
        at.add_name("at");
        let kept =
            r#"{"resolved_at":1,"resolution":{"fixed":{"summary":"for at <at@example.com>"}}}"#;
        let erased =
            r#"{"resolution":{"fixed":{"summary":"for erased <erased>"}},"resolved_at":1}"#;
        assert_eq!(at.erase_json_text(kept).as_deref(), Some(erased));
        assert_eq!(at.erase_json_text(erased), None);
    }

    #[test]
    fn mail_is_decoded_as_its_reader_would() {
        let ann = ErasedPerson::new("ann@example.com");
        let mail = |encoding: &str, body: &str| {
            format!(
                "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
            )
        };
        assert!(ann.is_in_mail(mail("quoted-printable", "hello ann@exa=\r\nmple.com").as_bytes()));
        assert!(ann.is_in_mail(mail("base64", "dG8gYW5uQGV4YW1wbGUuY29tIQ==").as_bytes()));
        assert!(ann.is_in_mail(b"To: ann@example.com\r\n\r\n"));
        assert!(!ann.is_in_mail(mail("7bit", "hello").as_bytes()));
    }
}
