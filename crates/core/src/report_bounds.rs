//! How large a report may be: the rest of the program relies on it.
use std::collections::BTreeMap;

use crate::breadcrumb::Breadcrumb;
use crate::context::Context;
use crate::process::Process;
use crate::report::{Frame, Report};

const MAX_FRAMES: usize = 1_000;
const KEPT_OUTERMOST: usize = 200;
const MAX_CHAIN: usize = 50;
const MAX_CHAIN_FRAMES: usize = 100;
const KEPT_CHAIN_OUTERMOST: usize = 20;
const MAX_NOTES: usize = 50;
const MAX_LINES_AROUND: usize = 10;
const MAX_HEADERS: usize = 100;
const MAX_NAME: usize = 512;
const MAX_PATH: usize = 4_096;
const MAX_TEXT: usize = 2_000;
const MAX_VALUE: usize = 4_096;
const MAX_MESSAGE: usize = 16 * 1024;
const MAX_INFO: usize = 64 * 1024;
const MAX_BODY: usize = 16 * 1024;
/// How much longer texts may be until their secrets are removed.
const BEYOND: usize = 1_024;
const MAX_LOCALS: usize = 200;
const MAX_ID: usize = 64;
const MAX_FACTS: usize = 50;
const MAX_CONTEXTS: usize = 20;
const MAX_BREADCRUMBS: usize = 100;
const MAX_ARGUMENTS: usize = 50;
const MAX_MODULES: usize = 1_000;
const MAX_ERROR_COUNT: u64 = 1_000_000_000;

impl Report {
    /// The same report within the sizes that the rest of the program relies on: at most 1,000
    /// frames (the outermost 200 and the innermost 800), 200 locals a frame, values of 4 KiB, a
    /// message of 16 KiB, 50 chained exceptions of 100 frames, 50 notes, 100 headers, 50 values of
    /// the user, the tags, and each of 20 contexts and of the last 100 breadcrumbs, 50 arguments,
    /// 1,000 modules; a cut text ends in `…`. NUL becomes U+FFFD, a count is 1 to 10⁹. An id that
    /// is longer than 64 bytes, or not printable ASCII, is dropped.
    ///
    /// Texts may be 1 KiB longer until [`Report::shorten`]: a secret at the end of a kept text can
    /// only be recognised while it is whole.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.bound(BEYOND);
        self
    }

    /// Cuts texts to the sizes of [`Report::bounded`]. Doing it twice changes nothing.
    pub fn shorten(&mut self) {
        self.bound(0);
    }

    fn bound(&mut self, beyond: usize) {
        let cut = |text: &mut String, most: usize| cut(text, most + beyond);
        let bound_traceback =
            |frames: &mut _, most, outermost| bound_traceback(frames, most, outermost, beyond);
        let bound_texts = |texts: &mut _, most, bytes| bound_texts(texts, most, bytes + beyond);
        bound_traceback(&mut self.traceback, MAX_FRAMES, KEPT_OUTERMOST);
        cut(&mut self.exception_type, MAX_NAME);
        cut(&mut self.exception_message, MAX_MESSAGE);
        cut(&mut self.hostname, MAX_NAME);
        cut(&mut self.additional_info, MAX_INFO);
        cut(&mut self.environment, MAX_NAME);
        if let Some(revision) = &mut self.revision {
            cut(revision, MAX_NAME);
        }
        bound_texts(&mut self.notes, MAX_NOTES, MAX_VALUE);
        self.chain.truncate(MAX_CHAIN);
        for (index, exception) in self.chain.iter_mut().enumerate() {
            cut(&mut exception.exception_type, MAX_NAME);
            cut(&mut exception.exception_message, MAX_MESSAGE);
            exception.parent = exception.parent.filter(|parent| *parent < index);
            let traceback = &mut exception.traceback;
            bound_traceback(traceback, MAX_CHAIN_FRAMES, KEPT_CHAIN_OUTERMOST);
            bound_texts(&mut exception.notes, MAX_NOTES, MAX_VALUE);
        }
        if let Some(request) = &mut self.request {
            cut(&mut request.method, MAX_NAME);
            cut(&mut request.path, MAX_PATH);
            cut(&mut request.protocol, MAX_NAME);
            bound_map(&mut request.headers, MAX_HEADERS, beyond);
            cut(&mut request.body, MAX_BODY);
            cut(&mut request.client_address, MAX_NAME);
        }
        self.bound_facts(beyond);
        self.error_count = self.error_count.clamp(1, MAX_ERROR_COUNT);
    }
}

