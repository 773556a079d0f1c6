//! The fields added after 0.4.5 arrive as they were sent, within bounds, and do not disturb reports
//! of 0.4.5.
use std::collections::BTreeMap;

use flawless_protocol::thrift::{
    Breadcrumb, CallKind, ChainedException, Context, Process, RecordErrorRequest, Reply,
    ReplyError, StackLine, WebRequest, decode_call, decode_call_head, decode_reply, encode_ping,
    encode_record_error, encode_reply,
};
use proptest::prelude::*;

fn sent_and_read(request: &RecordErrorRequest) -> RecordErrorRequest {
    let message = encode_record_error(request, 3).expect("memory");
    let call = decode_call(&message).expect("a call");
    assert_eq!((call.method.as_str(), call.sequence), ("record_error", 3));
    match call.kind {
        CallKind::RecordError(request) => *request,
        other => panic!("a report: {other:?}"),
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("\\PC{0,12}")
}

fn texts(most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("\\PC{0,12}", 0..most)
}

prop_compose! {
    fn stack_line()(
        filename in text(), line_number in any::<Option<i64>>(), function_name in text(),
        text in text(), before in texts(6), after in texts(6),
        frame_locals in proptest::option::of(proptest::collection::btree_map(".{0,4}", ".{0,9}", 0..4)),
    ) -> StackLine {
        StackLine { filename, line_number, function_name, text, frame_locals, before, after }
    }
}

prop_compose! {
    fn chained()(
        exception_type in text(), exception_message in text(), relation in text(),
        traceback in proptest::collection::vec(stack_line(), 0..3), notes in texts(3),
    ) -> ChainedException {
        ChainedException {
            exception_type, exception_message, relation, parent: None, traceback, notes,
        }
    }
}

prop_compose! {
    fn web_request()(
        method in text(), path in text(), protocol in text(), body in text(),
        headers in values(), client_address in text(),
    ) -> WebRequest {
        WebRequest { method, path, protocol, headers, body, client_address }
    }
}

fn values() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-z-]{1,9}", ".{0,9}", 0..5)
}

prop_compose! {
    fn context()(name in text(), values in values()) -> Context {
        Context { name, values }
    }
}

prop_compose! {
    fn breadcrumb()(
        at in any::<Option<i64>>(), category in text(), level in text(), message in text(),
        data in values(),
    ) -> Breadcrumb {
        Breadcrumb { at, category, level, message, data }
    }
}

prop_compose! {
    fn process()(
        runtime in text(), arguments in texts(4), modules_id in text(), modules in values(),
    ) -> Process {
        Process { runtime, arguments, modules_id, modules }
    }
}

prop_compose! {
    /// The circumstances of the exception.
    fn around()(
        texts in (text(), text(), text(), text(), text(), text()), handled in any::<Option<bool>>(),
        user in values(), tags in values(), contexts in proptest::collection::vec(context(), 0..3),
        breadcrumbs in proptest::collection::vec(breadcrumb(), 0..3),
        process in proptest::option::of(process()),
    ) -> RecordErrorRequest {
        let (id, mechanism, transaction, thread, task, trace_id) = texts;
        RecordErrorRequest {
            id, handled, mechanism, transaction, user, tags, contexts, breadcrumbs, process, thread,
            task, trace_id, ..RecordErrorRequest::default()
        }
    }
}

prop_compose! {
    fn report()(
        traceback in proptest::collection::vec(stack_line(), 0..3),
        old in (text(), text(), any::<Option<i64>>(), text(), any::<Option<i64>>(), text()),
        new in (text(), text(), text(), any::<Option<i64>>()),
        chain in proptest::collection::vec(chained(), 0..4),
        request in proptest::option::of(web_request()),
        notes in texts(4),
        around in around(),
    ) -> RecordErrorRequest {
        let chain = chain.into_iter().enumerate().map(|(at, exception)| ChainedException {
            parent: (at % 2 == 1).then_some(at as i64 - 1),
            ..exception
        });
        RecordErrorRequest {
            traceback,
            exception_message: old.0, hostname: old.1, error_threshold: old.2,
            additional_info: old.3, error_count: old.4, exception_type: old.5,
            revision: new.0, environment: new.1, project_key: new.2, lost_count: new.3,
            chain: chain.collect(), request, notes, ..around
        }
    }
}

proptest! {
    #[test]
    fn report_arrives_as_it_was_sent(request in report()) {
        prop_assert_eq!(sent_and_read(&request), request);
    }

    #[test]
    fn changed_byte_ends_in_a_value_or_an_error(
        request in report(), at in 0usize..2_000, value in any::<u8>(),
    ) {
        let mut message = encode_record_error(&request, 0).expect("memory");
        let at = at % message.len();
        message[at] = value;
        let _ = decode_call(&message);
    }
}

#[test]
fn report_without_newer_fields_has_the_older_clients_bytes() {
    let request = RecordErrorRequest { hostname: Some("h".into()), ..Default::default() };
    let message = encode_record_error(&request, 0).expect("memory");
    let expected = b"\x80\x01\x00\x01\x00\x00\x00\x0crecord_error\x00\x00\x00\x00\
        \x0c\x00\x01\x0f\x00\x01\x0c\x00\x00\x00\x00\x0b\x00\x03\x00\x00\x00\x01h\x00\x00";
    assert_eq!(message, expected);
}

