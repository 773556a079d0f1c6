"""A syntax error is told at the line that cannot be read."""

import importlib
import os
import sys
import textwrap
import types
import zipfile

import pytest

import flawless
from test_delivery import START, run


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    def import_text(name, text):
        (tmp_path / (name + ".py")).write_text(text)
        importlib.invalidate_caches()
        try:
            importlib.import_module(name)
        except SyntaxError:
            flawless.capture_exception()

    import_text.folder = tmp_path
    return import_text


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        ("SyntaxError", "def make(rows):\n    for row in rows\n        pass\n", 2),
        ("IndentationError", "def make(rows):\n    lines = []\n     total = 0\n", 3),
        ("IndentationError", "def make(rows):\nreturn 1\n", 2),
        ("TabError", "def make(rows):\n        a = 1\n\tb = 2\n", 3),
        ("SyntaxError", "a = 1\nreturn a\n", 2),
        ("SyntaxError", "a = 1\nprint 'x'\n", 2),
    ],
)
def test_the_line_that_cannot_be_read_is_the_innermost(wire, module, kind, text, line):
    module(f"broken_{abs(hash((kind, text)))}", text)
    (report,) = wire()
    assert report["exception_type"] == "builtins." + kind
    last = report["traceback"][-1]
    assert os.path.dirname(last["filename"]) == str(module.folder)
    assert last["line_number"] == line
    assert last["text"].strip() == text.splitlines()[line - 1].strip()
    assert last["before"] == text.splitlines()[: line - 1]
    assert report["traceback"][-2]["function_name"] != "<module>", "the import is above it"


def test_an_encoding_that_is_not_known_is_told_at_the_first_line(wire, module):
    module("broken_encoding", "# coding: nope\nx = 1\n")
    (report,) = wire()
    last = report["traceback"][-1]
    assert last["filename"] == str(module.folder / "broken_encoding.py")
    assert last["line_number"] == 1


def test_a_text_that_does_not_stand_at_the_line_is_not_sent(wire, module):
    module("broken_format", "a = 1\nx = f'{a b}'\n")
    (report,) = wire()
    last = report["traceback"][-1]
    assert last["line_number"] == 2
    assert last["text"].strip() in ("", "x = f'{a b}'")


def test_the_line_as_it_was_compiled_is_not_sent_when_the_file_says_another(wire, tmp_path):
    file = tmp_path / "changed.py"
    file.write_text("a = = 1\n")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(), str(file), "exec")
    file.write_text("a = 2\n")
    flawless.capture_exception(caught.value)
    (report,) = wire()
    last = report["traceback"][-1]
    assert (os.path.basename(last["filename"]), last["line_number"]) == ("changed.py", 1)
    assert (last["text"], last["before"] or [], last["after"] or []) == ("", [], [])


def test_it_is_so_for_what_another_exception_came_from(wire, module):
    (module.folder / "broken_cause.py").write_text("x =\n")
    importlib.invalidate_caches()
    try:
        try:
            importlib.import_module("broken_cause")
        except SyntaxError as error:
            raise RuntimeError("no plugin") from error
    except RuntimeError:
        flawless.capture_exception()
    (report,) = wire()
    (cause,) = report["chain"]
    last = cause["traceback"][-1]
    assert (last["filename"], last["line_number"]) == (str(module.folder / "broken_cause.py"), 1)


def test_two_files_that_cannot_be_read_are_counted_apart(wire, module):
    for _ in range(100):
        for name in ("broken_one", "broken_two"):
            module(name, "x =\n")
    counts = {}
    for report in wire():
        file = report["traceback"][-1]["filename"]
        counts[file] = counts.get(file, 0) + report["error_count"]
    assert list(counts.values()) == [100, 100]


def test_a_file_within_an_archive_is_told(sink, tmp_path):
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("zipped_broken.py", "a = 1\nb = = 2\n")
    run(START + "sys.path.insert(0, sys.argv[2])\nimport zipped_broken", sink.port, archive)
    last = sink.next()["traceback"][-1]
    assert last["filename"] == str(archive / "zipped_broken.py")
    assert (last["line_number"], last["text"].strip()) == (2, "b = = 2")


def compiled(name):
    compile("x = = 1", name, "exec")


def raised(*arguments):
    raise SyntaxError("made up", *arguments)


class Derived(SyntaxError):
    @property
    def filename(self):
        raise AssertionError("code of the program was run")


def raised_derived():
    raise Derived("made up")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (compiled, "<string>"), (compiled, "no/such/file.py"), (compiled, os.getcwd()),
        (compiled, "price rule"), (raised, ()), (raised, ((None, None, None, None),)),
        (raised, ((__file__, None, 1, "x"),)), (raised, ((__file__, -3, 1, "x"),)),
        (raised, ((7, "x", 1, b"x"),)), (raised_derived, ()),
    ],
)  # fmt: skip
def test_what_names_no_file_is_told_where_it_was_raised(wire, call, argument):
    try:
        call(*argument) if isinstance(argument, tuple) else call(argument)
    except SyntaxError:
        flawless.capture_exception()
    (report,) = wire()
    assert report["traceback"][-1]["function_name"] == call.__name__


def test_a_program_that_cannot_import_a_module_reports_the_module(sink, tmp_path):
    (tmp_path / "report.py").write_text("def make(rows):\n    for row in rows\n        pass\n")
    program = tmp_path / "program.py"
    text = START + "sys.path.insert(0, os.path.dirname(__file__))\ndef nightly():\n    import report\nnightly()\n"
    program.write_text(text)
    run(f"import runpy; runpy.run_path({str(program)!r}, run_name='__main__')", sink.port)
    traceback = sink.next()["traceback"]
    assert traceback[-1]["filename"].endswith("report.py") and traceback[-1]["line_number"] == 2
    assert "nightly" in [line["function_name"] for line in traceback]
