//! One line of a CODEOWNERS file: a comment, a section's heading, or a pattern with its owners.
use crate::address::is_mailable;
use crate::path_glob::CodeOwnersDialect;

/// The content of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Nothing, or only a comment.
    Empty,
    /// `^[Name][2] @owner`
    Heading { name: &'a str, optional: bool, owners: Vec<&'a str> },
    /// `pattern @owner …`, or `!pattern` on GitLab.
    Rule { pattern: &'a str, excludes: bool, owners: Vec<&'a str> },
}

/// Parses one line; words that are not owners are left as they are.
pub(crate) fn read(line: &str, dialect: CodeOwnersDialect) -> Line<'_> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Line::Empty;
    }
    if dialect == CodeOwnersDialect::GitLab
        && let Some(heading) = heading(line)
    {
        return heading;
    }
    let end = end_of_pattern(line);
    let (pattern, rest) = (&line[..end], &line[end..]);
    match pattern.strip_prefix('!') {
        Some(pattern) if dialect == CodeOwnersDialect::GitLab => {
            Line::Rule { pattern, excludes: true, owners: Vec::new() }
        }
        _ => Line::Rule { pattern, excludes: false, owners: words(rest) },
    }
}

/// Whether the line has a meaning only on GitLab.
pub(crate) fn is_gitlabs(line: &str) -> bool {
    match read(line, CodeOwnersDialect::GitLab) {
        Line::Empty => false,
        Line::Heading { .. } => true,
        Line::Rule { excludes, owners, .. } => {
            excludes || owners.iter().any(|owner| owner.starts_with("@@"))
        }
    }
}

/// Whether `word` can be an owner: `@user`, `@org/team`, `@@role` or a mail address.
pub(crate) fn is_owner(word: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.split('/').all(|part| !part.is_empty())
            && name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c))
    };
    match word.strip_prefix('@') {
        Some(name) => is_name(name.strip_prefix('@').unwrap_or(name)),
        None => is_mailable(word),
    }
}

/// `[Name]` followed by nothing or white space: `[id]/page.ts` is a path.
fn heading(line: &str) -> Option<Line<'_>> {
    let (line, optional) = match line.strip_prefix('^') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let approvals = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let rest = match approvals {
        Some((count, rest)) if count.bytes().all(|b| b.is_ascii_digit() || b == b' ') => rest,
        _ => rest,
    };
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    let name = name.trim();
    (ends && !name.is_empty()).then(|| Line::Heading { name, optional, owners: words(rest) })
}

/// Index of the first white space that is not escaped by a backslash.
fn end_of_pattern(line: &str) -> usize {
    let mut escaped = false;
    for (at, char) in line.char_indices() {
        if char.is_whitespace() && !escaped {
            return at;
        }
        escaped = char == '\\' && !escaped;
    }
    line.len()
}

/// The words before a comment. GitLab also takes owners from comments, but people who are only
/// mentioned there are not asked.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().take_while(|word| !word.starts_with('#')).collect()
}

#[cfg(test)]
mod tests {
    use super::{Line, is_owner, read};
    use crate::path_glob::CodeOwnersDialect;

    #[test]
    fn line_is_empty_a_heading_or_a_rule() {
        let rule = |pattern, excludes, owners: &[&'static str]| Line::Rule {
            pattern,
            excludes,
            owners: owners.to_vec(),
        };
        let heading = |name, optional, owners: &[&'static str]| Line::Heading {
            name,
            optional,
            owners: owners.to_vec(),
        };
        for (line, expected) in [
            ("", Line::Empty),
            ("  # all of it", Line::Empty),
            ("*.js\t@web @ann # the shop", rule("*.js", false, &["@web", "@ann"])),
            ("*.js @web #shop @ben", rule("*.js", false, &["@web"])),
            ("c#/x @web", rule("c#/x", false, &["@web"])),
            (r"\#a @web", rule(r"\#a", false, &["@web"])),
            (r"a\ b\\ @web", rule(r"a\ b\\", false, &["@web"])),
            ("/vendor/", rule("/vendor/", false, &[])),
            ("!pom.xml @ignored", rule("pom.xml", true, &[])),
            ("[Docs]", heading("Docs", false, &[])),
            ("^[Docs and more]  @docs", heading("Docs and more", true, &["@docs"])),
            ("[Docs][2] @docs d@e.com", heading("Docs", false, &["@docs", "d@e.com"])),
            ("[id]/page.ts @web", rule("[id]/page.ts", false, &["@web"])),
            ("[Docs @web", rule("[Docs", false, &["@web"])),
            ("[] @web", rule("[]", false, &["@web"])),
        ] {
            assert_eq!(read(line, CodeOwnersDialect::GitLab), expected, "{line}");
        }
        assert_eq!(
            read("[Docs] @web", CodeOwnersDialect::GitHub),
            rule("[Docs]", false, &["@web"])
        );
    }

    #[test]
    fn owners_are_handles_teams_roles_and_addresses() {
        for word in ["@ann", "@org/team", "@a/b/c", "@@maintainer", "ann@example.com", "@a_b.c-d"] {
            assert!(is_owner(word), "{word}");
        }
        for word in ["", "ann", "@", "@@", "@a/", "@/a", "ann@localhost", "@a<b>", "a@b@c.de"] {
            assert!(!is_owner(word), "{word}");
        }
    }
}
