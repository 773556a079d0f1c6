//! Numbers with their nouns: the same on pages, in mails, in posts and on the command line.
use std::fmt::Display;

/// `1 issue`, `2 issues`.
pub fn counted(number: impl Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    format!("{number} {}", word(&number, one, many))
}

/// The noun for a number that is printed elsewhere.
pub fn word<'a>(number: impl Display, one: &'a str, many: &'a str) -> &'a str {
    if number.to_string() == "1" { one } else { many }
}

/// `once`, `2 times`.
pub fn times(number: impl Display) -> String {
    match number.to_string().as_str() {
        "1" => "once".to_owned(),
        number => format!("{number} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_is_used_for_one_only() {
        let issues = [0_i64, 1, 2, -1].map(|number| counted(number, "issue", "issues"));
        assert_eq!(issues, ["0 issues", "1 issue", "2 issues", "-1 issues"]);
        assert_eq!([times(1), times(2), times(0)], ["once", "2 times", "0 times"]);
    }
}
