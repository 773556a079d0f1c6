"""What the tests of web frameworks share: a program of its own serves the framework, is asked, and
is ended by SIGTERM; what it has reported is compared with what it should have.

Each program answers the same paths in the ways of its framework; see `bottle_shop.py`.
"""

import http.client
import importlib.metadata
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import pytest
from test_https import recording
from thrift_message import report_in

HERE = pathlib.Path(__file__).parent
# As the line is marked that fails when `PAY` is asked for.
MARK = "# fails"
PAY = "/pay/0?page=2"
FORM = "name=Ann&amount=0"
REPEATS = 64

# What the paths of a shop fail with; None where that is no fault of the program's.
PATHS = {
    "/": None,
    "/who": "PermissionError",
    PAY: "ZeroDivisionError",
    "/absent": None,
    "/nowhere": None,
    "/moved": None,
    "/caught": "IndexError",
    "/hook": "LookupError",
    "/stream": "ValueError",
}


class Ran(NamedTuple):
    """What a program has answered and reported."""

    answers: dict
    reports: list

    def reported(self, path):
        """The reports of a request."""
        return [one for one in self.reports if (one["request"] or {}).get("path") == path]


class Program:
    """A program of its own, at a port of its own."""

    def __init__(self, *command, dsn=""):
        given = socket.create_server(("127.0.0.1", 0), backlog=128)
        # Else some servers wait for acknowledgements between head and body.
        given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = given.getsockname()[1]
        descriptor = given.fileno()
        environment = {name: text for name, text in os.environ.items() if "FLAWLESS" not in name}
        environment["PYTHONPATH"] = os.pathsep.join(folder for folder in sys.path if folder)
        environment.update(FLAWLESS_DSN=dsn, LISTEN_FD=str(descriptor))
        command = [part.replace("FD", str(descriptor)) for part in command]
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=HERE, env=environment, pass_fds=[descriptor],
            stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._connection = None
        # When the program is gone, nobody waits for its answers.
        given.close()

    def ask(self, path, form=None):
        """The status and the body of an answer; of one that breaks off, what came of it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        for _ in range(2):
            is_new = self._connection is None
            if is_new:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self._connection.request("POST" if form else "GET", path, form, headers)
                answer = self._connection.getresponse()
                return answer.status, answer.read().decode().replace(str(self.port), "PORT")
            except http.client.IncompleteRead as error:
                self._close()
                return answer.status, error.partial.decode()
            except (http.client.HTTPException, OSError) as error:
                self._close()
                # The server has closed a connection that it might have kept.
                if is_new:
                    return type(error).__name__, self.output()

    def _close(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def end(self):
        """End it by SIGTERM."""
        self._close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        finally:
            self._process.kill()

    def output(self):
        """What it has printed."""
        self._output.seek(0)
        return self._output.read().decode()[-3_000:]


def run(command, paths, forms=(), repeats=0, more=None):
    """What a program answers and reports, and what it answers without the client."""
    with recording() as (port, bodies):
        dsn = f"http://key-1@localhost:{port}/shop"
        both = [Program(*command, dsn=dsn), Program(*command)]
        answers = []
        try:
            for program in both:
                given = {path: program.ask(path) for path in paths}
                given.update({path: program.ask(path, FORM) for path in forms})
                if more is not None:
                    given["more"] = more(program)
                answers.append(given)
            repeated = [both[0].ask(PAY) for _ in range(repeats)]
            assert repeated == [answers[0][PAY]] * repeats
        finally:
            for program in both:
                program.end()
        output = both[0].output()
        reports = [report_in(body) for _, body in bodies]
    assert "flawless:" not in output, output
    return Ran(answers[0], reports), answers[1], output


class Checks:
    """What is checked of each framework; a class for each says what is its own."""

    pytestmark = pytest.mark.frameworks
    framework: str
    # As it is named on PyPI, where that is another name.
    distribution: str = ""
    shop: str
    # Those beside `PATHS`, of those that the framework has.
    paths: dict = {}
    command: tuple = ()
    # The route, or the function where the framework does not say which route it was.
    transactions: tuple
    # By default the first word of the framework's name.
    mechanism = ""
    # Where in the report of `PAY` the handler is, and by which name.
    function = "pay"

    @pytest.fixture(scope="class")
    def both(self):
        command = self.command or (str(HERE / self.shop),)
        return run(command, {**PATHS, **self.paths}, ["/form"], REPEATS, type(self).more)

    @staticmethod
    def more(program):
        """What else is asked for."""

    @pytest.fixture
    def ran(self, both):
        return both[0]

    def test_an_error_arrives_with_its_line_its_locals_and_its_request(self, both):
        ran, without_client, output = both
        reports = ran.reported(PAY)
        assert reports, output
        first = reports[0]
        innermost = first["traceback"][-1]
        text = (HERE / self.shop).read_text().splitlines()
        line = next(number for number, line in enumerate(text, 1) if MARK in line)
        total = sum(report["error_count"] for report in reports)
        found = {
            "arrives": bool(reports) and first["exception_type"].endswith("ZeroDivisionError"),
            "right_line": (innermost["line_number"], innermost["function_name"]) == (line, self.function),
            "locals": (innermost["frame_locals"] or {}).get("amount") == "0",
            "unharmed": ran.answers == without_client,
            "counts": total == 1 + REPEATS,
        }
        write_row(self.framework, self.distribution or self.framework, found)
        assert found == dict.fromkeys(found, True), output
        assert first["handled"] is False
        name = self.framework.partition(" ")[0].lower()
        assert first["mechanism"] == (self.mechanism or name)
        assert first["transaction"] in self.transactions
        assert first["request"]["method"] == "GET"
        headers = first["request"]["headers"]
        assert headers["Host"].startswith("127.0.0.1:") and "Accept-Encoding" in headers

    def test_answers_are_the_same_without_the_client(self, both):
        ran, without_client, output = both
        for path, answer in without_client.items():
            assert ran.answers[path] == answer
        assert ran.answers["/"][0] == 200, output

    def test_what_is_a_fault_is_reported_once_and_nothing_else(self, both):
        ran, _, output = both
        expected = {**PATHS, **self.paths}
        assert len(expected) > 8
        found = {}
        for path in expected:
            reports = ran.reported(path)
            kinds = sorted({one["exception_type"].rpartition(".")[2] for one in reports})
            found[path] = kinds if len(kinds) > 1 else (kinds[0] if kinds else None)
            if path != PAY:
                assert sum(one["error_count"] for one in reports) == len(kinds), (path, kinds)
        assert found == expected, f"{found}\n{output}"
        told = {(one["request"] or {}).get("path") for one in ran.reports}
        assert told <= {*expected, "/form"}

    def test_the_form_is_told(self, ran):
        (report,) = ran.reported("/form")
        assert report["request"]["method"] == "POST"
        assert report["request"]["body"] == FORM

    def test_what_is_said_in_a_request_is_told_of_that_alone(self, ran):
        assert ran.reported("/who")
        for report in ran.reports:
            if report["request"]["path"] == "/who":
                assert report["user"] == {"id": "7"} and report["tags"] == {"shop": "north"}
            else:
                assert not report["user"] and not report["tags"], report["request"]


def write_row(framework, distribution, found):
    """A line for the table of the documentation, where one is asked for."""
    file = os.environ.get("FLAWLESS_FRAMEWORK_TABLE")
    if not file:
        return
    row = {
        "framework": framework,
        "version": importlib.metadata.version(distribution),
        "python": "%d.%d" % sys.version_info[:2],
        **found,
    }
    with open(file, "a", encoding="utf-8") as table:
        table.write(json.dumps(row) + "\n")


def leave(program, path):
    """Ask for an answer that has no end, and go when it has begun."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
        connection.recv(100)
    # Until it is noticed.
    time.sleep(0.2)


def talk(program, text, path="/talk", timeout=20):
    """Say something over a websocket: what is answered, or how it was closed."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    try:
        address = f"ws://127.0.0.1:{program.port}{path}"
        with connect(address, open_timeout=20, close_timeout=1) as websocket:
            websocket.send(text)
            return websocket.recv(timeout=timeout)
    except InvalidStatus as error:
        return error.response.status_code
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else None
    except TimeoutError:
        return "nothing"
    finally:
        # What fails there may be reported a moment later.
        time.sleep(0.05)
