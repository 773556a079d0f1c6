//! Printed values that are too long to show are redacted before they are cut, so that no half of a
//! secret remains.
use std::borrow::Cow;

use flawless_redact::{OneReport, SCRUBBED};

/// Characters of a value that are shown, as in 0.4.5.
pub const VALUE: usize = 250;
/// Characters of an exception's own text that are shown.
pub const MESSAGE: usize = 4_000;
/// Characters of a note that are shown.
pub const NOTE: usize = 1_000;
/// Characters to print beyond those that are shown.
pub const BEYOND: usize = 150;
/// Marks the end of a text that is too long to show. The size of the whole, such as ` (1000
/// characters)`, follows it. Values never contain it.
pub const CUT: char = '\u{1}';

/// A printed text as it may leave the process, cut to a number of characters; a value has a name.
pub(crate) fn shown(
    name: Option<&str>,
    text: &str,
    characters: usize,
    redactor: &OneReport<'_>,
) -> String {
    let redact = |text| -> Cow<'_, str> {
        match name {
            Some(name) => redactor.redact_named(name, text),
            None => redactor.redact(text),
        }
    };
    let Some((text, whole)) = text.rsplit_once(CUT) else { return redact(text).into_owned() };
    let redacted = redact(text);
    if redacted == SCRUBBED {
        return redacted.into_owned();
    }
    let end = redacted.char_indices().nth(characters).map_or(redacted.len(), |(end, _)| end);
    format!("{}...{whole}", &redacted[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use flawless_redact::{Redactor, Rules};

    #[test]
    fn secret_at_the_end_of_the_shown_part_is_redacted_whole() {
        let redactor = Redactor::new(&Rules::default(), []).expect("built-in rules");
        let url = format!("{}https://bob:S3cretPass@example.com/x", "x".repeat(230));
        let text = format!("{url}{}{CUT} (900 characters)", "y".repeat(90));
        let shown = shown(None, &text, VALUE, &redactor.one_report());
        assert!(!shown.contains("S3cret"), "{shown}");
        let begin = format!("https://bob:{SCRUBBED}").chars().take(20).collect::<String>();
        assert!(shown.ends_with(&format!("{begin}... (900 characters)")), "{shown}");
    }
}
