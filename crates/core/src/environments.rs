//! Which environments, such as `production`, somebody is notified of; the others are only listed.

/// Names of environments, each with `*` for any characters. A name after `!` is an exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifiedEnvironments {
    listed: Vec<String>,
    excepted: Vec<String>,
}

impl NotifiedEnvironments {
    /// Reads the names of an option: upper and lower case are the same.
    pub fn new(names: &[String]) -> Self {
        let (excepted, listed): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| name.starts_with('!'));
        Self {
            listed: listed.into_iter().map(|name| name.to_lowercase()).collect(),
            excepted: excepted.into_iter().map(|name| name[1..].trim().to_lowercase()).collect(),
        }
    }

    /// Whether somebody is notified of an occurrence there. Without a name the program does not say
    /// where it runs: it may be anywhere.
    pub fn is_notified(&self, environment: &str) -> bool {
        let environment = environment.trim().to_lowercase();
        let is_in = |names: &[String]| names.iter().any(|name| matches_pattern(name, &environment));
        environment.is_empty()
            || (self.listed.is_empty() || is_in(&self.listed)) && !is_in(&self.excepted)
    }
}

/// Whether a text is what a pattern describes, with `*` for any characters.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(beginning) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notified(names: &[&str], environment: &str) -> bool {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        NotifiedEnvironments::new(&names).is_notified(environment)
    }

    #[test]
    fn environment_is_notified_when_it_is_named_and_no_exception() {
        assert!(notified(&[], "dev"), "all of them by default");
        assert!(notified(&["production"], "Production "));
        assert!(!notified(&["production"], "production-eu"));
        assert!(notified(&["prod*", "live"], "production-eu"));
        assert!(!notified(&["prod*", "live"], "preprod"));
        assert!(!notified(&["prod*", "! *-TEST"], "production-test"));
        assert!(notified(&["!dev*"], "staging"));
        assert!(!notified(&["!dev*"], "development"));
        assert!(notified(&["production"], ""), "nobody knows where it runs");
    }

    #[test]
    fn star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("*-eu-*", "live-eu-1", true),
            ("*é", "zé", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }
}