impl Report {
    /// Bounds what a program said about its work.
    fn bound_facts(&mut self, beyond: usize) {
        let cut = |text: &mut String, most: usize| cut(text, most + beyond);
        if self.id.as_deref().is_some_and(|id| !is_id(id)) {
            self.id = None;
        }
        let names = [&mut self.mechanism, &mut self.transaction, &mut self.thread, &mut self.task];
        names.into_iter().chain([&mut self.trace_id]).for_each(|name| cut(name, MAX_NAME));
        bound_map(&mut self.user, MAX_FACTS, beyond);
        bound_map(&mut self.tags, MAX_FACTS, beyond);
        self.contexts.truncate(MAX_CONTEXTS);
        for Context { name, values } in &mut self.contexts {
            cut(name, MAX_NAME);
            bound_map(values, MAX_FACTS, beyond);
        }
        // The last ones are kept.
        let too_many = self.breadcrumbs.len().saturating_sub(MAX_BREADCRUMBS);
        self.breadcrumbs.drain(..too_many);
        for Breadcrumb { at: _, category, level, message, data } in &mut self.breadcrumbs {
            cut(category, MAX_NAME);
            cut(level, MAX_NAME);
            cut(message, MAX_VALUE);
            bound_map(data, MAX_FACTS, beyond);
        }
        if let Some(Process { runtime, arguments, modules_id, modules }) = &mut self.process {
            cut(runtime, MAX_NAME);
            bound_texts(arguments, MAX_ARGUMENTS, MAX_VALUE + beyond);
            if !is_id(modules_id) {
                modules_id.clear();
            }
            bound_map(modules, MAX_MODULES, beyond);
            modules.values_mut().for_each(|version| cut(version, MAX_NAME));
        }
    }
}

/// Whether it may be the id of a report or of a set of modules.
fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As many frames as are kept of a chained exception: the outermost and the innermost.
pub(crate) fn ends_of_chained(traceback: &[Frame]) -> impl Iterator<Item = &Frame> {
    let innermost = traceback.len().saturating_sub(MAX_CHAIN_FRAMES - KEPT_CHAIN_OUTERMOST);
    let outermost = KEPT_CHAIN_OUTERMOST.min(innermost);
    traceback[..outermost].iter().chain(&traceback[innermost..])
}

fn bound_traceback(traceback: &mut Vec<Frame>, most: usize, outermost: usize, beyond: usize) {
    if traceback.len() > most {
        let innermost = traceback.len() - (most - outermost);
        traceback.drain(outermost..innermost);
    }
    for frame in traceback {
        cut(&mut frame.path, MAX_PATH + beyond);
        cut(&mut frame.function, MAX_NAME + beyond);
        cut(&mut frame.text, MAX_TEXT + beyond);
        if let Some(locals) = &mut frame.locals {
            bound_map(locals, MAX_LOCALS, beyond);
        }
        // The nearest lines are kept.
        let too_many = frame.before.len().saturating_sub(MAX_LINES_AROUND);
        frame.before.drain(..too_many);
        bound_texts(&mut frame.before, MAX_LINES_AROUND, MAX_TEXT + beyond);
        bound_texts(&mut frame.after, MAX_LINES_AROUND, MAX_TEXT + beyond);
    }
}

fn bound_texts(texts: &mut Vec<String>, most: usize, max_bytes: usize) {
    texts.truncate(most);
    texts.iter_mut().for_each(|text| cut(text, max_bytes));
}

fn bound_map(map: &mut BTreeMap<String, String>, most: usize, beyond: usize) {
    if map.keys().any(|name| name.len() > MAX_NAME || name.contains('\0')) {
        *map = std::mem::take(map)
            .into_iter()
            .map(|(mut name, value)| {
                cut(&mut name, MAX_NAME);
                (name, value)
            })
            .collect();
    }
    while map.len() > most {
        map.pop_last();
    }
    for value in map.values_mut() {
        cut(value, MAX_VALUE + beyond);
    }
}

