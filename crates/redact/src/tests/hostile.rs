//! Large texts made to be slow: time must grow with their length.

use std::time::Duration;

use super::redactor;

const PIECES: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\'",
    "(",
    "[",
    "<",
    "1",
    "1 ",
    "4242 ",
    "password=",
    "password=None ",
    "'password': ",
    "('token',",
    "('token','",
    "('token',('",
    "[['token',",
    "Cookie: ",
    "=",
    ":",
    ",",
    "://",
    "://a:b",
    "://a:b/",
    "@",
    "eyJ",
    "eyJaaaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN",
    "Bearer ",
    "Basic ",
    "sk-",
    ".sk-",
    "%20sk-",
    "\\nsk-",
    "AccountKey=",
    "&sig=",
    "a.",
    "<token>",
    "token,",
    "token>",
    "x",
    "**scrubbed**",
    "**",
    "ü",
    ":AA",
    "1234567:AA",
    "SG.",
    "secret=a,",
    "&secret=,",
    "token ",
    "token: unexpected ",
    "{'auth': ",
    "name='token' ",
    "name='",
    "name='token'\n\n",
    "name='token' value=''",
    "token=''",
];

/// The test runs unoptimised, several at once; what is not linear takes far longer.
const LIMIT: Duration = Duration::from_secs(2);

#[test]
fn a_large_hostile_text_takes_time_in_proportion() {
    let redactor = redactor();
    for piece in PIECES {
        let text = piece.repeat(100_000 / piece.len());
        #[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
        let start = std::time::Instant::now();
        let once = redactor.redact(&text).into_owned();
        assert!(start.elapsed() < LIMIT, "{piece:?} took {:?}", start.elapsed());
        assert!(once.len() <= text.len() * 13);
    }
}
