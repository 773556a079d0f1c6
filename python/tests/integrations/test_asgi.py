"""`FlawlessASGIMiddleware` around plain ASGI applications."""

import asyncio
import threading
import time
import urllib.error
import urllib.request

import pytest
import uvicorn

from flawless.integrations.asgi import FlawlessASGIMiddleware


def call(app, scope, *messages):
    messages = list(messages)

    async def receive():
        return messages.pop(0)

    async def send(message):
        pass

    asyncio.run(FlawlessASGIMiddleware(app)(scope, receive, send))


def http(**changes):
    return {
        "type": "http",
        "method": "POST",
        "path": "/é",
        "query_string": b"a=1",
        "http_version": "2",
        "headers": [(b"content-type", b"application/json"), (b"x-of", b"a"), (b"x-of", b"b")],
        **changes,
    }


def body(part, more=True):
    return {"type": "http.request", "body": part, "more_body": more}


def test_an_error_is_reported_with_its_request_and_what_was_read(sink):
    error = ValueError("x")

    async def app(scope, receive, send):
        await receive()
        raise error

    with pytest.raises(ValueError) as caught:
        call(app, http(), body(b'{"a":'), body(b"1}", False))
    assert caught.value is error
    report = sink.next()
    assert report["additional_info"] == (
        "POST /%C3%A9?a=1 HTTP/2\nContent-Type: application/json\nX-Of: a, b\n\n" + '{"a":'
    )
    assert report["traceback"][-1]["function_name"] == "app"
    assert sink.rest() == []


def test_a_websocket_that_fails_is_reported(sink):
    async def app(scope, receive, send):
        raise LookupError("no room")

    scope = {"type": "websocket", "path": "/chat", "headers": [(b"upgrade", b"websocket")]}
    with pytest.raises(LookupError):
        call(app, scope)
    assert sink.next()["additional_info"] == "GET /chat HTTP/1.1\nUpgrade: websocket"


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(), KeyboardInterrupt()])
def test_the_end_of_a_task_or_program_is_no_error(sink, error):
    async def app(scope, receive, send):
        raise error

    with pytest.raises(type(error)):
        call(app, http())
    assert sink.rest() == []


def test_a_failing_start_is_reported_and_an_application_without_lifespan_is_not(sink):
    async def without(scope, receive, send):
        assert scope["type"] == "http"

    async def failing(scope, receive, send):
        await receive()
        raise OSError("no database")

    with pytest.raises(AssertionError):
        call(without, {"type": "lifespan"})
    assert sink.rest() == []
    with pytest.raises(OSError):
        call(failing, {"type": "lifespan"}, {"type": "lifespan.startup"})
    assert len(sink.rest()) == 1


def test_a_scope_that_is_not_as_it_should_be_is_reported_all_the_same(sink):
    async def app(scope, receive, send):
        1 / 0

    for scope in (
        {"type": "http"},
        http(headers=[("content-type", None)]),
        http(raw_path=b"\xff" * 9_000, query_string=None),
        http(headers=5),
    ):
        with pytest.raises(ZeroDivisionError):
            call(app, scope)
        assert sink.next()["exception_type"].endswith("ZeroDivisionError")


def test_errors_are_reported_once_in_a_real_server(sink):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            raise RuntimeError("in uvicorn")
        raise NotImplementedError

    wrapped = FlawlessASGIMiddleware(FlawlessASGIMiddleware(app))
    server = uvicorn.Server(uvicorn.Config(wrapped, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/a%20b?x")
    server.should_exit = True
    thread.join()
    (report,) = sink.rest()
    assert report["additional_info"].startswith("GET /a%20b?x HTTP/1.1\n")
