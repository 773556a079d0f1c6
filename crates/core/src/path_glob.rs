//! The patterns of CODEOWNERS files: gitignore's, as GitHub and GitLab each interpret them.
//!
//! `globset` does not fit: its `?` is one byte, so `?` misses `ä`, and a set of 10,000 patterns
//! from a stranger takes hundreds of megabytes or cannot be built. This needs no compilation, and
//! the work is at most pattern length × path length.

/// The forge whose interpretation applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeOwnersDialect {
    /// `docs/x` is relative to the root, and `docs` is a file or a whole folder.
    GitHub,
    /// `docs/x` matches at any depth, and `docs` is only a file.
    GitLab,
}

/// One pattern, split at its slashes.
#[derive(Debug, Clone)]
pub(crate) struct PathGlob(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    /// `**`: any number of folders, including none.
    Folders,
    Name(Vec<Piece>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Plain(char),
    /// `?`
    One,
    /// `*`
    Many,
}

impl PathGlob {
    /// `None` when the pattern cannot match anything: a lone `/` on GitHub.
    pub(crate) fn new(pattern: &str, dialect: CodeOwnersDialect) -> Option<Self> {
        let rooted = pattern.strip_prefix('/');
        let (body, whole_folder) = match rooted.unwrap_or(pattern) {
            body if body.ends_with('/') => (&body[..body.len() - 1], true),
            body => (body, body.is_empty()),
        };
        if body.is_empty() && dialect == CodeOwnersDialect::GitHub {
            return None;
        }
        let from_root =
            rooted.is_some() || (dialect == CodeOwnersDialect::GitHub && body.contains('/'));
        let mut segments = Vec::new();
        if !from_root {
            segments.push(Segment::Folders);
        }
        let names = body.split('/').filter(|_| !body.is_empty());
        segments.extend(names.map(|name| match name {
            "**" => Segment::Folders,
            name => Segment::Name(pieces(name)),
        }));
        let anything = || Segment::Name(vec![Piece::Many]);
        let ends_open = body.ends_with("/**") || body == "**";
        if whole_folder {
            if ends_open && dialect == CodeOwnersDialect::GitHub {
                // Everything in the folders inside it, but not its own files.
                segments.push(anything());
            }
            segments.extend([Segment::Folders, anything()]);
        } else if ends_open {
            // Everything in the folder, but not the folder. Ruby's fnmatch, which GitLab uses,
            // knows `**` only before a slash: elsewhere it is `*`.
            if dialect == CodeOwnersDialect::GitLab {
                segments.pop();
            }
            segments.push(anything());
        } else if dialect == CodeOwnersDialect::GitHub && !body.ends_with("/*") {
            // `docs` also matches everything in it; `docs/*` does not.
            segments.push(Segment::Folders);
        }
        Some(Self(segments))
    }

    /// Whether it matches the file at `path` (from the root, without a leading slash).
    pub(crate) fn matches(&self, path: &[Vec<char>]) -> bool {
        let is_folders = |segment: &Segment| matches!(segment, Segment::Folders);
        matches_with_gaps(&self.0, path, is_folders, |segment, name| match segment {
            Segment::Folders => false,
            Segment::Name(pieces) => {
                let is_many = |piece: &Piece| *piece == Piece::Many;
                matches_with_gaps(pieces, name, is_many, |piece, char| match piece {
                    Piece::Plain(plain) => plain == char,
                    Piece::One => true,
                    Piece::Many => false,
                })
            }
        })
    }
}

/// A path in the form that `PathGlob::matches` takes, so that it is split once for all rules.
pub(crate) fn split_path(path: &str) -> Vec<Vec<char>> {
    path.split('/').map(|name| name.chars().collect()).collect()
}

/// Brackets and braces have no meaning: GitHub has no ranges, and folders are called `[id]`.
fn pieces(name: &str) -> Vec<Piece> {
    let mut chars = name.chars();
    let mut pieces = Vec::new();
    while let Some(char) = chars.next() {
        pieces.push(match char {
            '*' if pieces.last() == Some(&Piece::Many) => continue,
            '*' => Piece::Many,
            '?' => Piece::One,
            '\\' => Piece::Plain(chars.next().unwrap_or('\\')),
            plain => Piece::Plain(plain),
        });
    }
    pieces
}

/// Whether `pattern` covers all of `items`, where a gap matches any number of them. Only the last
/// gap is ever widened, which is enough and avoids exponential time on hostile patterns.
fn matches_with_gaps<P, T>(
    pattern: &[P],
    items: &[T],
    is_gap: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut gap: Option<(usize, usize)> = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(part) if is_gap(part) => {
                gap = Some((at, item));
                at += 1;
            }
            Some(part) if fits(part, &items[item]) => {
                at += 1;
                item += 1;
            }
            _ => {
                let Some((gap_at, gap_item)) = gap else { return false };
                gap = Some((gap_at, gap_item + 1));
                at = gap_at + 1;
                item = gap_item + 1;
            }
        }
    }
    pattern[at..].iter().all(is_gap)
}

