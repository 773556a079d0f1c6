//! What each line of an INI file in the dialect of Python's configparser is: decided here, for the
//! reader and for the writer.

/// A line of an INI file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// An empty line or a comment.
    Silent,
    /// `[title]`; `None` when the bracket is not closed.
    Section(Option<&'a str>),
    /// `name = value`, the name in lower case.
    Option(String, &'a str),
    /// An indented line, which continues the value of the option above it.
    Continued(&'a str),
    /// Anything else.
    Unreadable(&'a str),
}

/// The lines of a text with their endings, and what each of them is.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, Line<'_>)> {
    let mut is_below_option = false;
    text.split_inclusive('\n').map(move |whole| {
        let line = whole.trim_start_matches('\u{feff}');
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return (whole, Line::Silent);
        }
        if is_below_option && line.starts_with(char::is_whitespace) {
            return (whole, Line::Continued(trimmed));
        }
        is_below_option = false;
        if let Some(title) = trimmed.strip_prefix('[') {
            return (whole, Line::Section(title.strip_suffix(']')));
        }
        let Some((name, value)) = trimmed.split_once(['=', ':']) else {
            return (whole, Line::Unreadable(trimmed));
        };
        is_below_option = true;
        (whole, Line::Option(name.trim().to_ascii_lowercase(), value.trim()))
    })
}

/// Replaces `%%` by a per cent sign and `%(name)s` by what `value_of` has, as configparser does.
pub(super) fn interpolate<'a>(text: &str, value_of: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        let reference = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
        let found = reference.and_then(|(name, after)| Some((value_of(name)?, after)));
        rest = match (after.strip_prefix('%'), found) {
            (Some(after), _) => {
                result.push('%');
                after
            }
            (None, Some((value, after))) => {
                result.push_str(value);
                after
            }
            (None, None) => {
                result.push('%');
                after
            }
        };
    }
    result.push_str(rest);
    result
}

/// A value as it is written behind `name =`, so that it is read as the same value again.
pub(super) fn written(value: &str) -> String {
    value.replace('%', "%%").replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_value_is_read_as_the_same_value() {
        for value in ["50%", "%(port)s", "%%(port)s", "%", "a%%b", "100%(x", "%(port)s%(port)s"] {
            let value_of = |name: &str| (name == "port").then_some("9100");
            assert_eq!(interpolate(&written(value), value_of), value);
        }
    }
}
