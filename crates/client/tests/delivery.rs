//! The client against servers on loopback: what arrives, and what happens when it does not.
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use flawless_client::{
    Around, Breadcrumb, Chained, Client, Endpoint, Event, Exception, Frame, Locals, Modules,
    Program, QueueBounds, Relation, Request, Settings, Source, SourceFile, StackKey, Values,
};
use flawless_protocol::thrift::{
    Call, CallKind, RecordErrorRequest, Reply, decode_call, encode_reply,
};
use flawless_redact::{Redactor, Rules, SCRUBBED};

const LONG: Duration = Duration::from_secs(10);

/// A server that answers each message as the test prescribes.
struct Server {
    port: u16,
    requests: mpsc::Receiver<RecordErrorRequest>,
}

fn decode(message: &[u8]) -> (String, i32, RecordErrorRequest) {
    match decode_call(message).expect("a call") {
        Call { method, sequence, kind: CallKind::RecordError(request) } => {
            (method, sequence, *request)
        }
        other => panic!("{other:?}"),
    }
}

impl Server {
    fn framed(mut answer: impl FnMut() -> Reply + Send + 'static) -> Self {
        Self::start(move |stream, requests| {
            let mut length = [0; 4];
            while stream.read_exact(&mut length).is_ok() {
                let mut message = vec![0; u32::from_be_bytes(length) as usize];
                stream.read_exact(&mut message).expect("a whole frame");
                let (method, sequence, request) = decode(&message);
                requests.send(request).expect("the test listens");
                let reply = encode_reply(&method, sequence, &answer()).expect("it encodes");
                let length = u32::try_from(reply.len()).expect("small").to_be_bytes();
                stream.write_all(&[&length, &*reply].concat()).expect("the client listens");
            }
        })
    }

    fn http(mut answer: impl FnMut() -> (u16, Reply) + Send + 'static) -> Self {
        Self::start(move |stream, requests| {
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            loop {
                let mut head = Vec::new();
                while reader.read_until(b'\n', &mut head).is_ok_and(|read| read > 2) {}
                let head = String::from_utf8(head).expect("text").to_lowercase();
                let Some((_, length)) = head.split_once("content-length: ") else { return };
                assert!(head.starts_with("post /prefix/thrift http/1.1\r\n"), "{head}");
                let length = length.lines().next().and_then(|length| length.parse().ok());
                let mut message = vec![0; length.expect("a length")];
                reader.read_exact(&mut message).expect("a whole body");
                let (method, sequence, request) = decode(&message);
                requests.send(request).expect("the test listens");
                let (status, reply) = answer();
                let reply = encode_reply(&method, sequence, &reply).expect("it encodes");
                let head =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", reply.len());
                let bytes = [head.as_bytes(), &reply].concat();
                stream.write_all(&bytes).expect("the client listens");
            }
        })
    }

    fn start(
        mut serve: impl FnMut(&mut TcpStream, &mpsc::Sender<RecordErrorRequest>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&mut stream.expect("a connection"), &sender);
            }
        });
        Self { port, requests }
    }

    fn next(&self) -> RecordErrorRequest {
        self.requests.recv_timeout(LONG).expect("a report")
    }

    fn framed_address(&self) -> Endpoint {
        Endpoint::from_hostport(&format!("127.0.0.1:{}", self.port)).expect("an address")
    }

    fn dsn(&self) -> Endpoint {
        let dsn = format!("http://key-1@127.0.0.1:{}/prefix/shop", self.port);
        Endpoint::from_dsn(&dsn).expect("an address")
    }
}

fn client(server: Endpoint, queue: QueueBounds) -> Client {
    let redactor = Redactor::new(&Rules::default(), []).expect("built-in rules");
    Client::new(Settings {
        servers: vec![server],
        program: Program {
            hostname: "web-1".to_owned(),
            revision: Some("r1".to_owned()),
            environment: Some("production".to_owned()),
            runtime: "CPython 3.13.0".to_owned(),
            arguments: ["shop", "--token", "abc123", "--verbose"].map(str::to_owned).to_vec(),
        },
        redactor: Arc::new(redactor),
        queue,
        timeout: Duration::from_secs(2),
        authorities: None,
        modules: Some(Modules {
            folders: vec!["/srv/shop".into()],
            find: |_| BTreeMap::from([("requests".to_owned(), "2.32.0".to_owned())]),
        }),
        start: |work| work(),
    })
}

