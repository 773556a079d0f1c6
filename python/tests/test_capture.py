"""What a report holds."""

import sys
import zipfile

import pytest

import flawless
from flawless.client import record_error
from test_delivery import START, run


def fail(depth=0, **values):
    if depth:
        return fail(depth - 1, **values)
    raise ValueError("no price")


def capture(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except BaseException:
        flawless.capture_exception()


def test_locals_are_those_of_the_innermost_twenty_frames(sink):
    capture(fail, 30, unit="EUR")
    lines = sink.next()["traceback"]
    with_locals = [line["frame_locals"] is not None for line in lines]
    assert len(lines) > 30
    assert with_locals == [False] * (len(lines) - 20) + [True] * 20
    assert lines[-1]["frame_locals"] == {"depth": "0", "values": "{'unit': 'EUR'}"}


def test_a_recursion_without_end_is_reported_with_both_its_ends(sink):
    def forever(n):
        return forever(n + 1)

    capture(forever, 0)
    report = sink.next()
    assert report["exception_type"] == "builtins.RecursionError"
    assert 100 < len(report["traceback"]) <= 1_100
    assert report["traceback"][-1]["function_name"] == "forever"


@pytest.mark.parametrize("without", ["", "__loader__", "__spec__"])
def test_source_comes_from_archives(sink, tmp_path, without):
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("zipped_module.py", "def run():\n    x = 1\n    return x / 0  # zipped\n")
    removed = f"zipped_module.__dict__.pop({without!r}, None)"
    run(START + f"sys.path.insert(0, sys.argv[2])\nimport zipped_module\n{removed}\nzipped_module.run()",
        sink.port, archive)
    last = sink.next()["traceback"][-1]
    assert last["text"].strip() == "return x / 0  # zipped"
    assert last["filename"].endswith("code.zip/zipped_module.py")


def test_code_without_source_is_reported_without_text(sink):
    capture(eval, "1 / 0")
    last = sink.next()["traceback"][-1]
    assert (last["filename"], last["text"]) == ("<string>", "")


def test_an_exception_that_was_never_raised_has_the_stack_of_now(sink):
    flawless.capture_exception(ValueError("made"))
    line = sink.next()["traceback"][-1]
    assert line["function_name"].startswith("test_an_exception_that_was_never_raised")


def test_no_exception_is_no_report(sink):
    flawless.capture_exception()
    flawless.capture_exception(None)
    flawless.capture_exception("no exception")
    assert sink.rest() == []


def test_the_call_of_the_older_client_still_works(sink):
    try:
        fail()
    except ValueError:
        record_error(
            hostname="web-7",
            exc_info=sys.exc_info(),
            preceding_stack=[("/srv/app/main.py", 3, "main", "run()")],
            error_threshold=2,
            additional_info="GET /",
        )
    report = sink.next()
    assert report["hostname"] == "web-7"
    assert (report["error_threshold"], report["additional_info"]) == (2, "GET /")
    first = report["traceback"][0]
    assert (first["filename"], first["line_number"]) == ("/srv/app/main.py", 3)
    assert (first["function_name"], first["text"]) == ("main", "run()")
    assert report["traceback"][-1]["function_name"] == "fail"


@pytest.mark.parametrize("exc_info", [(None, None, None), None, 7, (ValueError, "x", 1)])
def test_wrong_arguments_of_the_call_harm_nobody(sink, exc_info):
    record_error("web-7", exc_info)
    record_error(None, exc_info, preceding_stack=7, error_threshold="x")
    sink.rest()


def test_a_type_is_told_with_its_module(sink):
    class Nested(Exception):
        pass

    def raise_it():
        raise Nested

    capture(raise_it)
    assert sink.next()["exception_type"] == f"{__name__}.{Nested.__qualname__}"
