//! Tracebacks in a text: which belong together, where each begins, and which parts are missing.
#![expect(clippy::disallowed_methods, reason = "a test measures that reading takes linear time")]
use flawless_protocol::text_traceback::{
    Gap, TextException, TextRelation, read_text, remote_traceback,
};

fn shown(exception: &TextException) -> String {
    let frames = exception
        .frames
        .iter()
        .map(|frame| format!("{}:{} {} [{}]", frame.path, frame.line, frame.function, frame.text));
    let end = format!("{}: {}", exception.exception_type, exception.exception_message);
    frames.chain([end]).collect::<Vec<_>>().join("\n")
}

/// All tracebacks of a text with their exceptions and chains.
fn summary(text: &str) -> String {
    let tracebacks = read_text(text).tracebacks;
    let whole = tracebacks.iter().map(|traceback| {
        let chain = traceback.chain.iter().map(|chained| {
            format!("{:?} of {:?}\n{}", chained.relation, chained.parent, shown(&chained.exception))
        });
        let all: Vec<String> = [shown(&traceback.exception)].into_iter().chain(chain).collect();
        all.join("\n")
    });
    whole.collect::<Vec<_>>().join("\n--\n")
}

fn gaps(text: &str) -> Vec<Gap> {
    read_text(text).tracebacks.into_iter().flat_map(|traceback| traceback.gaps).collect()
}

const ONE: &str = "\
Traceback (most recent call last):
  File \"/srv/a.py\", line 1, in f
    x()
KeyError: 'k'
";

#[test]
fn unrelated_tracebacks_are_separate_and_know_their_lines() {
    let text = format!("ready\n{ONE}INFO going on\n{}", ONE.replace("a.py", "b.py"));
    let reading = read_text(&text);
    let found: Vec<(u32, &str)> =
        reading.tracebacks.iter().map(|t| (t.line, t.exception.frames[0].path.as_str())).collect();
    assert_eq!(found, [(2, "/srv/a.py"), (7, "/srv/b.py")]);
    assert_eq!(reading.mentioned_at, Some(2));
    // Nothing connects the second one with the first.
    let adjacent = ONE.repeat(2);
    assert_eq!(read_text(&adjacent).tracebacks.len(), 2);
    let far = format!("{ONE}{}{ONE}", "an uneventful line\n".repeat(1_000));
    assert_eq!(read_text(&far).tracebacks.len(), 2);
}

#[test]
fn names_and_paths_may_look_like_other_traceback_parts() {
    assert_eq!(
        summary(
            "Traceback (most recent call last):\n  File \"/srv/a, line 2.py\", line 3, in f\n    \
             raise LookupError('File \"x\", line 3, in y')\n  File \"src/etree.pyx\", line 9, in init \
             lxml.etree\nLookupError: File \"x\", line 3, in y\n"
        ),
        "/srv/a, line 2.py:3 f [raise LookupError('File \"x\", line 3, in y')]\n\
         src/etree.pyx:9 init lxml.etree []\nLookupError: File \"x\", line 3, in y"
    );
}

#[test]
fn missing_parts_of_a_traceback_are_named() {
    let cut = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\n";
    assert_eq!(gaps(ONE), []);
    assert_eq!(gaps(cut), [Gap::CutOff]);
    assert_eq!(gaps(&format!("{cut}\n{cut}")), [Gap::CutOff, Gap::CutOff]);
    assert_eq!(gaps(&format!("{cut}  File \"b.py\", li")), [Gap::Unread(4), Gap::CutOff]);
    assert_eq!(gaps(&ONE.replace("    x()", "  [...]\n    x()")), [Gap::LeftOut(3)]);
    let deep = "  File \"a.py\", line 1, in f\n    f()\n".repeat(15_000);
    assert_eq!(gaps(&format!("{deep}RecursionError: deep\n")), [Gap::TooLong]);
    let during = "\nDuring handling of the above exception, another exception occurred:\n";
    assert_eq!(gaps(&format!("{ONE}{during}")), [Gap::CutOff]);
    let group = ONE.replace("KeyError: 'k'", "ExceptionGroup: both (2 sub-exceptions)");
    assert_eq!(gaps(&group), [Gap::CutOff]);
    let dump = "Current thread 0x7f (most recent call first):\n  File \"a.py\", line 1 in f\n";
    assert_eq!(gaps(dump), [], "nothing was raised");
}

