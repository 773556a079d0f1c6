//! Tracebacks as people log and paste them are read as the interpreter printed them, in whatever
//! form, and no text makes the reader panic.
#[path = "../../../benches/src/text_forms/mod.rs"]
mod text_forms;

use flawless_protocol::text_traceback::{TextException, TextFrame, TextTraceback, read, read_text};
use proptest::prelude::*;

use crate::text_forms::{Rendered, forms};

fn exception(kind: &str, message: &str, frames: &[(&str, u32, &str, &str)]) -> TextException {
    let frame = |(path, line, function, text): &(&str, u32, &str, &str)| TextFrame {
        path: (*path).to_owned(),
        line: *line,
        function: (*function).to_owned(),
        text: (*text).to_owned(),
        ..TextFrame::default()
    };
    TextException {
        frames: frames.iter().map(frame).collect(),
        exception_type: kind.to_owned(),
        exception_message: message.to_owned(),
    }
}

fn samples() -> Vec<TextException> {
    vec![
        exception(
            "ZeroDivisionError",
            "division by zero",
            &[
                ("/app/run.py", 3, "<module>", "show_cart({\"pieces\": 0})"),
                ("/app/shop/web.py", 7, "show_cart", "return average_price(1200, pieces)"),
                ("/app/shop/cart.py", 11, "average_price", "return total / pieces"),
            ],
        ),
        exception(
            "shop.errors.EmptyCart",
            "cart 'a\\b' of <Ann> has no \"piece\" & more",
            &[
                (
                    "/usr/lib/python3.11/site-packages/django/core/handlers/base.py",
                    197,
                    "_get_response",
                    "response = wrapped_callback(request, *callback_args, **callback_kwargs)",
                ),
                (
                    "C:\\srv\\shop\\new\\cart.py",
                    120,
                    "<lambda>",
                    "key=lambda piece: piece['price\\n'],",
                ),
                (
                    "/srv/shop/rates.py",
                    4,
                    "__getitem__",
                    "raise EmptyCart(f\"{self!r} <&> {'ü'}\")",
                ),
            ],
        ),
        exception("KeyError", "'k'", &[("run.py", 1, "<module>", "rates[\"k\"]")]),
    ]
}

/// The mistake in how a text was read, if there is one.
fn wrong(rendered: &Rendered) -> Option<String> {
    let expected = TextTraceback {
        exception: rendered.exception.clone(),
        chain: rendered.chain.clone(),
        ..TextTraceback::default()
    };
    let reading = read(&rendered.bytes);
    let found: Vec<TextTraceback> = reading
        .tracebacks
        .into_iter()
        .map(|traceback| TextTraceback { gaps: Vec::new(), line: 0, ..traceback })
        .collect();
    (found != [expected.clone()]).then(|| {
        let text = String::from_utf8_lossy(&rendered.bytes);
        format!("{text}\n--- expected {expected:#?}\n--- found {found:#?}")
    })
}

