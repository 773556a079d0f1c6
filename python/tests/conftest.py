"""What tests share: a server of 0.4.5's making, and the client set up to report to it."""

import json
import os
import pathlib
import subprocess
import sys
import textwrap
import time

import pytest

import flawless
from flawless import _flawless

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
OLDER_PYTHON = os.environ.get("FLAWLESS_OLDER_PYTHON", str(ROOT / "target/test-env/bin/python"))


def pytest_configure(config):
    """`-m "not frameworks"` leaves out what takes longest."""
    config.addinivalue_line("markers", "frameworks: a program of its own serves a framework")


class Sink:
    """Reports as they arrive at a server with 0.4.5's own generated processor."""

    def __init__(self, folder):
        self._file = folder / "reports"
        self._file.touch()
        self._process = subprocess.Popen(
            [OLDER_PYTHON, str(HERE / "older_server.py"), str(self._file)], stdout=subprocess.PIPE
        )
        self.port = int(self._process.stdout.readline())
        self._read_to = 0
        self._reports = []

    def _read(self):
        """Reads what the server has written: it writes a report before it answers."""
        with open(self._file, "rb") as file:
            file.seek(self._read_to)
            *lines, begun = file.read().split(b"\n")
            self._read_to = file.tell() - len(begun)
        self._reports += [json.loads(line) for line in lines]

    def next(self):
        """The next report; it was sent or is about to be, by this process or another."""
        until = time.monotonic() + 20
        flawless.flush(10)
        self._read()
        while not self._reports:
            assert time.monotonic() < until, "no report has come"
            time.sleep(0.01)
            self._read()
        return self._reports.pop(0)

    def rest(self):
        """All that has arrived when everything is sent."""
        flawless.flush(10)
        self._read()
        reports, self._reports = self._reports, []
        return reports

    def close(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    sink = Sink(tmp_path_factory.mktemp("sink"))
    yield sink
    sink.close()


@pytest.fixture
def wire():
    """A server that keeps reports whole: with the lines around a frame's, and the chain."""
    from test_https import recording
    from thrift_message import report_in

    with recording() as (port, bodies):
        flawless.init(f"http://key-1@localhost:{port}/shop", hooks=False)
        _flawless.forget_thinning()

        def reports():
            assert flawless.flush(10)
            found = [report_in(body) for _, body in bodies]
            bodies.clear()
            return found

        reports.dsn = f"http://key-1@localhost:{port}/shop"
        yield reports


@pytest.fixture
def program(wire, tmp_path):
    """Runs a program of its own that is set up to report: what it printed, and its reports. With
    `begin` it says itself how."""

    def run(text, *arguments, begin="import flawless\nflawless.init({dsn!r})\n", python=(), **more):
        path = tmp_path / "program.py"
        path.write_text(begin.format(dsn=wire.dsn) + textwrap.dedent(text))
        clean = {name: value for name, value in os.environ.items() if "FLAWLESS" not in name}
        done = subprocess.run(
            [sys.executable, *python, str(path), *map(str, arguments)],
            cwd=tmp_path, env={**clean, **more}, capture_output=True, text=True, timeout=60,
        )
        return done, wire()

    run.dsn = wire.dsn
    return run


@pytest.fixture
def sink(server):
    """The client reports to this server, and has seen no stack yet."""
    flawless.init(hostports=[f"127.0.0.1:{server.port}"], hooks=False, revision="r1")
    _flawless.forget_thinning()
    server.rest()
    yield server
    server.rest()
