"""Programs that make it hard to report for them: they run as if nothing reported."""

import gc
import sys
import textwrap
import weakref

import pytest

import flawless
import flawless.client
from flawless.client.decorators import wrap_class, wrap_function
from test_delivery import START, run
from test_https import recording


def capture():
    try:
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()


@wrap_function(reraise_exception=False)
def fails():
    raise ValueError("x")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="exec leaves no variables since 3.13")
def test_variables_made_by_exec_stay(sink):
    exec("made = 42")
    fails()
    assert eval("made") == 42


def test_the_variables_of_a_traced_function_stay(sink):
    def tracer(frame, event, arg):
        if frame.f_code.co_name == "traced":
            fails()
            return tracer
        return None

    def traced():
        kept = 1
        other = kept + 1
        return kept + other

    former = sys.gettrace()
    sys.settrace(tracer)
    try:
        assert traced() == 3
    finally:
        sys.settrace(former)


def test_objects_that_end_while_the_client_is_set_up_may_report(sink):
    program = START + textwrap.dedent(
        """
        class Name(str):
            __hash__ = str.__hash__
            def __del__(self):
                fail("end of a name")
        class Thing:
            def method(self):
                fail()
        thing = Thing()
        thing.__dict__[Name("attribute")] = 1
        thing.method()
        del thing
        flawless.client.install_scrubbers("x")
        flawless.init(hostports=["127.0.0.1:" + sys.argv[1]])
        print("done")
        """
    )
    done = run("import flawless.client\n" + program, sink.port)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_class_that_changes_while_it_is_looked_at_harms_nobody(sink):
    class Field:
        @property
        def repr(self):
            Thing.__dataclass_fields__["more"] = self
            return True

    import dataclasses

    @dataclasses.dataclass
    class Thing:
        name: str = "x"

    Thing.__dataclass_fields__["evil"] = Field()
    thing = Thing()  # noqa: F841
    capture()
    try:
        raise ValueError("with the thing")
    except ValueError:
        flawless.capture_exception()
    assert len(sink.rest()) == 2


@pytest.mark.parametrize("threshold", ["5", 1.5, 2**70, object()])
def test_a_wrong_threshold_does_not_replace_the_exception(sink, threshold):
    @wrap_function(error_threshold=threshold)
    def fail():
        raise LookupError("mine")

    with pytest.raises(LookupError):
        fail()
    assert sink.next()["error_threshold"] is None


def test_a_traceback_without_end_ends(sink):
    class Endless:
        tb_frame = sys._getframe()
        tb_lasti = tb_lineno = 1

        @property
        def tb_next(self):
            return self

    flawless.client.record_error("host", (ValueError, ValueError("x"), Endless()))
    assert len(sink.rest()) == 1


def test_causes_that_go_in_a_circle_are_told_once(sink):
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    flawless.capture_exception(one)
    assert len(sink.rest()) == 1


def test_a_class_that_forbids_changes_is_left_as_it_is():
    class Meta(type):
        def __setattr__(cls, name, value):
            raise AttributeError(name)

    class Fixed(metaclass=Meta):
        def run(self):
            return 1

    assert wrap_class(Fixed)().run() == 1


def test_a_class_is_not_kept_alive(sink):
    class Local:
        def __repr__(self):
            return "Local()"

    value = Local()
    capture()
    reference = weakref.ref(Local)
    del value, Local
    gc.collect()
    # The frame of this test is the last that may hold it: its copy was given back.
    assert reference() is None


def test_what_was_counted_is_not_lost_when_the_client_is_set_up_anew(sink):
    # So often that a report is on its way when the client is replaced.
    for _ in range(20):
        for _ in range(100):
            capture()
        flawless.client.install_scrubbers("foo")
        flawless.init(hostports=[f"127.0.0.1:{sink.port}"], hooks=False)
        assert sum(report["error_count"] for report in sink.rest()) == 100


def test_information_of_any_size_does_not_cost_the_report(sink):
    capture()
    try:
        raise KeyError("large")
    except KeyError:
        flawless.capture_exception(additional_info="x" * 20_000_000)
    reports = sink.rest()
    assert len(reports) == 2
    assert len(reports[1]["additional_info"]) < 70_000


def test_half_of_a_surrogate_pair_does_not_cost_the_report(sink):
    error = ValueError("x")
    rows = [("/srv/\udc80.py", -1, "f\udc80", None)]
    flawless.client.record_error("h\udc80", (ValueError, error, None), preceding_stack=rows)
    report = sink.next()
    assert report["traceback"][0]["filename"].startswith("/srv/")


