//! A report stripped to what identifies its line, for a sender that has used up the quota of bytes.
use flawless_core::Report;

/// An encoded bare report larger than this is not kept.
pub(super) const MAX_BARE: usize = 32 * 1024;
/// Characters that are kept of the exception's message.
const MESSAGE: usize = 500;

/// Keeps the traceback and the exception, without values and without what led to it.
pub(super) fn bare(report: &Report, option: &str) -> Report {
    let traceback = report.traceback.iter().map(|frame| flawless_core::Frame {
        path: frame.path.clone(),
        line: frame.line,
        function: frame.function.clone(),
        text: frame.text.clone(),
        column: frame.column,
        debug_id: frame.debug_id.clone(),
        ..flawless_core::Frame::default()
    });
    Report {
        traceback: traceback.collect(),
        exception_type: report.exception_type.clone(),
        exception_message: report.exception_message.chars().take(MESSAGE).collect(),
        hostname: report.hostname.clone(),
        error_threshold: report.error_threshold,
        additional_info: format!(
            "The values were left out: {option} is used up. See the page Health."
        ),
        error_count: report.error_count,
        revision: report.revision.clone(),
        environment: report.environment.clone(),
        transaction: report.transaction.clone(),
        handled: report.handled,
        // They decide which source map belongs to the frames.
        tags: ["dist", "release", "service.version"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), report.tags.get(name)?.clone())))
            .collect(),
        ..Report::default()
    }
}