fn cut(text: &mut String, max_bytes: usize) {
    if text.len() > max_bytes {
        let end = (0..=max_bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        // `truncate` keeps the allocation; a 10 MB string must not survive as 4 KiB of text.
        text.shrink_to_fit();
    }
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::ChainedException;
    use crate::web_request::WebRequest;

    #[test]
    fn huge_report_is_cut_on_the_outer_side_and_in_its_values() {
        let frame = |n: u32| Frame { line: n, ..Frame::default() };
        let report = Report {
            traceback: (0..100_000).map(frame).collect(),
            exception_message: "é".repeat(1_000_000),
            error_count: u64::MAX,
            ..Report::default()
        }
        .bounded();
        assert!(report.exception_message.len() > MAX_MESSAGE + BEYOND, "its secrets are not out");
        let mut report = report;
        report.shorten();
        assert_eq!(report.traceback.len(), 1_000);
        assert_eq!(report.traceback[0].line, 0);
        assert_eq!(report.traceback[999].line, 99_999, "the innermost frames stay");
        assert!(report.exception_message.len() <= MAX_MESSAGE + '…'.len_utf8());
        assert!(report.exception_message.ends_with('…'));
        assert_eq!(report.error_count, MAX_ERROR_COUNT);
        let shortened = report.clone();
        report.shorten();
        assert_eq!(report, shortened, "once is enough");
    }

    #[test]
    fn locals_are_cut_in_number_name_and_value() {
        let locals = (0..500).map(|n| (format!("v{n:03}"), "x".repeat(10_000)));
        let report = Report {
            traceback: vec![Frame {
                locals: Some(locals.chain([("nul\0".into(), "a\0b".into())]).collect()),
                ..Frame::default()
            }],
            error_count: 0,
            ..Report::default()
        }
        .bounded();
        let locals = report.traceback[0].locals.as_ref().expect("locals");
        assert_eq!(locals.len(), 200);
        assert_eq!(locals["nul\u{fffd}"], "a\u{fffd}b");
        assert!(locals["v001"].len() < 4_200 + BEYOND);
        assert_eq!(report.error_count, 1, "a report stands for at least one occurrence");
    }

    #[test]
    fn chains_notes_context_and_requests_are_cut() {
        let many = |count: usize| vec!["x".repeat(100_000); count];
        let exception = |parent| ChainedException {
            parent: Some(parent),
            traceback: vec![Frame::default(); 5_000],
            notes: many(60),
            ..ChainedException::default()
        };
        let before = (0..20).map(|n| n.to_string()).collect();
        let report = Report {
            traceback: vec![Frame { before, after: many(20), ..Frame::default() }],
            chain: (0..60).map(exception).collect(),
            notes: many(60),
            request: Some(WebRequest {
                headers: (0..500).map(|n| (n.to_string(), "x".repeat(100_000))).collect(),
                body: "x".repeat(100_000),
                ..WebRequest::default()
            }),
            ..Report::default()
        }
        .bounded();
        let frame = &report.traceback[0];
        assert_eq!((frame.before.len(), frame.before[9].as_str()), (10, "19"), "the nearest stay");
        assert_eq!((frame.after.len(), report.notes.len(), report.chain.len()), (10, 50, 50));
        let last = &report.chain[49];
        assert_eq!((last.traceback.len(), last.notes.len(), last.parent), (100, 50, None));
        assert!(serde_json::to_string(&report).expect("text").len() < 20 * 1024 * 1024);
        let request = report.request.expect("a request");
        assert_eq!(request.headers.len(), 100);
        assert!(request.body.len() < 17_000 + BEYOND);
    }

    #[test]
    fn work_facts_are_cut_in_number_name_and_value() {
        let long = || "x".repeat(6_000);
        let facts = || (0..60).map(|n| (format!("{n:04}{}", long()), long())).collect();
        let breadcrumb = |at| Breadcrumb {
            at: Some(at),
            category: long(),
            level: long(),
            message: long(),
            data: facts(),
        };
        let context = Context { name: long(), values: facts() };
        let mut report = Report {
            mechanism: long(),
            transaction: long(),
            user: facts(),
            tags: facts(),
            contexts: vec![context; 30],
            breadcrumbs: (0..110).map(breadcrumb).collect(),
            process: Some(Process {
                runtime: long(),
                arguments: vec![long(); 60],
                modules_id: "7f".into(),
                modules: (0..1_100).map(|n| (format!("{n:04}"), long())).collect(),
            }),
            thread: long(),
            task: long(),
            trace_id: long(),
            request: Some(WebRequest { client_address: long(), ..WebRequest::default() }),
            ..Report::default()
        }
        .bounded();
        report.shorten();
        let longest = |texts: Vec<&String>| texts.into_iter().map(String::len).max();
        let Report { mechanism, transaction, thread, task, trace_id, user, .. } = &report;
        let process = report.process.as_ref().expect("a process");
        let last = &report.breadcrumbs[99];
        let mut short = vec![mechanism, transaction, thread, task, trace_id, &process.runtime];
        short.extend([&report.contexts[0].name, &last.category, &last.level]);
        short.push(&report.request.as_ref().expect("a request").client_address);
        short.extend(process.modules.values().chain(user.keys()).chain(last.data.keys()));
        assert_eq!(longest(short), Some(MAX_NAME + '…'.len_utf8()));
        let mut values: Vec<&String> = user.values().chain(last.data.values()).collect();
        values.extend(report.contexts[19].values.values().chain(report.tags.values()));
        values.extend(process.arguments.iter().chain([&last.message]));
        assert_eq!(longest(values), Some(MAX_VALUE + '…'.len_utf8()));
        let sizes = [user.len(), report.tags.len(), last.data.len(), process.arguments.len()];
        assert_eq!(sizes, [50; 4]);
        assert_eq!((report.contexts.len(), process.modules.len()), (20, 1_000));
        assert_eq!((report.breadcrumbs.len(), last.at), (100, Some(109)), "the last ones stay");
        let shortened = report.clone();
        report.shorten();
        assert_eq!(report, shortened, "once is enough");
    }

    #[test]
    fn id_is_short_and_printable_or_absent() {
        let kept = |id: &str| {
            let process = Process { modules_id: id.into(), ..Process::default() };
            let report =
                Report { id: Some(id.into()), process: Some(process), ..Report::default() };
            let Report { id, process, .. } = report.bounded();
            (id.unwrap_or_default(), process.expect("a process").modules_id)
        };
        let longest = "f".repeat(64);
        for good in ["7", "0b1e-44:~", longest.as_str()] {
            assert_eq!(kept(good), (good.to_owned(), good.to_owned()));
        }
        for bad in ["", "a b", "a\n", "é", "\u{7f}", &"f".repeat(65)] {
            assert_eq!(kept(bad), Default::default(), "{bad:?}");
        }
    }
}
