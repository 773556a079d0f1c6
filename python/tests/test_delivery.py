"""How reports leave the process, and what happens when they cannot."""

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import flawless
import flawless.client
from flawless import _flawless
from flawless.client.decorators import wrap_function


def fail(kind=ValueError):
    try:
        raise kind("x")
    except kind:
        flawless.capture_exception()


def run(program, *arguments, **environment):
    """Runs a program of its own with the package under test."""
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, **environment}
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


START = """
import os, sys, flawless
flawless.init(hostports=["127.0.0.1:" + sys.argv[1]])
def fail(text="x"):
    try:
        raise ValueError(text)
    except ValueError:
        flawless.capture_exception()
"""


def test_of_one_stack_the_first_ten_and_each_power_of_two_are_sent_and_all_are_counted(sink):
    for _ in range(1_000):
        fail()
    counts = [report["error_count"] for report in sink.rest()]
    assert counts[:11] == [1] * 10 + [6]
    assert counts == [1] * 10 + [6, 16, 32, 64, 128, 256, 488]
    assert sum(counts) == 1_000


def test_a_thousand_threads_that_fail_at_once_are_counted_each(sink):
    start = threading.Barrier(1_000)
    kinds = [type(f"Fault{number}", (ValueError,), {}) for number in range(20)]

    def once(number):
        start.wait()
        fail(kinds[number % 20])

    threads = [threading.Thread(target=once, args=(number,)) for number in range(1_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = {}
    for report in sink.rest():
        name = report["exception_type"]
        counted[name] = counted.get(name, 0) + report["error_count"]
    assert set(counted.values()) == {50}, counted
    assert len(counted) == 20


def test_threads_count_together(sink):
    def many():
        for _ in range(500):
            fail()

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report["error_count"] for report in sink.rest()) == 4_000


def test_what_was_counted_is_sent_when_the_program_ends(sink):
    done = run(START + "for _ in range(25): fail()", sink.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert sum(report["error_count"] for report in sink.rest()) == 25


def test_an_uncaught_exception_is_sent_and_printed_as_ever(sink):
    done = run(START + "fail.x", sink.port)
    assert done.returncode == 1
    assert done.stderr.endswith("AttributeError: 'function' object has no attribute 'x'\n")
    assert sink.next()["exception_type"] == "builtins.AttributeError"


def test_children_made_by_fork_report_for_themselves(sink):
    program = """
        fail("parent")
        assert flawless.flush(5)
        for n in range(3):
            if os.fork() == 0:
                for _ in range(12):
                    fail("child")
                sys.exit(0)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        fail("parent")
    """
    done = run(START + textwrap.dedent(program), sink.port)
    assert (done.returncode, done.stderr) == (0, "")
    counted = {}
    for report in sink.rest():
        message = report["exception_message"]
        counted[message] = counted.get(message, 0) + report["error_count"]
    assert counted == {"ValueError('parent')": 2, "ValueError('child')": 36}


def test_a_fork_while_threads_report_does_not_hang(sink):
    program = """
        import threading, time
        stop = False
        def busy():
            n = 0
            while not stop:
                n += 1
                exec(compile("def f():\\n    fail(str(%d))\\nf()" % n, "f%d.py" % n, "exec"))
        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        for n in range(20):
            child = os.fork()
            if child == 0:
                fail("child")
                os._exit(0 if flawless.flush(5) else 7)
            assert os.waitpid(child, 0)[1] == 0, "a child hung or could not send"
        stop = True
        for thread in threads:
            thread.join()
    """
    done = run(START + textwrap.dedent(program), sink.port)
    assert done.returncode == 0, done.stderr
    children = [r for r in sink.rest() if r["exception_message"] == "ValueError('child')"]
    assert len(children) == 20


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_send_before_they_end(sink, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, sys, flawless
            flawless.init(hostports=["127.0.0.1:{sink.port}"])

            def work(n):
                for _ in range(12):
                    try:
                        raise KeyError(n)
                    except KeyError:
                        flawless.capture_exception()

            if __name__ == "__main__":
                context = multiprocessing.get_context("{method}")
                processes = [context.Process(target=work, args=(n,)) for n in range(2)]
                for process in processes:
                    process.start()
                for process in processes:
                    process.join()
                    assert process.exitcode == 0
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, str(program)], env=environment, check=True, timeout=60)
    assert sum(report["error_count"] for report in sink.rest()) == 24


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_without_a_server_the_program_runs_as_ever_but_for_one_warning():
    program = START + "fail('a')\nflawless.flush(1)\nfail('b')\nfail('c')\nprint('done')"
    begin = time.perf_counter()
    done = run(program, closed_port())
    assert done.returncode == 0 and done.stdout == "done\n"
    assert done.stderr.count("RuntimeWarning") == 1
    assert "reports cannot be sent to 127.0.0.1" in done.stderr
    # The flush at exit gives up as soon as the server refuses.
    assert time.perf_counter() - begin < 10


def test_a_server_that_hangs_holds_the_program_two_seconds_at_its_end_at_most():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        begin = time.perf_counter()
        done = run(START + "fail()", port)
        took = time.perf_counter() - begin
    assert done.returncode == 0
    assert took < 10


def test_warnings_made_errors_harm_nobody():
    program = "import warnings\nwarnings.simplefilter('error')\n" + START
    program += "fail('a')\nflawless.flush(1)\nfail('b')\nprint('done')"
    done = run(program, closed_port())
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_reports_wait_for_a_server_that_comes_back(sink):
    port = closed_port()
    flawless.init(hostports=[f"127.0.0.1:{port}"], hooks=False, queue_reports=5)
    with pytest.warns(RuntimeWarning, match="cannot be sent"):
        fail()
        assert not flawless.flush(1)
    for n in range(9):
        exec(compile("fail()", f"place{n}.py", "exec"))
    forward = threading.Thread(target=forward_once, args=(port, sink.port), daemon=True)
    forward.start()
    until = time.monotonic() + 10
    while not flawless.flush(2):
        assert time.monotonic() < until
    reports = sink.rest()
    assert len(reports) == 5, "the oldest went"
    assert reports[-1]["traceback"][-2]["filename"].endswith("place8.py")


def forward_once(port, target):
    """Forwards one connection to another port."""
    listener = socket.create_server(("127.0.0.1", port))
    source, _ = listener.accept()
    sink = socket.create_connection(("127.0.0.1", target))

    def pump(one, other):
        while True:
            data = one.recv(65536)
            if not data:
                break
            other.sendall(data)
        try:
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    threading.Thread(target=pump, args=(source, sink), daemon=True).start()
    pump(sink, source)


def test_without_init_errors_pass_with_one_warning():
    program = """
        from flawless.client.decorators import wrap_function
        import flawless, flawless.client
        @wrap_function
        def f():
            raise KeyError("k")
        for _ in range(3):
            try:
                f()
            except KeyError:
                pass
        flawless.client.record_error("host", (KeyError, KeyError("x"), None))
        print(flawless.flush(1))
    """
    done = run(program)
    assert (done.returncode, done.stdout) == (0, "True\n")
    assert done.stderr.count("no server is known") == 1


def test_an_interpreter_that_ends_while_a_repr_hangs_ends(sink):
    program = START + textwrap.dedent(
        """
        import time
        class Hangs:
            def __repr__(self):
                time.sleep(600)
        try:
            hangs = Hangs()
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()
        """
    )
    done = run(program, sink.port)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.rest()) == 1


