"""Without an address nothing is reported and nothing is said; under test nothing is reported."""

import pytest


WORK = """
import logging, threading
from flawless.client.decorators import wrap_function
@wrap_function
def work():
    1 / 0
try:
    work()
except ZeroDivisionError:
    flawless.capture_exception()
    logging.exception("x")
print(flawless.flush(1))
raise SystemExit(7)
"""


@pytest.mark.parametrize("how", ["flawless.init()", "flawless.init('')", "flawless.init(None)"])
@pytest.mark.parametrize("variable", [{}, {"FLAWLESS_DSN": ""}])
def test_without_an_address_the_client_is_off(program, how, variable):
    done, reports = program(WORK, begin=f"import flawless\n{how}\n", **variable)
    assert (done.returncode, done.stdout, reports) == (7, "True\n", [])
    assert "Warning" not in done.stderr


def test_the_variable_names_the_address(program):
    done, reports = program(WORK, begin="import flawless\nflawless.init()\n",
                            FLAWLESS_DSN=program.dsn)
    assert len(reports) == 1


def test_wrong_arguments_are_refused_also_when_it_is_off(program):
    done, _ = program("", begin="import flawless\nflawless.init(redact_names=['('])\n")
    assert "ValueError" in done.stderr


APP = """
import logging, threading
import flawless
flawless.init({dsn!r}{more})
from flawless.client.decorators import wrap_function

@wrap_function
def charge(amount):
    return 1 / amount

def in_thread():
    thread = threading.Thread(target=lambda: [][1])
    thread.start()
    thread.join()

def log():
    try:
        {{}}["x"]
    except KeyError:
        logging.exception("no x")
"""
TESTS = """
import pytest, app

def test_the_app():
    with pytest.raises(ZeroDivisionError):
        app.charge(0)
    app.in_thread()
    app.log()

def test_that_fails():
    app.charge(0)
"""


@pytest.mark.parametrize("asked", [False, True])
def test_what_fails_under_pytest_is_reported_only_when_asked_for(program, tmp_path, asked):
    more = ", report_in_tests=True" if asked else ""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.py").write_text(APP.format(dsn=program.dsn, more=more))
    (folder / "test_app.py").write_text(TESTS)
    done, reports = program("import pytest\nraise SystemExit(pytest.main(['-q', 'shop']))", begin="")
    assert done.returncode == 1, done.stdout + done.stderr
    kinds = {report["exception_type"].rpartition(".")[2] for report in reports}
    assert kinds == ({"ZeroDivisionError", "IndexError", "KeyError"} if asked else set())