#[test]
fn excess_is_skipped_and_the_rest_is_read() {
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    let named = |count: usize| {
        many(count).into_iter().map(|name| (name, String::new())).collect::<BTreeMap<_, _>>()
    };
    let line = |number| StackLine { line_number: Some(number), ..StackLine::default() };
    let exception = |n: usize| ChainedException {
        exception_type: Some(n.to_string()),
        notes: many(60),
        traceback: (0..1_000).map(line).collect(),
        ..ChainedException::default()
    };
    let request = RecordErrorRequest {
        traceback: vec![StackLine {
            before: many(30),
            after: many(11),
            frame_locals: Some(
                (0..500).rev().map(|n| (format!("{n:03}"), n.to_string())).collect(),
            ),
            ..line(1)
        }],
        chain: (0..70).map(exception).collect(),
        request: Some(WebRequest {
            headers: named(300),
            body: Some("body".into()),
            ..WebRequest::default()
        }),
        notes: many(51),
        tags: named(300),
        contexts: (0..30).map(|_| Context { values: named(300), ..Context::default() }).collect(),
        breadcrumbs: (0..300)
            .map(|at| Breadcrumb { at: Some(at), data: named(300), ..Breadcrumb::default() })
            .collect(),
        process: Some(Process {
            arguments: many(300),
            modules: named(3_000),
            ..Process::default()
        }),
        trace_id: Some("trace".into()),
        ..RecordErrorRequest::default()
    };
    let read = sent_and_read(&request);
    let first = &read.traceback[0];
    assert_eq!((&first.before[..], &first.after[..]), (&many(30)[20..], &many(10)[..]), "nearest");
    let locals = first.frame_locals.as_ref().expect("locals");
    assert_eq!(
        (locals.len(), locals.last_key_value()),
        (200, Some((&"199".into(), &"199".into())))
    );
    assert_eq!((read.chain.len(), read.notes.len()), (50, 50));
    let last = &read.chain[49];
    assert_eq!((last.exception_type.as_deref(), last.notes.len()), (Some("49"), 50));
    let numbers = |lines: &[StackLine]| -> Vec<_> {
        lines.iter().filter_map(|line| line.line_number).collect()
    };
    let without_middle = |outermost, innermost, all| -> Vec<i64> {
        (0..outermost).chain(all - innermost..all).collect()
    };
    assert_eq!(numbers(&last.traceback), without_middle(20, 80, 1_000), "the middle is left out");
    let long = RecordErrorRequest {
        traceback: (0..5_000).map(line).collect(),
        ..RecordErrorRequest::default()
    };
    assert_eq!(numbers(&sent_and_read(&long).traceback), without_middle(200, 800, 5_000));
    assert_eq!(
        (read.tags.len(), read.contexts.len(), read.contexts[19].values.len()),
        (50, 20, 50)
    );
    assert_eq!((read.breadcrumbs.len(), read.breadcrumbs[0].at), (100, Some(200)), "the last ones");
    assert_eq!(read.breadcrumbs[99].data.len(), 50);
    let process = read.process.expect("a process");
    assert_eq!((process.arguments.len(), process.modules.len()), (50, 1_000));
    assert_eq!(read.trace_id.as_deref(), Some("trace"));
    let web = read.request.expect("a web request");
    assert_eq!((web.headers.len(), web.body.as_deref()), (100, Some("body")));
}

#[test]
fn exception_belongs_only_to_one_before_it() {
    let with = |parent| ChainedException { parent, ..ChainedException::default() };
    let parents = [Some(0), Some(0), Some(2), Some(-1), Some(i64::MAX), Some(4)];
    let chain = parents.into_iter().map(with).collect();
    let read = sent_and_read(&RecordErrorRequest { chain, ..RecordErrorRequest::default() });
    let parents: Vec<_> = read.chain.iter().map(|exception| exception.parent).collect();
    assert_eq!(parents, [None, Some(0), None, None, None, Some(4)]);
}

#[test]
fn start_of_a_call_is_enough_to_answer_it() {
    let whole = encode_record_error(&RecordErrorRequest::default(), 9).expect("memory");
    assert_eq!(decode_call_head(&whole[..24]).expect("a head"), ("record_error".into(), 9));
    for start in 0..whole.len() {
        let head = decode_call_head(&whole[..start]);
        assert_eq!(head.is_ok(), start >= 24, "{start} bytes");
    }
}

#[test]
fn client_can_ask_whether_the_server_is_there() {
    let call = decode_call(&encode_ping(9).expect("memory")).expect("a call");
    assert!(matches!(call.kind, CallKind::Ping));
    assert_eq!((call.method.as_str(), call.sequence), ("ping", 9));
}

#[test]
fn client_can_tell_which_kind_of_refusal_it_got() {
    let read =
        |reply: &Reply| decode_reply(&encode_reply("record_error", 1, reply).expect("memory"));
    let why = || "why".to_owned();
    assert_eq!(read(&Reply::Recorded).expect("yes"), "record_error");
    assert!(matches!(read(&Reply::Failed(why())), Err(ReplyError::NotKept(w)) if w == "why"));
    assert!(matches!(read(&Reply::Refused(why())), Err(ReplyError::KeyRefused(w)) if w == "why"));
    assert!(matches!(read(&Reply::Malformed(why())), Err(ReplyError::Refused(w)) if w == "why"));
    assert!(matches!(read(&Reply::UnknownMethod), Err(ReplyError::Refused(_))));
    assert!(matches!(decode_reply(b"HTTP/1.1 200 OK"), Err(ReplyError::NoReply(_))));
    assert!(matches!(decode_reply(&encode_ping(1).expect("memory")), Err(ReplyError::NoReply(_))));
}
