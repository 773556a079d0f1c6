//! The arguments of `record_error`. Every field may be absent on the wire.
use std::collections::BTreeMap;

use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::chain::{ChainedException, MAX_NOTES, read_chain};
use super::context::{Breadcrumb, Context, MAX_VALUES, read_breadcrumbs, read_contexts};
use super::fields::{
    read_struct, read_text, read_text_map, read_texts, write_bool, write_field, write_i64,
    write_struct, write_structs, write_text, write_texts, write_values,
};
use super::process::Process;
use super::stack_line::{Kept, StackLine, read_traceback};
use super::web_request::WebRequest;

/// A report as 0.4.5 sends it, with the optional fields added later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordErrorRequest {
    /// Field 1, outermost first.
    pub traceback: Vec<StackLine>,
    /// Field 2, the `repr` of the exception.
    pub exception_message: Option<String>,
    /// Field 3.
    pub hostname: Option<String>,
    /// Field 4, overrides `report_error_threshold`.
    pub error_threshold: Option<i64>,
    /// Field 5, free text.
    pub additional_info: Option<String>,
    /// Field 6, occurrences since the client's last report of the same stack.
    pub error_count: Option<i64>,
    /// Field 7, full type path.
    pub exception_type: Option<String>,
    /// Field 8, since 0.5: the revision that runs, as the client names it.
    pub revision: Option<String>,
    /// Field 9, since 0.5: where it runs, e.g. `production`.
    pub environment: Option<String>,
    /// Field 10, since 0.5: a key of the project; required over HTTP.
    pub project_key: Option<String>,
    /// Field 11, since 0.5: occurrences that the client had to drop since its last report.
    pub lost_count: Option<i64>,
    /// Field 12, since 0.5: the exceptions that led to this one, nearest first, flat.
    pub chain: Vec<ChainedException>,
    /// Field 13, since 0.5: the web request that was being served.
    pub request: Option<WebRequest>,
    /// Field 14, since 0.5: the notes that were added to the exception.
    pub notes: Vec<String>,
    /// Field 15, since 0.5: an id, which stays the same when the client resends the report.
    pub id: Option<String>,
    /// Field 16, since 0.5: whether the program carried on afterwards.
    pub handled: Option<bool>,
    /// Field 17, since 0.5: the hook or integration that saw the exception, e.g. `excepthook`.
    pub mechanism: Option<String>,
    /// Field 18, since 0.5: the endpoint, task or command that was running.
    pub transaction: Option<String>,
    /// Field 19, since 0.5: facts about the user, by name, such as `id` and `email`.
    pub user: BTreeMap<String, String>,
    /// Field 20, since 0.5: short facts by name.
    pub tags: BTreeMap<String, String>,
    /// Field 21, since 0.5: named groups of facts.
    pub contexts: Vec<Context>,
    /// Field 22, since 0.5: events before the exception, oldest first.
    pub breadcrumbs: Vec<Breadcrumb>,
    /// Field 23, since 0.5: the process that raised the exception.
    pub process: Option<Process>,
    /// Field 24, since 0.5: the name of the thread.
    pub thread: Option<String>,
    /// Field 25, since 0.5: the name of the task, of asyncio and the like.
    pub task: Option<String>,
    /// Field 26, since 0.5: the OpenTelemetry trace id, 32 hexadecimal digits.
    pub trace_id: Option<String>,
}

const KEPT: Kept = Kept { outermost: 200, innermost: 800 };

impl RecordErrorRequest {
    pub(super) fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut request = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::List) => request.traceback = read_traceback(input, KEPT)?,
                (2, TType::String) => request.exception_message = Some(read_text(input)?),
                (3, TType::String) => request.hostname = Some(read_text(input)?),
                (4, TType::I64) => request.error_threshold = Some(input.read_i64()?),
                (5, TType::String) => request.additional_info = Some(read_text(input)?),
                (6, TType::I64) => request.error_count = Some(input.read_i64()?),
                (7, TType::String) => request.exception_type = Some(read_text(input)?),
                (8, TType::String) => request.revision = Some(read_text(input)?),
                (9, TType::String) => request.environment = Some(read_text(input)?),
                (10, TType::String) => request.project_key = Some(read_text(input)?),
                (11, TType::I64) => request.lost_count = Some(input.read_i64()?),
                (12, TType::List) => request.chain = read_chain(input)?,
                (13, TType::Struct) => request.request = Some(WebRequest::read(input)?),
                (14, TType::List) => request.notes = read_texts(input, MAX_NOTES)?,
                (15, TType::String) => request.id = Some(read_text(input)?),
                (16, TType::Bool) => request.handled = Some(input.read_bool()?),
                (17, TType::String) => request.mechanism = Some(read_text(input)?),
                (18, TType::String) => request.transaction = Some(read_text(input)?),
                (19, TType::Map) => request.user = values(input)?,
                (20, TType::Map) => request.tags = values(input)?,
                (21, TType::List) => request.contexts = read_contexts(input)?,
                (22, TType::List) => request.breadcrumbs = read_breadcrumbs(input)?,
                (23, TType::Struct) => request.process = Some(Process::read(input)?),
                (24, TType::String) => request.thread = Some(read_text(input)?),
                (25, TType::String) => request.task = Some(read_text(input)?),
                (26, TType::String) => request.trace_id = Some(read_text(input)?),
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "RecordErrorRequest", |output| {
            write_structs(output, 1, &self.traceback, StackLine::write)?;
            write_text(output, 2, self.exception_message.as_deref())?;
            write_text(output, 3, self.hostname.as_deref())?;
            write_i64(output, 4, self.error_threshold)?;
            write_text(output, 5, self.additional_info.as_deref())?;
            write_i64(output, 6, self.error_count)?;
            write_text(output, 7, self.exception_type.as_deref())?;
            write_text(output, 8, self.revision.as_deref())?;
            write_text(output, 9, self.environment.as_deref())?;
            write_text(output, 10, self.project_key.as_deref())?;
            write_i64(output, 11, self.lost_count)?;
            if !self.chain.is_empty() {
                write_structs(output, 12, &self.chain, ChainedException::write)?;
            }
            if let Some(request) = &self.request {
                write_field(output, 13, TType::Struct, |output| request.write(output))?;
            }
            write_texts(output, 14, &self.notes)?;
            write_text(output, 15, self.id.as_deref())?;
            write_bool(output, 16, self.handled)?;
            write_text(output, 17, self.mechanism.as_deref())?;
            write_text(output, 18, self.transaction.as_deref())?;
            write_values(output, 19, &self.user)?;
            write_values(output, 20, &self.tags)?;
            if !self.contexts.is_empty() {
                write_structs(output, 21, &self.contexts, Context::write)?;
            }
            if !self.breadcrumbs.is_empty() {
                write_structs(output, 22, &self.breadcrumbs, Breadcrumb::write)?;
            }
            if let Some(process) = &self.process {
                write_field(output, 23, TType::Struct, |output| process.write(output))?;
            }
            write_text(output, 24, self.thread.as_deref())?;
            write_text(output, 25, self.task.as_deref())?;
            write_text(output, 26, self.trace_id.as_deref())
        })
    }
}

fn values(input: &mut dyn TInputProtocol) -> thrift::Result<BTreeMap<String, String>> {
    Ok(read_text_map(input, MAX_VALUES)?.unwrap_or_default())
}