#[test]
fn traceback_words_without_a_frame_are_mentioned_only() {
    for (text, mentioned_at) in [
        ("all is well", None),
        ("x\nTraceback (most recent call last):\nnothing\n", Some(2)),
        ("see File \"a.py\", line 3\n", Some(1)),
    ] {
        let reading = read_text(text);
        assert_eq!((reading.tracebacks.len(), reading.mentioned_at), (0, mentioned_at), "{text}");
    }
}

#[test]
fn foreign_lines_neither_end_a_traceback_nor_are_exceptions() {
    let text = "\
Traceback (most recent call last):
  File \"/srv/a.py\", line 1, in f
WARNING: disk almost full
  File \"/srv/b.py\", line 2, in g
    y()
ERROR: job 7 failed
shop.errors.Empty: no piece
Conflicts:
";
    assert_eq!(summary(text), "/srv/a.py:1 f []\n/srv/b.py:2 g [y()]\nshop.errors.Empty: no piece");
    let prose = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 1, in f\n    x()\n\nConflicts:\n\ta.py\n";
    assert_eq!(summary(prose), "/srv/a.py:1 f [x()]\n: ");
    assert_eq!(gaps(prose), [Gap::CutOff]);
}

#[test]
fn innermost_frame_is_last_in_whatever_order_they_are_printed() {
    let dump = "Fatal Python error: Aborted\n\nCurrent thread 0x7f (most recent call first):\n  File \"/srv/c.py\", line 3 in inner\n  File \"/srv/a.py\", line 1 in <module>\n";
    assert_eq!(summary(dump), "/srv/a.py:1 <module> []\n/srv/c.py:3 inner []\n: ");
    let frames = [
        "  File \"a.py\", line 1, in <module>\n    outer()\n",
        "  File \"b.py\", line 2, in outer\n    inner()\n",
        "  File \"c.py\", line 3, in inner\n    1 / 0\n",
    ];
    let reversed = format!("{}{}{}ZeroDivisionError: no\n", frames[2], frames[1], frames[0]);
    let straight = format!("{}{}{}ZeroDivisionError: no\n", frames[0], frames[1], frames[2]);
    assert_eq!(summary(&reversed), summary(&straight), "who calls whom tells");
    let wrong = format!("Traceback (most recent call first):\n{straight}");
    assert_eq!(summary(&wrong), summary(&straight), "the header may be wrong");
}

#[test]
fn traceback_in_a_message_is_its_exceptions_only_if_it_says_so() {
    let inner = ONE.replace("a.py", "b.py");
    let carrying = ONE.replace("KeyError: 'k'", "shop.Failed: Unhandled KeyError: 'k' [job 7]");
    assert_eq!(
        summary(&format!("{carrying}{inner}")),
        "/srv/a.py:1 f [x()]\nshop.Failed: Unhandled KeyError: 'k' [job 7]\nRemote of None\n\
         /srv/b.py:1 f [x()]\nKeyError: 'k'"
    );
    let other = ONE.replace("KeyError: 'k'", "shop.Failed: no rows");
    assert_eq!(read_text(&format!("{other}{inner}")).tracebacks.len(), 2);
}

#[test]
fn remote_traceback_is_found_in_text_and_exception_repr() {
    let text = format!("\n\"\"\"\n{ONE}\"\"\"");
    let printed = format!("RemoteTraceback({})", serde_json::Value::from(text.as_str()));
    let ray = format!("RayTaskError(KeyError)(ray::f() (pid=1)\n{})", &ONE[35..]);
    let caught = format!("Caught KeyError in DataLoader worker process 0.\nOriginal {ONE}");
    for message in [&text, &printed, &ray, &caught] {
        let found = remote_traceback(message).expect(message);
        assert_eq!(shown(&found.exception), "/srv/a.py:1 f [x()]\nKeyError: 'k'", "{message}");
    }
    assert_eq!(remote_traceback("KeyError('k')"), None);
    assert_eq!(remote_traceback("see Traceback (most recent call last): above"), None);
    let of_a_worker = format!(
        "{ONE}\nDuring handling of the above exception, another exception occurred:\n\n{ONE}"
    );
    let found = remote_traceback(&of_a_worker).expect("a traceback");
    assert_eq!((found.chain.len(), found.chain[0].relation), (1, TextRelation::Context));
}

