//! The documents that an import of rules takes: the output of the export, the page `/view_config`
//! of 0.4.5 or its content, and the files in which the first Flawless kept its rules.
use serde_json::{Map, Value, json};

use super::lists::{RuleInputError, RuleList, invalid};

/// The content of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDocument {
    /// Its entries as written, with the current field names.
    pub entries: Vec<Value>,
    /// Texts between the entries, which the first Flawless treated as comments.
    pub comments: usize,
}

/// How to save a page of 0.4.5 unchanged.
const SAVE_PAGE: &str =
    "Fetch it as it is sent: curl -o KEY.html 'http://HOST:PORT/view_config?key=KEY'";

/// Parses the bytes of a file into a document.
///
/// # Errors
/// They are neither JSON nor a page that shows any. The text says what they are.
pub fn read_document(bytes: &[u8]) -> Result<Value, RuleInputError> {
    if is_pickle(bytes) {
        return Err(invalid("this is a Python pickle, not JSON".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("this is not UTF-8".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with('<') {
        return serde_json::from_str(text)
            .map_err(|error| invalid(format!("this is not JSON: {error}")));
    }
    let shown = shown_by_page(text)?;
    serde_json::from_str(&shown)
        .map_err(|error| invalid(format!("the page shows no JSON: {error}. {SAVE_PAGE}")))
}

/// Whether a file was written by 0.4.5 to its disk.
pub fn is_pickle(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, ..])
}

/// The JSON on a page of 0.4.5. It has `<br />` for each newline and escapes nothing; a browser
/// that saved its rendering writes `<br>`, escapes, and has interpreted texts as markup.
fn shown_by_page(page: &str) -> Result<String, RuleInputError> {
    let shown = page.split_once("<pre>").and_then(|(_, rest)| rest.rsplit_once("</pre>"));
    let Some((shown, _)) = shown else {
        return Err(invalid(format!("the page shows no list. {SAVE_PAGE}")));
    };
    let mut json = String::new();
    let (mut in_text, mut of_browser) = (false, false);
    let mut rest = shown;
    while let Some(first) = rest.chars().next() {
        let tag = ["<br />", "<br>"].into_iter().find(|tag| rest.starts_with(tag));
        let taken = match (in_text, tag) {
            (false, Some(tag)) => {
                of_browser |= tag == "<br>";
                json.push('\n');
                rest = &rest[tag.len()..];
                continue;
            }
            (true, _) if rest.starts_with('\\') => rest.chars().take(2).map(char::len_utf8).sum(),
            _ => first.len_utf8(),
        };
        in_text ^= first == '"';
        let (whole, after) = rest.split_at(taken);
        if in_text && of_browser && whole == "<" {
            let text = "the browser that saved the page has interpreted a part of a rule as markup";
            return Err(invalid(format!("{text}. {SAVE_PAGE}")));
        }
        json.push_str(whole);
        rest = after;
    }
    Ok(match of_browser {
        true => json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        false => json,
    })
}

impl RuleList {
    /// The key of the list in the objects of 0.4.5.
    fn envelope(self) -> &'static str {
        match self {
            Self::WatchList => "watches",
            Self::DisownershipList => "disownerships",
            Self::IgnoredExceptions => "exceptions",
            Self::EmailRemapping => "remap",
            _ => "identifiers",
        }
    }

    /// The entries as a document that [`Self::in_document`] and 0.4.5 read.
    pub fn document(self, entries: &[Value], at: i64) -> Value {
        let list = match self {
            Self::EmailRemapping => {
                let pair = |entry: &Value| {
                    let old = entry.get("old_email")?.as_str()?.to_owned();
                    Some((old, entry.get("new_email")?.clone()))
                };
                Value::Object(entries.iter().filter_map(pair).collect::<Map<_, _>>())
            }
            _ => json!(entries),
        };
        json!({ self.envelope(): list, "last_update_ts": at })
    }

    /// The rules in `document`: a list, a map old → new, or the whole object as 0.4.5's
    /// `view_config` shows it.
    ///
    /// # Errors
    /// It is none of these.
    pub fn in_document(self, document: &Value) -> Result<RuleDocument, RuleInputError> {
        let envelope = self.envelope();
        let inner = document.get(envelope).unwrap_or(document);
        let mut comments = 0;
        let entries = match inner {
            Value::Array(entries) => {
                let is_comment =
                    |entry: &Value| entry.is_string() && self != Self::IgnoredExceptions;
                comments = entries.iter().filter(|entry| is_comment(entry)).count();
                let entries = entries.iter().filter(|entry| !is_comment(entry));
                entries.map(|entry| self.in_todays_words(entry)).collect()
            }
            Value::Object(map) if self == Self::EmailRemapping => map
                .iter()
                .filter(|(name, _)| *name != "last_update_ts")
                .map(|(old, new)| json!({"old_email": old, "new_email": new}))
                .collect(),
            Value::Null => Vec::new(),
            // An object of 0.4.5 whose list was never filled has only its time stamp.
            Value::Object(map) if map.keys().all(|key| key == "last_update_ts") => Vec::new(),
            _ => {
                let name = self.as_str();
                let text = format!("not a list of {name}, nor an object with {envelope:?}");
                return Err(invalid(text));
            }
        };
        Ok(RuleDocument { entries, comments })
    }

    /// Renames the fields of an entry to the names they have had since 0.4.
    fn in_todays_words(self, entry: &Value) -> Value {
        let renamed: &[(&str, &str)] = match self {
            Self::KnownErrors => &[("alert_every_n_occurences", "alert_every_n_occurrences")],
            Self::EmailRemapping => &[("remap", "old_email"), ("to", "new_email")],
            _ => &[],
        };
        let mut entry = entry.clone();
        if let Value::Object(map) = &mut entry {
            for (before, today) in renamed {
                if !map.contains_key(*today)
                    && let Some(value) = map.remove(*before)
                {
                    map.insert((*today).to_owned(), value);
                }
            }
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(list: RuleList, document: &Value) -> Value {
        let found = list.in_document(document).expect("a document").entries;
        json!(list.normalize_all(&found).expect("entries"))
    }

    #[test]
    fn forms_of_0_4_5_are_all_read() {
        let expected = json!([{"old_email": "a", "new_email": "b@example.com"}]);
        let map = json!({"a": "b@example.com"});
        assert_eq!(entries(RuleList::EmailRemapping, &map), expected);
        let whole = json!({"remap": {"a": "b@example.com"}, "last_update_ts": 5});
        assert_eq!(entries(RuleList::EmailRemapping, &whole), expected);

        let known = json!({"last_update_ts": 1, "identifiers": [
            {"filename": "a.py", "function_name": "", "code_fragment": null,
             "min_alert_threshold": 5, "email_recipients": ["x@example.com"]}]});
        assert_eq!(
            entries(RuleList::KnownErrors, &known),
            json!([{"filename": "a.py", "min_alert_threshold": 5,
                    "email_recipients": ["x@example.com"]}])
        );
        let names = json!(["a.B", "c.D"]);
        assert_eq!(entries(RuleList::IgnoredExceptions, &names), names);
        for never_filled in [json!({"last_update_ts": 0}), Value::Null] {
            assert_eq!(entries(RuleList::WatchList, &never_filled), json!([]));
        }
    }

    #[test]
    fn exported_document_is_imported_unchanged() {
        let alias = json!({"old_email": "a", "new_email": "b@example.com"});
        let document = RuleList::EmailRemapping.document(std::slice::from_ref(&alias), 7);
        assert_eq!(document, json!({"remap": {"a": "b@example.com"}, "last_update_ts": 7}));
        for (list, entry) in [
            (RuleList::EmailRemapping, alias),
            (RuleList::KnownErrors, json!({"filename": "a.py", "min_alert_threshold": 5})),
            (RuleList::IgnoredExceptions, json!("a.B")),
        ] {
            let document = list.document(std::slice::from_ref(&entry), 7);
            assert_eq!(entries(list, &document), json!([entry]));
        }
    }

    #[test]
    fn file_of_the_first_flawless_is_read_with_comments_and_names() {
        let known = json!([" What is expected", "", {"filename": "a.py", "function_name": null,
            "alert_every_n_occurences": 10}, " and this", {"filename": "b.py"}]);
        let found = RuleList::KnownErrors.in_document(&known).expect("a list");
        assert_eq!(found.comments, 3);
        assert_eq!(
            entries(RuleList::KnownErrors, &known),
            json!([{"filename": "a.py", "alert_every_n_occurrences": 10}, {"filename": "b.py"}])
        );
        let remapped = json!([" To others", {"remap": "a", "to": "b@example.com"}]);
        assert_eq!(
            entries(RuleList::EmailRemapping, &remapped),
            json!([{"old_email": "a", "new_email": "b@example.com"}])
        );
        // Nobody can say which of the two is meant: the older name is reported as unknown.
        let both = json!([{"filename": "a", "alert_every_n_occurences": 1,
            "alert_every_n_occurrences": 2}]);
        let both = RuleList::KnownErrors.in_document(&both).expect("a list").entries;
        let error = RuleList::KnownErrors.normalize_all(&both).expect_err("wrong").to_string();
        assert!(error.contains("unknown field \"alert_every_n_occurences\""), "{error}");
        let wrong = RuleList::WatchList.in_document(&json!("x")).expect_err("wrong").to_string();
        assert!(wrong.starts_with("not a list of watch_list"), "{wrong}");
    }

    #[test]
    fn text_that_is_not_a_document_is_reported() {
        let error = |bytes: &[u8]| read_document(bytes).expect_err("none").to_string();
        for (bytes, said) in [
            (&b"\x80\x02}q\x00."[..], "a Python pickle"),
            (b"\xff\xfe[\0]\0", "not UTF-8"),
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b"<html><body>no</body></html>", "the page shows no list"),
            (b"<html><pre>{</pre></html>", "the page shows no JSON"),
            (b"<pre>", "the page shows no list"),
            (b"<pre>\"\\</pre>", "the page shows no JSON"),
            (b"<pre>[<br>\"<b>x</b>\"]</pre>", "interpreted a part of a rule as markup"),
        ] {
            assert!(error(bytes).contains(said), "{bytes:?}: {}", error(bytes));
        }
        assert_eq!(read_document(b"\xef\xbb\xbf[]").expect("a BOM is no letter"), json!([]));
    }
}
