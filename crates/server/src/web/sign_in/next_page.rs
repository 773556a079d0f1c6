//! Where a sign-in leads: to the requested page, never to another site.
use url::{Position, Url, form_urlencoded};

const MAX: usize = 4_000;

/// The page in a form that is safe for a redirect; `/` when it is not one of our pages.
pub(crate) fn safe(text: &str) -> String {
    checked(text).unwrap_or_else(|| "/".to_owned())
}

fn checked(text: &str) -> Option<String> {
    let looks_local = text.len() <= MAX
        && text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains(|c: char| c == '\\' || c.is_control());
    if !looks_local {
        return None;
    }
    // Resolved as browsers do it: a path with dots may still become another site.
    let here = Url::parse("http://flawless.invalid").ok()?;
    let url = here.join(text).ok().filter(|url| url.origin() == here.origin())?;
    let path = &url[Position::BeforePath..];
    let loops = ["/sign_in", "/sign_out"].into_iter().any(|page| path.starts_with(page));
    (!path.starts_with("//") && !loops).then(|| path.to_owned())
}

/// The sign-in page that leads to `next`.
pub(crate) fn sign_in_url(next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("/sign_in?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_page_is_one_of_ours() {
        for (text, page) in [
            ("/", "/"),
            (
                "/view_traceback?issue=7&x=%2F%2Fa#ann@x.y",
                "/view_traceback?issue=7&x=%2F%2Fa#ann@x.y",
            ),
            ("/a b?q=ü", "/a%20b?q=%C3%BC"),
            ("/a?next=http://evil.example", "/a?next=http://evil.example"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/.//evil.example", "/"),
            ("/x/..//evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("http://evil.example/", "/"),
            ("javascript:alert(1)", "/"),
            ("@evil.example", "/"),
            ("/sign_in?next=/sign_in", "/"),
        ] {
            assert_eq!(safe(text), page, "{text:?}");
        }
        assert_eq!(safe(&format!("/{}", "a".repeat(5_000))), "/");
    }
}
