"""`flawless.init` switches on what is imported, now or later; each test is a program of its own."""

import pytest

LOG = """
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("shop").exception("order %d failed", 7)
"""


def test_records_are_heard_whenever_logging_is_imported(program):
    for begin in ("", "import logging\n"):
        begin += "import flawless\nflawless.init({dsn!r})\n"
        done, (report,) = program("import logging\n" + LOG, begin=begin)
        assert report["mechanism"] == "logging" and report["handled"] is True
        assert report["additional_info"].endswith("message: order 7 failed")
        assert "order 7 failed" in done.stderr


@pytest.mark.parametrize(
    "begin",
    [
        "flawless.init({dsn!r}, integrations=False)",
        "flawless.init({dsn!r}, integrations_off=['logging'])",
    ],
)
def test_an_integration_that_is_switched_off_hears_nothing(program, begin):
    _, reports = program("import logging\n" + LOG, begin=f"import flawless\n{begin}\n")
    assert reports == []


HANDLER = """
import logging
import flawless
from flawless.integrations.logging import FlawlessHandler
if {dsn!r}:
    flawless.init({dsn!r}{more})
    {handler}
"""
BARE = "import logging\n"


@pytest.mark.parametrize(
    "handler",
    [
        "pass",
        "logging.getLogger().addHandler(FlawlessHandler(level=logging.ERROR))",
        "logging.getLogger('shop').addHandler(FlawlessHandler())",
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'handlers':"
        " {'f': {'class': 'flawless.integrations.logging.FlawlessHandler'}},"
        " 'root': {'handlers': ['f']}})",
    ],
)
@pytest.mark.parametrize(
    "work",
    [
        "logging.getLogger('shop').warning('careful')",
        "logging.getLogger('shop').info('quiet')",
        "logging.warning('careful')",
        "logging.basicConfig(format='%(levelname)s|%(message)s', level=logging.INFO)\n"
        "logging.getLogger('shop').info('told')",
        "handler = logging.StreamHandler()\nlogging.getLogger('shop').addHandler(handler)\n"
        "logging.getLogger('shop').warning('careful')\nprint(logging.getLogger('x').hasHandlers())",
        "logging.lastResort = None\nlogging.getLogger('shop').error('x')",
        "logging.getLogger('shop').propagate = False\nlogging.getLogger('shop').error('x')",
    ],
)
def test_the_programs_own_log_is_the_same(program, work, handler):
    if "dictConfig" in handler:
        handler = "import logging.config; " + handler
    begin = HANDLER.replace("{handler}", handler.replace("{", "{{").replace("}", "}}"))
    work += LOG
    watched, reports = program(work, begin=begin.replace("{more}", ""))
    bare, _ = program(work, begin=BARE)
    strip = [line for line in bare.stderr.splitlines() if "File" not in line]
    assert [line for line in watched.stderr.splitlines() if "File" not in line] == strip
    assert watched.stdout == bare.stdout
    assert len(reports) == 1


