//! Reports as bytes: a traceback of 20 frames with 10 variables each, ready to send.
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use flawless_protocol::thrift::{RecordErrorRequest, StackLine, encode_record_error};

use crate::code::{Code, Line};

const LOCALS: usize = 10;
/// The deployment folder, under whose name both servers look for paths of the repository.
const DEPLOYED: &str = "/srv/app/lib/python3.11/site-packages";

/// `ping` with its length prefix.
pub(crate) const PING: &[u8] = b"\0\0\0\x11\x80\x01\0\x01\0\0\0\x04ping\0\0\0\0\0";

/// Placeholder for the id of a report, which is set when it is sent.
const NO_ID: &str = "this is no id: it is put in later";

/// Number of ids used.
static IDS: AtomicUsize = AtomicUsize::new(0);

/// The message with its own id, if it carries one.
pub(crate) fn with_id(message: &[u8]) -> Cow<'_, [u8]> {
    let Some(at) = message.windows(NO_ID.len()).rposition(|part| part == NO_ID.as_bytes()) else {
        return Cow::Borrowed(message);
    };
    let id = format!("{:0width$x}", IDS.fetch_add(1, Ordering::Relaxed), width = NO_ID.len());
    let mut message = message.to_owned();
    message[at..at + NO_ID.len()].copy_from_slice(id.as_bytes());
    Cow::Owned(message)
}

/// The frame, with its length prefix, of a report whose innermost line is `innermost`.
pub(crate) fn report(code: &Code, innermost: &Line, host: &str, has_id: bool) -> Result<Vec<u8>> {
    let id = has_id.then(|| NO_ID.to_owned());
    frame(&RecordErrorRequest { id, ..request(code, innermost, host) })
}

/// The same for the project of a key.
pub(crate) fn report_with_key(code: &Code, innermost: &Line, key: &str) -> Result<Vec<u8>> {
    let project_key = Some(key.to_owned());
    frame(&RecordErrorRequest { project_key, ..request(code, innermost, "bench") })
}

fn request(code: &Code, innermost: &Line, host: &str) -> RecordErrorRequest {
    RecordErrorRequest {
        traceback: code.layers.iter().chain([innermost]).map(stack_line).collect(),
        exception_message: Some("ZeroDivisionError('division by zero')".to_owned()),
        hostname: Some(host.to_owned()),
        error_count: Some(1),
        exception_type: Some("builtins.ZeroDivisionError".to_owned()),
        ..RecordErrorRequest::default()
    }
}

fn frame(request: &RecordErrorRequest) -> Result<Vec<u8>> {
    let content = encode_record_error(request, 0)?;
    let mut frame = u32::try_from(content.len())?.to_be_bytes().to_vec();
    frame.extend(content);
    Ok(frame)
}

fn stack_line(line: &Line) -> StackLine {
    StackLine {
        filename: Some(format!("{DEPLOYED}/{}", line.path)),
        line_number: i64::try_from(line.number).ok(),
        function_name: Some(line.function.clone()),
        text: Some(format!("{}\n", line.text)),
        frame_locals: Some(locals(line)),
        ..StackLine::default()
    }
}

/// Ten variables whose values differ from line to line, as in real programs.
fn locals(line: &Line) -> BTreeMap<String, String> {
    (0..LOCALS)
        .map(|index| {
            let value = line.number * 7_919 + index * 104_729;
            let value = match index % 3 {
                0 => format!("{value}"),
                1 => format!("'item {value:08}'"),
                _ => format!("Cart({value})"),
            };
            (format!("quantity_{index}"), value)
        })
        .collect()
}
