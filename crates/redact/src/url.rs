//! Secrets in a URL: `scheme://user:password@host`, `http://KEY@host`, and `?code=…` of OAuth.

use std::ops::Range;

use memchr::memmem;

use super::bytes::{ByteSet, DOTTED};
use super::nothing::hides_nothing;
use super::rule::{Active, Rule};

/// Bytes that end a URL in any text.
static END: ByteSet = ByteSet::of(b" \t\r\n\"'`<>\\|,;)]");

static ENDS_WORD: ByteSet = ByteSet::of(b" \t\r\n\"'`<>");
/// How far the URL is read around a code.
const NEAR: usize = 300;
/// `code=404` and `code=US` are not secrets.
const SHORTEST_CODE: usize = 6;

/// Examines authorities one after another, from left to right.
#[derive(Default)]
pub(super) struct Authorities {
    /// Up to here there is no `@`, so that a hostile text is not searched repeatedly.
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
                    // After the path only an unescaped password matters.
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
            None if active.has(Rule::DsnKey) && is_token(&text[start..at], &text[at + 1..]) => {
                start..at
            }
            _ => return None,
        };
        (!span.is_empty() && !is_placeholder(&text[span.clone()])).then_some(span)
    }
}

/// The start of an authority that `urlparse` took out of a URL: `netloc='user:password@host'`,
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

/// Whether the URL ends here. Before the `@` some of these bytes may also belong to a password.
fn ends(text: &[u8], byte: u8, here: usize, in_user: bool) -> bool {
    END.has(byte)
        && !(in_user
            && matches!(byte, b',' | b';' | b')' | b']' | b'|')
            && text.get(here + 1).is_some_and(|next| !END.has(*next)))
}

/// `user:pa/ss@host`: the text after the colon is not a port.
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

/// `https://KEY:x-oauth-basic@host`, `https://KEY:@host`: some services take a token as the user
/// name.
fn is_user_the_key(user: &[u8], password: &[u8]) -> bool {
    let said: [&[u8]; 5] = [b"", b"x", b"X", b"api_token", b"unused"];
    !user.is_empty() && (password == b"x-oauth-basic" || said.contains(&password) && is_key(user))
}

/// A key before any host, and anything but a user name before the host of a forge.
fn is_token(user: &[u8], host: &[u8]) -> bool {
    let host = &host[..host.iter().take(100).take_while(|byte| DOTTED.has(**byte)).count()];
    let forges: [&[u8]; 6] =
        [b"github.", b"gitlab.", b"bitbucket.", b"gitea.", b"codeberg.", b"dev.azure."];
    let is_forge = || forges.iter().any(|forge| memmem::find(host, forge).is_some());
    is_key(user) || !user.is_empty() && is_forge() && !is_user_name(user)
}

/// `ann`, `ann-lee_7`, `AnnLee`, `ann%40example.com`
fn is_user_name(user: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphabetic() || b"_-.".contains(byte);
    let digits = user.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = &user[..user.len() - digits];
    let name = stem.split(|byte| matches!(byte, b'%' | b'@')).next().unwrap_or_default();
    let host = &stem[name.len()..];
    let is_mail = host.strip_prefix(b"%40").or(host.strip_prefix(b"@"));
    // A capital begins a word.
    let is_worded = |name: &[u8]| {
        let turns = name
            .windows(2)
            .filter(|two| two[0].is_ascii_uppercase() && two[1].is_ascii_uppercase());
        turns.count() == 0 || !name.iter().any(u8::is_ascii_lowercase)
    };
    digits <= 4
        && name.iter().all(is_part)
        && is_worded(name)
        && is_mail.map_or(stem.len() == name.len(), |host| host.iter().all(is_part))
}

/// The password in `jdbc:oracle:thin:user/password@host`, whose prefix ends here.
pub(super) fn oracle(text: &[u8], from: usize) -> Option<Range<usize>> {
    let near = &text[from..text.len().min(from + NEAR)];
    let kind = near.iter().position(|byte| *byte == b':')? + 1;
    let rest = &near[kind..];
    let rest = &rest[..rest.iter().position(|byte| ENDS_WORD.has(*byte)).unwrap_or(rest.len())];
    let slash = rest.iter().position(|byte| matches!(byte, b'/' | b'@'))?;
    let password = &rest[slash + 1..];
    let length = password.iter().position(|byte| *byte == b'@').unwrap_or(password.len());
    let start = from + kind + slash + 1;
    let is_one = rest[slash] == b'/' && slash > 0 && !is_placeholder(&password[..length]);
    (is_one && length > 0).then_some(start..start + length)
}

/// The code that a sign-in provider returns: `/callback?code=x&state=y`. Other codes are error
/// codes or products.
pub(super) fn code(text: &[u8], name: Range<usize>) -> Option<Range<usize>> {
    let before = &text[name.start.saturating_sub(NEAR)..name.start];
    let before = before.rsplit(|byte| ENDS_WORD.has(*byte)).next().unwrap_or_default();
    let behind = &text[name.end..text.len().min(name.end + NEAR)];
    let behind = behind.split(|byte| ENDS_WORD.has(*byte)).next().unwrap_or_default();
    let is_end = |byte: &u8| matches!(byte, b'&' | b'#' | b')' | b']' | b',' | b';' | b'\\');
    let length = behind.iter().position(is_end).unwrap_or(behind.len());
    let says = |text: &[u8], words: &[&str]| {
        words.iter().any(|word| memmem::find(text, word.as_bytes()).is_some())
    };
    let given = ["state=", "redirect_uri=", "grant_type=authorization_code"];
    let places = ["callback", "oauth", "oidc", "/sso", "/auth", "/login"];
    let is_sign_in =
        says(before, &given) || says(before, &places) || says(&behind[length..], &given);
    let value = &behind[..length];
    (is_sign_in && length >= SHORTEST_CODE && !hides_nothing(value) && !is_placeholder(value))
        .then_some(name.end..name.end + length)
}

/// A long run of letters and digits that is not a user name.
fn is_key(user: &[u8]) -> bool {
    user.len() >= 20
        && user.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && user.iter().any(u8::is_ascii_digit)
}

/// `{password}`, `%s`, `$PASSWORD`, `<password>`: a template holds no secret.
fn is_placeholder(password: &[u8]) -> bool {
    match password {
        [b'{', .., b'}'] | [b'<', .., b'>'] | b"%s" | [b'%', b'(', ..] => true,
        [b'$', rest @ ..] => {
            rest.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'{' | b'}'))
        }
        _ => password.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x')),
    }
}
