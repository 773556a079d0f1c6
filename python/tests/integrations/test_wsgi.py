"""`FlawlessMiddleware` around WSGI applications, in the server of the standard library."""

import asyncio
import contextlib
import io
import sys
import threading
import time
import urllib.error
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

import flawless
from flawless._scope import CURRENT
from flawless.client.middleware import FlawlessMiddleware


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

    def get_stderr(self):
        return io.StringIO()


@pytest.fixture
def serve():
    servers = []

    def start(app):
        server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def environment(**changes):
    environ = {}
    setup_testing_defaults(environ)
    environ.update(changes)
    return environ


def start(status, headers, exc_info=None):
    pass


def post(content_type, body):
    return environment(
        REQUEST_METHOD="POST",
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body)},
    )


def info(sink, app, environ):
    with pytest.raises(ZeroDivisionError):
        app(environ, start)
    return sink.next()["additional_info"]


def reading(environ, start_response):
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return 1 / 0


def test_an_error_is_reported_with_its_request_by_a_real_server(sink, serve):
    def app(environ, start_response):
        price = 0
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % (1 / price)]

    address = serve(FlawlessMiddleware(validator(app)))
    headers = {"Referer": "http://shop/é".encode().decode("latin-1"), "X-Trace-Id": "7"}
    request = urllib.request.Request(address + "/a%20b/c?q=1%262", headers=headers)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request)
    report = sink.next()
    first, *headers = report["additional_info"].splitlines()
    assert first == "GET /a%20b/c?q=1%262 HTTP/1.1"
    assert [header.split(":")[0] for header in headers] == sorted(
        header.split(":")[0] for header in headers
    )
    assert "X-Trace-Id: 7" in headers and f"Host: {address[7:]}" in headers
    assert report["traceback"][-1]["function_name"] == "app"
    assert report["traceback"][-1]["frame_locals"]["price"] == "0"
    assert not any("middleware" in frame["filename"] for frame in report["traceback"])
    assert sink.rest() == []


def test_the_very_same_exception_is_raised_again(sink):
    error = KeyError("x")

    def app(environ, start_response):
        raise error

    with pytest.raises(KeyError) as caught:
        FlawlessMiddleware(app)(environment(), start)
    assert caught.value is error
    assert len(sink.rest()) == 1


def test_an_error_while_the_answer_is_iterated_is_reported(sink, serve):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"begin"
        raise ValueError("in the middle")

    address = serve(FlawlessMiddleware(validator(app)))
    assert urllib.request.urlopen(address + "/stream").read() == b"begin"
    report = sink.next()
    assert report["exception_type"].endswith("ValueError")
    assert report["additional_info"].startswith("GET /stream HTTP/1.1")
    assert sink.rest() == []


class Answer:
    """An answer that counts how often it is closed."""

    def __init__(self, parts, closing=None):
        self.parts = iter(parts)
        self.closing = closing
        self.closed = 0

    def __iter__(self):
        return self.parts

    def close(self):
        self.closed += 1
        if self.closing:
            raise self.closing


def test_close_is_called_once_and_its_error_is_reported(sink):
    answer = Answer([b"a"], closing=OSError("disk"))
    watched = FlawlessMiddleware(lambda *_: answer)(environment(), start)
    assert list(watched) == [b"a"]
    with pytest.raises(OSError):
        watched.close()
    watched.close()
    assert answer.closed == 1
    assert sink.next()["exception_type"].endswith("OSError")


def test_an_answer_that_cannot_be_iterated_is_reported_once(sink):
    class Broken:
        def __iter__(self):
            raise LookupError("no rows")

    middleware = FlawlessMiddleware(FlawlessMiddleware(lambda *_: Broken()))
    with pytest.raises(LookupError):
        list(middleware(environment(), start))
    assert len(sink.rest()) == 1


def test_parts_are_passed_on_one_by_one(sink):
    made = []

    def app(environ, start_response):
        for number in range(3):
            made.append(number)
            yield b"x"

    watched = iter(FlawlessMiddleware(app)(environment(), start))
    assert made == []
    next(watched)
    assert made == [0]
    next(watched)
    assert made == [0, 1]
    watched.close()
    assert sink.rest() == []


class Sized:
    def __len__(self):
        return 1

    def __iter__(self):
        return iter([b"x"])


