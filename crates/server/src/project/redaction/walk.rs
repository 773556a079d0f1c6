//! Visits every text of a report that may hold secrets.

use std::borrow::Cow;
use std::collections::BTreeMap;

use flawless_core::{
    Breadcrumb, ChainedException, CommitId, Context, Frame, Process, Report, WebRequest,
};
use flawless_redact::OneReport;

/// Goes through the texts of a report.
pub(crate) struct Walk<'a>(pub(crate) &'a OneReport<'a>);

impl Walk<'_> {
    /// The fields that identify the report come first, large texts last: if the time for patterns
    /// runs out in one of these, the report can still be attributed.
    pub(crate) fn report(&self, report: &mut Report) {
        // Each field is named, so that a later one cannot be overlooked.
        let Report {
            traceback,
            exception_type,
            exception_message,
            hostname,
            error_threshold: _,
            additional_info,
            error_count: _,
            revision,
            environment,
            chain,
            notes,
            request,
            id: _,
            handled: _,
            mechanism,
            transaction,
            user,
            tags,
            contexts,
            breadcrumbs,
            process,
            thread,
            task,
            trace_id,
        } = report;
        self.name(exception_type);
        // The name of a commit is not a secret, whatever it looks like.
        if let Some(revision) = revision.as_mut().filter(|name| CommitId::parse(name).is_none()) {
            self.name(revision);
            if revision.contains('=') {
                // No name of a revision has that: it is something else.
                self.text(revision);
            }
        }
        for text in [hostname, environment, mechanism, transaction, thread, task] {
            self.text(text);
        }
        if !is_trace_id(trace_id) {
            self.text(trace_id);
        }
        self.places(traceback);
        for ChainedException { traceback, exception_type, .. } in &mut *chain {
            self.name(exception_type);
            self.places(traceback);
        }
        traceback.iter_mut().rev().for_each(|frame| self.source(frame));
        self.text(exception_message);
        self.values(traceback);
        notes.iter_mut().for_each(|note| self.text(note));
        for exception in chain {
            let ChainedException {
                traceback,
                exception_type: _,
                exception_message,
                notes,
                relation: _,
                parent: _,
            } = exception;
            traceback.iter_mut().rev().for_each(|frame| self.source(frame));
            self.text(exception_message);
            self.values(traceback);
            notes.iter_mut().for_each(|note| self.text(note));
        }
        self.named(user);
        self.named(tags);
        if let Some(WebRequest { method, path, protocol, headers, body, client_address }) = request
        {
            for text in [method, path, protocol, client_address] {
                self.text(text);
            }
            self.named(headers);
            self.text(body);
        }
        contexts.iter_mut().for_each(|context| self.context(context));
        process.iter_mut().for_each(|process| self.process(process));
        // The newest are the most useful.
        breadcrumbs.iter_mut().rev().for_each(|breadcrumb| self.breadcrumb(breadcrumb));
        self.text(additional_info);
    }

    /// If its name is that of a secret, so are its values.
    fn context(&self, Context { name, values }: &mut Context) {
        if self.0.is_secret_name(name) {
            for value in values.values_mut() {
                if let Cow::Owned(redacted) = self.0.redact_named(name, value) {
                    *value = redacted;
                }
            }
        }
        self.text(name);
        self.named(values);
    }

    fn breadcrumb(&self, breadcrumb: &mut Breadcrumb) {
        let Breadcrumb { at: _, category, level, message, data } = breadcrumb;
        for text in [category, level, message] {
            self.text(text);
        }
        self.named(data);
    }

    fn process(&self, process: &mut Process) {
        let Process { runtime, arguments, modules_id, modules } = process;
        // It is a hash, or else nothing could be looked up by it.
        if matches!(self.0.redact_values(modules_id), Cow::Owned(_)) {
            modules_id.clear();
        }
        self.text(runtime);
        if let Some(redacted) = self.0.redact_arguments(arguments) {
            *arguments = redacted;
        }
        self.modules(modules);
    }

    /// Versions by name: only secrets that are recognised without a name, such as one in a URL that
    /// a package was installed from.
    pub(crate) fn modules(&self, modules: &mut BTreeMap<String, String>) {
        let redact = |text: &str| match text.contains('=') {
            true => self.0.redact(text).into_owned(),
            false => self.0.redact_values(text).into_owned(),
        };
        let clean = |text: &String| redact(text) == *text;
        if !modules.iter().all(|(name, version)| clean(name) && clean(version)) {
            let redacted = |text: String| redact(&text);
            let all = std::mem::take(modules).into_iter();
            *modules = all.map(|(name, version)| (redacted(name), redacted(version))).collect();
        }
    }

    /// The lines of code of a frame.
    pub(crate) fn source(&self, frame: &mut Frame) {
        let before = frame.before.iter().map(String::as_str);
        let own = before.len();
        let after = frame.after.iter().map(String::as_str);
        let lines: Vec<&str> = before.chain([frame.text.as_str()]).chain(after).collect();
        if let Some(redacted) = self.0.redact_lines(&lines, own) {
            frame.before = redacted.before;
            frame.text = redacted.line;
            frame.after = redacted.after;
        }
    }

    fn places(&self, frames: &mut [Frame]) {
        for frame in frames.iter_mut().rev() {
            self.name(&mut frame.path);
            self.name(&mut frame.function);
        }
    }

    /// The values of the innermost frames are the most useful.
    fn values(&self, frames: &mut [Frame]) {
        for frame in frames.iter_mut().rev() {
            frame.locals.iter_mut().for_each(|locals| self.named(locals));
        }
    }

    fn text(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.0.redact(text) {
            *text = redacted;
        }
    }

    /// A name or a path: only secrets that are recognised without a name.
    fn name(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.0.redact_values(text) {
            *text = redacted;
        }
    }

    /// Variables or headers: their names, and the values by name.
    fn named(&self, values: &mut BTreeMap<String, String>) {
        let is_clean = |name: &String| matches!(self.0.redact_values(name), Cow::Borrowed(_));
        if !values.keys().all(is_clean) {
            let clean = |name: String| self.0.redact_values(&name).into_owned();
            let all = std::mem::take(values).into_iter();
            *values = all.map(|(name, value)| (clean(name), value)).collect();
        }
        for (name, value) in values {
            if let Cow::Owned(redacted) = self.0.redact_named(name, value) {
                *value = redacted;
            }
        }
    }
}