#[cfg(test)]
mod tests {
    use super::{CodeOwnersDialect, PathGlob, split_path};

    fn matches(pattern: &str, dialect: CodeOwnersDialect, path: &str) -> bool {
        PathGlob::new(pattern, dialect).is_some_and(|glob| glob.matches(&split_path(path)))
    }

    #[test]
    fn pattern_means_what_its_forge_says() {
        // pattern, path, on GitHub, on GitLab
        for (pattern, path, on_github, on_gitlab) in [
            ("*", "a/b/c.py", true, true),
            ("*", ".hidden", true, true),
            ("*.py", "shop/cart.py", true, true),
            ("*.py", "shop/cart.pyx", false, false),
            ("*.py", "shop/Cart.PY", false, false),
            ("/*.py", "cart.py", true, true),
            ("/*.py", "shop/cart.py", false, false),
            ("README.md", "a/b/README.md", true, true),
            ("docs/*", "docs/start.md", true, true),
            ("docs/*", "docs/api/start.md", false, false),
            ("docs/*", "old/docs/start.md", false, true),
            ("docs/", "docs/api/start.md", true, true),
            ("docs/", "old/docs/start.md", true, true),
            ("docs/", "docs", false, false),
            ("/docs/", "old/docs/start.md", false, false),
            ("build/logs/", "build/logs/a/b", true, true),
            ("build/logs/", "x/build/logs/a", false, true),
            ("/apps/github", "apps/github", true, true),
            ("/apps/github", "apps/github/x.rs", true, false),
            ("/apps/github", "apps/github2/x.rs", false, false),
            ("**/logs", "a/b/logs/x", true, false),
            ("**/logs", "logs", true, true),
            ("/docs/**/*.md", "docs/a.md", true, true),
            ("/docs/**/*.md", "docs/a/b/c.md", true, true),
            ("/docs/**/*.md", "docs/a/b/c.rst", false, false),
            ("/docs/**", "docs/a.md", true, true),
            ("/docs/**", "docs/a/b.md", true, false),
            ("/docs/**", "docs", false, false),
            ("/docs/**/", "docs/a.md", false, true),
            ("/docs/**/", "docs/a/b.md", true, true),
            ("/docs/*/README.md", "docs/a/README.md", true, true),
            ("/docs/*/README.md", "docs/a/b/README.md", false, false),
            ("/a?b", "aäb", true, true),
            ("/a?b", "a/b", false, false),
            ("/a**b", "axyb", true, true),
            ("/a**b", "a/b", false, false),
            ("/app/[id]/{x}.ts", "app/[id]/{x}.ts", true, true),
            ("/app/[id]/*.ts", "app/i/x.ts", false, false),
            (r"/with\ space/", "with space/x", true, true),
            (r"\#notes", "#notes", true, true),
            (r"/a\*b", "a*b", true, true),
            (r"/a\*b", "axb", false, false),
            ("/", "a/b", false, true),
            ("a//b", "a/b", false, false),
        ] {
            assert_eq!(
                matches(pattern, CodeOwnersDialect::GitHub, path),
                on_github,
                "GitHub {pattern} {path}"
            );
            assert_eq!(
                matches(pattern, CodeOwnersDialect::GitLab, path),
                on_gitlab,
                "GitLab {pattern} {path}"
            );
        }
    }

    #[test]
    fn hostile_pattern_ends_soon() {
        let name = "a".repeat(500);
        assert!(!matches(&"*a?".repeat(1_000), CodeOwnersDialect::GitHub, &name));
        assert!(!matches(
            &format!("{}b", "**/*a*/".repeat(500)),
            CodeOwnersDialect::GitHub,
            &"a/".repeat(500)
        ));
    }
}