def test_a_secret_at_the_end_of_what_is_shown_goes_whole(sink):
    secret = "AK" + "IA" + "IOSFODNN7EXAMPLE"
    for room in range(200, 251, 5):
        text = "x" * room + " " + secret + " and so on" * 20  # noqa: F841
        try:
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()
    for report in sink.rest():
        assert "AKIA" not in report["traceback"][-1]["frame_locals"]["text"]


def test_a_secret_at_the_end_of_what_is_shown_of_a_note_goes_whole():
    secret = "AK" + "IA" + "IOSFODNN7EXAMPLE"
    error = ValueError("x")
    # As `add_note` does since 3.11.
    error.__notes__ = ["x" * room + " " + secret + " so on" * 20 for room in range(960, 1_001, 5)]
    with recording() as (port, bodies):
        flawless.init(f"http://key-1@localhost:{port}/shop", hooks=False)
        flawless.capture_exception(error)
        assert flawless.flush(10)
    ((_, body),) = bodies
    assert secret[:4].encode() not in body
    assert b"... (1101 characters)" in body


def test_no_server_at_all_is_refused():
    for wrong in (lambda: flawless.init(hostports=[]), lambda: flawless.client.set_hostports([])):
        with pytest.raises(ValueError, match="at least one"):
            wrong()
    with pytest.raises(TypeError, match="seconds"):
        flawless.flush("x")


def test_daemon_threads_that_report_while_the_interpreter_ends_harm_nobody(sink):
    program = START + textwrap.dedent(
        """
        import threading
        all_report = threading.Barrier(4)
        class Printed:
            def __repr__(self):
                return "Printed()"
        def busy():
            printed = [Printed() for _ in range(20)]
            fail()
            all_report.wait()
            while True:
                fail()
        for _ in range(3):
            threading.Thread(target=busy, daemon=True).start()
        all_report.wait()
        """
    )
    for _ in range(8):
        done = run(program, sink.port)
        assert (done.returncode, done.stderr) == (0, "")


def test_long_native_containers_are_not_printed(sink):
    import array
    import functools
    import types

    class Slow:
        def __repr__(self):
            raise AssertionError("asked")

    numbers = array.array("q", bytes(8 * 1_000_000))  # noqa: F841
    proxy = types.MappingProxyType(dict.fromkeys(range(1_000_000)))  # noqa: F841
    bound = functools.partial(print, 1)  # noqa: F841
    try:
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()
    shown = sink.next()["traceback"][-1]["frame_locals"]
    assert shown["numbers"].endswith("it holds 1000000 elements>")
    assert shown["proxy"].startswith("mappingproxy({0: None, 1: None, ")
    assert len(shown["proxy"]) < 300
    assert shown["bound"] == "functools.partial(<built-in function print>, 1)"


class Namespace(dict):
    def items(self):
        raise AssertionError("asked")

    __iter__ = keys = __len__ = items


class Mapping:
    def __init__(self):
        self.held = {}

    def __getitem__(self, name):
        return self.held[name]

    def __setitem__(self, name, value):
        self.held[name] = value

    def items(self):
        raise AssertionError("asked")


def test_the_namespace_of_exec_is_not_asked_for_its_names(sink):
    shown = []
    for namespace in (Namespace(), Mapping()):
        try:
            exec("x = 1\n1 / 0", {}, namespace)
        except ZeroDivisionError:
            flawless.capture_exception()
        shown.append(sink.next()["traceback"][-1]["frame_locals"])
    assert shown == [{"x": "1"}, {}]


def test_keys_are_not_asked_whether_they_are_equal(sink):
    import collections

    ran = []

    class Key:
        def __hash__(self):
            ran.append("hash")
            return 1

        def __eq__(self, other):
            ran.append("eq")
            return self is other

        def __repr__(self):
            return "key"

    ordered = collections.OrderedDict({Key(): 1, Key(): 2})
    views = [ordered.keys(), ordered.items()]  # noqa: F841
    ran.clear()
    try:
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()
    shown = sink.next()["traceback"][-1]["frame_locals"]
    assert ran == []
    assert shown["ordered"] == "OrderedDict({key: 1, key: 2})"
    assert shown["views"] == "[odict_keys([key, key]), odict_items([(key, 1), (key, 2)])]"


def test_a_frame_of_a_class_of_the_programs_is_not_asked(sink):
    import pandas

    ran = []

    class Frame(pandas.DataFrame):
        @property
        def index(self):
            ran.append("index")
            return super().index

        @property
        def _constructor_sliced(self):
            ran.append("sliced")
            return pandas.Series

    frame, plain = Frame({"a": [1]}), pandas.DataFrame({"a": [1]})  # noqa: F841
    ran.clear()
    try:
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()
    shown = sink.next()["traceback"][-1]["frame_locals"]
    assert ran == []
    assert "Frame" in shown["frame"]
    assert "shape=(1, 1)" in shown["plain"]
