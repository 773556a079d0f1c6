"""Each Python snippet of the documentation runs as a program, with the frameworks it names, and
what it raises arrives."""

import http.server
import inspect
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import threading

import pytest

from flawless import _flawless, _setup

DOCS = pathlib.Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "clients/python.md").read_text()
DSN = "http://KEY@flawless.example.com:8080/shop"
HOSTPORT = "flawless.example.com:9028"

DJANGO = """
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(
    INSTALLED_APPS=INSTALLED_APPS, FLAWLESS_DSN=FLAWLESS_DSN, FLAWLESS=FLAWLESS,
    ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
)
django.setup()
urlpatterns = [path("", lambda request: HttpResponse(1 / 0))]
from django.test import Client
assert Client(raise_request_exception=False).get("/").status_code == 500
"""
FUNCTIONS = """
import asyncio
assert asyncio.run(nightly_job()) is None
for call in (lambda: charge(0), lambda: Cart().total):
    try:
        call()
    except (ZeroDivisionError, AttributeError):
        pass
"""
WSGI = """
from wsgiref.util import setup_testing_defaults
environ = {}
setup_testing_defaults(environ)
b"".join(application(environ, lambda *_: None))
"""
ASGI = """
from starlette.testclient import TestClient
assert TestClient(application, raise_server_exceptions=False).get("/price").status_code == 500
"""
FASTAPI = """
from starlette.testclient import TestClient
assert TestClient(app, raise_server_exceptions=False).get("/price").status_code == 500
"""
CELERY = """
app.conf.task_always_eager = True
charge.delay(0)
"""

# What is done with a snippet, by its heading, and what is reported then.
RUNS = {
    "Start": ("1 / 0", ["ZeroDivisionError"]),
    "By hand": ("", ["KeyError"]),
    "Context and breadcrumbs": ("", ["LookupError"]),
    "What is not reported": ("", ["ValueError"]),
    "Functions and classes": (FUNCTIONS, ["AttributeError", "ValueError", "ZeroDivisionError"]),
    "WSGI": (WSGI, ["ZeroDivisionError"]),
    "ASGI": (ASGI, ["LookupError"]),
    "Starlette, FastAPI": (FASTAPI, ["ZeroDivisionError"]),
    "Django": (DJANGO, ["ZeroDivisionError"]),
    "Flask": ("app.test_client().get('/price')", ["ZeroDivisionError"]),
    "Celery": (CELERY, ["ZeroDivisionError"]),
    "Logging": ("", ["ZeroDivisionError"]),
    "asyncio": ("", ["ZeroDivisionError"]),
    "Programs written for 0.4.5": ("", ["ZeroDivisionError"]),
    "Secrets": ("", ["LookupError"]),
}


def snippets(page):
    """Headings and their Python snippets."""
    found = []
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        heading = section.splitlines()[0]
        codes = re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)
        found += [(heading, code) for code in codes]
    return found


@pytest.fixture
def dsn(sink):
    """A DSN whose reports go on to the sink: the message is the same, but for its frame."""

    class Relay(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == "/thrift"
            message = self.rfile.read(int(self.headers["Content-Length"]))
            with socket.create_connection(("127.0.0.1", sink.port)) as server:
                server.sendall(struct.pack(">i", len(message)) + message)
                stream = server.makefile("rb")
                answer = stream.read(struct.unpack(">i", stream.read(4))[0])
            self.send_response(200)
            self.send_header("Content-Type", "application/x-thrift")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://KEY@127.0.0.1:{server.server_port}/shop"
    server.shutdown()
    server.server_close()


def test_every_snippet_is_run():
    assert [heading for heading, _ in snippets(PAGE)] == list(RUNS)


@pytest.mark.parametrize("heading, code", snippets(PAGE), ids=lambda text: text.split("\n")[0])
def test_a_snippet_reports_what_it_raises(sink, dsn, tmp_path, heading, code):
    assert DSN in code or HOSTPORT in code
    then, expected = RUNS[heading]
    code = code.replace(DSN, dsn).replace(HOSTPORT, f"127.0.0.1:{sink.port}")
    program = tmp_path / "program.py"
    program.write_text(code + "\n" + then)
    environment = {key: value for key, value in os.environ.items() if "FLAWLESS" not in key}
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
    )
    reports = sink.rest()
    kinds = sorted(report["exception_type"].rpartition(".")[2] for report in reports)
    assert kinds == expected, done.stderr
    assert "flawless:" not in done.stderr, "no warning was given"
    if heading == "Secrets":
        (report,) = reports
        assert report["exception_message"] == "LookupError('no file of **scrubbed**')"
        assert report["traceback"][-1]["frame_locals"]["patient_name"] == "**scrubbed**"


def test_the_page_names_each_argument_of_init_and_each_rule_of_redaction():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    arguments = list(inspect.signature(_setup.init).parameters)
    assert rows == arguments + _flawless.redaction_rules()
