//! Secrets with a shape of their own. They are assembled here, so that no secret scanner takes this
//! file for a leak.

use proptest::prelude::*;

use super::redactor;

const MIXED: &str = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6a7B8c9D0e1F2g3H4";

/// A start, and the number of characters that follow.
const STARTS: &[(&[&str], usize)] = &[
    (&["gh", "p_"], 36),
    (&["gh", "o_"], 36),
    (&["gh", "s_"], 36),
    (&["github", "_pat_"], 60),
    (&["gl", "pat-"], 20),
    (&["xo", "xb-"], 40),
    (&["xa", "pp-1-"], 40),
    (&["https://hooks.sl", "ack.com/services/"], 40),
    (&["sk", "_live_"], 24),
    (&["rk", "_live_"], 24),
    (&["AI", "za"], 35),
    (&["ya", "29."], 60),
    (&["s", "k-"], 48),
    (&["s", "k-proj-"], 60),
    (&["s", "k-ant-api03-"], 60),
    (&["h", "f_"], 34),
    (&["np", "m_"], 36),
    (&["py", "pi-"], 60),
    (&["Account", "Key="], 60),
    (&["https://x.blob/c?sv=1&s", "ig="], 44),
    (&["hv", "s."], 30),
    (&["Bea", "rer "], 20),
    (&["AT", "ATT3"], 62),
];

fn secrets() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = STARTS
        .iter()
        .map(|(start, length)| (start.concat(), MIXED[..*length].to_owned()))
        .collect();
    let hex = "0123456789abcdef".repeat(2);
    let mut add = |start: &[&str], body: &str| all.push((start.concat(), body.to_owned()));
    add(&["AK", "IA"], "ABCDEFGHIJKLMNOP");
    add(&["AS", "IA"], "ABCDEFGHIJKLMNO2");
    add(&["S", "K"], &hex);
    add(&["dop_", "v1_"], &hex.repeat(2));
    add(&["shp", "at_"], &hex);
    add(&["S", "G."], &format!("{}.{}", &MIXED[..22], &MIXED[..43]));
    add(&["ey", "JhbGciOiJIUzI1NiJ9."], &format!("eyJzdWIiOiIxIn0.{}", &MIXED[..43]));
    add(&["Ba", "sic "], "YW5uOmh1bnRlcjI=");
    add(&["http://"], &format!("{hex}@"));
    add(&["postgres://ann:"], "hun/ter#2@");
    add(&["redis://:"], "hunter2@");
    add(&["1234567890:"], &format!("AA{}", &MIXED[..33]));
    add(&["card "], "4242 4242 4242 4242");
    add(&["card "], "4242-4242-4242-4242");
    add(&["card "], "5555555555554444");
    add(&["card "], "3782 822463 10005");
    add(&["card "], "378282246310005");
    add(&["card "], "6011111111111117");
    add(&["card "], "3056 930902 5904");
    add(&["card "], "4222222222222");
    all
}

#[test]
fn secret_of_a_known_shape_vanishes_anywhere() {
    let redactor = redactor();
    for (start, body) in secrets() {
        for (before, after) in [
            ("", ""),
            ("x = '", "'"),
            ("got ", " here"),
            ("\n", "\n"),
            (r"'a\n", r"\nb'"),
            ("[", "]"),
        ] {
            let text = format!("{before}{start}{body}{after}");
            let secret = body.trim_end_matches('@');
            for redacted in [redactor.redact(&text), redactor.redact_values(&text)] {
                assert!(!redacted.contains(secret), "{text} -> {redacted}");
                assert!(redacted.starts_with(before) && redacted.ends_with(after), "{redacted}");
            }
        }
    }
}

#[test]
fn url_loses_only_its_password() {
    let redactor = redactor();
    for (before, after) in [
        ("'postgres://ann:hunter2@db:5432/shop'", "'postgres://ann:**scrubbed**@db:5432/shop'"),
        ("http://ann:p@ss@host/x", "http://ann:**scrubbed**@host/x"),
        ("amqp://ann:pa/ss@host:1/", "amqp://ann:**scrubbed**@host:1/"),
        ("mysql://ann:hunt", "mysql://ann:**scrubbed**"),
    ] {
        assert_eq!(redactor.redact(before), after);
    }
}