@pytest.mark.parametrize("answer", [[b"x"], (b"x",), b"x", Sized(), FileWrapper(io.BytesIO())])
def test_answers_of_known_length_and_files_stay_the_objects_they_are(answer):
    environ = environment(**{"wsgi.file_wrapper": FileWrapper})
    assert FlawlessMiddleware(lambda *_: answer)(environ, start) is answer


def test_files_that_a_server_sends_in_its_own_way_stay_the_objects_they_are(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        environ = environment(**{"wsgi.file_wrapper": lambda file, size=0: file})
        assert FlawlessMiddleware(lambda *_: file)(environ, start) is file


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_program_is_no_error(sink, error):
    def app(environ, start_response):
        raise error

    with pytest.raises(type(error)):
        FlawlessMiddleware(app)(environment(), start)
    assert sink.rest() == []


def test_the_form_is_told_as_far_as_it_was_read(sink):
    form = b"name=Ann&note=" + b"n" * 5_000
    told = info(sink, FlawlessMiddleware(reading), post("application/x-www-form-urlencoded", form))
    assert told.endswith("\n\n" + form[:2_000].decode())

    def by_line(environ, start_response):
        next(iter(environ["wsgi.input"]))
        environ["wsgi.input"].readline(2)
        1 / 0

    told = info(sink, FlawlessMiddleware(by_line), post("application/json", b"{\n123456}"))
    assert told.endswith("\n\n{\n12")


def test_a_form_that_was_not_read_stays_unread(sink):
    environ = post("application/x-www-form-urlencoded", b"name=Ann")
    stream = environ["wsgi.input"]
    told = info(sink, FlawlessMiddleware(lambda *_: 1 / 0), environ)
    assert "Ann" not in told
    assert stream.tell() == 0


def test_of_a_multipart_form_the_text_fields_are_told(sink):
    body = (
        b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn & Bob\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nFILE\r\n'
        b'--B\r\nContent-Disposition: form-data; name="age"\r\n\r\n7\r\n--B--\r\n'
    )
    environ = post('multipart/form-data; boundary="B"', body)
    told = info(sink, FlawlessMiddleware(reading), environ)
    assert told.endswith("\n\nname=Ann+%26+Bob&age=7")


def test_other_bodies_and_those_of_get_are_not_touched():
    for environ in (
        post("image/png", b"PNG"),
        dict(post("application/x-www-form-urlencoded", b"a=1"), REQUEST_METHOD="GET"),
    ):
        stream = environ["wsgi.input"]
        FlawlessMiddleware(lambda *_: [])(environ, start)
        assert environ["wsgi.input"] is stream


def test_a_hostile_request_is_bounded_and_told(sink):
    environ = environment(
        PATH_INFO="/\udc80é" * 3_000,
        QUERY_STRING="\ud800" * 9_000,
        REQUEST_METHOD=None,
        SERVER_PROTOCOL=5,
        HTTP_LONG="x" * 100_000,
        **{f"HTTP_X_{number:03}": "v" for number in range(500)},
    )
    environ[7] = "x"
    told = info(sink, FlawlessMiddleware(lambda *_: 1 / 0), environ)
    assert len(told) < 10_000
    assert "Long: " + "x" * 1_000 + "\n" in told
    assert told.count("\n") == 100


@pytest.mark.parametrize(
    "content_type, body",
    [
        ("application/x-www-form-urlencoded", b"name=Ann&password=hunter2%26hunter2&x=1"),
        ("application/json", b'{"name": "Ann", "password": "hunter2", "x": 1}'),
        ("application/json", b'{"name": "Ann", "password": "hunter2' + b"2" * 9_000),
        (
            "multipart/form-data; boundary=B",
            b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n'
            b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2&\r\n--B--',
        ),
    ],
)
def test_secrets_of_a_request_stay_here(sink, content_type, body):
    environ = post(content_type, body)
    environ.update(
        QUERY_STRING="page=7&access_token=hunter2",
        HTTP_COOKIE="sessionid=hunter2",
        HTTP_AUTHORIZATION="Bearer hunter2",
        HTTP_X_CSRFTOKEN="hunter2",
        HTTP_REFERER="http://shop/?token=hunter2&page=8",
    )
    told = info(sink, FlawlessMiddleware(reading), environ)
    assert "hunter2" not in told
    for plain in ("page=7", "page=8", "Ann"):
        assert plain in told


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the interpreter puts the entries back")
def test_what_the_program_sees_of_its_exception_has_no_entry_of_ours(sink):
    def app(environ, start_response):
        raise RuntimeError("out of paper")

    def generator(environ, start_response):
        yield 1 / 0

    for fails in (app, generator):
        with pytest.raises(Exception) as caught:
            list(FlawlessMiddleware(FlawlessMiddleware(fails))(environment(), start))
        files = [entry.path.name for entry in caught.traceback]
        assert files == ["test_wsgi.py"] * 2
        assert sink.next()["error_count"] == 1
    assert sink.rest() == []


def calls(work):
    """How many functions are called, in Python and in C."""
    counted = []
    sys.setprofile(lambda _frame, event, _of: counted.append(event))
    try:
        work()
    finally:
        sys.setprofile(None)
    return sum(event in ("call", "c_call") for event in counted)


def test_a_request_without_error_costs_few_calls(sink):
    def app(environ, start_response):
        return [b"x"]

    def generator(environ, start_response):
        yield b"x"

    def cost(app):
        environ = environment()
        return calls(lambda: list(app(environ, start)))

    assert cost(FlawlessMiddleware(app)) - cost(app) <= 10
    assert cost(FlawlessMiddleware(generator)) - cost(generator) <= 20


def test_errors_are_reported_without_delay_when_no_server_answers():
    flawless.init(hostports=["127.0.0.1:9"], hooks=False)

    def app(environ, start_response):
        raise RuntimeError("no server is there")

    begun = time.monotonic()
    with pytest.raises(RuntimeError):
        FlawlessMiddleware(app)(environment(), start)
    assert time.monotonic() - begun < 1


def test_a_raise_without_traceback_passes_several_of_ours_as_one_occurrence(sink):
    def app(environ, start_response):
        raise ValueError("none").with_traceback(None)

    def again(environ, start_response):
        try:
            app(environ, start_response)
        except ValueError as error:
            error.__traceback__ = None
            raise error

    for fails in (app, again):
        around = FlawlessMiddleware(FlawlessMiddleware(FlawlessMiddleware(fails)))
        for _ in range(5):
            with pytest.raises(ValueError):
                around(environment(), start)
        assert sum(report["error_count"] for report in sink.rest()) == 5


def test_a_generator_that_was_begun_is_closed_and_what_that_raises_is_reported(sink):
    def parts():
        try:
            yield b"a"
            yield b"b"
        finally:
            raise OSError("the file is gone")

    begun = []

    def app(environ, start_response):
        answer = parts()
        next(answer)
        begun.append(answer)
        return answer

    with pytest.raises(OSError, match="gone"):
        FlawlessMiddleware(app)(environment(), start).close()
    assert sink.next()["exception_type"] == "builtins.OSError"


def test_what_is_thrown_into_an_answer_is_no_fault_of_the_answer(sink):
    def parts():
        yield b"a"
        yield b"b"

    answer = FlawlessMiddleware(lambda *_: parts())(environment(), start)
    next(answer)
    with flawless.scope():
        here = CURRENT.get()
        with pytest.raises(KeyError):
            answer.throw(KeyError("of the server"))
        assert CURRENT.get() is here
    assert sink.rest() == []


def test_the_request_is_that_of_the_environment_that_the_failing_app_was_called_with(wire):
    def fails(environ, start_response):
        raise ValueError("within")

    def app(environ, start_response):
        return FlawlessMiddleware(fails)(dict(environ, PATH_INFO="/within"), start_response)

    def with_scope(environ, start_response):
        environ["test.scope"] = opened = contextlib.ExitStack()
        opened.enter_context(flawless.scope())
        raise ValueError("within")

    for inner, path in ((app, "/within"), (with_scope, "/outer")):
        environ = dict(environment(), PATH_INFO="/outer")
        with pytest.raises(ValueError):
            FlawlessMiddleware(inner)(environ, start)
        environ.get("test.scope", contextlib.ExitStack()).close()
        (report,) = wire()
        assert report["request"]["path"].startswith(path)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a future keeps no traceback of its own")
def test_a_kept_exception_with_no_entry_but_ours_is_counted_each_time(sink):
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_exception(OSError("kept"))
    around = FlawlessMiddleware(lambda *_: map(asyncio.Future.result, [future]))
    # So often that new entries have the addresses of older ones.
    for _ in range(50):
        with pytest.raises(OSError):
            list(around(environment(), start))
    loop.close()
    assert sum(report["error_count"] for report in sink.rest()) == 50
