//! White space in source lines does not count when two lines are compared.
use std::borrow::Cow;

/// `text` without leading and trailing white space and with every inner run of it as one
/// blank. Borrows when nothing has to change.
pub fn fold_white_space(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let mut previous_blank = false;
    let folded = !trimmed.chars().any(|c| {
        let odd = (c.is_whitespace() && c != ' ') || (c == ' ' && previous_blank);
        previous_blank = c == ' ';
        odd
    });
    if folded {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(trimmed.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::fold_white_space;

    #[test]
    fn white_space_runs_become_one_blank() {
        for (given, expected) in [
            ("", ""),
            ("   ", ""),
            ("x = 1", "x = 1"),
            ("\tx  =\t1\n", "x = 1"),
            ("a\u{a0}b", "a b"),
        ] {
            assert_eq!(fold_white_space(given), expected, "{given:?}");
        }
    }
}
