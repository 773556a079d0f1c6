"""A project under pytest: what fails there is meant to fail, and is reported when that is asked for."""

import pytest
from programs import environment, finish, innermost

APP = """
import logging, os, subprocess, sys, threading
import flawless
from flawless.client.decorators import wrap_function

flawless.init(os.environ["FLAWLESS_TEST_DSN"], revision="r1" MORE)

def divide(amount):
    price = 1 / amount

@wrap_function
def wrapped(amount):
    divide(amount)

def in_thread():
    thread = threading.Thread(target=divide, args=(0,))
    thread.start()
    thread.join()

def logged():
    try:
        divide(0)
    except ZeroDivisionError:
        logging.getLogger("shop").exception("no price")

def by_hand():
    try:
        divide(0)
    except ZeroDivisionError:
        flawless.capture_exception()

def in_process():
    code = "import shop; shop.flawless.flush(5); shop.divide(0)"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE).returncode
"""

TESTS = """
import shop, pytest

def test_fails():
    shop.divide(0)

def test_wrapped_fails():
    shop.wrapped(0)

def test_expects():
    with pytest.raises(ZeroDivisionError):
        shop.wrapped(0)

@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_in_thread():
    shop.in_thread()

def test_logs():
    shop.logged()

def test_by_hand():
    shop.by_hand()

@pytest.fixture
def breaks():
    yield
    shop.divide(0)

def test_breaks_at_its_end(breaks):
    pass
"""


@pytest.fixture
def project(wire, tmp_path):
    """Runs the tests of a project, and answers what has arrived."""

    def project(*arguments, more="", tests=TESTS, **environment):
        (tmp_path / "shop.py").write_text(APP.replace(" MORE", more))
        folder = tmp_path / "tests"
        folder.mkdir(exist_ok=True)
        (folder / "test_shop.py").write_text(tests)
        done = finish(
            ["-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments], tmp_path, server=wire,
            PYTHONPATH=tmp_path, **environment,
        )  # fmt: skip
        return done.stdout, wire()

    return project


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-p", "no:logging", "-s"]])
def test_nothing_that_fails_under_pytest_is_reported(project, arguments):
    output, reports = project(*arguments)
    assert "ZeroDivisionError" in output and "passed" in output or "-x" in arguments
    assert reports == []


def test_what_fails_is_reported_where_that_is_asked_for(project):
    output, reports = project(more=", report_in_tests=True")
    assert "2 failed" in output
    assert {innermost(report) for report in reports} == {"price = 1 / amount"}
    # Those that a test catches, that a thread, a log and the program tell of; not those of tests.
    seen = {report["mechanism"] for report in reports}
    assert {"wrapper", "threading", "logging", "capture_exception"} <= seen
    assert "excepthook" not in seen


def test_a_program_that_a_test_starts_reports(project):
    output, reports = project(
        tests="import shop\ndef test_process():\n    assert shop.in_process() == 1\n"
    )
    assert "1 passed" in output
    assert [innermost(report) for report in reports] == ["price = 1 / amount"]


def test_a_test_that_sets_the_client_up_reports_by_hand_and_nothing_else(project):
    _, reports = project(tests=TESTS.replace("import shop, pytest", (
        "import os, shop, pytest\n"
        "shop.flawless.init(os.environ['FLAWLESS_TEST_DSN'])\n"
    )))  # fmt: skip
    assert {report["mechanism"] for report in reports} == {"wrapper", "capture_exception"}