/// The name of a trace is not a secret, whatever it looks like.
fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Total bytes of its texts.
pub(crate) fn size(report: &Report) -> usize {
    let of_map = |map: &BTreeMap<String, String>| -> usize {
        map.iter().map(|(name, value)| name.len() + value.len()).sum()
    };
    let of_lines = |lines: &[String]| -> usize { lines.iter().map(String::len).sum() };
    let of_stack = |frames: &[Frame]| -> usize {
        let of_frame = |frame: &Frame| {
            let locals = frame.locals.as_ref().map_or(0, of_map);
            let lines = frame.text.len() + of_lines(&frame.before) + of_lines(&frame.after);
            frame.path.len() + frame.function.len() + lines + locals
        };
        frames.iter().map(of_frame).sum()
    };
    let of_chained = |exception: &ChainedException| {
        of_stack(&exception.traceback)
            + exception.exception_message.len()
            + of_lines(&exception.notes)
    };
    let of_request =
        |request: &WebRequest| request.path.len() + of_map(&request.headers) + request.body.len();
    let of_breadcrumb =
        |breadcrumb: &Breadcrumb| breadcrumb.message.len() + of_map(&breadcrumb.data);
    let of_process = |process: &Process| of_lines(&process.arguments) + of_map(&process.modules);
    of_stack(&report.traceback)
        + report.exception_message.len()
        + report.additional_info.len()
        + of_lines(&report.notes)
        + report.chain.iter().map(of_chained).sum::<usize>()
        + report.request.as_ref().map_or(0, of_request)
        + of_map(&report.user)
        + of_map(&report.tags)
        + report.contexts.iter().map(|context| of_map(&context.values)).sum::<usize>()
        + report.breadcrumbs.iter().map(of_breadcrumb).sum::<usize>()
        + report.process.as_ref().map_or(0, of_process)
}