def test_an_error_in_a_late_destructor_harms_nobody(sink):
    program = START + textwrap.dedent(
        """
        class Late:
            def __del__(self):
                fail("late")
        keep = Late()
        keep.loop = keep
        sys.modules["keeps"] = keep
        """
    )
    done = run(program, sink.port)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"dsn": "https://key@o1.ingest.sentry.io/42"}, "Sentry"),
        ({"ignore": ["a.B", 7]}, "ignore must hold exception classes"),
        ({"ignore": KeyError}, "list of exceptions"),
        ({"before_send": 7}, "must be a function"),
        ({"integrations_off": ["flusk"]}, "did you mean 'flask'"),
        ({"ca_file": "/nowhere.pem", "hostports": ["a:1"]}, "cannot be read"),
        ({"dsn": "flawless.example.com"}, "flawless projects"),
        ({"dsn": "http://flawless.example.com:8080/shop"}, "no key"),
        ({"dsn": 7}, "must be a string"),
        ({"hostports": "a:1"}, "list of strings"),
        ({"hostports": ["a"]}, "host:port"),
        ({"hostports": ["a:x"]}, "host:port"),
        ({"hostports": ["a:1"], "timeout": 0}, "timeout"),
        ({"hostports": ["a:1"], "timeout": "2"}, "timeout"),
        ({"hostports": ["a:1"], "queue_reports": -1}, "queue_reports"),
        ({"hostports": ["a:1"], "revision": 7}, "revision"),
        ({"hostports": ["a:1"], "redact_names": ["("]}, "("),
        ({"hostports": ["a:1"], "redact_off": ["nonsense"]}, "nonsense"),
    ],
)
def test_wrong_arguments_of_init_are_refused_with_the_hint(monkeypatch, arguments, hint):
    monkeypatch.delenv("FLAWLESS_DSN", raising=False)
    with pytest.raises((TypeError, ValueError)) as error:
        flawless.init(**arguments)
    assert hint in str(error.value)


