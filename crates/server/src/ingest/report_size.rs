//! How much memory a report takes.
use std::collections::BTreeMap;

use flawless_core::{ChainedException, Frame, Report};

/// A name and a value in a map, whose nodes are half full.
const ENTRY: usize = 2 * 2 * size_of::<String>();

/// Bytes of a report with all that it owns.
pub(super) fn size_of_report(report: &Report) -> usize {
    let request = report.request.as_ref().map_or(0, |request| {
        let texts = [&request.method, &request.path, &request.protocol, &request.body];
        map(&request.headers) + texts.into_iter().map(String::capacity).sum::<usize>()
    });
    let texts = [
        &report.exception_type,
        &report.exception_message,
        &report.hostname,
        &report.additional_info,
        &report.environment,
    ];
    size_of::<Report>()
        + frames(&report.traceback)
        + texts.into_iter().map(String::capacity).sum::<usize>()
        + report.revision.as_ref().map_or(0, String::capacity)
        + report.chain.capacity() * size_of::<ChainedException>()
        + report.chain.iter().map(chained).sum::<usize>()
        + texts_of(&report.notes)
        + request
}

fn chained(exception: &ChainedException) -> usize {
    exception.exception_type.capacity()
        + exception.exception_message.capacity()
        + frames(&exception.traceback)
        + texts_of(&exception.notes)
}

fn frames(frames: &Vec<Frame>) -> usize {
    let frame = |frame: &Frame| {
        frame.path.capacity()
            + frame.function.capacity()
            + frame.text.capacity()
            + frame.locals.as_ref().map_or(0, map)
            + texts_of(&frame.before)
            + texts_of(&frame.after)
    };
    frames.capacity() * size_of::<Frame>() + frames.iter().map(frame).sum::<usize>()
}

fn texts_of(texts: &Vec<String>) -> usize {
    texts.capacity() * size_of::<String>() + texts.iter().map(String::capacity).sum::<usize>()
}

fn map(map: &BTreeMap<String, String>) -> usize {
    let texts: usize = map.iter().map(|(name, value)| name.capacity() + value.capacity()).sum();
    map.len() * ENTRY + texts
}
