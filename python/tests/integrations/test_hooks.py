"""The interpreter's hooks: each test is a program of its own."""

import subprocess
import sys

import pytest

BEGIN = """
import gc, sys, threading
import flawless
told = []
sys.excepthook = lambda *_: print("former main")
former = threading.excepthook
threading.excepthook = lambda args: print("former thread")
sys.unraisablehook = lambda unraisable: print("former unraisable")
flawless.init(hostports=["127.0.0.1:{port}"], revision="r1")
flawless.init(hostports=["127.0.0.1:{port}"], revision="r1")
"""


@pytest.fixture
def run(sink, tmp_path):
    def run(program, *arguments):
        path = tmp_path / "program.py"
        path.write_text(BEGIN.format(port=sink.port) + program)
        done = subprocess.run(
            [sys.executable, *arguments, str(path)],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )
        return done, sink.rest()

    return run


def test_an_uncaught_exception_is_reported_and_then_the_former_hook_runs(run):
    done, (report,) = run("price = 0\n1 / price\n")
    assert done.stdout == "former main\n"
    assert done.returncode == 1
    assert report["exception_type"].endswith("ZeroDivisionError")
    assert report["traceback"][-1]["text"].strip() == "1 / price"


def test_an_uncaught_exception_of_a_thread_is_reported(run):
    done, (report,) = run(
        "def work():\n    raise ValueError('x')\n"
        "thread = threading.Thread(target=work, name='worker 1')\nthread.start()\nthread.join()\n"
    )
    assert done.stdout == "former thread\n"
    assert report["traceback"][-1]["function_name"] == "work"
    assert report["additional_info"] == "thread: worker 1"


def test_an_exception_nobody_can_catch_is_reported(run):
    done, (report,) = run(
        "class Order:\n    def __del__(self):\n        raise ValueError('x')\n"
        "Order()\n"
    )
    assert done.stdout == "former unraisable\n"
    assert report["traceback"][-1]["function_name"] == "__del__"
    assert "Order.__del__" in report["additional_info"]


@pytest.mark.parametrize("end", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_the_end_of_the_program_is_no_error(run, end):
    _, reports = run(end)
    assert reports == []


def test_a_hook_that_another_sets_later_stays(run):
    done, reports = run(
        "sys.excepthook = lambda *_: print('theirs')\n"
        f"flawless.init(hostports=['127.0.0.1:9'])\n"
        "1 / 0\n"
    )
    assert done.stdout == "theirs\n"
    assert reports == []


def test_without_hooks_nothing_is_replaced(run):
    done, _ = run("import subprocess\nprint(subprocess.run([sys.executable, '-c', "
                  "'import sys, flawless; flawless.init(hostports=[\"127.0.0.1:9\"], hooks=False);"
                  "print(sys.excepthook is sys.__excepthook__)'], capture_output=True).stdout)\n")
    assert "True" in done.stdout


def test_what_is_typed_at_a_prompt_is_not_reported(sink):
    program = (
        "import flawless\n"
        f"flawless.init(hostports=['127.0.0.1:{sink.port}'])\n"
        "1 / 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=program, capture_output=True, text=True, timeout=60
    )
    assert "ZeroDivisionError" in done.stderr
    assert sink.rest() == []


def test_an_object_with_a_hostile_name_is_reported_all_the_same(run):
    done, reports = run(
        "import types\n"
        "class Hostile:\n"
        "    def __getattr__(self, name):\n        raise SystemError('no')\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
        "    sys.unraisablehook(types.SimpleNamespace(exc_value=error, object=Hostile(),"
        " err_msg=None))\n"
    )
    assert done.stdout == "former unraisable\n"
    assert len(reports) == 1
