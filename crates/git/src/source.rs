//! The origin of a mirror, and how its address is shown.
use std::path::PathBuf;

/// The origin of a repository.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// Cloned from `url` into `dir` and fetched by us.
    Clone {
        /// URL of the remote, possibly with credentials.
        url: String,
        /// Our own bare mirror; created when missing.
        dir: PathBuf,
    },
    /// A folder that others keep current; never written to.
    Folder(PathBuf),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Clone { url, dir } => {
                write!(f, "Clone {{ {} into {} }}", hide_credentials(url), dir.display())
            }
            Self::Folder(dir) => write!(f, "Folder {{ {} }}", dir.display()),
        }
    }
}

/// Replaces the user part of every URL in `text`, so that git's messages and addresses can be
/// shown: `https://user:token@host/x` becomes `https://***@host/x`.
pub fn hide_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let ends_authority =
            |c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"' | '?' | '#');
        let authority = after.find(ends_authority).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(user) => {
                shown.push_str("***");
                &after[user..]
            }
            None => after,
        };
        rest = hide_query(rest, &mut shown);
    }
    shown.push_str(rest);
    hide_password(&shown)
}

/// Replaces the query of the URL whose authority `rest` begins with; returns what follows.
fn hide_query<'a>(rest: &'a str, shown: &mut String) -> &'a str {
    let ends = |c: char| c.is_whitespace() || matches!(c, '\'' | '"');
    let end = rest.find(ends).unwrap_or(rest.len());
    let Some(mark) = rest[..end].find('?') else { return rest };
    shown.push_str(&rest[..mark]);
    shown.push_str("?***");
    &rest[end..]
}

/// Replaces the password of `user:password@host:path`, which is not a URL.
fn hide_password(text: &str) -> String {
    let hidden = |word: &str| -> Option<String> {
        let (login, place) = word.split_once('@')?;
        let (user, password) = login.split_once(':')?;
        let is_plain = !word.contains("://") && !user.contains('/') && !password.is_empty();
        (is_plain && place.contains(':')).then(|| format!("{user}:***@{place}"))
    };
    let words = text.split_inclusive(char::is_whitespace);
    words.map(|word| hidden(word).unwrap_or_else(|| word.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::hide_credentials;

    #[test]
    fn user_part_of_urls_is_hidden() {
        for (given, shown) in [
            ("https://u:p@h/x.git", "https://***@h/x.git"),
            ("https://u:p@ss@h/x", "https://***@h/x"),
            ("https://h/x.git?access_token=t", "https://h/x.git?***"),
            ("fatal: 'https://h/x?a=t/': 403", "fatal: 'https://h/x?***': 403"),
            ("u:secret@h:x.git", "u:***@h:x.git"),
            ("git@h:x.git", "git@h:x.git"),
            (
                "fatal: 'https://tok@h/a' and ssh://git@h/b",
                "fatal: 'https://***@h/a' and ssh://***@h/b",
            ),
            ("https://h/x@y", "https://h/x@y"),
            ("git@host:x.git", "git@host:x.git"),
            ("plain", "plain"),
        ] {
            assert_eq!(hide_credentials(given), shown);
        }
    }
}