#[test]
fn private_key_vanishes_whole_or_cut_with_any_line_ends() {
    let redactor = redactor();
    let dashes = "-----";
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
        for newline in ["\n", r"\n", r"\\n"] {
            let begin = format!("{dashes}BEGIN {kind}{dashes}{newline}");
            let body = format!("{}{newline}{}{newline}", &MIXED[..64], &MIXED[..20]);
            let end = format!("{dashes}END {kind}{dashes}");
            let whole = format!("a '{begin}{body}{end}' b");
            assert_eq!(redactor.redact_values(&whole), "a '**scrubbed**' b");
            let cut = format!("a '{begin}{body}");
            assert_eq!(redactor.redact_values(&cut), "a '**scrubbed**");
            let tail = format!("'{body}{end}' b");
            assert_eq!(redactor.redact_values(&tail), "'**scrubbed**' b");
        }
    }
}

#[test]
fn token_cut_off_by_the_end_of_the_text_vanishes() {
    let redactor = redactor();
    let cut = format!("{}{}{}", "git clone x gh", "p_", &MIXED[..12]);
    assert_eq!(redactor.redact(&cut), "git clone x **scrubbed**");
}

proptest! {
    #[test]
    fn redacting_twice_gives_the_same(parts in proptest::collection::vec(part(), 0..24)) {
        let redactor = redactor();
        let text = parts.concat();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(redactor.redact(&once).into_owned(), once.clone(), "{}", &text);
        let once = redactor.redact_values(&text).into_owned();
        prop_assert_eq!(redactor.redact_values(&once).into_owned(), once.clone(), "{}", &text);
    }

    #[test]
    fn any_text_is_accepted(text in "\\PC{0,200}") {
        let redactor = redactor();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(redactor.redact(&once).into_owned(), once.clone());
        redactor.is_secret_name(&text);
    }
}

/// Pieces of hostile texts.
fn part() -> impl Strategy<Value = String> {
    let pieces: &[&str] = &[
        "password",
        "token",
        "Cookie",
        "authorization",
        "=",
        ": ",
        "'",
        "\"",
        "\\",
        "\\n",
        "\n",
        ",",
        "&",
        "?",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        " ",
        "**scrubbed**",
        "**",
        "scrubbed",
        "://",
        "@",
        "/",
        "Bearer ",
        "4242 4242 4242 4242",
        "4242",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.",
        "b'",
        "ü",
        "card[",
        "number",
        "%5B",
        "%5D",
        "--",
        "x",
        "1",
        "%22",
        "%2522",
        "&quot;",
        "&amp;",
        r"\u0022",
        r"\x3d",
        "<password a='1'>",
        "</password>",
        "<![CDATA[",
        "name=",
        "value=",
        "password:\n  ",
        "|",
        "- ",
        "--token ",
        "curl -u a:",
        "mysql -p",
        "BasicAuth('a', 'b')",
        "PASSWORD 'a'",
        "PASSWORD $$",
        "SELECT 'a' AS password",
        "password=? args=('a', 1)",
        "[SQL: update t set token=:a ",
        "[parameters: ",
        "AUTH a",
        "netloc='a:b@",
        "['token', 'A1'",
        "setattr(x, 'token', ",
        "'a':'b'",
        "sqlplus a/b@c ",
        "https://a!@github.com",
        "/callback?code=abcdef",
        "password: !!a ",
        "? token\n: ",
        "password is 'a'",
        "password: this field is ",
        "invalid",
        "identified by ",
        "insert into t (token) values (",
        "signature=",
        "None",
        "<function f at 0x7f>",
        "a1B2c3D4e5F6g7H8i9J0",
    ];
    prop_oneof![
        8 => proptest::sample::select(pieces).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ]
}