def test_the_scrubbers_of_the_older_client_add_names(sink):
    flawless.client.install_scrubbers(r".*(?<!un)lucky.*")
    try:
        my_lucky_number, unlucky, password = 7, 13, "x"  # noqa: F841
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception()
    shown = sink.next()["traceback"][-1]["frame_locals"]
    assert shown["my_lucky_number"] == "**scrubbed**"
    assert shown["password"] == "**scrubbed**"
    assert shown["unlucky"] == "13"


def test_names_of_init_are_those_of_the_last_and_scrubbers_stay(sink):
    def shown(**arguments):
        flawless.init(hostports=[f"127.0.0.1:{sink.port}"], hooks=False, **arguments)
        try:
            parcel, shelf, ward = 1, 2, 3  # noqa: F841
            raise ValueError("x")
        except ValueError:
            flawless.capture_exception()
        shown = sink.next()["traceback"][-1]["frame_locals"]
        return {name for name in ("parcel", "shelf", "ward") if shown[name] == "**scrubbed**"}

    for _ in range(2):
        flawless.client.install_scrubbers("ward")
    assert shown(redact_names=["parcel"]) == {"parcel", "ward"}
    assert shown(redact_names=["shelf"]) == {"shelf", "ward"}
    assert shown() == {"ward"}


def test_secrets_are_scrubbed_by_value_also_from_source_messages_and_the_environment(sink):
    token = "gh" + "p_" + "a1B2" * 9
    os.environ["SHOP_SECRET"] = "Zebra-4711-Crossing"
    try:
        flawless.init(hostports=[f"127.0.0.1:{sink.port}"], hooks=False)
        source = f"def f():\n    key = '{token}'\n    raise ValueError('Zebra-4711-Crossing', key)\n"
        namespace = {}
        import linecache

        linecache.cache["secret.py"] = (len(source), None, source.splitlines(True), "secret.py")
        exec(compile(source, "secret.py", "exec"), namespace)
        try:
            namespace["f"]()
        except ValueError as error:
            flawless.capture_exception(additional_info=f"Authorization: Bearer {token}")
            del error
        report = sink.next()
    finally:
        del os.environ["SHOP_SECRET"]
    text = str(report)
    assert token not in text and "Zebra" not in text
    assert report["exception_message"].count("**scrubbed**") == 2


@pytest.mark.filterwarnings("ignore:flawless")
def test_several_servers_share_the_reports(sink):
    flawless.init(hostports=[f"127.0.0.1:{closed_port()}", f"127.0.0.1:{sink.port}"], hooks=False)
    for n in range(20):
        exec(compile("fail()", f"shared{n}.py", "exec"))
    assert flawless.flush(5)
    assert len(sink.rest()) == 20
    _flawless.flush(0)


def test_a_wrapped_function_costs_no_report_when_nothing_fails(sink):
    @wrap_function
    def fine():
        return 1

    assert [fine() for _ in range(1000)] == [1] * 1000
    assert sink.rest() == []


def test_a_burst_of_many_lines_loses_none_of_them(sink):
    lines = "\n".join(f"    lambda: [][{number}]," for number in range(60))
    program = f"""
failing = [
{lines}
]
for _ in range(12):
    for number, fails in enumerate(failing):
        try:
            fails()
        except IndexError:
            flawless.capture_exception()
print(flawless.flush(20))
"""
    done = run(START + program, sink.port)
    assert (done.stdout, done.stderr) == ("True\n", "")
    counted = {}
    for report in sink.rest():
        line = report["traceback"][-1]["line_number"]
        counted[line] = counted.get(line, 0) + report["error_count"]
    assert len(counted) == 60
    assert set(counted.values()) == {12}


def test_flush_says_no_and_warns_when_something_was_lost(sink):
    program = START + """
flawless.init(hostports=["127.0.0.1:" + sys.argv[1]], queue_reports=0)
fail()
print(flawless.flush(5), flawless.flush(5))
"""
    done = run(program, sink.port)
    assert done.stdout == "False True\n"
    assert "occurrences lost: 1." in done.stderr and "queue_reports" in done.stderr