#[test]
fn prefixed_worker_failure_is_the_cause_of_what_follows() {
    let text = format!(
        "Nov 29 web app[1]: multiprocessing.pool.RemoteTraceback: \n\"\"\"\n{ONE}\"\"\"\n\nThe above \
         exception was the direct cause of the following exception:\n\n{}",
        ONE.replace("a.py", "b.py")
    );
    assert_eq!(
        summary(&text.replace('\n', "#012")),
        "/srv/b.py:1 f [x()]\nKeyError: 'k'\nCause of None\nmultiprocessing.pool.RemoteTraceback: \n\
         Remote of Some(0)\n/srv/a.py:1 f [x()]\nKeyError: 'k'"
    );
}

#[test]
fn message_in_a_new_log_line_does_not_continue_the_last_one() {
    let line = |text: &str| serde_json::json!({ "msg": text }).to_string() + "\n";
    let cut = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()";
    let text = line(cut) + &line(&ONE.replace("Traceback (most recent call last):\n", ""));
    assert_eq!(summary(&text), "a.py:1 f [x()]\n: \n--\n/srv/a.py:1 f [x()]\nKeyError: 'k'");
}

#[test]
fn programs_logging_into_one_text_at_once_are_told_apart() {
    let other = ONE.replace("a.py", "b.py").replace("KeyError: 'k'", "IndexError: no");
    let both: String = ONE
        .lines()
        .zip(other.lines())
        .map(|(one, other)| format!("web-1  | {one}\nweb-10 | {other}\n"))
        .collect();
    assert_eq!(
        summary(&both),
        "/srv/a.py:1 f [x()]\nKeyError: 'k'\n--\n/srv/b.py:1 f [x()]\nIndexError: no"
    );
}

#[test]
fn exception_before_its_frames_is_named() {
    let text = "KeyError: 'k'\n  File \"/srv/a.py\", line 1, in f\n    x()\n";
    assert_eq!(summary(text), "/srv/a.py:1 f [x()]\nKeyError: 'k'");
    assert_eq!(gaps(text), [Gap::CutOff]);
}

#[test]
fn reading_time_does_not_grow_with_the_square_of_the_text() {
    let seconds = |unit: &str, bytes: usize| {
        let text = unit.repeat(bytes / unit.len());
        let started = std::time::Instant::now();
        let _ = read_text(&text);
        started.elapsed().as_secs_f64()
    };
    for unit in [
        "  File \"",
        "File \"a\", line 1, in f ",
        "File a ",
        "\u{1b}[",
        "[0m",
        "\\n File \\\"",
        "#012File \"a\" ",
        "&quot;<br>File &quot;",
        "{\"File\":\"\\n File \\\"",
        "+-+---------------- 1 ----------------\n",
        "RuntimeError: Traceback (most recent call last):\n  File \"a\", line 1, in f\n",
        "The above exception was the direct cause of the following exception:\nA: b\n",
        "Exception Type: A\n",
        "\"\"\"\n",
        "  File \"a\", line 1, in\n",
        "  File \"a\", line 1, in f\n    x\n",
        "2026-11-29T10:00:00.1Z   File \"a\", line 1, in f\n",
        "a |   File \"a\", line 1, in f\nb |   File \"a\", line 1, in f\n",
        "RayTaskError(A): A\n  File \"a\", line 1, in f\n",
    ] {
        // Other programs may slow one measurement down, but hardly three.
        let is_linear = (0..3).any(|_| {
            let four_times = seconds(unit, 120_000);
            four_times < 0.1 || four_times < 10.0 * seconds(unit, 30_000)
        });
        assert!(is_linear, "{unit:?}");
    }
}