@pytest.mark.parametrize(
    "later",
    [
        "sys.excepthook = lambda *_: print('theirs')",
        "threading.excepthook = lambda args: print('theirs')",
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_hook_that_is_set_later_does_not_take_ours_away(program, later, in_thread):
    if ("threading" in later) != in_thread:
        pytest.skip("another hook")
    fail = "t = threading.Thread(target=lambda: [][1])\nt.start()\nt.join()" if in_thread else "[][1]"
    done, (report,) = program(f"import sys, threading\n{later}\n{fail}\n")
    assert done.stdout == "theirs\n"
    assert report["handled"] is False


def test_what_ends_nothing_is_not_reported_at_the_end(program):
    text = """
        import sys, unittest
        class Test(unittest.TestCase):
            def test(self):
                [][1]
        unittest.main(exit=False)
        try:
            [][2]
        except IndexError as error:
            sys.last_type, sys.last_value = type(error), error
    """
    _, reports = program(text + "\n        def f():\n            pass\n        f()\n")
    assert reports == [] or [r["traceback"][-1]["text"].strip() for r in reports] == ["[][2]"]


CRUMBS = """
import http.server, logging, sqlite3, threading, urllib.request
import httpx, sqlalchemy
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_address[1]}"
logging.getLogger("shop").setLevel("INFO")
logging.getLogger("shop").info("user %s pays %d", "ann", 7)
urllib.request.urlopen(address + "/a?token=hunter2").read()
httpx.get(address + "/b")
try:
    urllib.request.urlopen("http://127.0.0.1:9/c")
except OSError:
    pass
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    connection.execute(sqlalchemy.text("SELECT 1 WHERE :name = 'x'"), {"name": "hunter2"})
1 / 0
"""


def test_records_requests_and_statements_are_breadcrumbs(program):
    _, (report,) = program(CRUMBS)
    crumbs = [(crumb["category"], crumb["message"]) for crumb in report["breadcrumbs"]]
    port = crumbs[1][1].split(":")[2].split("/")[0]
    expected = [
        ("shop", "user ann pays 7"),
        ("http", f"GET http://127.0.0.1:{port}/a?token=**scrubbed**"),
        ("http", f"GET http://127.0.0.1:{port}/b"),
        ("http", "GET http://127.0.0.1:9/c"),
        ("query", "SELECT 1 WHERE ? = 'x'"),
    ]
    assert [crumb for crumb in crumbs if crumb[0] not in ("httpx", "httpcore")] == expected
    by_message = {crumb["message"]: crumb["data"] for crumb in report["breadcrumbs"]}
    assert by_message[expected[1][1]] == {"status": "204"}
    assert by_message[expected[3][1]] == {"error": "ConnectionRefusedError"}


def test_a_module_that_is_imported_later_is_as_it_was(program):
    text = """
        import flask, importlib.resources
        spec = flask.__spec__
        assert type(spec.loader).__module__.startswith("importlib") or "frozen" in repr(spec.loader)
        assert flask.__loader__ is spec.loader
        print(importlib.resources.files("flask").joinpath("py.typed").is_file())
    """
    done, _ = program(text)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_an_integration_that_cannot_be_switched_on_is_told_once_and_harms_nothing(program, tmp_path):
    (tmp_path / "flask.py").write_text("VERSION = 99\n")
    done, reports = program("import flask\nprint(flask.VERSION)\n1 / 0\n")
    assert done.stdout == "99\n"
    assert done.stderr.count("flask is not watched") == 1
    assert len(reports) == 1


ODD_RECORDS = """
import collections, logging, sys, threading
class Evil:
    def __str__(self):
        print("ran")
        raise RuntimeError
    __repr__ = __str__
class Odd(dict):
    def values(self):
        print("ran")
        raise RuntimeError
    __iter__ = __getitem__ = items = values
logging.raiseExceptions = False
log = logging.getLogger("shop")
log.addHandler(logging.NullHandler())
log.propagate = False
log.setLevel(10)
log.info("%c", -1)
log.info("%99999999999d", 1)
log.info("%*d", 99999999999, 1)
log.info("%(x)s", collections.UserDict(x=1))
log.info("%(x)s", Odd(x=1))
log.info("%s", Evil())
log.handle(logging.makeLogRecord({"msg": "hi %s", "args": 5, "levelno": 20}))
log.handle(logging.makeLogRecord({"msg": Evil(), "levelno": 40, "levelname": None}))
log.addFilter(lambda record: setattr(record, "levelname", None) or True)
log.warning("hi")
handler = logging.NullHandler()
log.addHandler(hdlr=handler)
log.removeHandler(hdlr=handler)
class Callers(logging.Handler):
    def emit(self, record):
        frame = sys._getframe(1)
        while frame.f_code.co_filename == logging.__file__:
            frame = frame.f_back
        print(frame.f_code.co_name)
log.addHandler(Callers())
def shop():
    log.error("x")
shop()
"""


def test_odd_records_and_handlers_behave_as_without_the_client(program):
    watched, reports = program(ODD_RECORDS)
    bare, _ = program(ODD_RECORDS, begin="")
    assert (watched.stdout, watched.stderr, watched.returncode) == (
        bare.stdout, bare.stderr, bare.returncode
    )  # fmt: skip
    assert bare.stdout == "shop\n" and reports == []


def test_our_file_for_a_framework_may_be_imported_before_it(program):
    text = """
        from flawless.integrations.flask import init_app
        import flask
        app = flask.Flask("shop")
        app.register_error_handler(Exception, lambda error: ("sorry", 500))
        app.add_url_rule("/", view_func=lambda: str(1 / 0))
        print(app.test_client().get("/").status_code)
    """
    done, (report,) = program(text, python=["-W", "error::RuntimeWarning"])
    assert (done.stdout, report["mechanism"]) == ("500\n", "flask")


def test_a_warning_of_ours_is_no_error_of_the_program(program, tmp_path):
    (tmp_path / "flask.py").write_text("VERSION = 99\n")
    done, _ = program("import flask\nprint(flask.VERSION)\n", python=["-W", "error"])
    assert done.stdout == "99\n"


def test_a_module_that_is_loaded_later_is_not_loaded_by_us(program):
    begin = """
import importlib.util, sys
spec = importlib.util.find_spec("flask")
spec.loader = importlib.util.LazyLoader(spec.loader)
sys.modules["flask"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
import flawless
flawless.init({dsn!r})
print("flask.app" in sys.modules)
"""
    done, _ = program("", begin=begin)
    assert done.stdout == "False\n"


def test_consoles_within_a_program_are_no_end_of_it(program):
    text = """
        import code
        console = code.InteractiveInterpreter()
        console.runsource("1 / 0")
        print("goes on")
    """
    done, reports = program(text)
    assert (done.stdout, reports) == ("goes on\n", [])
