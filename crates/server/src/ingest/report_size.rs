//! How much memory a report takes.
use std::collections::BTreeMap;

use flawless_core::{Breadcrumb, ChainedException, Context, Frame, Process, Report};

/// A name and a value in a map, whose nodes are half full.
const ENTRY: usize = 2 * 2 * size_of::<String>();

/// While a report is recorded, it is in memory twice: as received and as stored.
const FORMS_OF_A_REPORT: usize = 2;

/// Bytes that a report takes until it is recorded.
pub(super) fn memory_of_report(report: &Report) -> usize {
    FORMS_OF_A_REPORT * size_of_report(report)
}

/// Bytes of a report including everything it owns.
fn size_of_report(report: &Report) -> usize {
    let request = report.request.as_ref().map_or(0, |request| {
        let texts = [&request.method, &request.path, &request.protocol, &request.body];
        let texts = texts.into_iter().chain([&request.client_address]);
        map(&request.headers) + texts.map(String::capacity).sum::<usize>()
    });
    let texts = [
        &report.mechanism,
        &report.transaction,
        &report.thread,
        &report.task,
        &report.trace_id,
        &report.exception_type,
        &report.exception_message,
        &report.hostname,
        &report.additional_info,
        &report.environment,
    ];
    size_of::<Report>()
        + frames(&report.traceback)
        + texts.into_iter().map(String::capacity).sum::<usize>()
        + [&report.revision, &report.id].into_iter().flatten().map(String::capacity).sum::<usize>()
        + report.chain.capacity() * size_of::<ChainedException>()
        + report.chain.iter().map(chained).sum::<usize>()
        + texts_of(&report.notes)
        + request
        + map(&report.user)
        + map(&report.tags)
        + report.contexts.capacity() * size_of::<Context>()
        + report.contexts.iter().map(context).sum::<usize>()
        + report.breadcrumbs.capacity() * size_of::<Breadcrumb>()
        + report.breadcrumbs.iter().map(breadcrumb).sum::<usize>()
        + report.process.as_ref().map_or(0, process)
}

fn context(context: &Context) -> usize {
    context.name.capacity() + map(&context.values)
}

fn breadcrumb(breadcrumb: &Breadcrumb) -> usize {
    breadcrumb.category.capacity()
        + breadcrumb.level.capacity()
        + breadcrumb.message.capacity()
        + map(&breadcrumb.data)
}

fn process(process: &Process) -> usize {
    process.runtime.capacity()
        + texts_of(&process.arguments)
        + process.modules_id.capacity()
        + map(&process.modules)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a text, or a map with it, into a place of a report.
    type Place = fn(&mut Report, String, BTreeMap<String, String>);

    #[test]
    fn work_facts_count_towards_the_size_wherever_they_are() {
        let long = || "x".repeat(10_000);
        let facts = || BTreeMap::from([("a".to_owned(), long())]);
        let empty = size_of_report(&Report::default());
        let with = |change: Place| {
            let mut report = Report::default();
            change(&mut report, long(), facts());
            size_of_report(&report)
        };
        let places: [Place; 15] = [
            |report, text, _| report.id = Some(text),
            |report, text, _| report.mechanism = text,
            |report, text, _| report.transaction = text,
            |report, text, _| report.thread = text,
            |report, text, _| report.task = text,
            |report, text, _| report.trace_id = text,
            |report, _, facts| report.user = facts,
            |report, _, facts| report.tags = facts,
            |report, name, _| report.contexts = vec![Context { name, ..Context::default() }],
            |report, _, values| report.contexts = vec![Context { values, ..Context::default() }],
            |report, message, _| {
                report.breadcrumbs = vec![Breadcrumb { message, ..Breadcrumb::default() }];
            },
            |report, _, data| {
                report.breadcrumbs = vec![Breadcrumb { data, ..Breadcrumb::default() }];
            },
            |report, runtime, _| report.process = Some(Process { runtime, ..Process::default() }),
            |report, text, _| {
                let arguments = vec![text];
                report.process = Some(Process { arguments, ..Process::default() });
            },
            |report, _, modules| report.process = Some(Process { modules, ..Process::default() }),
        ];
        for (at, place) in places.into_iter().enumerate() {
            let counted = with(place) - empty;
            assert!((10_000..11_000).contains(&counted), "place {at}: {counted}");
        }
    }
}