#[test]
fn traceback_reads_the_same_in_every_form() {
    let samples = samples();
    let mut failed = Vec::new();
    for form in forms() {
        for (at, sample) in samples.iter().enumerate() {
            let other = &samples[(at + 1) % samples.len()];
            if let Some(wrong) = wrong(&(form.render)(sample, other)) {
                println!("##### {}, sample {at}\n{wrong}", form.name);
                failed.push(format!("{}, sample {at}", form.name));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// An exception that any program could raise.
fn any_exception() -> impl Strategy<Value = TextException> {
    let name = "[a-z_][a-z0-9_]{0,11}";
    let path = prop_oneof![
        proptest::collection::vec(name, 1..6).prop_map(|parts| format!("/{}.py", parts.join("/"))),
        proptest::collection::vec(name, 1..4)
            .prop_map(|parts| format!("C:\\{}.py", parts.join("\\"))),
    ];
    let function = prop_oneof![
        // No source line calls such a name, which would reveal the order of the frames.
        4 => "fn_[a-z0-9_]{0,9}".boxed(),
        1 => Just("<module>".to_owned()).boxed(),
        1 => Just("<lambda>".to_owned()).boxed(),
    ];
    let value = prop_oneof![
        name,
        "\"[a-z %{}<>&;\\\\ü]{0,9}\"",
        "'[a-z/.\\[\\]ü]{0,9}'",
        "[1-9][0-9]{0,4}",
    ];
    let text = prop_oneof![
        (name, name, value.clone()).prop_map(|(a, b, c)| format!("return {a}.{b}({c})")),
        (name, value.clone(), value.clone()).prop_map(|(a, b, c)| format!("{a} = {b} / {c}")),
        (name, value.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
        (name, value.clone(), name).prop_map(|(a, b, c)| format!("if {a} == {b} and {c}:")),
        (name, value).prop_map(|(a, b)| format!("raise {a}({b})")),
    ];
    let frame = (path, 1u32..9_999, function, text).prop_map(|(path, line, function, text)| {
        TextFrame { path, line, function, text, ..TextFrame::default() }
    });
    let kind = prop_oneof![
        Just("KeyError".to_owned()),
        Just("shop.errors.Empty".to_owned()),
        "[A-Z][a-z]{2,9}(Error|Exception)",
    ];
    let message = "['\"<(]?[a-zA-Z0-9ü]{1,9}( [a-zA-Z0-9_'/<>&%.ü]{1,9}){0,4}[)>'\"]?";
    (proptest::collection::vec(frame, 1..7), kind, message).prop_map(
        |(frames, exception_type, exception_message)| TextException {
            frames,
            exception_type,
            exception_message,
        },
    )
}

#[test]
fn function_name_broken_after_its_bracket_is_whole() {
    let text = "Traceback (most recent call last):\n  File \"/app/shop.py\", line 5667, in <\n\
                module>\n    rates[key]\nKeyError: 'k'\n";
    let reading = read(text.as_bytes());
    assert_eq!(reading.tracebacks[0].exception.frames[0].function, "<module>");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn exception_reads_the_same_in_every_form(one in any_exception(), other in any_exception()) {
        for form in forms() {
            let wrong = wrong(&(form.render)(&one, &other));
            prop_assert!(wrong.is_none(), "{}:\n{}", form.name, wrong.unwrap_or_default());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_value(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn pieces_of_tracebacks_end_in_a_value(
        pieces in proptest::collection::vec(prop_oneof![
            Just("Traceback (most recent call last):".to_owned()),
            Just("  File \"a.py\", line 1, in f".to_owned()),
            Just("KeyError: 'k'".to_owned()),
            Just("The above exception was the direct cause of the following exception:".to_owned()),
            Just("  +-+---------------- 1 ----------------".to_owned()),
            Just("    +---------------- 2 ----------------".to_owned()),
            Just("    +------------------------------------".to_owned()),
            Just("\"\"\"".to_owned()),
            Just("Exception Type: E".to_owned()),
            Just("Exception Value:".to_owned()),
            "(\\n|\\\\n|\\\\\"|#012|&quot;|<br>|%0A|\u{1b}\\[|\u{9b}|\\[0m|File|line 7|in|\"|“|'| |\t|:|\\.|\\PC){0,8}",
        ], 0..25),
        joint in prop_oneof![Just("\n"), Just("\r"), Just(""), Just("\\n"), Just("#012"), Just("\n\n"), Just(" ")],
    ) {
        let text = pieces.join(joint);
        let lines = u32::try_from(text.lines().count() + text.matches('\r').count()).expect("few");
        let reading = read_text(&text);
        for traceback in &reading.tracebacks {
            prop_assert!((1..=lines).contains(&traceback.line));
            prop_assert!(reading.mentioned_at.is_some(), "{text:?}");
            for (at, chained) in traceback.chain.iter().enumerate() {
                prop_assert!(chained.parent.is_none_or(|parent| parent < at));
            }
        }
    }
}
