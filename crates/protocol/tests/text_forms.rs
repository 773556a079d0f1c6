//! Tracebacks as people log and paste them read as the interpreter printed them, whatever form
//! they are in; and no text makes the reader panic.
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

/// What is wrong with how a text was read, if anything is.
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
fn a_traceback_reads_the_same_in_every_form() {
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

proptest! {
    #[test]
    fn any_text_ends_in_a_value(text in "\\PC{0,20}") {
        let _ = read_text(&text);
    }
}
