//! Errors that a program handles, but wants to hear of.
use std::error::Error;

use flawless_client::{Chained, Exception, Relation};

use crate::reporting::{Occurrence, occurred};

/// Errors of a chain that are reported.
const MOST_CAUSES: usize = 50;

/// Reports an error with its sources, on the stack of this call.
pub fn report(error: &dyn Error) {
    report_as(error, "error", None);
}

/// Reports a message as an error, on the stack of this call.
pub fn report_message(message: &str) {
    let occurrence = Occurrence {
        type_name: "message",
        mechanism: "message",
        handled: true,
        raised_at: None,
        frames: None,
    };
    occurred(occurrence, || (message.to_owned(), Vec::new()));
}

/// Reports an error of `anyhow`, on the stack on which it was made if `RUST_BACKTRACE` or
/// `RUST_LIB_BACKTRACE` is set, else on that of this call.
#[cfg(feature = "anyhow")]
pub fn report_anyhow(error: &anyhow::Error) {
    use std::backtrace::BacktraceStatus;

    use flawless_protocol::text_traceback::{TextLanguage, read_one};

    let backtrace = error.backtrace();
    let made = (backtrace.status() == BacktraceStatus::Captured).then(|| {
        let text = format!("Stack backtrace:\n{backtrace}");
        let traceback = read_one(&text, Some(TextLanguage::Rust))?;
        let frames = traceback.exception.frames.into_iter();
        Some(frames.map(|it| crate::stack::frame(it.path, it.line, &it.function)).collect())
    });
    report_as(error.as_ref(), "anyhow", made.flatten());
}

pub(crate) fn report_as(
    error: &dyn Error,
    mechanism: &str,
    frames: Option<Vec<flawless_client::Frame>>,
) {
    let type_name = type_name(error);
    let occurrence =
        Occurrence { type_name: &type_name, mechanism, handled: true, raised_at: None, frames };
    occurred(occurrence, || (error.to_string(), sources(error)));
}

fn sources(error: &dyn Error) -> Vec<Chained> {
    let mut chain = Vec::new();
    let mut source = error.source();
    while let Some(error) = source.filter(|_| chain.len() < MOST_CAUSES) {
        let exception = Exception {
            type_name: type_name(error),
            message: error.to_string(),
            notes: Vec::new(),
            frames: Vec::new(),
        };
        let parent = chain.len().checked_sub(1);
        chain.push(Chained { exception, relation: Relation::Cause, parent });
        source = error.source();
    }
    chain
}

/// The name of its type, as far as its debug form begins with it.
fn type_name(error: &dyn Error) -> String {
    let debug = format!("{error:?}");
    let end = debug.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(debug.len());
    let (name, rest) = debug.split_at(end);
    let is_name = name.starts_with(char::is_uppercase)
        && (rest.is_empty() || rest.starts_with(['(', ' ', '{']))
        && (!rest.starts_with(' ') || rest.starts_with(" {"));
    if is_name { name.to_owned() } else { "Error".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Shown(&'static str);

    impl std::fmt::Display for Shown {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Shown {}

    #[test]
    fn type_is_named_by_its_debug_form() {
        assert_eq!(type_name(&Shown("x")), "Shown");
        let number = "x".parse::<u32>().expect_err("no number");
        assert_eq!(type_name(&number), "ParseIntError");
        let io = std::io::Error::other("disk");
        assert_eq!(type_name(&io), "Custom");
        let text: Box<dyn Error> = "No price".into();
        assert_eq!(type_name(&*text), "Error");
        let nested = std::io::Error::other(Shown("inner"));
        assert_eq!(sources(&nested).len(), nested.source().map_or(0, |_| 1));
    }
}
