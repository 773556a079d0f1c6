//! Secrets in the authority of a URL: `scheme://user:password@host` and `http://KEY@host`.

use std::ops::Range;

use super::bytes::ByteSet;
use super::rule::{Active, Rule};

/// What ends a URL in any text.
static END: ByteSet = ByteSet::of(b" \t\r\n\"'`<>\\|,;)]");

/// Looks at authorities one after another, from left to right.
#[derive(Default)]
pub(super) struct Authorities {
    /// Up to here there is no `@`: a hostile text is not searched again and again.
    none_before: usize,
}

impl Authorities {
    /// The password or the key in the authority that begins here, after `://`.
    pub(super) fn secret(
        &mut self,
        text: &[u8],
        start: usize,
        active: Active,
    ) -> Option<Range<usize>> {
        if start < self.none_before {
            return None;
        }
        let mut end = start;
        let (mut colon, mut slash, mut at) = (None, None, None);
        while let Some(&byte) = text.get(end).filter(|byte| !ends(text, **byte, end, at.is_none()))
        {
            match byte {
                b':' if colon.is_none() && at.is_none() => colon = Some(end),
                b'/' | b'?' | b'#' if slash.is_none() => {
                    slash = Some(end);
                    // Past the path only an unescaped password is of interest.
                    if !raw_password_possible(text, start, colon, at, end) {
                        break;
                    }
                }
                b'@' => {
                    at = Some(end);
                    if slash.is_some() {
                        break;
                    }
                }
                _ => {}
            }
            end += 1;
        }
        if at.is_none() {
            self.none_before = end;
        }
        let at = match (at, colon) {
            (Some(at), _) => at,
            // Cut off in the middle of the password.
            (None, Some(colon))
                if end == text.len()
                    && raw_password_possible(text, start, Some(colon), None, end) =>
            {
                end
            }
            _ => return None,
        };
        let span = match colon.filter(|colon| *colon < at) {
            Some(colon) if active.has(Rule::UrlPassword) => {
                match is_user_the_key(&text[start..colon], &text[colon + 1..at]) {
                    true => start..colon,
                    false => colon + 1..at,
                }
            }
            None if active.has(Rule::DsnKey) && is_key(&text[start..at]) => start..at,
            _ => return None,
        };
        (!span.is_empty() && !is_placeholder(&text[span.clone()])).then_some(span)
    }
}

/// Where the authority begins that `urlparse` has taken out of a URL: `netloc='user:password@host'`,
/// `'netloc': b'…'`.
pub(super) fn netloc_start(text: &[u8], from: usize) -> usize {
    static BEFORE: ByteSet = ByteSet::of(b" =:'\"\\");
    let near = &text[..text.len().min(from + 40)];
    let at = BEFORE.run(near, from);
    match near[at..] {
        [b'b', b'\'' | b'"' | b'\\', ..] => BEFORE.run(near, at + 1),
        _ => at,
    }
}

/// Does the URL end here? Some of its ends may also be part of a password, before the `@`.
fn ends(text: &[u8], byte: u8, here: usize, in_user: bool) -> bool {
    END.has(byte)
        && !(in_user
            && matches!(byte, b',' | b';' | b')' | b']' | b'|')
            && text.get(here + 1).is_some_and(|next| !END.has(*next)))
}

/// `user:pa/ss@host`: what follows the colon is no port.
fn raw_password_possible(
    text: &[u8],
    start: usize,
    colon: Option<usize>,
    at: Option<usize>,
    end: usize,
) -> bool {
    at.is_none()
        && text.get(start) != Some(&b'[')
        && colon.is_some_and(|colon| text[colon + 1..end].iter().any(|byte| !byte.is_ascii_digit()))
}

/// `https://KEY:x-oauth-basic@host`, `https://KEY:@host`: some services take a token for the user.
fn is_user_the_key(user: &[u8], password: &[u8]) -> bool {
    let said: [&[u8]; 5] = [b"", b"x", b"X", b"api_token", b"unused"];
    !user.is_empty() && (password == b"x-oauth-basic" || said.contains(&password) && is_key(user))
}

/// A long run of letters and digits that is no user's name.
fn is_key(user: &[u8]) -> bool {
    user.len() >= 20
        && user.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && user.iter().any(u8::is_ascii_digit)
}

/// `{password}`, `%s`, `$PASSWORD`, `<password>`: a template has no secret in it.
fn is_placeholder(password: &[u8]) -> bool {
    match password {
        [b'{', .., b'}'] | [b'<', .., b'>'] | b"%s" | [b'%', b'(', ..] => true,
        [b'$', rest @ ..] => {
            rest.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'{' | b'}'))
        }
        _ => password.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x')),
    }
}