fn event(source: &str, line: u32) -> Event {
    let mut locals = Locals::default();
    locals.push_with("user".into(), |text| text.push_str("{'name': 'ann', 'password': 'x7'}"));
    let frame = Frame {
        path: "/srv/shop/cart.py".into(),
        line,
        function: "total".into(),
        source: Source::File(Arc::new(SourceFile::new(source.to_owned()))),
        locals: Some(locals),
    };
    let exception = |name: &str, frames| Exception {
        type_name: format!("builtins.{name}"),
        message: format!("{name}('password=x7')"),
        notes: vec!["token=abc123".to_owned()],
        frames,
    };
    Event {
        exception: exception("ValueError", vec![frame]),
        chain: vec![Chained {
            exception: exception("KeyError", Vec::new()),
            relation: Relation::Cause,
            parent: None,
        }],
        error_threshold: Some(3),
        additional_info: "night run".to_owned(),
        request: Some(Request {
            method: "POST".to_owned(),
            path: "/pay?token=abc123".to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            headers: vec![
                ("Cookie".to_owned(), "session=1".to_owned()),
                ("Host".to_owned(), "shop.example.com".to_owned()),
            ],
            body: "card=4111111111111111&name=ann".to_owned(),
            client_address: Some("192.0.2.7".to_owned()),
        }),
        hostname: None,
        around: Around {
            handled: Some(false),
            mechanism: "excepthook".to_owned(),
            transaction: "/pay".to_owned(),
            user: values(&[("id", "7"), ("password", "x7")]),
            tags: values(&[("region", "eu-1")]),
            contexts: vec![("order".to_owned(), values(&[("number", "7"), ("token", "abc123")]))],
            breadcrumbs: vec![Breadcrumb {
                at: 7,
                category: "query".to_owned(),
                level: "info".to_owned(),
                message: "SELECT 1 WHERE token='abc123'".to_owned(),
                data: values(&[("password", "x7")]),
            }],
            thread: "worker-1".to_owned(),
            task: "Task-1".to_owned(),
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        },
    }
}

