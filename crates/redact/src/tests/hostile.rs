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
    "<token><a>",
    "<token a='",
    "<a <a ",
    "<a b=(",
    "<td>token</td>",
    "<password><![CDATA[",
    "&quot;",
    "&quot;token&quot;:",
    "&",
    "&#",
    "%22token%22%3A",
    "%25",
    "%2522",
    r"\u0022",
    r"\u0022token\u0022:(",
    r#"\\\"token\\\":"#,
    r"\n",
    r"token:\n ",
    "token:\n ",
    "token: |\n",
    "token:\n- x\n",
    "\n",
    "value='",
    "value=(",
    "name=token value=(",
    "value=( name=token ",
    "- name: token\n  value: x\n",
    "token\n input_value=(",
    "--token (",
    "--token x ",
    "--token a(",
    "-",
    " -",
    "curl ",
    "curl -u a:",
    "curl -u '",
    "['curl','-u','a:b',",
    "mysql -px ",
    "auth(",
    "auth('",
    "BasicAuth('a','b'),",
    "login((",
    "password(",
    "password('a',",
    "hmac.new(",
    "identified by ",
    "IDENTIFIED BY (",
    "insert into ",
    "insert into t (token) values (",
    "insert into t (token) values ('a'),",
    "PASSWORD '",
    "PASSWORD 'a",
    "password for ",
    "/bot12345:",
    "signature=(",
    "some_key='",
    "response=",
    "://a:@",
    "://aaaaaaaaaaaaaaaaaaaaaaa1:x@",
    "connection_string=<",
    "token=<a ",
    "token=f(",
    "token=f(g(",
];

/// The test runs unoptimised, several at once; what is not linear takes far longer.
const LIMIT: Duration = Duration::from_secs(2);

/// The time that this thread has run: other tests run at the same time.
fn time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a system like Linux");
    let ran = stat.split(' ').next().expect("a number").parse().expect("a number");
    Duration::from_nanos(ran)
}

#[test]
fn a_large_hostile_text_takes_time_in_proportion() {
    let redactor = redactor();
    for piece in PIECES {
        let text = piece.repeat(100_000 / piece.len());
        let start = time();
        let once = redactor.redact(&text).into_owned();
        let took = time() - start;
        assert!(took < LIMIT, "{piece:?} took {took:?}");
        assert!(once.len() <= text.len() * 13);
    }
}
