"""Programs of their own for the tests of frameworks, with and without the client, and the row that a
framework gets in the table of those that are watched."""

import importlib.metadata
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parent.parent

# At the beginning of a program, which runs without the client where there is no server.
SET_UP = """
import os
if "FLAWLESS_TEST_PORT" in os.environ:
    import flawless
    flawless.init(hostports=["127.0.0.1:" + os.environ["FLAWLESS_TEST_PORT"]], revision="r1")
elif "FLAWLESS_TEST_DSN" in os.environ:
    import flawless
    flawless.init(os.environ["FLAWLESS_TEST_DSN"], revision="r1")
"""
SET_UP = "exec(%r)\n" % SET_UP
COLUMNS = ("arrives", "right_line", "locals", "unharmed", "counts")


def environment(server=None, **more):
    """That of a program that reports to `sink` or `wire`, or to nobody."""
    known = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    known["PYTHONDONTWRITEBYTECODE"] = "1"
    if hasattr(server, "port"):
        known["FLAWLESS_TEST_PORT"] = str(server.port)
    elif server is not None:
        known["FLAWLESS_TEST_DSN"] = server.dsn
    return {**known, **{name: str(value) for name, value in more.items()}}


def run(program, folder, *arguments, server=None, name="program.py", **more):
    """Run a program to its end."""
    path = folder / name
    path.write_text(program)
    return finish([str(path), *arguments], folder, server=server, **more)


def finish(arguments, folder, server=None, **more):
    """Run Python with these arguments to its end."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(server, **more),
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def outcome(done):
    """What others see of a program: what it writes, without what differs each time, and how it
    ends."""
    text = "\n---\n".join([done.stdout, done.stderr])
    text = re.sub(r"0x[0-9a-f]+|\d+-\d+-\d+[T ][\d:.,]+|(?i:pid)[= ]\d+", "#", text)
    return text, done.returncode


def count(reports):
    """How many occurrences they tell of."""
    return sum(report["error_count"] for report in reports)


def innermost(report):
    """The line that is blamed, without what surrounds it."""
    return report["traceback"][-1]["text"].strip()


def values(report):
    """The variables of that line."""
    return report["traceback"][-1]["frame_locals"]


def row_of(framework, package=None):
    """A fixture: the columns that have been seen to hold. Those that have not are false."""

    @pytest.fixture(scope="module")
    def row():
        seen = dict.fromkeys(COLUMNS, False)
        yield seen
        file = os.environ.get("FLAWLESS_FRAMEWORK_TABLE")
        if file:
            version = importlib.metadata.version(package) if package else None
            head = {
                "framework": framework,
                "version": version or platform.python_version(),
                "python": platform.python_version(),
            }
            with open(file, "a") as table:
                table.write(json.dumps({**head, **seen}) + "\n")

    return row
