//! A place in the code that a rule names: a file, optionally a function and a piece of a line.
use serde::{Deserialize, Serialize};

use crate::text::fold_white_space;

/// File + optional function + optional code fragment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePattern {
    /// Path in the repository, e.g. `shop/cart.py`.
    pub filename: String,
    /// Plain function name; `None` or empty matches every function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_name: Option<String>,
    /// Part of a source line; `None` or empty matches every line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_fragment: Option<String>,
}

impl CodePattern {
    /// Whether the pattern matches a line: the file is equal, the function equal or unset, and the
    /// fragment, white space folded, contains or is contained in `text`, or one of them is empty.
    pub fn matches(&self, filename: &str, function: &str, text: &str) -> bool {
        self.filename == filename && self.matches_code(function, text)
    }

    /// Ignores the file, for rules whose file is compared differently.
    pub(crate) fn matches_code(&self, function: &str, text: &str) -> bool {
        let function_agrees = match self.function_name.as_deref() {
            None | Some("") => true,
            Some(name) => name == function,
        };
        function_agrees && self.fragment_agrees(text)
    }

    fn fragment_agrees(&self, text: &str) -> bool {
        let fragment = fold_white_space(self.code_fragment.as_deref().unwrap_or_default());
        let text = fold_white_space(text);
        fragment.is_empty()
            || text.is_empty()
            || text.contains(&*fragment)
            || fragment.contains(&*text)
    }
}

#[cfg(test)]
mod tests {
    use super::CodePattern;

    #[test]
    fn pattern_is_narrowed_only_by_fields_that_are_set() {
        let pattern = |function: Option<&str>, fragment: Option<&str>| CodePattern {
            filename: "shop/cart.py".into(),
            function_name: function.map(Into::into),
            code_fragment: fragment.map(Into::into),
        };
        let line = ("shop/cart.py", "total", "    return  sum(prices)\n");
        for (pattern, expected) in [
            (pattern(None, None), true),
            (pattern(Some(""), Some("")), true),
            (pattern(Some("total"), None), true),
            (pattern(Some("other"), None), false),
            (pattern(None, Some("sum(prices)")), true),
            (pattern(None, Some("return sum(prices)  # ok")), true),
            (pattern(None, Some("return\nsum(prices)")), true),
            (pattern(None, Some("max(prices)")), false),
        ] {
            assert_eq!(pattern.matches(line.0, line.1, line.2), expected, "{pattern:?}");
        }
        assert!(!pattern(None, None).matches("cart.py", "total", ""));
    }
}