fn values(of: &[(&str, &str)]) -> Values {
    of.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// One stack fails `times` times, and the due occurrences are reported: of 16 the first ten and the
/// last, which represents six.
fn fail(client: &Client, times: usize) {
    for owed in (0..times).filter_map(|_| client.occurred(StackKey(1))) {
        owed.report(event(SOURCE, 6));
    }
}

/// An event with a stack that was not seen before.
fn report(client: &Client, event: Event) {
    client.forget_stacks();
    client.occurred(StackKey(1)).expect("the first is always owed").report(event);
}

const SOURCE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

#[test]
fn event_arrives_whole_but_without_its_secrets() {
    let server = Server::http(|| (200, Reply::Recorded));
    let client = client(server.dsn(), QueueBounds::default());
    report(&client, event(SOURCE, 6));
    assert!(client.flush(LONG));
    let request = server.next();
    assert!(!format!("{request:?}").contains("x7"), "{request:?}");
    assert!(!format!("{request:?}").contains("abc123"), "{request:?}");
    assert!(!format!("{request:?}").contains("4111"), "{request:?}");
    let line = &request.traceback[0];
    assert_eq!(line.before, ["one", "two", "three", "four", "five"]);
    assert_eq!((line.text.as_deref(), &*line.after), (Some("six"), &["seven".to_owned()][..]));
    let locals = line.frame_locals.as_ref().expect("locals");
    assert_eq!(locals["user"], format!("{{'name': 'ann', 'password': {SCRUBBED}}}"));
    let chained = &request.chain[0];
    assert_eq!(chained.exception_type.as_deref(), Some("builtins.KeyError"));
    assert_eq!((chained.relation.as_deref(), chained.parent), (Some("cause"), None));
    let web = request.request.expect("the request");
    assert_eq!(web.path, Some(format!("/pay?token={SCRUBBED}")));
    assert_eq!(web.headers["Cookie"], SCRUBBED);
    assert_eq!(web.headers["Host"], "shop.example.com");
    assert_eq!(request.additional_info.as_deref(), Some("night run"));
    assert_eq!(request.project_key.as_deref(), Some("key-1"));
    assert_eq!(request.environment.as_deref(), Some("production"));
    assert_eq!(request.revision.as_deref(), Some("r1"));
    assert_eq!((request.error_count, request.lost_count), (Some(1), None));
    assert_eq!(web.client_address.as_deref(), Some("192.0.2.7"));
    assert_eq!((request.handled, request.transaction.as_deref()), (Some(false), Some("/pay")));
    assert_eq!((&*request.user["id"], &*request.user["password"]), ("7", SCRUBBED));
    assert_eq!(request.tags["region"], "eu-1");
    assert_eq!(request.contexts[0].values["token"], SCRUBBED);
    assert_eq!(request.breadcrumbs[0].at, Some(7));
    assert_eq!(request.breadcrumbs[0].data["password"], SCRUBBED);
    assert_eq!(request.thread.as_deref(), Some("worker-1"));
    let process = request.process.expect("the process");
    assert_eq!(process.arguments, ["shop", "--token", SCRUBBED, "--verbose"]);
    assert_eq!(process.modules["requests"], "2.32.0");
}

#[test]
fn modules_are_sent_until_a_server_has_them() {
    let mut answers = vec![Reply::Failed("not now".to_owned()), Reply::Recorded, Reply::Recorded];
    let server = Server::framed(move || answers.remove(0));
    let client = client(server.framed_address(), QueueBounds::default());
    fail(&client, 2);
    assert!(client.flush(LONG));
    let processes: Vec<_> = (0..3).filter_map(|_| server.next().process).collect();
    let modules: Vec<_> = processes.iter().map(|process| process.modules.len()).collect();
    assert_eq!(modules, [1, 1, 0]);
    assert!(processes.iter().all(|process| process.modules_id == processes[0].modules_id));
}

#[test]
fn report_sent_again_keeps_its_id_and_others_differ() {
    let mut failures = vec![Reply::Failed("not now".to_owned())];
    let server = Server::framed(move || failures.pop().unwrap_or(Reply::Recorded));
    let client = client(server.framed_address(), QueueBounds::default());
    fail(&client, 2);
    assert!(client.flush(LONG));
    let ids: Vec<_> = (0..3).filter_map(|_| server.next().id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    assert_eq!(ids[0].len(), 32);
}

#[test]
fn older_server_gets_the_request_as_text() {
    let server = Server::framed(|| Reply::Recorded);
    let client = client(server.framed_address(), QueueBounds::default());
    report(&client, event(SOURCE, 1));
    assert!(client.flush(LONG));
    let request = server.next();
    assert_eq!(request.request, None);
    let info = request.additional_info.expect("text");
    let expected = format!(
        "night run\n\nPOST /pay?token={SCRUBBED} HTTP/1.1\nCookie: {SCRUBBED}\n\
         Host: shop.example.com\n\ncard={SCRUBBED}&name=ann"
    );
    assert_eq!(info, expected);
}

#[test]
fn program_facts_are_cut_where_they_would_cost_the_report() {
    let server = Server::http(|| (200, Reply::Recorded));
    let client = client(server.dsn(), QueueBounds::default());
    let mut large = event(SOURCE, 1);
    large.additional_info = "x ".repeat(10_000_000);
    let web = large.request.as_mut().expect("a request");
    web.headers = (0..1_000).map(|n| (format!("X-{n}"), "y ".repeat(20_000))).collect();
    report(&client, large);
    assert!(client.flush(LONG));
    let request = server.next();
    assert_eq!(request.additional_info.map(|info| info.len()), Some(64 * 1024 + 3));
    let headers = request.request.expect("the request").headers;
    assert!(!headers.is_empty());
    assert!(headers.values().all(|value| value.len() == 16 * 1024 + 3));
}

#[test]
fn private_key_near_the_line_is_not_sent_but_the_line_is() {
    let begin = ["-----BEGIN RSA PRIVATE", " KEY-----"].concat();
    let end = begin.replace("BEGIN", "END");
    let source = format!("key = '''{begin}\nMIIEow\nIBAAKC\n{end}'''\nsign(key)\n");
    let server = Server::framed(|| Reply::Recorded);
    let client = client(server.framed_address(), QueueBounds::default());
    for line in [5, 2] {
        report(&client, event(&source, line));
    }
    assert!(client.flush(LONG));
    let lines: Vec<_> = (0..2).map(|_| server.next().traceback.remove(0)).collect();
    assert!(!format!("{lines:?}").contains("MIIE"), "{lines:?}");
    assert_eq!(lines[0].text.as_deref(), Some("sign(key)"));
    assert_eq!(lines[1].text.as_deref(), Some(SCRUBBED));
}

#[test]
fn report_a_server_cannot_store_is_sent_again() {
    let mut failures = vec![Reply::Failed("the disk is full".to_owned())];
    let server = Server::framed(move || failures.pop().unwrap_or(Reply::Recorded));
    let client = client(server.framed_address(), QueueBounds::default());
    fail(&client, 16);
    assert!(client.flush(LONG), "a flush tries again immediately");
    let warning = client.take_warning().expect("a warning");
    assert!(warning.contains("the disk is full"), "{warning}");
    let counts: Vec<_> = (0..12).filter_map(|_| server.next().error_count).collect();
    assert_eq!(counts, [[1; 11].as_slice(), &[6]].concat(), "the first came twice");
    assert_eq!(client.take_warning(), None, "one warning is enough");
}

#[test]
fn refused_report_is_lost_and_the_next_one_says_so() {
    let mut answers = vec![
        (401, Reply::Refused("no project has this key".to_owned())),
        (413, Reply::Malformed("too large".to_owned())),
        (200, Reply::Recorded),
        (200, Reply::Recorded),
    ];
    let server = Server::http(move || answers.remove(0));
    let client = client(server.dsn(), QueueBounds::default());
    fail(&client, 4);
    assert!(!client.flush(LONG), "two were refused");
    assert!(client.flush(LONG), "the loss was reported");
    let lost: Vec<_> = (0..4).map(|_| server.next().lost_count).collect();
    assert_eq!(lost, [None, Some(1), Some(2), None]);
    let warning = client.take_warning().expect("a warning");
    assert!(warning.contains("no project has this key"), "{warning}");
    assert!(!warning.contains("key-1"), "{warning}");
}

#[test]
fn full_queue_merges_repeats_and_reports_the_lost_line() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = port.expect("a free port").to_string();
    let closed = Endpoint::from_hostport(&address).expect("an address");
    let client = client(closed, QueueBounds { reports: 3, bytes: usize::MAX });
    fail(&client, 32);
    for stack in 2..=6 {
        client.occurred(StackKey(stack)).expect("the first is owed").report(event(SOURCE, 1));
    }
    assert!(!client.flush(LONG));
    let warning = client.take_warning().expect("a warning");
    // The first of the 32 may be on its way when the others are lost.
    let lost = ["occurrences lost: 32", "occurrences lost: 31"];
    assert!(lost.iter().any(|lost| warning.contains(lost)), "{warning}");
    let listener = TcpListener::bind(&address).expect("it is free still");
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut length = [0; 4];
        while stream.read_exact(&mut length).is_ok() {
            let mut message = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut message).expect("a whole frame");
            let (method, sequence, request) = decode(&message);
            sender.send((request.error_count, request.lost_count)).expect("the test listens");
            let reply = encode_reply(&method, sequence, &Reply::Recorded).expect("it encodes");
            let length = u32::try_from(reply.len()).expect("small").to_be_bytes();
            stream.write_all(&[&length, &*reply].concat()).expect("the client listens");
        }
    });
    assert!(client.flush(LONG));
    let told: Vec<_> = requests.try_iter().collect();
    assert_eq!(told.len(), 3);
    let all: i64 = told.iter().filter_map(|&(count, _)| count).sum();
    let lost: i64 = told.iter().filter_map(|&(_, lost)| lost).sum();
    assert_eq!((all, all + lost), (3, 32 + 5), "all of the first line's are lost, and said so");
}

