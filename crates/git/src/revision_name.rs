//! A client's name for the revision that runs: a commit id, a tag, the output of `git describe`, or
//! the name of a release.

/// Whether a text can only be the name of a commit: not an option, a range, or a file of a commit.
pub(crate) fn is_revision_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('-')
        && text != "@"
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/+-@".contains(&b))
}

/// The names to try, the most literal one first: the text itself, without `-dirty`, and, of a
/// release `app@1.2.3`, the version with the usual prefixes of tags.
pub(crate) fn candidates(text: &str) -> Vec<String> {
    let text = text.trim();
    let mut names = vec![text.to_owned()];
    let clean = text.strip_suffix("-dirty").or_else(|| text.strip_suffix("-modified"));
    names.extend(clean.map(str::to_owned));
    let (app, version) = text.rsplit_once('@').unwrap_or(("", text));
    let version = version.strip_suffix("-dirty").unwrap_or(version);
    // `1.2.3+build`: the part after the plus is often the commit.
    let (version, build) = version.split_once('+').unwrap_or((version, ""));
    names.push(version.to_owned());
    names.push(format!("v{version}"));
    names.push(format!("release-{version}"));
    names.push(format!("release/{version}"));
    if !app.is_empty() {
        names.push(format!("{app}-{version}"));
        names.push(format!("{app}-v{version}"));
        names.push(format!("{app}/{version}"));
    }
    if is_abbreviated_id(build) {
        names.push(build.to_owned());
    }
    let mut known = std::collections::HashSet::new();
    names.retain(|name| is_revision_name(name) && is_specific(name) && known.insert(name.clone()));
    names
}

/// Fewer than seven digits name a commit only by chance.
fn is_specific(name: &str) -> bool {
    !name.bytes().all(|byte| byte.is_ascii_hexdigit()) || is_abbreviated_id(name)
}

/// Seven digits or more.
pub(crate) fn is_abbreviated_id(name: &str) -> bool {
    (7..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn releases_and_descriptions_become_revision_names() {
        for (text, wanted) in [
            (
                "0123456789abcdef0123456789abcdef01234567",
                "0123456789abcdef0123456789abcdef01234567",
            ),
            ("v1.2-3-g0123abc-dirty", "v1.2-3-g0123abc"),
            ("shop@1.2.3", "v1.2.3"),
            ("shop@1.2.3", "shop-1.2.3"),
            ("shop@1.2.3+4f5e6d7", "4f5e6d7"),
            ("shop@4f5e6d7a", "4f5e6d7a"),
            ("shop@1.2.3", "shop@1.2.3"),
            ("@acme/shop@1.2.3", "@acme/shop@1.2.3"),
            ("2026.11", "release-2026.11"),
        ] {
            assert!(candidates(text).iter().any(|name| name == wanted), "{text}: {wanted}");
        }
    }

    #[test]
    fn options_ranges_and_short_digits_are_not_revisions() {
        for text in
            ["", "--output=x", "a..b", "HEAD:x", "HEAD^{/x}", "a b", "@{-1}", "@", "abc", "12"]
        {
            let literal = candidates(text).into_iter().find(|name| name == text);
            assert_eq!(literal, None, "{text}");
        }
    }
}
