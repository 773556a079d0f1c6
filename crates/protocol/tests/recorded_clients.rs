//! Recordings of the unchanged clients of 0.4.5, byte for byte, on Python 2.7, 3.8 and 3.11.
use std::path::PathBuf;

use flawless_protocol::thrift::{
    CallKind, LENGTH_PREFIX, RecordErrorRequest, Reply, StackLine, decode_call, decode_reply,
    encode_record_error, encode_reply,
};
use proptest::prelude::*;

/// Name, the client's frame, the older server's frame.
fn recordings() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the recordings") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".req.bin") else { continue };
        let frame = |kind: &str| {
            let bytes = std::fs::read(folder.join(format!("{stem}.{kind}.bin"))).expect("bytes");
            let (length, frame) = bytes.split_at(LENGTH_PREFIX);
            let length = u32::from_be_bytes(length.try_into().expect("four")) as usize;
            assert_eq!(length, frame.len(), "{stem}: one frame");
            frame.to_vec()
        };
        found.push((stem.to_owned(), frame("req"), frame("rep")));
    }
    assert!(found.len() >= 10, "the recordings exist");
    found
}

fn report(frame: &[u8]) -> RecordErrorRequest {
    match decode_call(frame).expect("a call").kind {
        CallKind::RecordError(request) => *request,
        other => panic!("a report: {other:?}"),
    }
}

#[test]
fn recorded_calls_are_understood_and_answered_byte_for_byte() {
    for (name, request, reply) in recordings() {
        let call = decode_call(&request).expect(&name);
        let answer = match &call.kind {
            CallKind::Ping => Reply::Pong,
            CallKind::RecordError(report) => {
                assert!(report.exception_type.is_some(), "{name}");
                assert!(!report.traceback.is_empty(), "{name}");
                let plain = RecordErrorRequest {
                    traceback: report.traceback.clone(),
                    exception_message: report.exception_message.clone(),
                    hostname: report.hostname.clone(),
                    error_threshold: report.error_threshold,
                    additional_info: report.additional_info.clone(),
                    error_count: report.error_count,
                    exception_type: report.exception_type.clone(),
                    ..RecordErrorRequest::default()
                };
                assert_eq!(**report, plain, "{name}: nothing of the newer fields");
                let has_context =
                    |line: &StackLine| !line.before.is_empty() || !line.after.is_empty();
                assert!(!report.traceback.iter().any(has_context), "{name}");
                Reply::Recorded
            }
            other => panic!("{name}: {other:?}"),
        };
        let ours = encode_reply(&call.method, call.sequence, &answer).expect("memory");
        assert_eq!(ours, reply, "{name}");
        assert_eq!(decode_reply(&reply).expect(&name), call.method);
    }
}

#[test]
fn report_written_again_reads_the_same() {
    for (name, request, _) in recordings().into_iter().filter(|(name, ..)| !name.contains("ping")) {
        let first = report(&request);
        let again = encode_record_error(&first, 0).expect("memory");
        assert_eq!(report(&again), first, "{name}");
    }
}

#[test]
fn unknown_fields_are_skipped_and_broken_text_stays_readable() {
    // record_error { 1: { 99: map<i32, list<bool>>, 3: "web", 2: not UTF-8 } }
    let mut frame = b"\x80\x01\x00\x01\x00\x00\x00\x0crecord_error\x00\x00\x00\x05".to_vec();
    frame.extend_from_slice(b"\x0c\x00\x01");
    frame.extend_from_slice(
        b"\x0d\x00\x63\x08\x0f\x00\x00\x00\x01\x00\x00\x00\x07\x02\x00\x00\x00\x02\x01\x00",
    );
    frame.extend_from_slice(
        b"\x0b\x00\x03\x00\x00\x00\x03web\x0b\x00\x02\x00\x00\x00\x02\xffx\x00\x00",
    );
    let report = report(&frame);
    assert_eq!(report.hostname.as_deref(), Some("web"));
    assert_eq!(report.exception_message.as_deref(), Some("\u{fffd}x"));
}

#[test]
fn lying_lengths_are_refused_without_being_believed() {
    let head = b"\x80\x01\x00\x01\x00\x00\x00\x0crecord_error\x00\x00\x00\x05\x0c\x00\x01";
    for body in [
        &b"\x0f\x00\x01\x0c\x7f\xff\xff\xff"[..], // two billion frames
        b"\x0f\x00\x01\x0c\xff\xff\xff\xff",      // a negative number of them
        b"\x0b\x00\x02\x7f\xff\xff\xff",          // a text of two gigabytes
        b"\x0d\x00\x63\x0b\x0b\x7f\xff\xff\xff",  // a huge unknown map
    ] {
        let frame = [&head[..], body].concat();
        let call = decode_call(&frame).expect("the method can be read");
        assert!(matches!(call.kind, CallKind::Malformed(_)), "{body:?}");
    }
    // Structs nested without end.
    let mut deep = head.to_vec();
    deep.extend(std::iter::repeat_n(b"\x0c\x00\x63".as_slice(), 100_000).flatten());
    assert!(matches!(decode_call(&deep).expect("method").kind, CallKind::Malformed(_)));
}

proptest! {
    #[test]
    fn any_bytes_end_in_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_call(&bytes);
        let _ = decode_reply(&bytes);
    }

    #[test]
    fn changed_recording_ends_in_a_value_or_an_error(at in 0usize..2_000, value in any::<u8>()) {
        for (_, mut frame, _) in recordings() {
            let at = at % frame.len();
            frame[at] = value;
            let _ = decode_call(&frame);
        }
    }
}
