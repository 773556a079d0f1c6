//! A printed traceback as a report, as a client would have sent it.
use flawless_core::{ChainedException, Frame, Relation, Report};
use flawless_protocol::text_traceback::{TextChained, TextFrame, TextRelation, TextTraceback};

pub(super) fn report_of(traceback: TextTraceback, revision: Option<String>) -> Report {
    let exception = traceback.exception;
    let report = Report {
        traceback: exception.frames.into_iter().map(frame_of).collect(),
        exception_type: exception.exception_type,
        exception_message: exception.exception_message,
        chain: traceback.chain.into_iter().map(chained_of).collect(),
        revision,
        error_count: 1,
        ..Report::default()
    };
    report.bounded()
}

fn chained_of(chained: TextChained) -> ChainedException {
    let exception = chained.exception;
    ChainedException {
        exception_type: exception.exception_type,
        exception_message: exception.exception_message,
        relation: match chained.relation {
            TextRelation::Cause => Relation::Cause,
            TextRelation::Context => Relation::Context,
            TextRelation::Member => Relation::Member,
            TextRelation::Remote => Relation::Remote,
        },
        parent: chained.parent,
        traceback: exception.frames.into_iter().map(frame_of).collect(),
        notes: Vec::new(),
    }
}

fn frame_of(frame: TextFrame) -> Frame {
    Frame {
        path: frame.path,
        line: frame.line,
        function: frame.function,
        text: frame.text,
        ..Frame::default()
    }
}
