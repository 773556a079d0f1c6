//! A report: one message from a client, an exception with its traceback.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::breadcrumb::Breadcrumb;
use crate::chain::ChainedException;
use crate::context::Context;
use crate::process::Process;
use crate::web_request::WebRequest;

/// One exception with its traceback, and how many occurrences it stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The frames, outermost first; the last one is where the exception was raised.
    pub traceback: Vec<Frame>,
    /// Full type path, e.g. `builtins.ZeroDivisionError`; empty when the client sent none.
    pub exception_type: String,
    /// The exception as the client printed it, e.g. `ZeroDivisionError('division by zero')`.
    pub exception_message: String,
    /// The host the program ran on.
    pub hostname: String,
    /// Overrides the configured `report_error_threshold` for this report.
    pub error_threshold: Option<u64>,
    /// Free text of the client, e.g. the web request.
    pub additional_info: String,
    /// How many occurrences this report stands for, at least 1.
    pub error_count: u64,
    /// The running revision, as the client names it; `None` when it did not.
    #[serde(default)]
    pub revision: Option<String>,
    /// Where it runs, e.g. `production`; empty when the client did not say.
    #[serde(default)]
    pub environment: String,
    /// The exceptions that led to this one, nearest first; if this one only carries another, that
    /// one is blamed instead.
    #[serde(default)]
    pub chain: Vec<ChainedException>,
    /// Notes that were added to the exception.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The web request that was answered.
    #[serde(default)]
    pub request: Option<WebRequest>,
    /// The client's name for this report: the same when it is sent again. At most 64 printable
    /// ASCII characters; not used once the report is recorded.
    #[serde(skip)]
    pub id: Option<String>,
    /// Whether the program went on; `None` when the client did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<bool>,
    /// What caught the exception, e.g. `excepthook`; empty when the client did not say, as are all
    /// fields below.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mechanism: String,
    /// The endpoint, task or command that ran.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction: String,
    /// The user that was served, by name, such as `id` and `email`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    /// Short facts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Facts about the work that was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Context>,
    /// What happened before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breadcrumbs: Vec<Breadcrumb>,
    /// The process that raised the exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The name of the thread.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thread: String,
    /// The name of the task, of asyncio or similar.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub task: String,
    /// The OpenTelemetry trace, 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
}

/// One line of the stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Path of the source file as deployed.
    pub path: String,
    /// Line number from 1; 0 when the client sent none or an impossible one.
    pub line: u32,
    /// Plain name of the function.
    pub function: String,
    /// The source line; empty when the client could not read it.
    pub text: String,
    /// Names and printed values of the local variables; `None` when they were not captured.
    pub locals: Option<BTreeMap<String, String>>,
    /// The source lines before `text`, nearest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// The source lines after `text`, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// The client sent no `text`: it was read from the revision that ran, and proves nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_text_read: bool,
    /// Column from 1 of a file that may have been generated from others; 0 when it does not matter.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub column: u32,
    /// The id that the build gave to a generated file and its source map; empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub debug_id: String,
    /// The place in the generated file, `PATH:LINE:COLUMN`, when everything else is about the source
    /// that it was made of; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generated_at: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Frame {
    /// Its place in generated code, `PATH:LINE:COLUMN`.
    pub fn generated_place(&self) -> String {
        format!("{}:{}:{}", self.path, self.line, self.column)
    }

    /// The source line as the client sent it.
    pub fn reported_text(&self) -> &str {
        if self.is_text_read { "" } else { &self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_stored_by_an_earlier_version_is_read() {
        let stored = r#"{"traceback":[{"path":"a.py","line":1,"function":"f","text":"x",
            "locals":null}],"exception_type":"E","exception_message":"m","hostname":"h",
            "error_threshold":null,"additional_info":"","error_count":1}"#;
        let report: Report = serde_json::from_str(stored).expect("a report");
        assert_eq!((report.traceback.len(), report.chain.len()), (1, 0));
        assert_eq!(report.request, None);
        assert_eq!(serde_json::to_value(&report).expect("JSON")["user"], serde_json::Value::Null);
    }

    #[test]
    fn work_facts_are_stored_and_read_without_id_and_modules() {
        let facts = || BTreeMap::from([("id".to_owned(), "7".to_owned())]);
        let process = Process {
            runtime: "CPython 3.13".into(),
            arguments: vec!["run".into()],
            modules_id: "ab".into(),
            modules: facts(),
        };
        let report = Report {
            id: Some("1".into()),
            handled: Some(false),
            mechanism: "excepthook".into(),
            transaction: "pay".into(),
            user: facts(),
            tags: facts(),
            contexts: vec![Context { name: "order".into(), values: facts() }],
            breadcrumbs: vec![Breadcrumb { at: Some(7), data: facts(), ..Breadcrumb::default() }],
            process: Some(process),
            thread: "MainThread".into(),
            task: "Task-1".into(),
            trace_id: "0af7".into(),
            ..Report::default()
        };
        let stored = serde_json::to_string(&report).expect("JSON");
        let read: Report = serde_json::from_str(&stored).expect("a report");
        let mut expected = Report { id: None, ..report };
        expected.process.iter_mut().for_each(|process| process.modules.clear());
        assert_eq!(read, expected);
    }
}