#[test]
fn flush_waits_for_the_report_of_a_client_that_was_taken_over() {
    let (answer, answers) = mpsc::channel();
    let server = Server::framed(move || answers.recv().expect("an answer"));
    let older = client(server.framed_address(), QueueBounds::default());
    report(&older, event(SOURCE, 1));
    server.next();
    let newer = client(server.framed_address(), QueueBounds::default());
    newer.take_over(&older);
    drop(older);
    assert!(!newer.flush(Duration::from_millis(50)), "it is on its way still");
    answer.send(Reply::Recorded).expect("the server waits");
    assert!(newer.flush(LONG));
}

#[test]
fn interrupted_flush_asks_no_second_time_and_waits_for_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let hanging = || {
        let endpoint = Endpoint::from_hostport(&address).expect("an address");
        let client = client(endpoint, QueueBounds::default());
        report(&client, event(SOURCE, 1));
        client
    };
    let older = hanging();
    // Its report is on its way by then.
    assert!(!older.flush(Duration::from_millis(50)));
    let newer = hanging();
    newer.take_over(&older);
    let mut asked = 0;
    let goes_on = || {
        asked += 1;
        false
    };
    assert!(!newer.flush_while(LONG, goes_on));
    assert_eq!(asked, 1, "a second question would forget the interrupt");
}

#[test]
fn client_sends_its_queue_before_it_ends() {
    let server = Server::framed(|| Reply::Recorded);
    let client = client(server.framed_address(), QueueBounds::default());
    report(&client, event(SOURCE, 1));
    drop(client);
    assert_eq!(server.next().error_count, Some(1));
}

#[test]
fn uncaptured_event_is_lost_and_the_next_report_says_so() {
    let server = Server::framed(|| Reply::Recorded);
    let client = client(server.framed_address(), QueueBounds::default());
    let capture = || {
        let _owed = client.occurred(StackKey(1));
        panic!("while it is captured");
    };
    assert!(catch_unwind(AssertUnwindSafe(capture)).is_err());
    fail(&client, 1);
    assert!(!client.flush(LONG), "one was lost");
    let request = server.next();
    assert_eq!((request.error_count, request.lost_count), (Some(1), Some(1)));
}

#[test]
fn count_of_a_never_captured_stack_is_lost_with_it() {
    let server = Server::framed(|| Reply::Recorded);
    let client = client(server.framed_address(), QueueBounds::default());
    (0..12).for_each(|_| drop(client.occurred(StackKey(1))));
    client.forget_stacks();
    report(&client, event(SOURCE, 1));
    assert!(!client.flush(LONG), "some were lost");
    assert_eq!(server.next().lost_count, Some(12));
}
