//! Frames of a stack trace.
use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{list, map, number, printed, text};

/// A frame as a client describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The file as the program names it: a path, a part of one, a URL or a mere name.
    pub filename: String,
    /// The whole path or URL, if the client sent it.
    pub abs_path: String,
    /// The module, package or class.
    pub module: String,
    /// The function.
    pub function: String,
    /// Line number from 1; 0 when the client sent none or an impossible one.
    pub line: u32,
    /// Column from 1; 0 when the client sent none or an impossible one.
    pub column: u32,
    /// The source line.
    pub text: String,
    /// The source lines before it, nearest last.
    pub before: Vec<String>,
    /// The source lines after it, nearest first.
    pub after: Vec<String>,
    /// The local variables, printed; `None` when there are none.
    pub locals: Option<BTreeMap<String, String>>,
}

/// The frames of a stack trace, outermost first, as all clients send them.
pub(super) fn frames(stacktrace: &Value) -> Vec<Frame> {
    let frames = match stacktrace {
        Value::Array(frames) => frames.iter().filter(|frame| !frame.is_null()).collect(),
        other => list(other, "frames"),
    };
    let frames: Vec<&Value> = frames.into_iter().filter(|frame| frame.is_object()).collect();
    let left_out = frames.len().saturating_sub(MOST_FRAMES);
    let is_read = |at: usize| at < OUTERMOST || at >= OUTERMOST + left_out;
    let read = frames.into_iter().enumerate().filter(|(at, _)| is_read(*at));
    read.map(|(_, value)| frame(value)).collect()
}

/// Frames that are read: the outermost ones, and those near the fault.
const MOST_FRAMES: usize = 1_200;
const OUTERMOST: usize = 300;
/// Lines on each side of a frame that are read.
const MOST_AROUND: usize = 10;

fn frame(frame: &Value) -> Frame {
    let said = |name: &str| text(frame, name).unwrap_or_default();
    let before = list(frame, "pre_context");
    let skipped = before.len().saturating_sub(MOST_AROUND);
    let line = |line: &Value| without_end(printed(line));
    let locals = frame.get("vars").map(map).filter(|locals| !locals.is_empty());
    Frame {
        filename: said("filename"),
        abs_path: said("abs_path"),
        module: said("module"),
        function: said("function"),
        line: place(frame, "lineno"),
        column: place(frame, "colno"),
        text: without_end(said("context_line")),
        before: before.into_iter().skip(skipped).map(line).collect(),
        after: list(frame, "post_context").into_iter().take(MOST_AROUND).map(line).collect(),
        locals,
    }
}

fn place(frame: &Value, name: &str) -> u32 {
    let number = number(frame, name).filter(|number| (1.0..=f64::from(u32::MAX)).contains(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits")]
    number.map_or(0, |number| number as u32)
}

fn without_end(mut line: String) -> String {
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_of_every_form_are_read() {
        let whole = json!({"frames": [{
            "filename": "shop/orders.py", "abs_path": "/srv/app/shop/orders.py",
            "module": "shop.orders", "function": "total", "lineno": "12", "colno": 3,
            "context_line": "    return 1 / 0\n", "pre_context": ["a\r\n", "b"],
            "post_context": null, "vars": {"n": 1, "list": [1, {"x": null}], "none": null},
            "platform": "python",
        }, null, {"lineno": -1}, {"lineno": 1e20}, {"lineno": "x", "filename": null}, 7]});
        let read = frames(&whole);
        let locals = [("list", "[1,{\"x\":null}]"), ("n", "1")];
        let locals = locals.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(
            read[0],
            Frame {
                filename: "shop/orders.py".into(),
                abs_path: "/srv/app/shop/orders.py".into(),
                module: "shop.orders".into(),
                function: "total".into(),
                line: 12,
                column: 3,
                text: "    return 1 / 0".into(),
                before: vec!["a".into(), "b".into()],
                after: vec![],
                locals: Some(locals),
            }
        );
        assert_eq!(read[1..], [const { Vec::new() }; 3].map(|_: Vec<()>| Frame::default()));
        for none in [json!(null), json!({}), json!({"frames": null}), json!("x"), json!([])] {
            assert_eq!(frames(&none), [], "{none}");
        }
        assert_eq!(frames(&json!([{"lineno": 3}])).len(), 1);
    }
}
