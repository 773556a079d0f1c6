//! Classifies the lines of an INI file in the dialect of Python's configparser, for both reading
//! and writing.

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

/// The lines of a text with their endings, each with its kind.
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

/// Replaces `%%` with a percent sign and `%(name)s` with its `value_of`, as configparser does.
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

/// A value as written after `name =`, so that it is read as the same value.
pub(super) fn written(value: &str) -> String {
    value.replace('%', "%%").replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_value_is_read_as_the_same_value() {
        for value in ["50%", "%(port)s", "%%(port)s", "%", "a%%b", "100%(x", "%(port)s%(port)s"] {
            let value_of = |name: &str| (name == "port").then_some("9100");
            assert_eq!(interpolate(&written(value), value_of), value);
        }
    }
}
