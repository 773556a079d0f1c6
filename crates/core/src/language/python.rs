//! Python.

/// `raise`.
pub(super) fn is_raise(text: &str) -> bool {
    text.trim_start()
        .strip_prefix("raise")
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_.=[".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::is_raise;

    #[test]
    fn raise_statements_are_recognized_and_nothing_else_is() {
        for text in ["raise", "raise\n", "    raise ValueError(x)\n", "raise(E)", "raise E from e"]
        {
            assert!(is_raise(text), "{text:?}");
        }
        for text in ["raise_error(x)", "raises = 1", "x.raise_()", "", "# raise", "raise_ = 2"] {
            assert!(!is_raise(text), "{text:?}");
        }
    }
}
