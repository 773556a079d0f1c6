//! Lists of Python-style regular expressions over paths.
use fancy_regex::{Regex, RegexBuilder};

/// A list of patterns of which one must match from the start of a path, as Python's `re.match`
/// does; an empty list matches everything.
#[derive(Debug, Clone, Default)]
pub struct PathPatterns(Vec<Regex>);

/// A pattern that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub message: String,
}

/// Enough for any sane pattern over a path; a pattern that needs more would stall on a hostile
/// path.
const BACKTRACK_LIMIT: usize = 100_000;

impl PathPatterns {
    /// Compiles `patterns`.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, PatternError> {
        let compile = |pattern: &S| {
            let pattern = pattern.as_ref();
            RegexBuilder::new(&format!(r"\A(?:{pattern})"))
                .backtrack_limit(BACKTRACK_LIMIT)
                .build()
                .map_err(|error| PatternError {
                    pattern: pattern.to_owned(),
                    message: error.to_string(),
                })
        };
        patterns.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of the patterns matches from the start of `path`. A pattern that gives up on
    /// this path does not match it.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|regex| regex.is_match(path).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::PathPatterns;

    #[test]
    fn patterns_use_python_syntax_and_anchor_at_the_start() {
        let patterns = PathPatterns::new(&[r"^(?!.*\.egg).*$"]).expect("valid");
        assert!(patterns.matches("shop/cart.py"));
        assert!(!patterns.matches("shop-1.0.egg/cart.py"));
        let patterns = PathPatterns::new(&["lib", "web|api"]).expect("valid");
        assert!(patterns.matches("lib/x.py") && patterns.matches("api/x.py"));
        assert!(!patterns.matches("src/lib/x.py"));
        assert!(PathPatterns::new::<&str>(&[]).expect("empty").matches("anything"));
    }

    #[test]
    fn broken_pattern_is_named() {
        let error = PathPatterns::new(&["ok", "(broken"]).expect_err("broken");
        assert_eq!(error.pattern, "(broken");
        assert!(!error.message.is_empty());
    }

    #[test]
    fn pattern_that_backtracks_forever_gives_up() {
        let patterns = PathPatterns::new(&[r"(?=(a+)+$)(a|aa)+$\1"]).expect("valid");
        assert!(!patterns.matches(&format!("{}b", "a".repeat(4_000))));
    }
}
