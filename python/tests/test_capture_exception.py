"""`capture_exception` with what should not be given to it."""

import flawless


def fail():
    try:
        return 1 / 0
    except ZeroDivisionError as error:
        return error


def test_what_is_wrong_beside_the_exception_does_not_lose_it(sink):
    for beside in (
        {"additional_info": {"order": 7}},
        {"additional_info": "\ud800"},
        {"request": "GET /"},
        {"request": ("GET", "/\ud800", "HTTP/1.1", [], "")},
        {"error_threshold": "many"},
        {"error_threshold": 2**80},
    ):
        flawless.capture_exception(fail(), **beside)
        assert sink.next()["exception_type"].endswith("ZeroDivisionError"), beside
    assert sink.rest() == []
