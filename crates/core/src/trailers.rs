//! The people named at the end of a commit message: `Co-authored-by` and `Signed-off-by`.
use crate::blame::Developer;

/// How a commit message names somebody; also the order in which they are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailerRole {
    /// `Co-authored-by`: wrote a part of it.
    CoAuthor,
    /// `Signed-off-by`: forwarded it and vouches for that.
    Signer,
}

/// Somebody whom a commit message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailerPerson {
    /// How the message names them.
    pub role: TrailerRole,
    /// Name and address as written.
    pub developer: Developer,
}

/// Trailers are short; longer paragraphs are not trailers.
const MAX_TRAILERS: usize = 16 * 1024;
const MAX_PEOPLE: usize = 50;
const MAX_NAME: usize = 200;
const MAX_EMAIL: usize = 254;

/// The people named in the last paragraph of a whole commit message, unless that is also its first:
/// co-authors, then signers, each in the order of the message; at most 50.
pub fn parse_trailers(message: &str) -> Vec<TrailerPerson> {
    let message = message.trim_end();
    let Some(start) = last_paragraph(message) else { return Vec::new() };
    let mut people: Vec<TrailerPerson> = Vec::new();
    for person in message[start..].lines().filter_map(person) {
        if people.len() < MAX_PEOPLE && !people.contains(&person) {
            people.push(person);
        }
    }
    people.sort_by_key(|person| person.role);
    people
}

/// Start of that paragraph; `None` when there is only one, or it is too long for trailers.
fn last_paragraph(message: &str) -> Option<usize> {
    let mut start = message.len();
    for line in message.split_inclusive('\n').rev() {
        if line.trim().is_empty() {
            return Some(start);
        }
        start -= line.len();
        if message.len() - start > MAX_TRAILERS {
            return None;
        }
    }
    None
}

fn person(line: &str) -> Option<TrailerPerson> {
    let (key, value) = line.split_once(':')?;
    let role = match key.trim_end() {
        key if key.eq_ignore_ascii_case("co-authored-by") => TrailerRole::CoAuthor,
        key if key.eq_ignore_ascii_case("signed-off-by") => TrailerRole::Signer,
        _ => return None,
    };
    let (name, rest) = value.split_once('<')?;
    let (email, _) = rest.split_once('>')?;
    let (name, email) = (name.trim(), email.trim());
    let plain = |text: &str| !text.contains(char::is_control);
    let fits = name.len() <= MAX_NAME && (1..=MAX_EMAIL).contains(&email.len());
    let is_address =
        email.contains('@') && !email.contains(|c: char| c == '<' || c.is_whitespace());
    (fits && is_address && plain(name) && plain(email)).then(|| TrailerPerson {
        role,
        developer: Developer { name: name.to_owned(), email: email.to_owned() },
    })
}

#[cfg(test)]
mod tests {
    use super::{TrailerRole, parse_trailers};

    fn emails(message: &str) -> Vec<String> {
        parse_trailers(message).into_iter().map(|person| person.developer.email).collect()
    }

    #[test]
    fn people_are_named_in_the_last_paragraph_only() {
        let ann = "Co-authored-by: Ann <ann@e.com>";
        for (message, expected) in [
            (format!("Cart\n\n{ann}"), vec!["ann@e.com"]),
            (format!("Cart\n\n{ann}\n\n"), vec!["ann@e.com"]),
            (format!("Cart\r\n\r\n{ann}\r\n"), vec!["ann@e.com"]),
            ("Cart\n\nCO-AUTHORED-BY : Ann B <ann@e.com> (web)".into(), vec!["ann@e.com"]),
            ("Cart\n\nCo-Authored-By:<ann@e.com>".into(), vec!["ann@e.com"]),
            (format!("Cart\n\nText.\n{ann}"), vec!["ann@e.com"]),
            (format!("Cart\n\n{ann}\n{ann}"), vec!["ann@e.com"]),
            (
                format!("Cart\n\nSigned-off-by: Ben <ben@e.com>\nReviewed-by: C <c@e.com>\n{ann}"),
                vec!["ann@e.com", "ben@e.com"],
            ),
            (format!("Cart\n\n{ann}\n\nText after it."), vec![]),
            (ann.into(), vec![]),
            (format!("Cart\n{ann}"), vec![]),
            (format!("Cart\n\n  {ann}"), vec![]),
            ("Cart\n\nCo-authored-by: Ann".into(), vec![]),
            ("Cart\n\nCo-authored-by: Ann <>".into(), vec![]),
            ("Cart\n\nCo-authored-by: Ann <ann>".into(), vec![]),
            ("Cart\n\nCo-authored-by: Ann <a b@e.com>".into(), vec![]),
            ("Cart\n\nCo-authored-by: A\u{1b}[1mnn <ann@e.com>".into(), vec![]),
            (String::new(), vec![]),
        ] {
            assert_eq!(emails(&message), expected, "{message:?}");
        }
        let people = parse_trailers("Cart\n\nSigned-off-by: Ben B. <ben@e.com>");
        assert_eq!(people[0].role, TrailerRole::Signer);
        assert_eq!(people[0].developer.name, "Ben B.");
    }

    #[test]
    fn hostile_messages_are_bounded() {
        let many: String = (0..300).map(|i| format!("Co-authored-by: A <a{i}@e.com>\n")).collect();
        assert_eq!(emails(&format!("Cart\n\n{many}")).len(), 50);
        let long = "Co-authored-by: A <a@e.com>\n".repeat(10_000);
        assert!(emails(&format!("Cart\n\n{long}")).is_empty());
        let name = "ä".repeat(5_000);
        assert!(emails(&format!("Cart\n\nCo-authored-by: {name} <a@e.com>")).is_empty());
    }
}
