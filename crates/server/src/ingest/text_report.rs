//! Turns a printed traceback into a report, as a client would have sent it, or into the exception
//! of another process that a report contains as text.
use flawless_core::language::{Language, NamedFile, deployed_path};
use flawless_core::{ChainedException, Frame, Relation, Report};
use flawless_protocol::text_traceback::{
    TextChained, TextException, TextFrame, TextRelation, TextTraceback, remote_traceback,
};

/// The report of a printed traceback, bounded.
pub fn report_from_text(traceback: TextTraceback, revision: Option<String>) -> Report {
    let TextException { frames, exception_type, exception_message } = traceback.exception;
    let report = Report {
        traceback: frames.into_iter().map(frame_of).collect(),
        exception_type,
        exception_message,
        chain: traceback.chain.into_iter().map(chained_of).collect(),
        revision,
        error_count: 1,
        ..Report::default()
    };
    report.bounded()
}

/// Bytes of a report's texts that are searched, and of the end of each text, which says what
/// failed.
const MAX_SEARCHED: usize = 256 * 1024;
const MAX_TEXT: usize = 32 * 1024;

/// Adds the exceptions that others contain as text from another process to the chain of `report`,
/// behind those; an exception that was nothing but such a text is replaced.
pub(crate) fn add_remote(report: &mut Report) {
    let mut left = MAX_SEARCHED;
    let mut remote_of = |message: &str| {
        let mut start = message.len().saturating_sub(MAX_TEXT.min(left));
        start += (0..4).take_while(|more| !message.is_char_boundary(start + more)).count();
        let text = &message[start..];
        if !["File \"", "File \\\""].iter().any(|frame| text.contains(frame)) {
            return None;
        }
        left -= text.len();
        remote_traceback(text)
    };
    let mut chain = Vec::with_capacity(report.chain.len());
    if let Some(remote) = remote_of(&report.exception_message) {
        add(&mut chain, remote, Relation::Quoted, None);
    }
    let mut places: Vec<usize> = Vec::with_capacity(report.chain.len());
    for exception in std::mem::take(&mut report.chain) {
        let parent = exception.parent.and_then(|parent| places.get(parent).copied());
        let remote = remote_of(&exception.exception_message);
        places.push(chain.len());
        match remote {
            Some(remote) if is_text_only(&exception) => {
                add(&mut chain, remote, Relation::Remote, parent);
            }
            remote => {
                chain.push(ChainedException { parent, ..exception });
                let place = chain.len() - 1;
                let quoted = Relation::Quoted;
                remote.into_iter().for_each(|remote| add(&mut chain, remote, quoted, Some(place)));
            }
        }
    }
    report.chain = chain;
}

/// Adds a traceback to a chain, as that of the exception at `parent` in another process.
fn add(
    chain: &mut Vec<ChainedException>,
    traceback: TextTraceback,
    relation: Relation,
    parent: Option<usize>,
) {
    let place = chain.len();
    let TextTraceback { exception, chain: parts, .. } = traceback;
    let remote = TextChained { exception, relation: TextRelation::Remote, parent: None };
    let remote = chained_of(remote);
    chain.push(ChainedException { relation, parent, ..remote });
    chain.extend(parts.into_iter().map(|part| {
        let parent = Some(part.parent.map_or(place, |parent| place + 1 + parent));
        ChainedException { parent, ..chained_of(part) }
    }));
}

/// Whether an exception was never raised, and only holds the text of another one, as
/// `RemoteTraceback` of `multiprocessing` does.
fn is_text_only(exception: &ChainedException) -> bool {
    exception.traceback.is_empty() && exception.exception_type.ends_with("RemoteTraceback")
}

fn chained_of(chained: TextChained) -> ChainedException {
    let TextException { frames, exception_type, exception_message } = chained.exception;
    ChainedException {
        exception_type,
        exception_message,
        relation: match chained.relation {
            TextRelation::Cause => Relation::Cause,
            TextRelation::Context => Relation::Context,
            TextRelation::Member => Relation::Member,
            TextRelation::Remote => Relation::Remote,
        },
        parent: chained.parent,
        traceback: frames.into_iter().map(frame_of).collect(),
        notes: Vec::new(),
    }
}

fn frame_of(frame: TextFrame) -> Frame {
    let TextFrame { path, module, line, column, function, text } = frame;
    let path = deployed_path(NamedFile { filename: &path, module: &module, abs_path: "" });
    let column = if Language::of_path(&path) == Language::JavaScript { column } else { 0 };
    Frame { path, line, column, function, text, ..Frame::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Traceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 5, in \
         total\n    return 1 / 0\nZeroDivisionError: division by zero\n";

    fn chained(kind: &str, message: &str, parent: Option<usize>) -> ChainedException {
        ChainedException {
            exception_type: kind.into(),
            exception_message: message.into(),
            relation: Relation::Cause,
            parent,
            ..ChainedException::default()
        }
    }

    fn shape(report: &mut Report) -> Vec<(String, Relation, Option<usize>, usize)> {
        add_remote(report);
        let chain = report.chain.iter();
        chain.map(|e| (e.exception_type.clone(), e.relation, e.parent, e.traceback.len())).collect()
    }

    #[test]
    fn exception_that_only_quotes_another_is_replaced_by_it() {
        let text = format!(
            "{TEXT}\nThe above exception was the direct cause of the following \
             exception:\n\n{}",
            TEXT.replace("ZeroDivisionError", "shop.Empty")
        );
        let quoted = format!("\n\"\"\"\n{text}\"\"\"");
        let mut report = Report {
            chain: vec![
                chained("concurrent.futures.process._RemoteTraceback", &quoted, None),
                chained("KeyError", "'x'", Some(0)),
            ],
            ..Report::default()
        };
        let expected = [
            ("shop.Empty".to_owned(), Relation::Remote, None, 1),
            ("ZeroDivisionError".to_owned(), Relation::Cause, Some(0), 1),
            ("KeyError".to_owned(), Relation::Cause, Some(0), 0),
        ];
        assert_eq!(shape(&mut report), expected);
    }

    #[test]
    fn exception_with_another_in_its_message_stays_before_it() {
        let mut report = Report {
            exception_message: format!("RuntimeError({TEXT:?})"),
            chain: vec![chained("E", "e", None), chained("joblib.Failed", TEXT, Some(0))],
            ..Report::default()
        };
        let expected = [
            ("ZeroDivisionError".to_owned(), Relation::Quoted, None, 1),
            ("E".to_owned(), Relation::Cause, None, 0),
            ("joblib.Failed".to_owned(), Relation::Cause, Some(1), 0),
            ("ZeroDivisionError".to_owned(), Relation::Quoted, Some(2), 1),
        ];
        assert_eq!(shape(&mut report), expected);
    }

    #[test]
    fn large_texts_are_searched_from_their_end_up_to_a_limit() {
        let long = "é".repeat(MAX_TEXT);
        let mut report = Report {
            chain: vec![chained("E", &format!("{long}\n{TEXT}"), None); 50],
            ..Report::default()
        };
        let found =
            shape(&mut report).iter().filter(|(_, how, ..)| *how == Relation::Quoted).count();
        assert_eq!(found, MAX_SEARCHED / MAX_TEXT);
    }

    #[test]
    fn message_without_frames_yields_nothing() {
        let message = "it says Traceback (most recent call last): and File \"a.txt\" is missing";
        let mut report = Report { exception_message: message.into(), ..Report::default() };
        assert!(shape(&mut report).is_empty());
    }
}
